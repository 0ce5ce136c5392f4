"""Stretches of a file as streams of bytes, as they stand or unpacked from zlib."""

import zlib
from typing import IO

PIECE = 1 << 20
"""Bytes that are unpacked at once."""

MOST_UNPACKED = 1032
"""Bytes that zlib can pack into one (https://zlib.net/zlib_tech.html)."""


class Plain:
    """A stretch of a file, read from its start on.

    Parameters
    ----------
    file : binary file
    start, length : int
        Where it begins, and its bytes.
    """

    def __init__(self, file: IO[bytes], start: int, length: int) -> None:
        self._file, self._left, self.position = file, length, 0
        file.seek(start)

    @property
    def most_left(self) -> int:
        """Bytes that can follow at most: what is claimed beyond them is not there."""
        return self._left

    def read(self, count: int) -> bytes:
        """Return `count` bytes."""
        content = self._file.read(count) if count <= self._left else b""
        if len(content) != count:
            raise EOFError(f"wanted {count} more bytes")
        self._left -= count
        self.position += count
        return content

    def read_into(self, target: memoryview) -> None:
        """Fill `target`."""
        for first in range(0, len(target), PIECE):
            piece = target[first : first + PIECE]
            piece[:] = self.read(len(piece))

    def skip(self, count: int) -> None:
        """Pass over `count` bytes."""
        if not 0 <= count <= self._left:
            raise EOFError(f"wanted {count} more bytes")
        self._file.seek(count, 1)
        self._left -= count
        self.position += count

    def finish(self) -> None:
        """Check what follows, where there is a checksum."""


class Inflated(Plain):
    """A compressed stretch of a file; positions are those in what comes out."""

    def __init__(self, file: IO[bytes], start: int, length: int) -> None:
        super().__init__(file, start, length)
        self._inflate = zlib.decompressobj()

    @property
    def most_left(self) -> int:
        """Bytes that can follow at most: what is claimed beyond them is not there."""
        packed = self._left + len(self._inflate.unconsumed_tail)
        return packed * MOST_UNPACKED + PIECE  # what zlib itself holds back

    def read(self, count: int) -> bytes:
        """Return `count` bytes."""
        pieces, wanted = [], count
        while wanted:
            packed = self._inflate.unconsumed_tail
            if not packed:
                packed = self._file.read(min(PIECE // 16, self._left))
                self._left -= len(packed)
            piece = self._inflate.decompress(packed, wanted)
            if not piece and (self._inflate.eof or not packed):
                raise EOFError(f"wanted {wanted} more bytes")
            pieces.append(piece)
            wanted -= len(piece)
        self.position += count
        return b"".join(pieces)

    def skip(self, count: int) -> None:
        """Pass over `count` bytes."""
        if count < 0:
            raise EOFError("an element is longer than what holds it")
        while count:
            count -= len(self.read(min(count, PIECE)))

    def finish(self) -> None:
        """Read on to the checksum, which raises zlib.error if it does not fit."""
        while not self._inflate.eof:
            packed = self._inflate.unconsumed_tail or self._file.read(min(PIECE, self._left))
            if not packed:
                raise EOFError("the compressed values have no end")
            self._left -= len(packed)
            self._inflate.decompress(packed, PIECE)
