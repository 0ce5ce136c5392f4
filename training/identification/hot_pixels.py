"""Pixels, blocks and lines that stand far out of those about them, as no tissue does."""

import math
from collections.abc import Iterator

import numpy as np
import scipy
from numpy.typing import NDArray

HOT = 1e4
"""A pixel, or place smaller than a unit, is none of tissue whose variance is this many times the
largest of those about it. Across the edge of a territory, at an SNR of 40 dB in a single pixel, it
is less."""

SMALLEST = 0.8
"""Radius of the disc of its area below which a place is no unit's, mm; half of the smallest disc
that a method takes for one has this."""

APART = 30.0
"""The same as HOT, of places of two pixels or more that do not move together. Units do."""

TOGETHER = 0.5
"""Correlation of a pixel with the nearest to it of its neighbours, from which it moves with them.
What stands out by APART and moves together has 0.97."""

LINE = 10.0
"""A row or column is none of tissue if half of its pixels have this many times the variance of
those on both sides. In recordings of five makers it was 2.1 at most, and 33 or more where a line
was noise of 10 times the image's SD (``python -m benchmarks.faulty_recordings``)."""

THIN = 1.25
"""Thickest line, mm: half the smallest unit (2.5 mm across, Ali et al. 2020)."""

LONG = 10.0
"""Shortest line, mm: the largest unit."""

STEP = 10.0
"""Levels of the variance at which places are cut out are this far apart: less than APART."""

Pixels = tuple[NDArray[np.int64], ...]
"""Rows and columns of some pixels."""

_ABOUT = np.ones((3, 3), bool)


def hot_pixels(
    tvi: NDArray[np.float32], variance: NDArray[np.float64], pixel_size: tuple[float, float]
) -> NDArray[np.bool_]:
    """Return the pixels that stand out too far to be tissue's, bool (depth, width).

    Parameters
    ----------
    tvi : float32 array of shape (time, depth, width)
    variance : float64 array of shape (depth, width)
        Of each pixel over time, (mm/s)^2; 0 where it never changes.
    pixel_size : (float, float)
        mm.
    """
    hot = _lines(variance, pixel_size)
    left = np.where(hot, 0.0, variance)
    for pixels, drop in _islands(left):
        count = len(pixels[0])
        radius = math.sqrt(count * math.prod(pixel_size) / math.pi)
        small = count == 1 or radius < SMALLEST
        several = 1 < count <= variance.size // 2
        if (small and drop > HOT) or (several and not _moves_together(tvi, pixels)):
            hot[pixels] = True
    return hot


def _lines(variance: NDArray[np.float64], pixel_size: tuple[float, float]) -> NDArray[np.bool_]:
    """Return the pixels of rows and columns that stand out all along, bool (depth, width)."""
    still = variance == 0
    found = np.zeros(variance.shape, bool)
    if still.all():
        return found
    # What never changes is neither high nor low.
    nearest = scipy.ndimage.distance_transform_edt(
        still, return_distances=False, return_indices=True
    )
    filled = variance[tuple(np.asarray(nearest))]
    for axis in (0, 1):
        length = filled.shape[1 - axis] * pixel_size[1 - axis]
        size = int(THIN / pixel_size[axis]) + 1
        if length < LONG or filled.shape[axis] < 2 * size:
            continue
        window = (size + 1, 1) if axis == 0 else (1, size + 1)
        beside = scipy.ndimage.grey_opening(filled, size=window, mode="mirror")
        stands_out = np.median(filled / beside, axis=1 - axis) > LINE
        found |= stands_out[:, None] if axis == 0 else stands_out[None]
    return found & ~still


def _islands(
    variance: NDArray[np.float64],
) -> Iterator[tuple[Pixels, float]]:
    """Yield connected places that stand out, and their least variance over the largest about them.

    Alone among pixels that never change, a place is what there is.
    """
    seen = variance[variance > 0]
    if not seen.size:
        return
    levels = math.log(float(seen.max() / seen.min())) / math.log(STEP)
    # A place that stands out by more than STEP is cut out by one of these levels.
    for power in range(1, math.ceil(levels) + 1):
        level = float(seen.max()) / STEP**power
        places: NDArray[np.int64] = np.zeros(variance.shape, np.int64)
        count = scipy.ndimage.label(variance > level, structure=_ABOUT, output=places)
        which = np.arange(1, int(count) + 1)  # pyright: ignore[reportArgumentType]
        below = scipy.ndimage.maximum_filter(np.where(places > 0, 0.0, variance), footprint=_ABOUT)
        about = np.atleast_1d(np.asarray(scipy.ndimage.maximum(below, places, which)))
        drop = np.atleast_1d(np.asarray(scipy.ndimage.minimum(variance, places, which)))
        drop = np.divide(drop, about, out=np.zeros(len(which)), where=about > 0)
        for number in which[drop > APART]:
            yield np.nonzero(places == number), float(drop[number - 1])


def _moves_together(tvi: NDArray[np.float32], pixels: Pixels) -> bool:
    """Tell whether most of some pixels move as one of their neighbours among them does."""
    courses = tvi[:, pixels[0], pixels[1]].astype(np.float64)
    courses -= courses.mean(axis=0)
    courses /= np.sqrt(np.square(courses).sum(axis=0))
    number = np.full((pixels[0].max() + 2, pixels[1].max() + 2), -1)
    number[pixels] = np.arange(len(pixels[0]))
    closest = np.zeros(len(pixels[0]))
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        # The last row and column are empty, so that what lies before the first is empty, too.
        other = number[pixels[0] + down, pixels[1] + right]
        one, two = np.flatnonzero(other >= 0), other[other >= 0]
        alike = np.abs(np.einsum("tp,tp->p", courses[:, one], courses[:, two]))
        np.maximum.at(closest, one, alike)
        np.maximum.at(closest, two, alike)
    return float(np.median(closest)) > TOGETHER
