"""What the places of a probe's elements say, and the waves: pitch, and first samples."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..plausibility import Guess

BEND = 0.02
"""Deviation from a straight line of even steps, in steps, from which a probe is not linear."""

CURVED = (
    "found elements that lie on no straight and even line, wanted a linear array; beamform the "
    "echoes first and import the images"
)
NOT_PLANE = "wanted plane waves alone; beamform them first and import the images"


def pitch_of(positions: NDArray[np.float64]) -> float | None:
    """Return the distance from element to element, mm; None if they form no straight, even line.

    Parameters
    ----------
    positions : float64 array of shape (element, 3)
        Places of the elements' centres along width, elevation and depth, m.
    """
    if len(positions) < 2 or not np.isfinite(positions).all():
        return None
    step = (positions[-1, 0] - positions[0, 0]) / (len(positions) - 1)
    line = positions[0] + np.outer(np.arange(len(positions)), [step, 0, 0])
    if not step > 0 or np.abs(positions - line).max() > BEND * step:
        return None
    return rounded(1000 * step)


def first_samples(
    times: NDArray[np.float64],
    angles: NDArray[np.float64],
    places: NDArray[np.float64],
    sound_speed: float,
) -> Iterator[Guess]:
    """Guess the time of each wave's first sample, from when its first element fires.

    A wave of angle a passes the origin at time 0 and the element at x at ``x sin(a) / c``; the
    first element that it passes fires first.

    Parameters
    ----------
    times : float64 array of shape (wave,)
        Of the first samples, from when each wave passes the origin, s.
    angles : float64 array of shape (wave,)
        rad.
    places : float64 array of shape (element,)
        Of the elements along the width, m.
    sound_speed : float
        m/s.
    """
    fired = (np.sin(angles)[:, None] * places).min(axis=1) / sound_speed
    starts = [rounded(float(start)) for start in times - fired]
    reason = "the file counts time from when a wave passes the origin, here from its first element"
    if max(starts) - min(starts) < 1e-9:
        yield Guess("first_sample", starts[0], reason)
    else:
        yield Guess("first_sample", starts, reason)


def rounded(value: float) -> float:
    """Return a value to the 7 digits that float32 has."""
    return float(f"{value:.7g}")
