"""Where stores lie: a local folder or any fsspec URL, behind the few operations stores need."""

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ..simulator.errors import FailureError, InputError, MusimError

try:
    from isal.isal_zlib import crc32  # several times as fast, and the same numbers
except ImportError:  # there is none for this processor
    from zlib import crc32

if TYPE_CHECKING:
    from zarr.abc.store import Store as ZarrStore

PARTIAL = ".partial"
"""Ending of files that are being written; what a killed run left has it too."""

SETTLING_THREADS = 8

_NOT_A_PLACE = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EEXIST,
    errno.ENOENT,
    errno.EISDIR,
    errno.ENAMETOOLONG,
    errno.ELOOP,
}
"""What the operating system says of places where no store can ever be."""


class Location:
    """A folder of files, named by keys with ``/``, on a disk or behind an fsspec URL.

    Writing is atomic: a key holds its old content, or all of the new. Locally a file is written
    aside, brought to the disk (fsync) and renamed; object stores replace objects whole.

    Parameters
    ----------
    url : str or path
        A path, or an fsspec URL such as ``s3://bucket/set.zarr``.

    Raises
    ------
    InputError
        If no file system is known for the URL's protocol.
    """

    def __init__(self, url: str | os.PathLike[str]) -> None:
        self.url = os.fspath(url).removeprefix("file://")
        self.is_local = "://" not in self.url
        if not self.url.endswith("://"):
            self.url = self.url.rstrip("/") or "/"
        if self.is_local:
            # Not resolved, but without "..", so that no folder is made only to be left again.
            self.path = Path(os.path.abspath(os.path.expanduser(self.url)))  # noqa: PTH100, PTH111
            return
        import fsspec

        try:
            self.system, self.root = fsspec.core.url_to_fs(self.url, use_listings_cache=False)
        except (ValueError, ImportError) as error:
            raise InputError(
                f"{self.url}: found a place that cannot be opened ({_first_line(error)}), wanted "
                "a path or an fsspec URL such as s3://bucket/name.zarr"
            ) from error

    def __str__(self) -> str:
        """Return the path or URL as it was given."""
        return self.url

    @property
    def address(self) -> str:
        """The path or URL in words that hold in any process, whatever its working directory."""
        return str(self.path) if self.is_local else self.url

    @property
    def is_shared(self) -> bool:
        """Whether other processes see it too: memory is this process's own."""
        return self.is_local or "memory" not in self.system.protocol

    def exists(self, key: str = "") -> bool:
        """Return whether the key is there, or with no key whether the location holds anything."""
        try:
            if self.is_local:
                return (self.path / key).exists()
            return bool(self.system.exists(f"{self.root}/{key}" if key else self.root))
        except Exception as error:
            raise self.failure("be reached", error) from error

    def read(self, key: str) -> bytes:
        """Return the content of a key.

        Raises
        ------
        FileNotFoundError
            If there is no such key.
        FailureError
            If it cannot be read.
        """
        try:
            if self.is_local:
                return (self.path / key).read_bytes()
            content = self.system.cat_file(f"{self.root}/{key}")
            return content.encode() if isinstance(content, str) else bytes(content)
        except (FileNotFoundError, NotADirectoryError):
            raise FileNotFoundError(key) from None
        except Exception as error:
            raise self.failure(f"be read at {key}", error) from error

    def write(self, key: str, content: Any) -> None:
        """Replace the content of a key, all at once.

        Parameters
        ----------
        key : str
        content : bytes, or a uint8 array

        Raises
        ------
        FailureError
            If it cannot be written; the key then holds what it held.
        """
        try:
            if self.is_local:
                write_aside(self.path / key, content)
            else:
                self.system.pipe_file(f"{self.root}/{key}", bytes(memoryview(content)))
        except Exception as error:
            raise self.failure("be written", error) from error

    def write_json(self, key: str, value: Any) -> bytes:
        """Write `value` as JSON with sorted keys; return the bytes."""
        content = json.dumps(value, sort_keys=True, indent=1, allow_nan=False).encode()
        self.write(key, content)
        return content

    def list_files(self, key: str) -> list[str]:
        """Return the names of the files directly below a key, sorted; none if it is not there."""
        try:
            if self.is_local:
                folder = self.path / key
                if not folder.is_dir():
                    return []
                return sorted(entry.name for entry in folder.iterdir() if entry.is_file())
            entries = self.system.ls(f"{self.root}/{key}", detail=True)
            files = [entry["name"] for entry in entries if entry["type"] == "file"]
            return sorted(name.rsplit("/", 1)[-1] for name in files)
        except FileNotFoundError:
            return []
        except Exception as error:
            raise self.failure("be listed", error) from error

    def remove(self, first: str, last: str) -> None:
        """Remove all that is in the location, one key before the rest and one after it."""
        try:
            if self.is_local:
                ends = [self.path / first, self.path / last]
                paths = sorted(self.path.rglob("*"), reverse=True)  # files before their folder
                files = [path for path in paths if path.is_symlink() or not path.is_dir()]
                for path in (ends[0], *(file for file in files if file not in ends), ends[1]):
                    path.unlink(missing_ok=True)
                for folder in set(paths) - set(files):
                    shutil.rmtree(folder, ignore_errors=True)
            else:
                top = self.system._strip_protocol(self.root)
                keys = sorted(
                    self.system.find(self.root),
                    key=lambda key: (key != f"{top}/{first}", key == f"{top}/{last}"),
                )
                for some in (keys[:1], keys[1:-1], keys[-1:]):
                    if some:
                        self.system.rm(some)
        except FileNotFoundError:
            return
        except Exception as error:
            raise self.failure("be removed", error) from error

    def free_bytes(self) -> float:
        """Return the free space where the location lies or will lie, bytes; inf if unknown."""
        if not self.is_local:
            return float("inf")
        folder = self.path
        try:
            while not folder.exists():
                folder = folder.parent
            return shutil.disk_usage(folder).free
        except OSError as error:
            raise self.failure("be reached", error) from error

    def zarr_store(self, *, read_only: bool) -> "ZarrStore":
        """Return a Zarr store over this location."""
        from zarr.storage import FsspecStore, LocalStore

        if self.is_local:
            return LocalStore(self.path, read_only=read_only)
        return FsspecStore.from_url(
            self.url, read_only=read_only, storage_options={"use_listings_cache": False}
        )

    def failure(self, what: str, error: Exception) -> MusimError:
        """Return the error, in the user's terms, for an operation that failed."""
        if isinstance(error, MusimError):
            return error
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
            return FailureError(
                f"{self}: no space is left; free some and run again with `resume=True`"
            )
        # Object stores raise these without an errno.
        unnumbered = isinstance(error, FileNotFoundError | PermissionError)
        if unnumbered or (isinstance(error, OSError) and error.errno in _NOT_A_PLACE):
            return InputError(f"{self}: cannot {what} ({_first_line(error)}); use another location")
        return FailureError(f"{self}: cannot {what} ({_first_line(error)})")


