"""The part of a scanner's screen that is the image: told, or found among borders, text and bars."""

from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from ...simulator.errors import InputError

Crop = tuple[int, int, int, int]
"""First row and column, depth and width [px]."""

AUTO = "auto"
"""In place of a crop: the image is to be found."""

LIVELY = 6
"""Grey levels by which speckle differs within 3 x 3 px, where a screen's background does not."""

DENSE = 0.5
"""Share of lively pixels around one that is part of the image."""

WINDOW = 1 / 40
"""Side of what is looked at around a pixel, over the side of the screen: wider than letters are."""

THINNEST = 1 / 10
"""Depth and width of the image at least, over those of the screen: text, rulers and bars are
thinner."""

SPARSE, GAP = 0.15, 1 / 6
"""Share of lively pixels, in each quarter of its width, of a row that is of the image too, and how
far it may be from the rest, over the side of the screen: fat and what lies below a bone are dark
between bright lines."""

FILLED = 0.25
"""Share of an outermost row or column of the image that is part of it, at the least."""


def whole(size: tuple[int, int]) -> Crop:
    """Return the crop that leaves an image as it is."""
    return 0, 0, *size


def parse_crop(text: str) -> Crop | str:
    """Read a crop: four whole numbers, or :data:`AUTO`.

    Raises
    ------
    InputError
        If it is neither.
    """
    if text.strip().lower() == AUTO:
        return AUTO
    try:
        values = tuple(int(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) != 4 or min(values[:2]) < 0 or min(values[2:]) < 1:
        raise InputError(
            f"`crop`: found {text!r}, wanted the first row and column, depth and width in pixels, "
            f"such as 40,100,400,512, or {AUTO}"
        )
    return values


def check_crop(crop: Crop, size: tuple[int, int], name: str) -> None:
    """Raise InputError if a crop does not lie within an image of some depth and width [px]."""
    top, left, depth, width = crop
    if top + depth > size[0] or left + width > size[1]:
        raise InputError(
            f"{name}: found an image of {size[0]} x {size[1]} px (depth x width), wanted one that "
            f"`crop={top},{left},{depth},{width}` lies in; give another, or {AUTO}"
        )


def cropped(values: NDArray[Any], crop: Crop) -> NDArray[Any]:
    """Return the part of an image that a crop leaves."""
    top, left, depth, width = crop
    return values[top : top + depth, left : left + width]


def find_image(screen: NDArray[np.uint8]) -> Crop | None:
    """Return where on a scanner's screen the image is.

    Images are lively everywhere: speckle differs from pixel to pixel. Borders and backgrounds,
    black or grey, do not; letters, rulers and bars are lively, and thin. The largest lively piece
    that is not thin is the image. Its dark margins, such as what lies in a bone's shadow at the
    bottom, may be left out.

    Parameters
    ----------
    screen : (depth, width) array of uint8

    Returns
    -------
    tuple of int, or None
        First row and column, depth and width [px]; None where nothing is like an image.
    """
    depth, width = screen.shape
    spread = scipy.ndimage.maximum_filter(screen, 3).astype(np.int16)
    spread -= scipy.ndimage.minimum_filter(screen, 3)
    lively = (spread > LIVELY).astype(np.float64)
    window = [max(3, round(n * WINDOW) | 1) for n in (depth, width)]
    dense = scipy.ndimage.uniform_filter(lively, window, mode="nearest") > DENSE
    # Opened by rows and by columns: what is thin in either direction goes.
    thinnest = [max(3, round(n * THINNEST) | 1) for n in (depth, width)]
    for sides in ((thinnest[0], 1), (1, thinnest[1])):
        dense = _opened(dense, sides)
    labels, count = scipy.ndimage.label(dense)
    if not count:
        return None
    largest = 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    piece = scipy.ndimage.binary_fill_holes(labels == largest)
    rows, columns = (_extent(piece.sum(axis=axis)) for axis in (1, 0))
    # What is dark between the piece and more of the image does not part them. Beside it there are
    # rulers and bars, as high as the image; above and below no text is as wide.
    quarters = np.array_split(lively[:, slice(*columns)], 4, axis=1)
    rows = _joined(np.min([quarter.mean(axis=1) for quarter in quarters], axis=0), rows)
    return rows[0], columns[0], rows[1] - rows[0], columns[1] - columns[0]


def _opened(mask: NDArray[np.bool_], sides: tuple[int, int]) -> NDArray[np.bool_]:
    """Return what of a mask is no thinner than some sides; beyond the image it goes on."""
    kept = scipy.ndimage.minimum_filter(mask, sides, mode="nearest")
    # Grown again, from what was kept.
    return scipy.ndimage.maximum_filter(kept, sides, mode="constant", cval=0) & mask


def _joined(share: NDArray[np.float64], extent: tuple[int, int]) -> tuple[int, int]:
    """Return an extent with what lies near it and is lively as images are across it."""
    gap = round(len(share) * GAP)
    begin, end = extent
    for row in range(begin - 1, -1, -1):
        if begin - row > gap:
            break
        begin = row if share[row] > SPARSE else begin
    for row in range(end, len(share)):
        if row - end >= gap:
            break
        end = row + 1 if share[row] > SPARSE else end
    return begin, end


def _extent(filled: NDArray[np.int64]) -> tuple[int, int]:
    """Return the first row that is part of the image, and that after the last."""
    part = np.flatnonzero(filled >= FILLED * filled.max())
    return int(part[0]), int(part[-1]) + 1
