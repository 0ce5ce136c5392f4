"""Which of many candidates are one train, found again and again."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAME = 0.8
"""Correlation, without its sign, from which two candidates are the same train."""

LEAST_SUPPORT = 1.5
"""Trains with less support (their own likeness to themselves is 1) are chance: a unit is found in
more than one window, or in one by more than one decomposition."""

PRODUCTS = 36_000_000
"""Products of candidates that are worked out at once: those of a large image would fill memory."""

MOST = 200
"""Trains that are kept, those of most support."""


@dataclass(frozen=True)
class Gathered:
    """Trains, each found several times.

    Parameters
    ----------
    trains : float64 array of shape (train, coefficient)
        Of length 1: the mean of those that are the same, weighted by their likeness to the one
        that is most like all.
    support : float64 array of shape (train, 3)
        How many candidates are the same; their mean likeness; how many ways gave them.
    """

    trains: NDArray[np.float64]
    support: NDArray[np.float64]


def gathered(candidates: NDArray[np.float64], kind: NDArray[np.int64]) -> Gathered:
    """Gather candidates that are the same train.

    That with most support - the sum of its likeness to all that are the same - comes first and
    takes those with it; then what is left.

    Parameters
    ----------
    candidates : float64 array of shape (candidate, coefficient)
        In an orthonormal basis of time; sign and scale do not matter.
    kind : int64 array of shape (candidate,)
        Which way gave each.
    """
    length = np.sqrt(np.square(candidates).sum(axis=1))
    rows = (candidates / np.maximum(length, 1e-300)[:, None]).astype(np.float32)
    near = _near(rows)
    support = np.array([np.abs(likeness).sum(dtype=np.float64) for _, likeness in near])
    left = length > 0
    trains: list[NDArray[np.float64]] = []
    facts: list[tuple[float, float, float]] = []
    while len(trains) < MOST and left.any():
        first = int(np.argmax(np.where(left, support, -1.0)))
        if support[first] < LEAST_SUPPORT:
            break
        same, likeness = near[first]
        members, weights = same[left[same]], likeness[left[same]].astype(np.float64)
        mean = weights @ rows[members]
        trains.append(mean / np.sqrt(float(mean @ mean)))
        facts.append((len(members), float(np.abs(weights).mean()), len(np.unique(kind[members]))))
        for member in members:
            others, sizes = near[member]
            support[others] -= np.abs(sizes)
        left[members] = False
    columns = candidates.shape[1]
    return Gathered(
        np.array(trains, np.float64).reshape(-1, columns), np.array(facts).reshape(-1, 3)
    )


def _near(
    rows: NDArray[np.float32],
) -> list[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Return for each row of length 1 which are the same, and their products, with its own."""
    found = []
    step = max(PRODUCTS // max(len(rows), 1), 1)
    for start in range(0, len(rows), step):
        near = rows[start : start + step] @ rows.T
        where, same = np.nonzero(np.abs(near) > SAME)
        ends = np.searchsorted(where, np.arange(1, len(near)))
        likeness = near[where, same]
        found += zip(np.split(same, ends), np.split(likeness, ends), strict=True)
    return found
