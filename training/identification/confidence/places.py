"""Where a unit lies, and what is around it."""

import math

import numpy as np
from numpy.typing import NDArray

AROUND = 0.5
"""What is around a unit reaches so many of its radii beyond it: motion spreads, outlines err."""


def places_of(territory: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return where each unit's membership is above a half, or else above half its largest.

    Parameters
    ----------
    territory : float array of shape (unit, depth, width)

    Returns
    -------
    bool array of shape (unit, depth, width)
        Nowhere, of a unit without any pixel.
    """
    found = territory > 0.5
    for unit in np.flatnonzero(~found.any(axis=(1, 2))):
        highest = float(territory[unit].max(initial=0))
        found[unit] = (territory[unit] >= 0.5 * highest) & (highest > 0)
    return found


def around(places: NDArray[np.bool_], pixel_size: tuple[float, float]) -> NDArray[np.bool_]:
    """Return places with what lies within half of their radius.

    Parameters
    ----------
    places : bool array of shape (unit, depth, width)
    pixel_size : (float, float)
        Depth and width of a pixel, mm.

    Returns
    -------
    bool array of shape (unit, depth, width)
    """
    import scipy  # where maps are looked at: who reads a store does without

    found = places.copy()
    for unit, place in enumerate(places):
        if place.any():
            radius = math.sqrt(place.sum() * math.prod(pixel_size) / math.pi)
            away = scipy.ndimage.distance_transform_edt(~place, sampling=pixel_size)
            found[unit] = away <= AROUND * radius
    return found
