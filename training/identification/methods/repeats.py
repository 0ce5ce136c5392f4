"""Which candidates repeat others: a unit's train is no other's once more, nor mixed of others'."""

import numpy as np
from numpy.typing import NDArray

SAME_TRAIN = 0.7
"""Correlation, without its sign, of trains that are one unit's."""

LAG = 0.05
"""Largest lag at which trains are compared, s: waves take less to cross a unit's surroundings."""

MIXTURE = 0.5
"""Share of a train's energy, beyond chance, that others explain if it is mixed of them."""

SURROUNDINGS = (1.5, 2.0)
"""A unit's copies lie within this many times both radii, and so much more, mm."""


def chosen(
    probabilities: NDArray[np.float64],
    courses: NDArray[np.floating],
    frame_rate: float,
    least: float,
    first: NDArray[np.int64] | None = None,
    beside: NDArray[np.bool_] | None = None,
) -> tuple[list[int], list[int]]:
    """Choose candidates, the likeliest first, that are no copies or mixtures of those before.

    Parameters
    ----------
    probabilities : float64 array of shape (candidate,)
    courses : float array of shape (candidate, time)
        Their trains over time.
    frame_rate : float
        Hz.
    least : float
        Probability below which none is chosen.
    first : int64 array, optional
        Candidates that come before all others.
    beside : bool array of shape (candidate, candidate), optional
        Which lie so near to which that one may be the other's copy; all, if not given. Units that
        fire at like rates may have like trains by chance: at a distance, that makes none a copy.

    Returns
    -------
    chosen : list of int
    copies : list of int
        Candidates that would have been chosen but for one that they repeat.
    """
    if not len(courses):
        return [], []
    unit_courses = courses - courses.mean(axis=1, keepdims=True)
    length = np.sqrt(np.square(unit_courses).sum(axis=1))
    unit_courses = unit_courses / np.maximum(length, 1e-30)[:, None]
    freedom = degrees_of_freedom(unit_courses)
    rank = probabilities.copy()
    if first is not None:
        rank[first] += 1.0
    taken: list[int] = []
    copies: list[int] = []
    for candidate in np.argsort(-rank, kind="stable"):
        if probabilities[candidate] < least:
            continue
        if taken:
            course = unit_courses[candidate]
            near = taken if beside is None else [one for one in taken if beside[candidate, one]]
            likeness = likeness_of(course, unit_courses[near], round(LAG * frame_rate))
            basis, _ = np.linalg.qr(unit_courses[taken].T)
            explained = float(np.square(basis.T @ course).sum())
            chance = min(len(taken) / freedom, 0.9)
            mixed = (explained - chance) / (1 - chance) > MIXTURE
            if likeness > SAME_TRAIN or mixed:
                if likeness > SAME_TRAIN:
                    copies.append(int(candidate))
                continue
        taken.append(int(candidate))
    return taken, copies


def are_beside(centres: NDArray[np.float64], radii: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which places lie so near to one another that one may be the other's copy.

    Returns
    -------
    bool array of shape (map, map)
    """
    away = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    return away <= SURROUNDINGS[0] * (radii[:, None] + radii[None]) + SURROUNDINGS[1]


def likeness_of(course: NDArray[np.floating], others: NDArray[np.floating], reach: int) -> float:
    """Return the largest correlation, without its sign and at any lag, of a course with others.

    Parameters
    ----------
    course : float array of shape (time,)
    others : float array of shape (other, time)
        All of length 1.
    reach : int
        Largest lag, frames.
    """
    frames = len(course)
    reach = min(reach, frames - 1)
    spectrum = np.fft.rfft(course, 2 * frames)
    lagged = np.fft.irfft(np.fft.rfft(others, 2 * frames, axis=1).conj() * spectrum, axis=1)
    near = np.concatenate([lagged[:, : reach + 1], lagged[:, 2 * frames - reach :]], axis=1)
    return float(np.abs(near).max(initial=0.0))


def degrees_of_freedom(courses: NDArray[np.floating]) -> float:
    """Return how many independent values a course of such a spectrum has, 10 or more."""
    power = np.square(np.abs(np.fft.rfft(courses, axis=1))).mean(axis=0)
    return max(2 * float(power.sum() ** 2 / max(np.square(power).sum(), 1e-300)), 10.0)
