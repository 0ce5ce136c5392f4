"""How small a structure may be to be found in a generated image: contrast kept against size.

Structures of the actual image are parted by their width, by openings and closings with discs of
growing diameter (granulometry, Serra 1982, "Image Analysis and Mathematical Morphology"): what an
opening by one disc leaves and by the next one takes away is bright and as wide as the first. Of
each structure it is measured how much of its contrast to what lies around it is there in the
generated image.
"""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..metrics import LEVELS

DIAMETERS = (1, 2, 3, 4, 5, 6, 8, 10, 13, 17)
"""Of discs, px. A structure belongs to the largest one that fits into it; those into which the last
one fits are too large to be looked at."""

CONTRAST = 0.1
"""Of structures that are looked at, over the range of values: this or more."""

NOISES = 4.0
"""SDs of the image's noise that their contrast has, too."""

PIXELS = 3
"""Least area of a structure, px: of noise single pixels stand out."""

FAITHFUL = 0.5, 1.5
"""Share of its contrast, from and to, with which a structure is there."""

ATTACHED = 0.15
"""Share of the pixels around that may be as bright, or dark: more are around a mere corner of
a larger structure."""

FEW = 5
"""Structures of a size without which nothing is said about it."""


@dataclass(frozen=True)
class Structure:
    """A structure of an actual image.

    Parameters
    ----------
    width : int
        Diameter of the largest disc that fits into it, of :data:`DIAMETERS` [px].
    bright : bool
        Whether it is brighter than what is around it.
    place : (int, int)
        Row and column of a pixel of it.
    pixels : int
        Its area.
    contrast : float
        Mean of its pixels less that of pixels around it, in the actual image.
    generated : float
        The same in the generated image.
    error : float
        Mean absolute difference of the images in it.
    """

    width: int
    bright: bool
    place: tuple[int, int]
    pixels: int
    contrast: float
    generated: float
    error: float

    @property
    def kept(self) -> float:
        """Share of the contrast that the generated image has; negative where it is reversed."""
        return self.generated / self.contrast


@dataclass(frozen=True)
class SizeClass:
    """Structures of about one width.

    Parameters
    ----------
    width : int
        px, from this to the next of :data:`DIAMETERS`.
    count : int
        Structures.
    kept : (float, float, float)
        First quartile, median and third quartile of the share of contrast that is kept.
    error : float
        Median of their errors.
    faithful : float
        Share of structures that are there.
    """

    width: int
    count: int
    kept: tuple[float, float, float]
    error: float
    faithful: float


def disc(diameter: int) -> NDArray[np.bool_]:
    """Return a disc: the pixels whose centres lie within it.

    Parameters
    ----------
    diameter : int
        px, 1 or more.

    Returns
    -------
    bool array of shape (diameter, diameter)
    """
    away = np.arange(diameter) - (diameter - 1) / 2
    return np.hypot(away[:, None], away) <= diameter / 2


def noise_of(image: NDArray[Any], inside: NDArray[np.bool_]) -> float:
    """Return the SD of an image's noise: of what is left of it by a mask that smooth images lose.

    The mask of Immerkær 1996 (doi:10.1006/cviu.1996.0060), with a median in the place of the mean,
    which edges do not move.

    Parameters
    ----------
    image : array of shape (depth, width)
    inside : bool array of shape (depth, width)
        Pixels that count; all, if there are none.
    """
    from scipy.ndimage import correlate

    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float64)
    left = np.abs(correlate(np.asarray(image, np.float64), mask, mode="nearest"))
    values = left[inside] if inside.any() else left.ravel()
    # A normal variable's median absolute value is 0.6745 SD; the mask's coefficients add to 6.
    return float(np.median(values)) / 0.6745 / 6


