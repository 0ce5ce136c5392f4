"""Muscle thickness: the mean of chords across the muscle, perpendicular to its centre line."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...datasets.images.scale import PixelScale
from .aponeuroses import Aponeuroses, CentreLine, common_columns
from .tracing import runs_of

CHORDS = 5
"""Chords whose mean is the thickness, as in Katakis et al. 2023 (:func:`thickness_of`)."""

LENGTH = 0.1
"""How long the part with chords is at least, as a share of the image's width."""

NEAR = 2.0
"""How near to one another lines count as meeting, in heights of the drawn lines."""

TOO_SHORT = "aponeuroses too short for chords between them"
CROSSING = "aponeuroses meet or cross"
"""Why lines have no thickness between them."""


def _none() -> NDArray[np.float64]:
    return np.empty((0, 2, 2))


@dataclass(frozen=True)
class Thickness:
    """The thickness of a muscle, or why there is none.

    Parameters
    ----------
    pixels : float
        Mean length of the chords [pixels of depth]; NaN without.
    millimetres : float
        The same [mm]; NaN where the scale is not known.
    chords : (5, 2, 2) array of float64
        The superficial and the deep end of each chord, as row and column [px].
    centre : (points, 2) array of float64
        Rows and columns of the centre line [px].
    reason : str
        Why there is none; empty if there is.
    """

    pixels: float = math.nan
    millimetres: float = math.nan
    chords: NDArray[np.float64] = field(default_factory=_none)
    centre: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 2)))
    reason: str = ""


def thickness_of(found: Aponeuroses, width: int, scale: PixelScale | None = None) -> Thickness:
    """Return the thickness between two aponeuroses.

    A centre line lies midway between the aponeuroses; five chords that are perpendicular to it,
    evenly spread over the part where chords reach both aponeuroses, are averaged.

    Parameters
    ----------
    found : Aponeuroses
    width : int
        Of the image [px].
    scale : PixelScale, optional
        Square pixels of unknown size by default.

    Returns
    -------
    Thickness

    References
    ----------
    .. [1] Katakis et al. 2023, doi:10.3390/biomedinformatics3020027, section 2.3.1.

    Examples
    --------
    >>> from .aponeuroses import aponeuroses_of
    >>> mask = np.zeros((60, 80), bool)
    >>> mask[10:13], mask[40:43] = True, True
    >>> thickness = thickness_of(aponeuroses_of(mask), 80, PixelScale.of_millimetres(0.5))
    >>> round(thickness.pixels, 6), round(thickness.millimetres, 6)
    (30.0, 15.0)
    """
    scale = scale or PixelScale()
    upper, lower = found.superficial, found.deep
    if found.reason or upper is None or lower is None:
        return Thickness(reason=found.reason)
    columns = common_columns(upper, lower)
    if _nearest(upper, lower, columns) <= NEAR * (upper.height + lower.height) / 2:
        return Thickness(reason=CROSSING)
    # As the muscle is shaped: lengths in pixels of depth, along rows and columns.
    middle = (upper.at(columns) + lower.at(columns)) / 2
    centre = np.stack([middle, columns * scale.shape], axis=1)
    along = np.concatenate([[0.0], np.hypot(*np.diff(centre, axis=0).T).cumsum()])
    slope = np.gradient(centre[:, 0], centre[:, 1])
    reached = np.stack(
        [
            _along_normals(line, centre, slope, scale.shape, toward)
            for line, toward in ((upper, -1), (lower, 1))
        ],
        axis=1,
    )
    good = np.isfinite(reached[:, 0]) & np.isfinite(reached[:, 1])
    start, stop = _longest(good)
    if stop - start < max(CHORDS, LENGTH * width):
        return Thickness(reason=TOO_SHORT)
    at = along[start] + (np.arange(CHORDS) + 0.5) / CHORDS * (along[stop - 1] - along[start])
    distances = np.stack([np.interp(at, along[good], reached[good, end]) for end in (0, 1)], axis=1)
    points = np.stack([np.interp(at, along, centre[:, axis]) for axis in (0, 1)], axis=1)
    normals = _normal(np.interp(at, along, slope))
    chords = points[:, None] + distances[:, :, None] * normals[:, None]
    pixels = float((distances[:, 1] - distances[:, 0]).mean())
    shape = np.array([1.0, scale.shape])
    return Thickness(pixels, pixels * scale.depth_mm, chords / shape, centre / shape)


def _nearest(upper: CentreLine, lower: CentreLine, columns: NDArray[np.float64]) -> float:
    """Return how near two lines come to one another, as fitted or as they are drawn [px]."""
    # Where drawn lines cross they are one region, and what leaves it may be either.
    drawn = np.interp(columns, *lower.drawn) - np.interp(columns, *upper.drawn)
    return float(np.minimum(drawn, lower.at(columns) - upper.at(columns)).min(initial=np.inf))


def _normal(slope: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the unit vectors, downward, that are perpendicular to a line of some slope."""
    return np.stack([np.ones_like(slope), -slope], axis=-1) / np.hypot(1, slope)[..., None]


def _along_normals(
    line: CentreLine,
    points: NDArray[np.float64],
    slope: NDArray[np.float64],
    shape: float,
    toward: int,
) -> NDArray[np.float64]:
    """Return how far along each normal a line is met first; NaN where it is not met."""
    down, right = _normal(slope)[:, :, None].swapaxes(0, 1)
    row, column = line.depth - points[:, :1], line.column * shape - points[:, 1:]
    # How far each point of the line lies aside of the normal: it is met where that changes sign.
    # Rounded, for the normals of level lines that end above one another.
    aside = (column * down - row * right).round(6)
    ahead = row * down + column * right
    passes = (aside[:, :-1] * aside[:, 1:] <= 0) & (aside[:, :-1] != aside[:, 1:])
    share = aside[:, :-1] / np.where(passes, aside[:, :-1] - aside[:, 1:], 1)
    met = (ahead[:, :-1] + share * np.diff(ahead)) * toward
    nearest = np.where(passes & (met > 0), met, np.inf).min(axis=1)
    return np.where(np.isfinite(nearest), nearest * toward, np.nan)


def _longest(good: NDArray[np.bool_]) -> tuple[int, int]:
    """Return where the longest run of True starts, and where it has stopped."""
    begins, ends = runs_of(good)
    return max(zip(begins, ends, strict=True), key=lambda run: run[1] - run[0], default=(0, 0))
