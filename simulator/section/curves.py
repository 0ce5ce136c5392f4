"""Aponeuroses as curves across the section, and the muscle's thickness between two of them."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Places = float | NDArray[np.floating[Any]]

CHORDS = 5
"""Chords whose mean length is the thickness (Katakis et al. 2023,
doi:10.3390/biomedinformatics3020027, section 2.3.1)."""

POINTS = 1001
"""Of the centre line, between which its length is interpolated."""

STEPS = 12
"""Of Newton's method; one is exact for lines."""


@dataclass(frozen=True)
class Curve:
    """A parabola across the image, that goes on in straight lines beyond its sides.

    Parameters
    ----------
    depth : float
        At the image's middle, mm.
    slope : float
        There, depth over width; positive towards the right and the deep.
    bow : float
        By how much it lies less deep at the image's sides than its tangent does, mm.
    middle, half : float
        The image's middle and half its width, mm.
    """

    depth: float
    slope: float
    bow: float
    middle: float
    half: float

    def at(self, width: Places) -> NDArray[np.float64]:
        """Return the depth at places across the section, mm."""
        off = (width - self.middle) / self.half
        within = np.clip(off, -1, 1)
        return self.depth + self.slope * self.half * off - self.bow * within * (2 * off - within)

    def slope_at(self, width: Places) -> NDArray[np.float64]:
        """Return depth over width at places across the section, mm."""
        within = np.clip((width - self.middle) / self.half, -1, 1)
        return self.slope - 2 * self.bow / self.half * within

    def moved(self, depth: float) -> "Curve":
        """Return the same curve, deeper by `depth` mm."""
        return Curve(self.depth + depth, self.slope, self.bow, self.middle, self.half)


def between(first: Curve, second: Curve, share: float = 0.5) -> Curve:
    """Return the curve that lies between two of one image, at a share of the way down."""
    depth, slope, bow = (
        (1 - share) * getattr(first, name) + share * getattr(second, name)
        for name in ("depth", "slope", "bow")
    )
    return Curve(depth, slope, bow, first.middle, first.half)


def chords(superficial: Curve, deep: Curve, number: int = CHORDS) -> NDArray[np.float64]:
    """Return the lengths of chords that are perpendicular to the line midway between two curves.

    They cross that line in the middle of `number` parts of equal length, into which they divide as
    much of it as has its chords in the image. They end on the curves, an aponeurosis' middle.

    Parameters
    ----------
    superficial, deep : Curve
        Of one image.
    number : int

    Returns
    -------
    float64 array of shape (chord,)
        mm; their mean is the muscle's thickness (Katakis et al. 2023,
        doi:10.3390/biomedinformatics3020027).
    """
    centre = between(superficial, deep)
    feet = centre.middle + centre.half * np.linspace(-1, 1, POINTS)
    ends = np.stack([_met(curve, centre, feet)[1] for curve in (superficial, deep)])
    within = (np.abs(ends - centre.middle) <= centre.half * (1 + 1e-9)).all(axis=0)
    # Of a piece too steep for any chord there are those of all its width.
    feet = feet[within] if within.sum() > 1 else feet
    along = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(feet), np.diff(centre.at(feet))))])
    crossed = np.interp((np.arange(number) + 0.5) / number * along[-1], along, feet)
    up, down = (_met(curve, centre, crossed)[0] for curve in (superficial, deep))
    return np.abs(up) + np.abs(down)


def _met(
    curve: Curve, centre: Curve, feet: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far from the centre line its normals meet a curve, and at which width, mm."""
    start, slope = centre.at(feet), centre.slope_at(feet)
    aside, down = -slope / np.hypot(1, slope), 1 / np.hypot(1, slope)
    reach = (curve.at(feet) - start) * down
    for _ in range(STEPS):
        place = feet + reach * aside
        gap = start + reach * down - curve.at(place)
        reach = reach - gap / (down - curve.slope_at(place) * aside)
    return reach, feet + reach * aside


def thickness(superficial: Curve, deep: Curve) -> float:
    """Return the muscle's thickness: the mean of :data:`CHORDS` perpendicular chords, mm."""
    return math.fsum(chords(superficial, deep)) / CHORDS