def structures_of(
    actual: NDArray[Any],
    generated: NDArray[Any],
    inside: NDArray[np.bool_],
    *,
    diameters: Sequence[int] = DIAMETERS,
    extent: float = LEVELS,
) -> list[Structure]:
    """Find the structures of an actual image by their width, and what a generated one has of them.

    Parameters
    ----------
    actual, generated : arrays of shape (depth, width)
    inside : bool array of shape (depth, width)
        Where structures are looked for: not in the air, nor is the body itself one.
    diameters : sequence of int
        Of discs, px; growing, the first 1.
    extent : float
        Range of values.

    Returns
    -------
    list of Structure
        By width, bright ones first.
    """
    from scipy.ndimage import grey_opening

    actual, generated = (np.asarray(image, np.float64) for image in (actual, generated))
    least = max(CONTRAST * extent, NOISES * noise_of(actual, inside))
    found = []
    for bright in (True, False):
        signed = actual if bright else -actual
        before = signed
        for width, next_width in itertools.pairwise(diameters):
            after = grey_opening(signed, footprint=disc(next_width), mode="nearest")
            # An opening by a larger disc, as pixels draw it, may have what a smaller one has not.
            after = np.minimum(after, before)
            taken = before - after
            found += _connected(
                taken >= least, taken, actual, generated, inside, width, bright, least
            )
            before = after
    return sorted(found, key=lambda one: (one.width, not one.bright))


def _connected(
    mask: NDArray[np.bool_],
    taken: NDArray[np.float64],
    actual: NDArray[np.float64],
    generated: NDArray[np.float64],
    inside: NDArray[np.bool_],
    width: int,
    bright: bool,
    least: float,
) -> Iterable[Structure]:
    """Yield the connected structures of a mask that are large enough and stand out."""
    from scipy.ndimage import find_objects, label

    labels = np.empty(mask.shape, np.int32)
    label(mask & inside, structure=np.ones((3, 3), int), output=labels)
    reach = max(2, width // 2)
    for number, box in enumerate(find_objects(labels), start=1):
        # With what lies around it.
        wide = tuple(slice(max(each.start - reach - 1, 0), each.stop + reach + 1) for each in box)
        here = labels[wide] == number
        if here.sum() < PIXELS:
            continue
        around = _grown(here, reach) & ~_grown(here, 1) & (taken[wide] < least / 2)
        if not around.any():
            continue
        real, made = actual[wide], generated[wide]
        contrast = float(real[here].mean() - real[around].mean())
        sign = 1 if bright else -1
        if sign * contrast < least:
            continue
        alike = sign * (real[around] - real[here].mean()) > -least / 2
        if alike.mean() > ATTACHED:
            continue
        row, column = np.argwhere(here)[0]
        yield Structure(
            width, bright, (int(row) + wide[0].start, int(column) + wide[1].start),
            int(here.sum()), contrast, float(made[here].mean() - made[around].mean()),
            float(np.abs(made - real)[here].mean()),
        )  # fmt: skip


def _grown(mask: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    from scipy.ndimage import binary_dilation

    return np.asarray(binary_dilation(mask, np.ones((3, 3), bool), iterations=by), np.bool_)


def by_width(
    structures: Sequence[Structure], diameters: Sequence[int] = DIAMETERS
) -> list[SizeClass]:
    """Return what is kept of structures, by their width.

    Parameters
    ----------
    structures : sequence of Structure
    diameters : sequence of int
        See :func:`structures_of`.

    Returns
    -------
    list of SizeClass
        One for each diameter but the last; NaN where there are no structures.
    """
    found = []
    for width in diameters[:-1]:
        some = [one for one in structures if one.width == width]
        if not some:
            found.append(SizeClass(width, 0, (math.nan, math.nan, math.nan), math.nan, math.nan))
            continue
        kept = np.array([one.kept for one in some])
        first, median, third = np.quantile(kept, (0.25, 0.5, 0.75)).tolist()
        low, high = FAITHFUL
        found.append(
            SizeClass(
                width, len(some), (first, median, third),
                float(np.median([one.error for one in some])),
                float(((kept >= low) & (kept <= high)).mean()),
            )
        )  # fmt: skip
    return found


def smallest_faithful(classes: Sequence[SizeClass]) -> float:
    """Return the width from which on structures are there: half of them, at that size and above.

    Parameters
    ----------
    classes : sequence of SizeClass
        By growing width; those of few structures do not count.

    Returns
    -------
    float
        px; infinite if even the largest are not there, NaN if there are no structures.
    """
    known = [one for one in classes if one.count >= FEW]
    if not known:
        return math.nan
    found = math.inf
    for one in reversed(known):
        if one.faithful < 0.5:
            break
        found = float(one.width)
    return found
