"""Chunks of a store's variables, as Zarr's codecs define them, and written without Zarr.

Zarr's own writer opens each array anew for each part and hands every chunk from thread to thread,
which for the truth takes as long as drawing it; voxels it would copy twice more, which takes as
long as rendering them. The files are the same.
"""

import sys
from collections.abc import Mapping
from typing import Any

import google_crc32c
import numcodecs
import numpy as np
from numpy.typing import NDArray

from ..simulator.errors import FailureError
from .layout import COMPRESSION, Layout
from .location import Batch
from .schema import Variable, chunks_of


def write_truth(
    batch: Batch, layout: Layout, part: int, arrays: Mapping[str, NDArray[Any]]
) -> None:
    """Write a part's chunk of every variable but ``tvi``: each holds a whole part.

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
        if name == "tvi":
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
