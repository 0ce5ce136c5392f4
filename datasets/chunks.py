"""Chunks of a store's variables, as Zarr's codecs define them, written and read without Zarr.

Zarr's own writer opens each array anew for each part and hands every chunk from thread to thread,
which for the truth takes as long as drawing it; voxels it would copy twice more, which takes as
long as rendering them. The files are the same. Its reader does likewise: for the truth of a part it
takes seven times as long. Voxels are read by :mod:`.voxels`.
"""

import sys
from collections.abc import Iterable, Mapping
from typing import Any

import google_crc32c
import numcodecs
import numcodecs.blosc
import numpy as np
from numpy.typing import NDArray
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec

from ..simulator.errors import FailureError
from .layout import COMPRESSION, Layout
from .location import Batch, Location
from .schema import Variable, chunks_of
from .voxels import CRC_BYTES, damaged, missing


def write_truth(
    batch: Batch, layout: Layout, part: int, arrays: Mapping[str, NDArray[Any]]
) -> None:
    """Write a part's chunk of every variable but what is cut in time: each holds a whole part.

    Parameters
    ----------
    batch : Batch
    layout : Layout
    part : int
    arrays : mapping of variable name to array
        Sequences of this part first.

    Raises
    ------
    FailureError
        If an array does not fit, or the location cannot be written.
    """
    count = len(layout.sequences_of(part))
    for name in layout.variables:
        if layout.is_cut_in_time(name):
            continue
        variable = layout.variable(name)
        chunk = chunks_of(variable, layout.sizes, layout.part_size)
        wanted, values = (count, *chunk[1:]), arrays[name]
        if values.shape != wanted:
            raise FailureError(f"{name}: found shape {values.shape}, wanted {wanted}")
        if values.size:
            (key,) = layout.chunk_keys(name, part)
            batch.write(key, _encoded(variable, values, chunk[0]))


def write_coordinates(batch: Batch, layout: Layout) -> None:
    """Write the coordinates, each in one chunk."""
    for name, values in layout.coordinates().items():
        batch.write(f"{name}/c.0", _encoded(layout.variable(name), values, len(values)))


def write_voxels(batch: Batch, layout: Layout, index: int, voxels: NDArray[np.float32]) -> None:
    """Write one sequence's chunks of ``tvi``, which are uncompressed and may be cut in time.

    Raises
    ------
    FailureError
        If the voxels do not fit, or the location cannot be written.
    """
    variable = layout.variable("tvi")
    if voxels.shape != layout.shape:
        raise FailureError(f"tvi: found shape {voxels.shape}, wanted {layout.shape}")
    frames = chunks_of(variable, layout.sizes, layout.part_size)[1]
    for number, first in enumerate(range(0, len(voxels), frames)):
        content = _encoded(variable, voxels[first : first + frames], frames)
        batch.write(f"tvi/c.{index}.{number}.0.0", content)


def write_frames(
    batch: Batch, layout: Layout, index: int, blocks: Iterable[NDArray[np.uint8]]
) -> None:
    """Write one video's chunks of ``bmode``, as its frames come.

    Parameters
    ----------
    batch : Batch
    layout : Layout
    index : int
        The sequence.
    blocks : iterable of uint8 arrays of shape (frame, depth, width)
        Frames from the first one on, of any number each. Frames that are not there are padding.

    Raises
    ------
    FailureError
        If frames do not fit, or the location cannot be written.
    """
    variable = layout.variable("bmode")
    length, *image = chunks_of(variable, layout.sizes, layout.part_size)[1:]
    chunk, filled, number = np.zeros((length, *image), np.uint8), 0, 0
    most = layout.sizes["time"]
    for block in blocks:
        if list(block.shape[1:]) != image or number * length + filled + len(block) > most:
            raise FailureError(
                f"bmode: found {number * length + filled + len(block)} frames of shape "
                f"{block.shape[1:]}, wanted at most {most} of {tuple(image)}"
            )
        first = 0
        while first < len(block):
            taken = min(length - filled, len(block) - first)
            chunk[filled : filled + taken] = block[first : first + taken]
            first, filled = first + taken, filled + taken
            if filled == length:
                _write_frames(batch, variable, index, number, chunk)
                number, filled = number + 1, 0
    while number * length < most:  # the last one is filled up, and so are those that are missing
        chunk[filled:] = 0
        _write_frames(batch, variable, index, number, chunk)
        number, filled = number + 1, 0