def _first_line(error: Exception) -> str:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return reason.splitlines()[0]


def write_aside(path: Path, content: Any) -> None:
    """Write a file under another name, bring it to the disk and rename it into place."""
    _settle(_write_partial(path, content), path)


def _write_partial(path: Path, content: Any) -> Path:
    """Write a file under another name; return that name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{uuid4().hex[:8]}{PARTIAL}")
    try:
        with aside.open("wb") as file:
            file.writelines(content if isinstance(content, tuple) else (content,))
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    return aside


def _settle(aside: Path, path: Path) -> None:
    """Bring a file that was written aside to the disk and rename it into place."""
    try:
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def lacking_folders(path: Path) -> list[Path]:
    """Return the folders that lack of a path, itself included, the innermost first."""
    return [folder for folder in (path, *path.parents) if not folder.exists()]


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove folders again that were made for what then did not come, as far as they are empty."""
    for folder in folders:
        with suppress(OSError):  # somebody has put something into it since
            folder.rmdir()


class Batch:
    """Files that a location takes together: each is atomic, and all are there after ``settle``.

    Waiting for the disk after every file leaves it idle between them; here files are brought to the
    disk side by side, while the next ones are made.

    Parameters
    ----------
    location : Location
    """

    def __init__(self, location: Location) -> None:
        self.location = location
        self.files: dict[str, list[int]] = {}
        self._threads = ThreadPoolExecutor(SETTLING_THREADS, thread_name_prefix="musim-settle")
        self._waiting: list[Future[None]] = []

    def write(self, key: str, content: Any) -> None:
        """Write a key; `content` may change as soon as this returns.

        It is bytes, a uint8 array, or a tuple of such pieces that follow one another.
        """
        pieces = content if isinstance(content, tuple) else (content,)
        size, crc = 0, 0
        for piece in pieces:
            size, crc = size + memoryview(piece).nbytes, checksum(piece, crc)
        self.files[key] = [size, crc]
        if not self.location.is_local:
            self.location.write(key, b"".join(bytes(piece) for piece in pieces))
            return
        path = self.location.path / key
        try:
            aside = _write_partial(path, content)
        except OSError as error:
            raise self.location.failure("be written", error) from error
        self._waiting.append(self._threads.submit(_settle, aside, path))

    def in_a_thread(self, function: Callable[..., None], *arguments: Any) -> None:
        """Call a function in one of the batch's threads, and wait for it.

        In the main thread Blosc would start threads of its own, which processes that are forked
        later wait for in vain.
        """
        self._threads.submit(function, *arguments).result()

    def settle(self) -> None:
        """Wait until all files are on the disk under their names; raise what went wrong."""
        for future in self._waiting:
            try:
                future.result()
            except OSError as error:
                raise self.location.failure("be written", error) from error
        self._waiting.clear()

    def close(self) -> None:
        """Wait for the threads to end."""
        self._threads.shutdown(wait=True)


def checksum(content: Any, before: int = 0) -> int:
    """Return the CRC-32 (ISO 3309) of bytes or of a uint8 array, after what gave `before`.

    Not the CRC-32C that every chunk ends with: over whatever ends with its own CRC that is the same
    number, so chunks of one size could change places unseen.
    """
    return crc32(content, before)


def checksums(location: Location, keys: Iterable[str]) -> dict[str, list[int]]:
    """Return size in bytes and CRC-32C of each key."""
    found = {}
    for key in keys:
        content = location.read(key)
        found[key] = [len(content), checksum(content)]
    return found
