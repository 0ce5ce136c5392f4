"""What the tests of the command line share: running it as a user does, in this process."""

from types import SimpleNamespace

import pytest

from musim.cli import main

TINY = ["--units", "2-3", "--pixels", "16x16", "--frames", "20", "--frame-rate", "200"]


@pytest.fixture
def musim(capfd, monkeypatch, tmp_path):
    """Run ``musim`` with some arguments in an empty folder; returns code, out and err."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        texts = capfd.readouterr()
        return SimpleNamespace(code=stop.value.code, out=texts.out, err=texts.err)

    return run


@pytest.fixture
def tiny():
    """Return options of a simulation that takes no time."""
    return list(TINY)
