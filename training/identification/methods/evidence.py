"""What tells units from chance and texture.

A unit's map is one place that moves together, in both halves of the recording, more than noise
does. How far each of these signs can be trusted is learned from recordings of several makers
(``python -m benchmarks.identification --fit``), so that what comes out is a probability.
"""

import math

import numpy as np
import scipy
from numpy.typing import NDArray

from .candidates import Candidates

SMOOTHING = 0.6
"""SD of the Gaussian over which a map is smoothed before it is looked at, mm."""

CORE, FOOT = 0.5, 0.1
"""Levels, as shares of a map's peak, at which the place around the peak is cut out."""

WEIGHTS = (-4.228, 0.211, 4.423, 1.107, -0.013, 0.516)
"""Of 1 and of the signs: log odds that a candidate is a unit (its train's correlation with a true
one exceeds 0.8). Learned, as CERTAINTY is, by ``python -m benchmarks.identification --fit``."""

CERTAINTY = (1.096, 0.952)
"""Of 1 and of these log odds: log odds that a candidate which was chosen is a unit. Most that are
no units are copies or mixtures, and those are left out."""

UNIT_RADII = (0.8, 9.0)
"""Radii that the place of a unit's map may have, mm: from a quarter of the smallest disc that is in
the image to the largest (2.5-10 mm across, Ali et al. 2020) with motion that spreads as far again.
What is smaller is a flaw of single pixels, what is larger moves the whole image."""


def signs_of(
    candidates: Candidates, noise: float, size: tuple[float, float]
) -> NDArray[np.float64]:
    """Return the signs by which units are told, float64 (candidate, 5).

    They are the log odds of the map's stability; the shares of its squares in the connected place
    around its peak above half and above a tenth of it; its deepest trough over its peak; and the
    logarithm of its singular value over that of noise.

    Parameters
    ----------
    candidates : Candidates
    noise : float
        The largest singular value of noise.
    size : (float, float)
        Of a block, mm.
    """
    trains, maps = candidates.trains, candidates.maps
    strength = np.sqrt(np.square(trains).sum(axis=1) * np.square(maps).sum(axis=(1, 2)))
    odds = np.log((candidates.stability + 0.02) / (1.02 - candidates.stability))
    shapes = np.array([_shape(image, size) for image in maps]).reshape(-1, 3)
    above = np.log(np.maximum(strength / max(noise, 1e-30), 1e-6))
    return np.column_stack([odds, shapes, above])


def _shape(image: NDArray[np.float64], size: tuple[float, float]) -> tuple[float, float, float]:
    smooth = smoothed(image, size)
    smooth *= upright(smooth)
    top, whole = float(smooth.max()), float(np.square(smooth).sum())
    if not top > 0:
        return 0.0, 0.0, 1.0
    core, foot = (
        float(np.square(smooth[place_of(smooth, level)]).sum()) / whole for level in (CORE, FOOT)
    )
    return core, foot, max(-float(smooth.min()), 0.0) / top


def smoothed(image: NDArray[np.float64], size: tuple[float, float]) -> NDArray[np.float64]:
    """Return a map smoothed over less than a unit."""
    return np.asarray(
        scipy.ndimage.gaussian_filter(image, (SMOOTHING / size[0], SMOOTHING / size[1]))
    )


def upright(image: NDArray[np.float64]) -> float:
    """Return -1 where a map is deeper than high, else 1."""
    return -1.0 if -float(image.min()) > float(image.max()) else 1.0


def place_of(image: NDArray[np.float64], level: float) -> NDArray[np.bool_]:
    """Return the connected place around a map's peak above a share of it, bool (depth, width)."""
    parts: NDArray[np.int64] = np.zeros(image.shape, np.int64)
    scipy.ndimage.label(image > level * image.max(), output=parts)
    return parts == parts[np.unravel_index(int(image.argmax()), image.shape)]


def places_of(
    maps: NDArray[np.float64], size: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where maps are above half their peak.

    Parameters
    ----------
    maps : float64 array of shape (map, depth, width)
    size : (float, float)
        Of a block, mm.

    Returns
    -------
    centres : float64 array of shape (map, 2)
        Depth and width, mm.
    radii : float64 array of shape (map,)
        Of the disc of the place's area, mm.
    """
    centres, radii = np.zeros((len(maps), 2)), np.zeros(len(maps))
    for number, image in enumerate(maps):
        smooth = smoothed(image, size)
        place = place_of(smooth * upright(smooth), CORE)
        centres[number] = (np.argwhere(place).mean(axis=0) + 0.5) * size
        radii[number] = math.sqrt(place.sum() * math.prod(size) / math.pi)
    return centres, radii


def probability(signs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how probably each candidate is a unit, float64 (candidate,), from its signs."""
    odds = WEIGHTS[0] + signs @ np.array(WEIGHTS[1:])
    return np.asarray(1 / (1 + np.exp(-odds)))


def certainty(signs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how probably each candidate that was chosen is a unit, float64 (candidate,)."""
    odds = WEIGHTS[0] + signs @ np.array(WEIGHTS[1:])
    return np.asarray(1 / (1 + np.exp(-(CERTAINTY[0] + CERTAINTY[1] * odds))))
