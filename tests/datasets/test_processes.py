"""Worker processes leave the user's script alone, whatever it is and however it was started."""

import os
import subprocess
import sys
import threading
from multiprocessing import get_context, spawn

import pytest

from musim.datasets.parallel import open_workers
from musim.datasets.processes import WorkerContext, without_main

MAIN = ("init_main_from_name", "init_main_from_path")


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Let this process be one of a script; return the file that tells that it was run again."""
    file, told = tmp_path / "script.py", tmp_path / "again"
    file.write_text(f"import pathlib\npathlib.Path({str(told)!r}).touch()\n", "utf-8")
    main = sys.modules["__main__"]
    monkeypatch.setattr(main, "__file__", str(file), raising=False)
    monkeypatch.setattr(main, "__spec__", None, raising=False)
    return told


def test_workers_leave_the_script_alone(script, tmp_path):
    with open_workers(workers=2) as run:
        run(os.mkdir, [(str(tmp_path / name),) for name in "ab"], lambda: None)
    assert (tmp_path / "a").is_dir()
    assert not script.exists()


def test_a_process_of_python_itself_runs_the_script_again(script):
    # What the test above would see, were it not for musim's own processes.
    for context, again in ((WorkerContext(), False), (get_context("spawn"), True)):
        process = context.Process(target=os.getpid)
        process.start()
        process.join()
        assert (process.exitcode, script.exists()) == (0, again)


@pytest.mark.torch
def test_loaders_leave_the_script_alone(script, tmp_path, tiny):
    from musim.datasets import generate
    from musim.datasets.streaming import SequenceLoader

    store = generate(tiny, tmp_path / "set.zarr", sequences=2, workers=1)
    (batch,) = SequenceLoader(store, batch_size=2, workers=1)
    assert sorted(batch["index"].tolist()) == [0, 1]
    assert not script.exists()


def test_others_processes_begin_as_ever(script):
    found = []

    def prepare():
        found.append(spawn.get_preparation_data("name"))

    with without_main():
        prepare()
        thread = threading.Thread(target=prepare)
        thread.start()
        thread.join()
    prepare()
    assert [[key in data for key in MAIN] for data in found] == [
        [False, False],
        [False, True],
        [False, True],
    ]


@pytest.mark.timeout(120)
@pytest.mark.usefixtures("fresh_processes")
def test_what_comes_from_standard_input_may_use_processes(tmp_path):
    # Not from an installed file, not under a condition, and with a function of its own.
    text = (
        "import pathlib\n"
        "from musim.datasets.parallel import open_workers\n"
        "def work(path):\n"
        "    pathlib.Path(path).touch()\n"
        "with open_workers(workers=2) as run:\n"
        f"    run(work, [({str(tmp_path)!r} + '/' + name,) for name in 'abc'], lambda: None)\n"
    )
    done = subprocess.run(
        [sys.executable, "-"], input=text, text=True, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == list("abc")
