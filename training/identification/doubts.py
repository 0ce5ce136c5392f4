"""Whether what was found can be motor units at all: their width, and how they fire.

Any motion that comes from a few places, or from all of the image at once, can be told from noise
and explained: a probe that shakes, a wave that passes. What is then found has a width and firings
that no motor unit has.
"""

import numpy as np

from .units import Units

WIDEST = 180.0
"""Area of a territory that no motor unit has, mm2: a disc of 15 mm. Territories in muscles of the
leg, by MRI, are 26.7 (SD 11.2) mm2 (Birkbeck et al. 2020)."""

STEADIEST, WILDEST = 0.03, 0.7
"""Variation of the intervals between firings that no motor unit has: 0.1-0.3 is usual. Firings that
were missed or split make it larger."""

FEWEST_INTERVALS = 8
"""Intervals between firings of a unit whose variation is looked at."""

SHARE = 0.5
"""Of the units, whose firings have to be unlike a motor unit's before a word is said."""


def doubts(units: Units, pixel_size: tuple[float, float]) -> tuple[str, ...]:
    """Return remarks on units that are unlike motor units.

    Parameters
    ----------
    units : Units
    pixel_size : (float, float)
        Depth and width of a pixel, mm.

    Returns
    -------
    tuple of str
        Of :data:`.remarks.REMARKS`: ``too-wide``, ``unlike-firings``.
    """
    pixel = pixel_size[0] * pixel_size[1]
    areas = (np.asarray(units.territory) >= 0.5).sum(axis=(1, 2)) * pixel
    found = ["too-wide"] if (areas > WIDEST).any() else []
    variations = [variation_of(firing) for firing in units.firing]
    known = [each for each in variations if np.isfinite(each)]
    odd = [each for each in known if not STEADIEST <= each <= WILDEST]
    if known and len(odd) > SHARE * len(known):
        found.append("unlike-firings")
    return tuple(found)


def variation_of(firing: np.ndarray) -> float:
    """Return the SD of a unit's intervals over their mean; NaN where there are few.

    Parameters
    ----------
    firing : float64 array of shape (firing,)
        Instants, s, rising; NaN is none.
    """
    intervals = np.diff(firing[np.isfinite(firing)])
    if len(intervals) < FEWEST_INTERVALS:
        return float("nan")
    return float(intervals.std() / intervals.mean())
