"""How strong a direction of noise alone is, from the weak directions of a recording."""

import math

import numpy as np
from numpy.typing import NDArray

from ...units import Recording

MARGIN = 1.2
"""A component counts if it is this many times as strong as the strongest direction of noise:
components that are not at right angles are somewhat stronger than the directions they mix."""

FLOOR = 1e-3
"""Share of the strongest direction that counts in a recording without noise."""

WEAK = 0.4
"""Directions are noise below this share of their distribution: units are fewer than the rest."""


def independent_samples(recording: Recording, lowest: float, highest: float) -> float:
    """Return how many independent samples over time noise has in a band of frequencies, Hz."""
    half = recording.frame_rate / 2
    return len(recording.tvi) * (min(highest, half) - lowest) / half


def needed(size: NDArray[np.floating], pixels: int, samples: float) -> float:
    """Return how strong a component has to be to count.

    The weaker directions of noise give its variance v, by the distribution of singular values
    (Marchenko and Pastur 1967, doi:10.1070/SM1967v001n04ABEH001994); the strongest is
    sqrt(v) (sqrt(pixels) + sqrt(samples)) (Davidson and Szarek 2001,
    doi:10.1016/S1874-5849(01)80010-3).

    Parameters
    ----------
    size : float array of shape (direction,)
        Singular values of velocity (pixel, time), falling.
    pixels : int
    samples : float
        Independent ones over time, see :func:`independent_samples`.
    """
    fewer, more = sorted((float(pixels), samples))
    place = min(int((1 - WEAK) * fewer), len(size) - 1)
    variance = float(size[place]) ** 2 / (more * _quantile(fewer / more, WEAK))
    edge = math.sqrt(variance) * (math.sqrt(pixels) + math.sqrt(samples))
    return max(MARGIN * edge, FLOOR * float(size[0]))


def _quantile(ratio: float, share: float) -> float:
    """Return a quantile of squares of singular values of noise of variance 1 over its longer side.

    Parameters
    ----------
    ratio : float
        Of the shorter to the longer side, 0..1.
    share : float
    """
    low, high = (1 - math.sqrt(ratio)) ** 2, (1 + math.sqrt(ratio)) ** 2
    # Angles in place of squares: the density has no pole at 0 then, not even of a square matrix.
    angle = np.linspace(0, math.pi, 2001)[1:]
    square = low + (high - low) * (1 - np.cos(angle)) / 2
    density = np.sqrt((high - square) * (square - low)) / square * np.sin(angle)
    below = np.cumsum(density)
    return float(np.interp(share, below / below[-1], square))
