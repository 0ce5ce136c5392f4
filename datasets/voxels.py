"""Reading voxels that are written: chunks of a local store, straight into the caller's memory.

Zarr's own reader copies every chunk twice, and passes over it for the checksum when it has left the
processor's cache. Stores elsewhere, and all other variables, are read by Zarr.
"""

import math
from io import FileIO
from typing import Any

import google_crc32c
import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..simulator.errors import FailureError
from .layout import Layout
from .location import Location
from .schema import chunks_of

PIECE = 256 * 1024
"""Bytes that are read at a time: they are still in the cache when the checksum passes over them."""

CRC_BYTES = 4
"""A chunk ends with the CRC-32C of what is before it, little-endian (Zarr's codec ``crc32c``)."""

ALIGNMENT = 4096
"""Bytes. Where memory begins in the midst of a line of the cache, reading into it takes twice as
long; NumPy's large arrays begin 16 bytes after a page."""


def aligned_empty(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Return an array of any content, as ``numpy.empty`` does, whose memory is quickly read into.

    Parameters
    ----------
    shape : tuple of int
    dtype : data type
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.empty(size + ALIGNMENT, np.uint8)
    first = -memory.ctypes.data % ALIGNMENT
    return memory[first : first + size].view(dtype).reshape(shape)


def read_frames(
    location: Location, layout: Layout, index: int, start: int, out: NDArray[np.floating]
) -> None:
    """Read some frames of one sequence of a dense store on a local disk.

    Parameters
    ----------
    location : Location
    layout : Layout
    index : int
        The sequence.
    start : int
        The first frame.
    out : array of the store's dtype, of shape (time, depth, width), changed in place
        C-contiguous. All of it is filled.

    Raises
    ------
    FailureError
        If a chunk is missing or damaged.
    OSError
        If a chunk cannot be read.
    """
    length = chunks_of(layout.variable("tvi"), layout.sizes, layout.part_size)[1]
    stop = start + len(out)
    for number in range(start // length, -(-stop // length)):
        first = number * length
        begin, end = max(start, first), min(stop, first + length)
        key = f"tvi/c.{index}.{number}.0.0"
        wanted = out[begin - start : end - start]
        try:
            with FileIO(location.path / key) as file:
                sound = _read_chunk(file, length, begin - first, wanted)
        except FileNotFoundError:
            raise missing(location, layout, key) from None
        if not sound:
            raise damaged(location, layout, key)


def _read_chunk(file: FileIO, length: int, skip: int, out: NDArray[np.floating]) -> bool:
    """Read frames of a chunk from `skip` on; return whether its checksum is that of its content."""
    frame = out[0].nbytes
    rest = length - skip - len(out)
    crc = 0
    for frames, target in ((skip, None), (len(out), out), (rest, None)):
        size = frames * frame
        if target is None:
            whole = np.empty(min(size, PIECE), np.uint8)
        else:
            whole = target.reshape(-1).view(np.uint8)
        for first in range(0, size, PIECE):
            place = 0 if target is None else first
            piece = whole[place : place + min(PIECE, size - first)]
            if not _fill(file, piece.data):
                return False
            crc = google_crc32c.extend(crc, piece)
    end = bytearray(CRC_BYTES + 1)  # one more, so that a file that goes on is seen
    count = file.readinto(end) or 0
    return count == CRC_BYTES and int.from_bytes(end[:CRC_BYTES], "little") == crc


def _fill(file: FileIO, piece: memoryview) -> bool:
    """Fill a piece of memory from a file; return whether there was as much."""
    while len(piece):
        count = file.readinto(piece)
        if not count:
            return False
        piece = piece[count:]
    return True


def part_of(layout: Layout, key: str) -> str:
    """Return the name of the part that a chunk belongs to, for messages."""
    name, index = key.split("/c.")
    first = (
        int(index.split(".")[0])
        * chunks_of(layout.variable(name), layout.sizes, layout.part_size)[0]
    )
    return f"part {first // layout.part_size}"


def missing(location: Location, layout: Layout, key: str) -> FailureError:
    """Return the error for a chunk that is not there."""
    return FailureError(f"{location}: {part_of(layout, key)} lacks {key}; {_advice(layout)}")


def damaged(location: Location, layout: Layout, key: str) -> FailureError:
    """Return the error for a chunk whose checksum is not that of its content."""
    return FailureError(
        f"{location}: {part_of(layout, key)} is damaged in {key}; run musim verify, then "
        f"{_advice(layout)}"
    )


def _advice(layout: Layout) -> str:
    return f"{layout.origin.advice}, or copy it again from where it came"
