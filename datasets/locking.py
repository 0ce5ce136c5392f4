"""One writer at a time: a lock beside what is written says which process writes it.

The lock is a file that only one process can make, on network disks too, and that tells host and
process. Whoever holds it also has the operating system lock the file (flock), which ends with the
process, however that ends: so a lock whose process has died is told from one that is held, without
a look at any clock. Of processes on other machines nothing is known; what to remove is then said.
"""

import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from glob import escape
from pathlib import Path
from typing import BinaryIO, Self
from uuid import getnode, uuid4

from ..simulator.errors import InputError
from .location import PARTIAL, Location

try:
    import fcntl
except ImportError:  # not a Unix
    fcntl = None

LOCK = ".musim-lock"
"""Ending of a lock's name; it stands beside what is written."""

INITIAL_SPACE = "pid:[4026531836]"
"""Where Linux counts the processes of a machine itself, rather than of a container on it."""

TRIES, PAUSE = 20, 0.05
"""How often, and s apart, a lock is looked at that just then changes hands."""

_held: set[BinaryIO] = set()


@dataclass(frozen=True)
class Holder:
    """The process that holds a lock.

    Parameters
    ----------
    host : str
    machine : str
        What tells the machine from others of its name, as far as it is known.
    boot : str
        What tells this start of the machine from others.
    space : str
        Where its number is counted: containers count their own.
    pid : int
    started : str
        When it was started, in the machine's own count: numbers of processes come again.
    since : str
        When it took the lock; for people, who alone read it.
    """

    host: str
    machine: str
    boot: str
    space: str
    pid: int
    started: str
    since: str

    @classmethod
    def this_process(cls) -> Self:
        """Return what describes this process."""
        space = ""
        with suppress(OSError):
            space = str(Path("/proc/self/ns/pid").readlink())
        return cls(
            platform.node(),
            _content("/etc/machine-id") or f"{getnode():x}",
            _content("/proc/sys/kernel/random/boot_id"),
            space,
            os.getpid(),
            _started(os.getpid()),
            datetime.now().astimezone().isoformat(" ", "seconds"),
        )

    @classmethod
    def read(cls, content: bytes) -> Self | None:
        """Return who wrote a lock; None if that is not to be read."""
        try:
            values = json.loads(content)
            found = cls(**{field.name: values[field.name] for field in fields(cls)})
        except (ValueError, KeyError, TypeError):
            return None
        return found if isinstance(found.pid, int) else None

    def __str__(self) -> str:
        """Return the process in words."""
        return f"process {self.pid} on {self.host}, since {self.since}"


def lock_path(path: Path) -> Path:
    """Return where the lock of a file or folder stands: beside it, where that can be written."""
    if path.is_dir() and (path.is_mount() or not os.access(path.parent, os.W_OK)):
        return path / LOCK
    return path.with_name(path.name + LOCK)


@contextmanager
def locked(path: Path, name: object = "") -> Iterator[None]:
    """Hold the lock of a file or folder that is to be written; it need not be there.

    Parameters
    ----------
    path : Path
        Without links: all its names have one lock.
    name : object
        What messages call it; the path, if not given.

    Raises
    ------
    InputError
        If another process holds it, or it cannot be told that none does.
    MusimError
        If the lock cannot be written.
    """
    lock, owner = lock_path(path), os.getpid()
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        file = _take(lock, str(name) or str(path))
    except OSError as error:
        raise Location(str(name) or path).failure("be written", error) from error
    _held.add(file)
    try:
        for left in lock.parent.glob(f"{escape(lock.name)}.*{PARTIAL}"):
            left.unlink(missing_ok=True)
        yield
    finally:
        if os.getpid() == owner:  # what this process forked does not give it back
            with suppress(OSError):
                if _is_at(file, lock):
                    lock.unlink()
            _held.discard(file)
            file.close()


def _take(lock: Path, name: str) -> BinaryIO:
    """Return the file of a lock, which is then this process's."""
    for _ in range(TRIES):
        with suppress(FileExistsError):
            return _made(lock)
        with suppress(FileNotFoundError), lock.open("r+b") as file:
            if _is_left(file, lock, name) and _is_at(file, lock):
                return _made(lock, replacing=True)  # by one process: it holds the old file's lock
        time.sleep(PAUSE)
    raise InputError(
        f"{name}: found a lock of no process that lives, wanted none; if nothing writes there, "
        f"remove {lock}"
    )


def _made(lock: Path, *, replacing: bool = False) -> BinaryIO:
    """Make a lock at once with its content; FileExistsError if there is one."""
    aside = lock.with_name(f"{lock.name}.{uuid4().hex[:8]}{PARTIAL}")
    file = aside.open("x+b")
    try:
        _flock(file)
        file.write(json.dumps(asdict(Holder.this_process())).encode())
        file.flush()
        if replacing:
            aside.replace(lock)
            return file
        try:
            os.link(aside, lock)
        except FileExistsError:
            raise
        except FileNotFoundError:  # whoever has the lock sweeps away what others make one of
            raise FileExistsError(str(lock)) from None
        except OSError:  # a disk without hard links: it may be made empty, if this is killed here
            with lock.open("xb"):
                aside.replace(lock)
        return file
    except BaseException:
        file.close()
        raise
    finally:
        aside.unlink(missing_ok=True)


def _is_left(file: BinaryIO, lock: Path, name: str) -> bool:
    """Return whether a lock was left by a process that has died, and is this one's to take.

    Raises
    ------
    InputError
        If it is held, or may be.
    """
    holder, here = Holder.read(file.read()), Holder.this_process()
    if holder is None:
        return False
    same_start = (holder.machine, holder.boot) == (here.machine, here.boot)
    restarted = not same_start and (
        (holder.host, holder.machine, holder.space) == (here.host, here.machine, INITIAL_SPACE)
    )
    if not same_start and not restarted:
        raise InputError(
            f"{name}: found it locked by {holder}, which cannot be asked from here, wanted it "
            f"free; wait until it has ended, or if it has, remove {lock}"
        )
    counted = same_start and holder.space == here.space
    dead = restarted or (counted and not _lives(holder))
    free = _flock(file)
    if free is None and dead:
        raise InputError(
            f"{name}: found it locked by {holder}, which has ended, wanted it free; remove {lock}"
        )
    if dead or (free and not counted):
        return bool(free)  # if not, another process takes it over right now
    raise InputError(
        f"{name}: found another process writing there ({holder}), wanted one at a time; wait until "
        "it has ended, or choose another place"
    )


def _flock(file: BinaryIO) -> bool | None:
    """Have the system lock a file; False if another process has, None if it cannot."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a disk that knows no such locks
        return None
    return True


def _is_at(file: BinaryIO, lock: Path) -> bool:
    """Return whether an open file is the one that now has a name."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), lock.stat())
    except FileNotFoundError:
        return False


def _content(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Return when a process was started, in ticks of the machine's own clock; empty if unknown."""
    # The name of the program, in parentheses, may hold anything.
    fields_of_it = _content(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return fields_of_it[19] if len(fields_of_it) > 19 else ""


def _lives(holder: Holder) -> bool:
    """Return whether a process that is counted where this one is has not ended."""
    if holder.started:
        return _started(holder.pid) == holder.started
    if os.name != "posix":  # where there is no harmless signal
        return True
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _leave_to_parent() -> None:
    """Close the locks of the process that forked this one: they end with it alone."""
    for file in _held:
        with suppress(OSError):
            file.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
