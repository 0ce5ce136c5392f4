"""Whatever becomes of the process that reads a file is one line, and harms nothing else."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from musim.datasets.importing import reading_processes
from musim.datasets.importing.formats import FORMATS, open_file
from tests.datasets.importing.hostile_files import HostileFile


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    """Write a file at whose reading something happens; return its path."""
    monkeypatch.setitem(FORMATS, HostileFile.format, HostileFile)

    def call(where, what):
        path = tmp_path / f"{where}-{what}.hostile"
        path.write_text(f"HOSTILE {where} {what}")
        return path

    return call


def _is_running(process):
    """Return whether there is such a process; one that has ended but was not waited for is."""
    return Path(f"/proc/{process}").exists()


def _state(process):
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.parametrize("where", ["confirm", "list"])
@pytest.mark.parametrize("what", ["SIGSEGV", "SIGABRT", "SIGKILL"])
def test_a_crash_at_opening_names_the_file(where, what, hostile, refused):
    path = hostile(where, what)
    with refused(str(path), "crashed", what, "copy or save it again"):
        open_file(path)


def test_a_crash_at_reading_ends_that_file_alone(hostile, refused):
    with (
        open_file(hostile("never", "SIGSEGV")) as sound,
        open_file(hostile("read", "SIGSEGV")) as one,
    ):
        crashed = one.info("x").attributes["process"]
        for _ in range(2):  # what is asked after it as well
            with refused("read-SIGSEGV", "x", "crashed", "SIGSEGV"):
                one.array("x").read()
        assert not _is_running(crashed)
        assert np.array_equal(sound.array("x").read((slice(1, 2),)), [[3, 4, 5]])


def test_a_loop_ends_after_its_share_of_the_processor(hostile, refused, monkeypatch):
    monkeypatch.setattr(reading_processes, "SECONDS", 0.5)
    with open_file(hostile("read", "loop")) as file, refused("read-loop", "x", "no end"):
        file.array("x").read()


def test_a_process_that_says_nothing_is_not_waited_for(hostile, refused, monkeypatch):
    monkeypatch.setattr(reading_processes, "SILENCE", 0.3)
    path = hostile("list", "sleep")
    with refused("list-sleep", "within 0.3 s", "the disk"):
        open_file(path)


def test_memory_is_limited_by_what_is_asked_for(hostile, refused):
    with open_file(hostile("read", "memory")) as file:
        with refused("read-memory", "x", "more memory than there is"):
            file.array("x").read()
        assert _is_running(file.info("x").attributes["process"])


def test_an_interruption_ends_the_process(hostile, monkeypatch):
    def interrupted(connection):
        monkeypatch.undo()
        raise KeyboardInterrupt

    with open_file(hostile("never", "loop")) as file:
        process = file.info("x").attributes["process"]
        monkeypatch.setattr(reading_processes, "receive", interrupted)
        with pytest.raises(KeyboardInterrupt):
            file.array("x").read()
        # Answers would be taken for those of other questions.
        with pytest.raises(ValueError, match="no answer"):
            file.array("x").read()
    assert not _is_running(process)


def _wait_for_the_end_of(process, *, is_ours=True):
    for _ in range(500):
        # Whether somebody waits for those whose starter was killed is the system's affair.
        if not _is_running(process) or (not is_ours and _state(process) == "Z"):
            return
        time.sleep(0.01)
    pytest.fail("the process is still there")


def test_closing_ends_the_process_and_leaves_no_other(hostile):
    with open_file(hostile("never", "loop")) as file:
        process = file.info("x").attributes["process"]
        assert _is_running(process)
    assert not _is_running(process)
    file.close()  # once more does nothing
    forgotten = open_file(hostile("never", "loop"))
    process = forgotten.info("x").attributes["process"]
    del forgotten, file
    with open_file(hostile("never", "loop")):  # which waits for those that were let go of
        _wait_for_the_end_of(process)


def test_another_server_is_started_when_one_was_ended(hostile):
    open_file(hostile("never", "loop")).close()
    first = reading_processes._SERVER._process
    os.kill(first.pid, signal.SIGKILL)
    with open_file(hostile("never", "loop")) as file:
        assert file.array("x").read().sum() == 66
        second = reading_processes._SERVER._process
        assert second is not first
        os.kill(second.pid, signal.SIGKILL)
        assert file.array("x").read().sum() == 66  # it needs the server no more


def test_a_copy_of_this_process_starts_its_own(hostile):
    path = hostile("never", "loop")
    open_file(path).close()

    def read():
        with open_file(path) as file:
            os._exit(int(file.array("x").read().sum()))

    copy = multiprocessing.get_context("fork").Process(target=read)
    copy.start()
    copy.join()
    assert copy.exitcode == 66
    with open_file(path) as file:  # the first one's server is still its own
        assert file.array("x").read().sum() == 66


def test_processes_end_with_a_script_that_is_killed(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.arange(6.0)
    # A script as people write them: all of it would run again where it is imported.
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""\
            import os
            from musim.datasets.importing import reading_processes
            from musim.datasets.importing.formats import open_file

            file = open_file("a.h5")
            print("sum", file.array("x").read().sum())
            server = reading_processes._SERVER._process.pid
            print("processes", server, file._process._number, flush=True)
            os.kill(os.getpid(), 9)
            """)
    )
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (-signal.SIGKILL, "")
    total, processes = done.stdout.splitlines()
    assert total == "sum 15.0"
    for process in processes.split()[1:]:
        _wait_for_the_end_of(process, is_ours=False)


def test_libraries_are_there_before_a_file_is_opened(hostile):
    with open_file(hostile("never", "loop")) as file:
        assert file.info("x").attributes["loaded"]


def test_relative_paths_are_those_of_now(hostile, monkeypatch, tmp_path, refused):
    path = hostile("never", "loop")
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path / "folder")
    with open_file(Path("..") / path.name) as file:
        assert file.array("x").read().shape == (4, 3)
    with refused("elsewhere.hostile", "no such file"):
        open_file("elsewhere.hostile")


def test_what_other_libraries_read_is_guarded():
    own = {name for name, reader in FORMATS.items() if not reader.guarded}
    assert own == {"NumPy .npy", "NumPy .npz", "MATLAB 4", "MATLAB 5", "NIfTI"}


def test_where_no_process_can_be_copied_files_are_read_in_this_one(tmp_path, monkeypatch):
    with h5py.File(tmp_path / "v.h5", "w") as file:
        file["velocity"] = np.arange(6.0).reshape(1, 2, 3)
    monkeypatch.setattr("musim.datasets.importing.formats.CAN_FORK", False)
    monkeypatch.setattr(reading_processes, "_SERVER", None)
    with open_file(tmp_path / "v.h5") as file:
        assert file.format == "HDF5"
        np.testing.assert_array_equal(file.array("velocity").read().ravel(), np.arange(6.0))
