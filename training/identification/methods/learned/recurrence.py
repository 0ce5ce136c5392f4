"""Which of many candidates are one train, found again and again."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAME = 0.8
"""Correlation, without its sign, from which two candidates are the same train."""

LEAST_SUPPORT = 1.5
"""Trains with less support (their own likeness to themselves is 1) are chance: a unit is found in
more than one window, or in one by more than one decomposition."""

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
    near = rows @ rows.T
    size = np.abs(near)
    size[size <= SAME] = 0.0
    support = size.sum(axis=1, dtype=np.float64)
    left = length > 0
    trains: list[NDArray[np.float64]] = []
    facts: list[tuple[float, float, float]] = []
    while len(trains) < MOST and left.any():
        first = int(np.argmax(np.where(left, support, -1.0)))
        if support[first] < LEAST_SUPPORT:
            break
        members = np.flatnonzero((size[first] > 0) & left)
        weights = near[first, members].astype(np.float64)
        mean = weights @ rows[members]
        trains.append(mean / np.sqrt(float(mean @ mean)))
        likeness = float(np.abs(weights).mean())
        facts.append((len(members), likeness, len(np.unique(kind[members]))))
        support -= size[:, members].sum(axis=1, dtype=np.float64)
        left[members] = False
    columns = candidates.shape[1]
    return Gathered(
        np.array(trains, np.float64).reshape(-1, columns), np.array(facts).reshape(-1, 3)
    )
