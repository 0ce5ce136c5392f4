"""What the places of a probe's elements say: the pitch, or that the probe is no straight line."""

import numpy as np
from numpy.typing import NDArray

BEND = 0.02
"""Deviation from a straight line of even steps, in steps, from which a probe is not linear."""


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
    return float(f"{1000 * step:.6g}")  # float32 has 7 digits
