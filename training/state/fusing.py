"""States that fit both what is told of each frame and what is told of the changes between frames.

Changes are right for a moment, but their errors add up; states that are told of single frames do
not drift, but are noisy. What fits both best, in the sense of least squares, is what a smoother of
Rauch, Tung and Striebel gives (1965, doi:10.2514/3.3166) of a signal whose rate wanders: here it is
found at once, of a whole trial, as the solution of a banded system of equations.
"""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

STATE_ERRORS = tuple(10 ** (each / 2) for each in range(13))
"""Variances of states that are tried, over that of changes."""

WANDERING = (math.inf, *(10 ** (each / 2) for each in range(2, -7, -1)))
"""Variances of the change of changes that are tried, over that of changes; infinity: any."""


@dataclass(frozen=True)
class Trust:
    """How far what is told of one signal is believed.

    Parameters
    ----------
    state_error : float
        Variance of the error of states that are told, over that of changes.
    wandering : float
        Variance of the difference between one change and the next in the signal itself, over the
        same; infinity, if it may be any.
    """

    state_error: float = 1.0
    wandering: float = math.inf


def fused(states: ArrayLike, changes: ArrayLike, trust: Trust) -> NDArray[np.float64]:
    """Return the states of one signal that fit what is told of states and of changes.

    Parameters
    ----------
    states : array of shape (frame,)
    changes : array of shape (frame - 1,)
        From each frame to the next.
    trust : Trust

    Returns
    -------
    float64 array of shape (frame,)

    Examples
    --------
    >>> [round(float(each), 2) for each in fused([0, 4, 0], [1, 1], Trust(1e6))]
    [0.33, 1.33, 2.33]
    """
    told, between = np.asarray(states, np.float64), np.asarray(changes, np.float64)
    count = len(told)
    bands = np.zeros((3, count))  # of the normal equations: 2 and 1 above the diagonal, and it
    wanted = told / trust.state_error
    bands[2] = 1 / trust.state_error
    if count > 1:
        bands[2, 1:] += 1
        bands[2, :-1] += 1
        bands[1, 1:] -= 1
        wanted[1:] += between
        wanted[:-1] -= between
    if count > 2 and math.isfinite(trust.wandering):
        weight = 1 / trust.wandering
        for first, amount in enumerate((1.0, -2.0, 1.0)):
            bands[2, first : count - 2 + first] += weight * amount**2
        bands[1, 1:-1] -= 2 * weight
        bands[1, 2:] -= 2 * weight
        bands[0, 2:] += weight
    solved: NDArray[np.float64] = scipy.linalg.solveh_banded(
        bands[-min(count, 3) :], wanted, check_finite=False
    )
    return solved


def best_trust(
    told: Sequence[tuple[ArrayLike, ArrayLike]],
    true: Sequence[ArrayLike],
    tried: Iterable[tuple[float, float]] | None = None,
) -> Trust:
    """Return the trust with which fused states of one signal come nearest to true ones.

    Errors of states and of their changes count alike, each over the variance of what is true.

    Parameters
    ----------
    told : sequence of (array of shape (frame,), array of shape (frame - 1,))
        States and changes of stretches of successive frames.
    true : sequence of arrays of shape (frame,)
        States of the same.
    tried : iterable of (float, float), optional
        State errors and wandering; all of :data:`STATE_ERRORS` and :data:`WANDERING` if not given.
    """
    states = np.concatenate([np.asarray(each, np.float64) for each in true])
    changes = np.concatenate([np.diff(np.asarray(each, np.float64)) for each in true])
    scales = [1 / max(float(np.mean(each**2)), 1e-30) for each in (states - states.mean(), changes)]

    def error(trust: Trust) -> float:
        found = [fused(*each, trust) - np.asarray(one, np.float64)
                 for each, one in zip(told, true, strict=True)]  # fmt: skip
        whole, steps = np.concatenate(found), np.concatenate([np.diff(each) for each in found])
        return scales[0] * float(np.mean(whole**2)) + scales[1] * float(np.mean(steps**2))

    pairs = itertools.product(STATE_ERRORS, WANDERING) if tried is None else tried
    return min((Trust(*pair) for pair in pairs), key=error)
