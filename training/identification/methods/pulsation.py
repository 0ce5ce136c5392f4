"""What tells arteries from units: they move as the heart beats."""

import math

import numpy as np
import scipy
from numpy.typing import NDArray

BURST = 0.1
"""Time over which a train's power is averaged, s."""

BURSTS = 0.75
"""Share of a train's power in the busiest third of the time if it comes in bursts; that of a unit
that fires at 6 Hz or more is about a half."""

OVERLAP = 0.5
"""Time that must be left to compare a train with itself, s."""

BEATS = (0.55, 1.6)
"""Intervals of heartbeats, s."""

BEAT = 0.6
"""Correlation of a train with itself one heartbeat later."""


def is_pulse(course: NDArray[np.floating], frame_rate: float) -> bool:
    """Tell whether a train repeats as heartbeats do, so that it is an artery's.

    A vessel moves for a short while with every beat, and as it did the beat before; a unit fires
    all the time, at intervals that vary. In a recording of less than two beats nothing is told.

    Parameters
    ----------
    course : float array of shape (time,)
    frame_rate : float
        Hz.
    """
    frames = len(course)
    course = course.astype(np.float64)
    centred = course - course.mean()
    first, last = (round(beat * frame_rate) for beat in BEATS)
    last = min(last, frames - round(OVERLAP * frame_rate))
    power = np.sort(
        scipy.ndimage.uniform_filter1d(np.square(centred), max(round(BURST * frame_rate), 1))
    )
    busiest = power[-(frames // 3) :].sum() / max(float(power.sum()), 1e-300)
    if last <= first or busiest < BURSTS:
        return False
    likeness = []
    for lag in range(first, last + 1, max(int(frame_rate / 200), 1)):
        one, two = course[lag:], course[: frames - lag]
        one, two = one - one.mean(), two - two.mean()
        # Windows in which next to nothing moves are alike by chance.
        scale = math.sqrt(float(one @ one) * float(two @ two))
        scale = max(scale, 0.1 * float(centred @ centred), 1e-30)
        likeness.append(float(one @ two) / scale)
    return max(likeness) > BEAT
