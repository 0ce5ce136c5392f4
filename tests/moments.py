"""Ends a process, or fails its disk, at the very moment before its k-th change of a folder.

What changes files is heard of through Python's audit events, in a process that is forked for it: so
every moment at which a run may be killed is tried, without waiting for chance.
"""

import errno
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from musim.datasets.replacing import NEW, OLD
from musim.simulator import InputError

_PATHS = {"os.rename": 2, "os.link": 2, "os.remove": 1, "os.mkdir": 1, "os.rmdir": 1}
"""Events that change a folder, with the number of their paths; ``open`` is one if it may write."""

_FILLS = ("open", "os.mkdir", "os.link")
"""What a full disk refuses."""


@dataclass(frozen=True)
class Ended:
    """How a function ended in a process of its own.

    Parameters
    ----------
    killed : bool
    error : str
        ``Kind: text`` of what it raised; empty if it came to its end.
    changes : list of str
        What it changed, or was about to change as it was killed.
    """

    killed: bool
    error: str
    changes: list[str]

    @property
    def done(self) -> bool:
        """Whether it came to its end."""
        return not self.killed and not self.error


def run(
    function: Callable[[], Any], folder: Path, moment: int | None = None, failure: int | None = None
) -> Ended:
    """Call a function in a forked process.

    Parameters
    ----------
    function : callable
    folder : Path
        Changes of what is below it are counted.
    moment : int, optional
        The change, from 0, before which the process is killed; none, if not given.
    failure : int, optional
        Number of an error (errno) with which that change and all later ones fail in place of that.
    """
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        _child(function, folder, moment, failure, write)
    os.close(write)
    with open(read) as pipe:  # noqa: PTH123
        told = [json.loads(line) for line in pipe]
    status = os.waitpid(child, 0)[1]
    changes = [line["change"] for line in told if "change" in line]
    error = next((line["error"] for line in told if "error" in line), "")
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    assert killed or error or status == 0, status
    return Ended(killed, error, changes)


def files(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder, by their paths in it."""
    found = [path for path in folder.rglob("*") if not path.is_dir()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def kill_at_random(
    make: Callable[..., Any],
    old: Callable[[Path], Any],
    folder: Path,
    count: int,
    seed: int,
    content: Callable[[Path], Any] = files,
) -> None:
    """Kill what makes a result at moments of chance; it then goes on to what undisturbed ones give.

    Every second time it is to replace an old result, which is there until the new one is.

    Parameters
    ----------
    make : callable
        Makes the result at a path, with the options `resume` or `overwrite`.
    old : callable
        Makes another one there.
    folder : Path
    count, seed : int
        Moments, and of which they are drawn.
    content : callable
        What is compared of a result.
    """
    random = np.random.default_rng(seed)
    whole = folder / "whole" / "set.zarr"
    make(whole)  # what is compiled and imported once is
    before = folder / "old" / "set.zarr"
    old(before)
    began = time.perf_counter()
    make(folder / "again" / "set.zarr")
    duration = time.perf_counter() - began
    for number in range(count):
        path = folder / str(number) / "set.zarr"
        replaces = number % 2 == 1
        if replaces:
            shutil.copytree(before.parent, path.parent)
        _kill_after(lambda: make(path, overwrite=replaces), random.uniform(0, 1.1) * duration)  # noqa: B023
        if replaces and path.exists():
            assert content(path) in (content(before), content(whole)), number
        begun = any(path.with_name(path.name + ending).exists() for ending in (NEW, OLD))
        try:
            if replaces and not begun and content(path) == content(before):
                raise InputError("the old one is there, and nothing else")
            make(path, resume=True)
        except InputError:  # nothing had begun
            make(path, overwrite=replaces)
        assert content(path) == content(whole), number
        assert _beside(path) == _beside(whole), number


def _beside(path: Path) -> dict[str, bytes]:
    """Return the files beside a path; a folder that should not be there is one without content."""
    found = (other for other in path.parent.iterdir() if other != path)
    return {other.name: other.read_bytes() if other.is_file() else b"" for other in found}


def _kill_after(function: Callable[[], Any], seconds: float) -> None:
    child = os.fork()
    if not child:
        code = 1
        try:
            function()
            code = 0
        finally:
            os._exit(code)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def empty(folder: Path) -> None:
    """Remove all that is in a folder."""
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _child(
    function: Callable[[], Any], folder: Path, moment: int | None, failure: int | None, write: int
) -> None:
    count, busy, below = 0, False, str(folder)

    def tell(**line: str) -> None:
        os.write(write, json.dumps(line).encode() + b"\n")

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count, busy
        if busy:
            return
        paths = _changed(event, arguments, below)
        if not paths:
            return
        busy = True
        number, count = count, count + 1
        tell(change=f"{event} {' '.join(paths)}")
        busy = False
        if moment is None or number < moment:
            return
        if failure is None:
            os.kill(os.getpid(), signal.SIGKILL)
        elif failure != errno.ENOSPC or event in _FILLS:
            raise OSError(failure, os.strerror(failure), paths[0])

    sys.addaudithook(hear)
    try:
        function()
    except BaseException as error:
        tell(error=f"{type(error).__name__}: {error}")
        os._exit(1)
    os._exit(0)


def _changed(event: str, arguments: tuple[Any, ...], below: str) -> list[str]:
    """Return the paths below a folder that an event is about to change."""
    if event == "open":
        path, _, flags = arguments
        writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
        paths = [path] if writes and isinstance(path, str | bytes | os.PathLike) else []
    elif event in _PATHS:
        paths = list(arguments[: _PATHS[event]])
        if event in {"os.remove", "os.rmdir"} and arguments[1] not in {None, -1}:
            return [os.fsdecode(paths[0])]  # in a folder that is open, as shutil.rmtree has it
    else:
        return []
    texts = [os.fsdecode(path) for path in paths]
    return texts if any(text.startswith(below) for text in texts) else []
