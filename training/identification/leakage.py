"""What of other units' motion is left in a unit's train."""

import numpy as np
from numpy.typing import NDArray

SIGNIFICANT = 3.0
"""Shares of other units are taken off from so many standard errors on."""


def without_leakage(
    trains: NDArray[np.float64], courses: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Take off trains what other units' courses explain of what their own leaves.

    Parameters
    ----------
    trains : float64 array of shape (unit, time)
        Each of mean square 1.
    courses : float64 array of shape (unit, time)
        Of the same units, what firings and twitch make of each.

    Returns
    -------
    float64 array of shape (unit, time)
    """
    cleaned = trains.copy()
    units, frames = trains.shape
    if not 1 < units < frames // 4:
        return cleaned
    inverse = np.linalg.pinv(courses @ courses.T, hermitian=True)
    left = trains - courses
    shares = left @ courses.T @ inverse  # (unit, other)
    energy = np.square(left - shares @ courses).sum(axis=1) / (frames - units)
    error = np.sqrt(energy[:, None] * np.maximum(inverse.diagonal(), 0))
    taken = np.where(np.abs(shares) > SIGNIFICANT * error, shares, 0.0)
    np.fill_diagonal(taken, 0.0)
    return cleaned - taken @ courses