def _write_frames(
    batch: Batch, variable: Variable, index: int, number: int, chunk: NDArray[np.uint8]
) -> None:
    content = _encoded(variable, chunk[None], 1)
    batch.write(f"bmode/c.{index}.{number}.0.0", content)


def is_ours(array: Any, layout: Layout, name: str) -> bool:
    """Return whether a Zarr array holds a variable as :func:`write_truth` writes it."""
    variable = layout.variable(name)
    codecs = array.metadata.codecs
    wanted = (
        (BytesCodec, BloscCodec, Crc32cCodec) if variable.compressed else (BytesCodec, Crc32cCodec)
    )
    return (
        not layout.is_cut_in_time(name)
        and tuple(type(codec) for codec in codecs) == wanted
        and getattr(codecs[0].endian, "value", "little") == "little"
        and array.chunks == chunks_of(variable, layout.sizes, layout.part_size)
        and array.shape == tuple(layout.sizes[dim] for dim in variable.dims)
        and array.dtype == np.dtype(variable.dtype)
    )


def read_truth(location: Location, layout: Layout, name: str, part: int) -> NDArray[Any]:
    """Read a part's chunk of a variable that is not cut in time, if :func:`is_ours`.

    Returns
    -------
    array of the variable's dtype
        Sequences of this part first.

    Raises
    ------
    FailureError
        If the chunk is missing, or its checksum is not that of its content.
    ValueError, RuntimeError
        If it is of another size, or cannot be unpacked.
    """
    variable = layout.variable(name)
    (key,) = layout.chunk_keys(name, part)
    try:
        content = location.read(key)
    except FileNotFoundError:
        raise missing(location, layout, key) from None
    packed, crc = np.frombuffer(content, np.uint8)[:-CRC_BYTES], content[-CRC_BYTES:]
    if google_crc32c.value(packed).to_bytes(CRC_BYTES, "little") != crc:
        raise damaged(location, layout, key)
    values = numcodecs.blosc.decompress(packed) if variable.compressed else packed
    found = np.frombuffer(values, np.dtype(variable.dtype).newbyteorder("<"))
    whole = found.reshape(chunks_of(variable, layout.sizes, layout.part_size))
    return whole[: len(layout.sequences_of(part))].astype(variable.dtype, copy=False)


def packed_size(values: NDArray[Any]) -> int:
    """Return how many bytes values take once they are compressed."""
    codec = numcodecs.Blosc(**COMPRESSION, shuffle=numcodecs.Blosc.SHUFFLE)
    return len(codec.encode(np.ascontiguousarray(values)))


def _encoded(variable: Variable, values: NDArray[Any], length: int) -> tuple[Any, bytes]:
    """Return a chunk's content: little-endian values, compressed if at all, then their CRC-32C."""
    chunk = _of_type(values, np.dtype(variable.dtype).newbyteorder("<"))
    if len(chunk) < length:
        # Chunks are whole: the last one is filled up.
        whole = np.full((length, *chunk.shape[1:]), variable.fill_value, chunk.dtype)
        whole[: len(chunk)] = chunk
        chunk = whole
    content = chunk.reshape(-1).view(np.uint8)
    if variable.compressed:
        size = chunk.itemsize
        codec = numcodecs.Blosc(**COMPRESSION, shuffle=numcodecs.Blosc.SHUFFLE, typesize=size)
        content = np.frombuffer(codec.encode(content), np.uint8)
    return content, int(google_crc32c.value(content)).to_bytes(4, "little")


def _of_type(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return values as C-contiguous ones of a type."""
    if dtype != np.float16 or values.dtype != np.float32 or sys.byteorder != "little":
        return np.ascontiguousarray(values, dtype)
    from .chunks_kernels import to_float16

    out = np.empty(values.shape, np.uint16)
    to_float16(np.ascontiguousarray(values).reshape(-1), out.reshape(-1))
    return out.view(np.float16)
