"""Courses in time that several parts of a trial are made with."""

import numpy as np
import scipy
from numpy.typing import NDArray

WAVES = 12
"""Sines of which slow motion in a band is made."""


def lag(
    course: NDArray[np.float64], bandwidth: float, sample_rate: float, first: float = 0.0
) -> NDArray[np.float64]:
    """Return how a critically damped system of the second order follows a course.

    Its gain at frequency f is ``1 / (1 + (f / bandwidth)^2)``. What it does is exact for a course
    that stays the same from one sample to the next.

    Parameters
    ----------
    course : float64 array of shape (sample,)
    bandwidth, sample_rate : float
        Hz.
    first : float
        Where the system is, still, before.
    """
    turned = 2 * np.pi * bandwidth / sample_rate
    kept = np.exp(-turned)
    # Differences of the step response 1 - (1 + w t) exp(-w t), at samples.
    steps = [0, 1 - kept - turned * kept, kept * (kept - 1 + turned)]
    return first + scipy.signal.lfilter(steps, [1, -2 * kept, kept**2], course - first)


def delayed(course: NDArray[np.float64], delay: float, sample_rate: float) -> NDArray[np.float64]:
    """Return a course that comes `delay` s later, with lines between its samples."""
    samples = np.arange(len(course))
    return np.interp(samples - delay * sample_rate, samples, course)


def wander(
    times: NDArray[np.float64], band: tuple[float, float], random: np.random.Generator
) -> NDArray[np.float64]:
    """Draw a sum of sines with frequencies in a band (Hz) and an SD of 1 over long times.

    It is a function of the times: a longer trial begins as a shorter one.
    """
    frequency, phase = random.uniform(*band, WAVES), random.random(WAVES)
    weight = random.standard_normal(WAVES)
    course = np.zeros_like(times)
    for f, p, w in zip(frequency, phase, weight / np.sqrt((weight**2).sum() / 2), strict=True):
        course += w * np.sin(2 * np.pi * (f * times + p))
    return course
