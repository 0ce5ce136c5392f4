"""Processes that read foreign files for this one, so that no file can crash or stall it.

Libraries in C may crash on damaged bytes, loop, or ask for any amount of memory. They run in
processes of their own, with limits; what becomes of these is one line that names the file.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...simulator.errors import InputError
from .wire import receive, send

MEMORY = 1 << 30
"""Bytes that a request may take beside those of what it asks for."""

SECONDS = 120.0
"""Seconds of the processor that a request may take. A slow disk takes none of them."""

BYTES_PER_SECOND = 4e6
"""How much longer a request may take for what it asks for; compressed values come 10 times as
fast."""

SILENCE = 900.0
"""Seconds after which a process that says nothing is taken for hung, as on a lost network disk."""

# The packages stand without what they import, which readers do not need, and which takes seconds.
_START = """
import importlib, json, sys, types
handle, path, packages, module = json.loads(sys.argv[1])
sys.path[:] = path
for name, folders in packages:
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = folders
importlib.import_module(module).main(handle)
"""
_PACKAGE = __name__.rpartition(".")[0]
_ROOT = _PACKAGE.split(".")[0]
_BARE = (_ROOT, f"{_ROOT}.simulator", f"{_ROOT}.datasets", _PACKAGE)


class _Server:
    """The process that the others are copies of; it is started when it is first needed."""

    def __init__(self) -> None:
        self.left: list[int] = []
        """Processes that nobody waits for."""
        self._lock = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def open(self, readers: Sequence[str]) -> tuple[int, socket.socket]:
        """Start a process for a file; return its number and the connection to it."""
        with self._lock:
            while self.left:
                self.wait(self.left.pop())
            ours, theirs = socket.socketpair()
            try:
                with theirs:
                    try:
                        return self._open(readers, theirs), ours
                    except (EOFError, ConnectionError):
                        # Someone ended the server, perhaps for lack of memory: start another one.
                        return self._open(readers, theirs), ours
            except BaseException:
                ours.close()
                raise

    def _open(self, readers: Sequence[str], theirs: socket.socket) -> int:
        self._start()
        return self._ask({"readers": [*readers]}, theirs)["process"]

    def wait(self, process: int) -> int | None:
        """Wait for the end of a process that was told to; return how, as Popen does, if known."""
        with self._lock, suppress(EOFError, OSError):
            return self._ask({"process": process})["status"] if self._control else None
        return None

    def _ask(self, message: dict[str, Any], connection: socket.socket | None = None) -> Any:
        assert self._control is not None
        try:
            if connection:
                socket.send_fds(self._control, [b"o"], [connection.fileno()])
            else:
                self._control.sendall(b"w")
            send(self._control, message)
            return receive(self._control)
        except BaseException:
            self.end()  # what comes next would be taken for another answer
            raise

    def _start(self) -> None:
        if self._process is not None:
            return
        self._control, theirs = socket.socketpair()
        packages = [(name, list(sys.modules[name].__path__)) for name in _BARE]
        told = theirs.fileno(), sys.path, packages, f"{_PACKAGE}.reading_server"
        # A process with threads (of numpy's libraries) cannot be copied.
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _START, json.dumps(told)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # where the C library says that it aborts
                cwd="/",
                env={**os.environ, **threads},
                start_new_session=True,  # Ctrl-C is not for it
            )

    def end(self) -> None:
        """End it; processes that read a file end when nobody asks them any more."""
        if self._process is not None and self._control is not None:
            self._control.close()
            self._process.kill()
            self._process.wait()
        self._process = self._control = None

    def forget(self) -> None:
        """Leave it to the process that started it, of which this one is a copy."""
        if self._process is not None and self._control is not None:
            self._control.close()
            self._process.returncode = 0  # it is not for this one to wait for
        self.__init__()


CAN_FORK = hasattr(os, "fork")
"""Whether there can be such processes: not on Windows, where files are read in this one."""

_SERVER = _Server()
atexit.register(_SERVER.end)
if CAN_FORK:
    os.register_at_fork(after_in_child=_SERVER.forget)


class ReadingProcess:
    """A process that reads one file.

    Parameters
    ----------
    path : path
        Of the file.
    readers : sequence of str
        Classes of :class:`.files.File`, as ``module:name``; the first that confirms the file reads
        it.
    """

    def __init__(self, path: Path, readers: Sequence[str]) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._ended = ""
        self._connection: socket.socket | None = None
        self._number, self._connection = _SERVER.open(readers)
        self._connection.settimeout(SILENCE)

    def ask(
        self,
        request: dict[str, Any],
        *,
        name: str = "",
        size: int = 0,
        take: Callable[[socket.socket], Any] | None = None,
    ) -> Any:
        """Ask, and return the answer.

        Parameters
        ----------
        request : dict
            Of what JSON holds.
        name : str
            Of the variable, for messages.
        size : int
            Bytes of what is asked for.
        take : callable, optional
            Takes values that come after the answer, and is the answer then.

        Raises
        ------
        InputError
            If the file is refused, or the process crashed, hung, or took too much.
        """
        where = f"{self.path}: {name}" if name else f"{self.path}"
        seconds = SECONDS + size / BYTES_PER_SECOND
        limits = {"memory": MEMORY + 6 * size, "seconds": seconds}
        with self._lock:
            if self._connection is None:
                raise InputError(f"{where}: {self._ended or 'the file is closed'}")
            try:
                send(self._connection, request | limits)
                reply = receive(self._connection)
                if "answer" in reply:
                    return take(self._connection) if take else reply["answer"]
            except (EOFError, ConnectionError):
                self._ended = _why(self._finish(), seconds)
                raise InputError(f"{where}: {self._ended}") from None
            except BaseException as error:
                # What comes next would be taken for another answer.
                self._ended = "found no answer to be read from it"
                if isinstance(error, TimeoutError):
                    self._ended = (
                        f"found nothing read from it within {SILENCE:g} s, wanted an answer; check "
                        "the disk that it lies on, or copy it to another"
                    )
                self._finish(kill=True)
                if isinstance(error, TimeoutError):
                    raise InputError(f"{where}: {self._ended}") from None
                raise
        if "refused" in reply:
            raise InputError(str(reply["refused"]))
        raise RuntimeError(str(reply.get("raised")))

    def close(self) -> None:
        """End the process."""
        with self._lock:
            if self._connection is not None:
                self._finish(kill=True)

    def _finish(self, *, kill: bool = False) -> int | None:
        """Let go of the process; return how it ended, if that is known."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if kill:
            with suppress(ProcessLookupError):
                # Its number is its own until someone waits for it, which is done here alone.
                os.kill(self._number, signal.SIGKILL)
        return _SERVER.wait(self._number)

    def __del__(self) -> None:
        if self._connection is not None:
            # It ends when its connection does; here nothing may wait.
            self._connection.close()
            _SERVER.left.append(self._number)


def _why(status: int | None, seconds: float) -> str:
    if status == -signal.SIGXCPU:
        return (
            f"found no end to reading it within {seconds:.0f} s of the processor, wanted an "
            "answer; the file is damaged, copy or save it again"
        )
    how = ""
    if status is not None and status < 0:
        how = f" ({signal.Signals(-status).name})"
    return (
        f"cannot be read, the library that reads it crashed{how}, as it does on damaged files; "
        "copy or save it again"
    )
