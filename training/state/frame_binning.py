"""Frames made smaller: means over neighbouring pixels."""

import numpy as np
from numpy.typing import NDArray


def binned_size(image: tuple[int, int], bins: tuple[int, int]) -> tuple[int, int]:
    """Return depth and width of a frame of which so many rows and columns make one pixel, px."""
    return -(-image[0] // bins[0]), -(-image[1] // bins[1])


def binned(images: NDArray[np.uint8], bins: tuple[int, int]) -> NDArray[np.uint8]:
    """Return frames whose pixels are means over so many rows and columns, rounded.

    What is left over at the lower and right edges is averaged over the pixels that there are.

    Parameters
    ----------
    images : uint8 array of shape (frame, depth, width)
    bins : (int, int)
        Rows and columns of one new pixel.

    Returns
    -------
    uint8 array of shape (frame, ceil(depth / rows), ceil(width / columns))

    Examples
    --------
    >>> binned(np.array([[[0, 2, 9], [4, 6, 1]]], np.uint8), (2, 2))
    array([[[3, 5]]], dtype=uint8)
    """
    rows, columns = bins
    if bins == (1, 1):
        return images
    _, depth, width = images.shape
    down, across = np.arange(0, depth, rows), np.arange(0, width, columns)
    sums = np.add.reduceat(images, down, axis=1, dtype=np.uint32)
    sums = np.add.reduceat(sums, across, axis=2)
    counts = np.diff([*down, depth])[:, None] * np.diff([*across, width])
    return ((2 * sums + counts) // (2 * counts)).astype(np.uint8)
