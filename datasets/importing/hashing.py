"""Digests of recordings, by which a store knows what it was made of."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from .damage import damage

BLOCK = 1 << 20
"""Bytes that are hashed at once."""


def sha256_of(path: str | Path, on_bytes: Callable[[int], None] | None = None) -> str:
    """Return the SHA-256 of a file, or of a folder, in hexadecimal.

    That of a folder is taken over its files, hidden ones too, in the order of their paths below it
    (with ``/`` between the parts, sorted as UTF-8 bytes): of each the path, a zero byte, the size
    in bytes as a decimal number, a zero byte, and the content. For a file it is that of
    ``sha256sum``.

    Parameters
    ----------
    path : path
    on_bytes : callable, optional
        Called with the number of bytes that were read since the last call.

    Raises
    ------
    InputError
        If a file cannot be read.
    """
    path, digest = Path(path), hashlib.sha256()
    with damage(path):
        if path.is_dir():
            files = [file for file in path.rglob("*") if not file.is_dir()]
            keyed = {file.relative_to(path).as_posix().encode(): file for file in files}
            for key, file in sorted(keyed.items()):
                digest.update(b"%s\0%d\0" % (key, file.stat().st_size))
                _hash(file, digest, on_bytes)
        else:
            _hash(path, digest, on_bytes)
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
