"""The grid that networks leave in images: a peak of the spectrum that stands alone.

Grant-Jacob et al. 2021 (doi:10.1088/2399-6528/ac24d8) saw one in theirs. It is looked for as in
translated sequences, see :mod:`...translation.metrics.alarms`, in single images, and small ones.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..translation.metrics.alarms import LEAST_PERIODS, PERIOD, Checkerboard, isolated_peak

SHORT_PERIOD = 4
"""Longest period that is looked for in images too small for one of 8 px."""

LIMIT = 12.0
"""Power of a peak over that around it, above which there is an alarm: no real slice has so much, of
34 px or more, with noise or without (`python -m benchmarks.slice_grids`)."""

LEAST_SIDE = LEAST_PERIODS * SHORT_PERIOD
"""Side of an image, px, without which there is no telling."""


def grid_of(image: NDArray[Any]) -> Checkerboard:
    """Look for a grid in one image.

    Parameters
    ----------
    image : array of shape (depth, width)

    Returns
    -------
    Checkerboard
        The strongest peak at a period of 8 px or a part of it; of 4 px where a side has less than
        64. Its strength is NaN where one has less than 32.
    """
    values = np.asarray(image, np.float64)
    large = min(values.shape) >= LEAST_PERIODS * PERIOD
    return isolated_peak(values, PERIOD if large else SHORT_PERIOD)


def is_alarm(strength: float, actual: float) -> bool:
    """Return whether the grid of generated images is one that actual ones do not have.

    Parameters
    ----------
    strength : float
        Of a generated image.
    actual : float
        The greatest of actual images; NaN if it is not known.
    """
    known = 0.0 if math.isnan(actual) else actual
    return strength > max(LIMIT, known)


def power_of(image: NDArray[Any]) -> NDArray[np.float64]:
    """Return the power spectrum of an image, tapered to its edges, with the mean in the middle.

    Parameters
    ----------
    image : array of shape (depth, width)

    Returns
    -------
    float64 array of shape (depth, width)
    """
    values = np.asarray(image, np.float64)
    taper = np.outer(*(np.hanning(side + 1)[:-1] for side in values.shape))
    level = float((values * taper).sum() / taper.sum())
    return np.fft.fftshift(np.abs(np.fft.fft2((values - level) * taper)) ** 2)


def describe() -> str:
    """Return how grids are looked for, as one sentence."""
    return (
        f"Grid: alarm where a peak of a generated slice's spectrum at a period of {PERIOD} px or a "
        f"part of it ({SHORT_PERIOD} px where a side has less than {LEAST_PERIODS * PERIOD}) has "
        f"more than {LIMIT:g} times the power around it, and more than any actual slice has; below "
        f"{LEAST_SIDE} px none is looked for."
    )
