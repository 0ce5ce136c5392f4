"""The entry point: quick help, one-line errors, exit codes."""

import subprocess
import sys

import pytest

from musim.cli import main as entry
from musim.cli.main import COMMANDS
from musim.cli.main import musim as group


def test_help_names_every_command_and_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from musim.cli import main\n"
        "try:\n    main(['--help'])\n"
        "except SystemExit:\n    pass\n"
        "heavy = {'numpy', 'rich', 'zarr', 'dask', 'torch', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(f'imports {sorted(heavy)}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in COMMANDS)


def test_the_module_runs_as_a_program():
    command = [sys.executable, "-m", "musim.cli", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("musim, version ")


def test_nothing_follows_the_line_that_says_interrupted():
    # A request to the disk that an interrupt leaves half-done, as inside zarr's own thread.
    code = (
        "import asyncio, sys\n"
        "import musim.cli.main\n"
        "entry = sys.modules['musim.cli.main']\n"
        "async def request():\n    await asyncio.get_running_loop().create_future()\n"
        "def interrupted(**_):\n"
        "    global loop, task\n"
        "    loop = asyncio.new_event_loop()\n"
        "    task = loop.create_task(request())\n"
        "    loop.run_until_complete(asyncio.sleep(0))\n"
        "    globals()['later'] = request()\n"
        "    raise KeyboardInterrupt\n"
        "entry.musim.main = interrupted\n"
        "try:\n    entry.main([])\nfinally:\n    del task, loop, later\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("Error: interrupted")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_exists_and_its_help_shows_examples(name, musim):
    command = group.get_command(None, name)
    assert command is not None
    assert command.name == name
    shown = musim(name, "--help")
    assert shown.code == 0
    assert "Examples:" in shown.out
    assert f"musim {name}" in shown.out


def test_summaries_in_the_list_are_those_of_the_commands():
    for name, summary in COMMANDS.items():
        command = group.get_command(None, name)
        assert command.help.split(":")[0].split(",")[0].split()[0] == summary.split()[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["bogus"], ["bogus", "generate"]),
        (["generate", "--bogus", "1"], ["--bogus", "musim generate --help"]),
        (["generate", "--sequences", "x"], ["'x'", "integer"]),
        (["verify"], ["STORE"]),
        (["info", "nowhere.zarr"], ["nowhere.zarr", "found nothing"]),
        (["preview", "nowhere.zarr"], ["nowhere.zarr", "found nothing"]),
    ],
)
def test_wrong_use_is_one_line_and_code_2(arguments, words, musim):
    done = musim(*arguments)
    assert done.code == 2
    assert done.out == ""
    lines = done.err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("Error: ")
    assert all(word in lines[0] for word in words)


def test_an_interruption_is_code_130_and_says_how_to_go_on(musim, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("musim.datasets.generation.generate", interrupt)
    done = musim("generate")
    assert done.code == 130
    assert "--resume" in done.err


def test_too_little_memory_is_a_failure_of_one_line(musim, monkeypatch):
    def exhaust(*_, **__):
        raise MemoryError

    monkeypatch.setattr("musim.datasets.generation.generate", exhaust)
    done = musim("generate")
    assert done.code == 1
    assert "memory" in done.err.strip().splitlines()[-1]


def test_a_defect_of_musim_itself_is_not_hidden(monkeypatch):
    def break_down(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr("musim.datasets.generation.generate", break_down)
    with pytest.raises(ZeroDivisionError):
        entry(["generate"])


def test_alone_it_shows_its_help(musim):
    done = musim()
    assert done.code == 2
    assert done.err.startswith("Usage: musim")
    assert all(f"\n  {name} " in done.err for name in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["generat"], "found 'generat', did you mean generate?"),
        (["xyzzy"], "found 'xyzzy', wanted one of curate, evaluate, events"),
        (["evaluate", "identfy"], "Did you mean 'identify'?"),
        (["generate", "--unit", "3"], "'--units'"),
    ],
)
def test_a_mistyped_word_is_told_what_may_be_meant(musim, arguments, said):
    done = musim(*arguments)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert said in done.err


def test_a_recording_in_place_of_a_store_names_the_import(musim, tmp_path):
    (tmp_path / "recording.mat").write_bytes(b"MATLAB 5.0 MAT-file")
    for command in ("identify", "info", "preview", "verify", "report"):
        done = musim(command, "recording.mat")
        assert (done.code, len(done.err.splitlines())) == (2, 1)
        assert "recording.mat: found something else, wanted a musim store" in done.err
        assert "musim import makes stores of recordings" in done.err
