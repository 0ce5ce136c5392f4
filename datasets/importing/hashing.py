"""Digests of recordings, by which a store knows what it was made of."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from .damage import damage

BLOCK = 1 << 20
"""Bytes that are hashed at once."""


def sha256_of(
    path: str | Path | Sequence[Path], on_bytes: Callable[[int], None] | None = None
) -> str:
    """Return the SHA-256 of a file, of a folder, or of files side by side, in hexadecimal.

    That of a folder is taken over its files, hidden ones too, in the order of their paths below it
    (with ``/`` between the parts, sorted as UTF-8 bytes): of each the path, a zero byte, the size
    in bytes as a decimal number, a zero byte, and the content. For a file it is that of
    ``sha256sum``. That of several files is that of a folder with no others in it.

    Parameters
    ----------
    path : path, or sequence of Path
    on_bytes : callable, optional
        Called with the number of bytes that were read since the last call.

    Raises
    ------
    InputError
        If a file cannot be read.
    """
    paths = [Path(path)] if isinstance(path, str | Path) else [*path]
    first, digest = paths[0], hashlib.sha256()
    with damage(first):
        if len(paths) == 1 and not first.is_dir():
            _hash(first, digest, on_bytes)
            return digest.hexdigest()
        above = first if first.is_dir() else first.parent
        files = first.rglob("*") if first.is_dir() else paths
        keyed = {
            file.relative_to(above).as_posix().encode(): file for file in files if not file.is_dir()
        }
        for key, file in sorted(keyed.items()):
            digest.update(b"%s\0%d\0" % (key, file.stat().st_size))
            _hash(file, digest, on_bytes)
    return digest.hexdigest()


def _hash(path: Path, digest: "hashlib._Hash", on_bytes: Callable[[int], None] | None) -> None:
    for block in _blocks(path):
        digest.update(block)
        if on_bytes is not None:
            on_bytes(len(block))


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block
