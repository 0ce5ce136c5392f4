"""Pieces of arrays that lie in a file as they would in memory."""

from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray


def piece_of_file(
    file: Path | IO[bytes],
    offset: int,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    slices: tuple[slice, ...],
    order: Literal["C", "F"] = "C",
) -> NDArray[Any]:
    """Return a piece of an array that lies in a larger file, in memory of its own.

    Parameters
    ----------
    file : path or binary file
    offset : int
        Where its first value stands, bytes.
    shape : tuple of int
    dtype : numpy.dtype
        As stored.
    slices : tuple of slice
        One an axis.
    order : {"C", "F"}
        Whether the last or the first axis is the one whose values lie side by side.

    Raises
    ------
    ValueError
        If the file ends before the array does.
    """
    if not shape:
        if not isinstance(file, Path):
            file.seek(0)
        return np.fromfile(file, dtype, 1, offset=offset).reshape(())
    values = np.memmap(file, dtype, "r", offset, shape, order)
    # A copy, so that the map and the file close with this function.
    return np.array(values[slices], order="K", subok=False)
