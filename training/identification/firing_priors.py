"""What is likely of firings before a train is seen: intervals, and the size of twitches."""

import functools
import math

import numpy as np
from numpy.typing import NDArray

from .twitch_shapes import Shapes

INTERVAL_SD = 0.18
"""SD of the logarithm of intervals: 0.2 of the mean in motor units (Clamann 1969,
doi:10.1016/S0006-3495(69)86448-9)."""

BROAD, BROAD_SD = 0.05, 0.7
"""Share of intervals that do not follow the usual one - pauses, doublets - and SD of their
logarithm."""


@functools.lru_cache(maxsize=64)
def interval_probabilities(
    interval: float, step: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the log probability of an interval of each number of places, and of a longer one."""
    times = np.maximum(np.arange(math.ceil(4 * interval / step)), 0.1) * step
    away = np.log(times / interval)
    narrow = (1 - BROAD) / INTERVAL_SD * np.exp(-0.5 * np.square(away / INTERVAL_SD))
    broad = BROAD / BROAD_SD * np.exp(-0.5 * np.square(away / BROAD_SD))
    density = (narrow + broad) / times * step / math.sqrt(2 * math.pi)
    longer = np.maximum(1 - np.cumsum(density) + 0.5 * density, 1e-12)
    return np.log(density), np.log(longer)


@functools.lru_cache(maxsize=1024)
def usual_amplitude(interval: float, step: float, shapes: Shapes, variation: float = 0.2) -> float:
    """Return the amplitude that twitches have in a train of mean square 1, on average.

    The power of a train is that of its firings, a renewal process with normal intervals, times that
    of the twitch (Cox and Lewis 1966, The Statistical Analysis of Series of Events, section 4.5).

    Parameters
    ----------
    interval : float
        Mean interval, s.
    step : float
        Distance of places, s.
    shapes : Shapes
    variation : float
        SD of intervals over their mean.
    """
    frequency, power, different = _powers(shapes, step)
    turn = 2 * np.pi * frequency * interval
    kept = np.exp(-1j * turn - 0.5 * np.square(variation * turn))
    firing = (1 - np.square(np.abs(kept))) / np.square(np.abs(1 - kept))
    energy = float(firing @ power + different.sum()) / interval
    return 1 / math.sqrt(2 * energy * frequency[0])


def _powers(shapes: Shapes, step: float) -> tuple[NDArray[np.float64], ...]:
    """Return frequencies, Hz, and energy densities there of the usual twitch and of differences."""
    courses = np.array([shapes.dense, *(one.T.ravel() for one in shapes.bases)])
    courses[1:] *= np.sqrt(shapes.variances)[:, None]
    places = 2048
    power = np.square(np.abs(np.fft.rfft(courses, places))[:, 1:]) * step**2
    frequency = np.asarray(np.fft.rfftfreq(places, step)[1:], np.float64)
    return frequency, power[0], power[1:].sum(axis=0)
