"""How much of the motion where a unit lies is its own, and how much of its train is others'."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..explanation import shared_energy, steps_of
from ..methods.repeats import likeness_of
from ..noise import Whitened

LAG = 0.05
"""Largest lag at which trains are compared, s: a wave takes less to cross what is around a unit."""

SINGULAR = 1e-6
"""Share of a train's energy that is added to it, so that none is quite a mixture of others."""

SEED, DRAWN = 21, 8
"""Of the signs that are drawn to see what chance explains, and how often they are."""

MOST_CHANCE = 0.8
"""Where chance explains more, as with many units in a short recording, a mixture tells nothing."""


@dataclass(frozen=True)
class Shares:
    """What is a unit's own.

    Parameters
    ----------
    own : float64 array of shape (unit,)
        Share of the energy of motion in its territory that it explains, 0..1.
    every : float64 array of shape (unit,)
        The same by all units together, 0..1.
    mixture : float64 array of shape (unit,)
        Share of its train's energy, beyond chance, that is a mixture of other units' trains, 0..1.
    likeness : float64 array of shape (unit,)
        Largest size of the correlation of its train with that of a stronger unit, at any lag within
        50 ms, 0..1; 0 for the strongest.
    """

    own: NDArray[np.float64]
    every: NDArray[np.float64]
    mixture: NDArray[np.float64]
    likeness: NDArray[np.float64]


def shares_of(
    known: Whitened,
    places: NDArray[np.bool_],
    train: NDArray[np.float32],
    frame_rate: float,
    pixel_size: tuple[float, float],
) -> Shares:
    """Tell what is each unit's own.

    Parameters
    ----------
    known : Whitened
        The recording and its noise.
    places : bool array of shape (unit, depth, width)
        Where each lies; nowhere is NaN of both shares of energy.
    train : float32 array of shape (unit, time)
        mm/s; their scale does not matter.
    frame_rate : float
        Hz.
    pixel_size : (float, float)
        mm.

    Notes
    -----
    Each pixel's velocity is regressed on all trains. Energies are those of
    :mod:`..explanation`: products of pixels that lie further apart than noise is alike, and nearer
    than units are wide, so noise has no part in them.
    """
    _, depth, width = known.shape
    back = np.linalg.inv(known.noise.whitening)  # (component, frequency)
    velocity = known.values @ back.astype(np.float32)  # (pixel, frequency), mm/s
    courses = _unit(known.values_of(train) @ back)
    gram = courses @ courses.T
    inverse = np.asarray(np.linalg.inv(gram + SINGULAR * np.eye(len(gram))), np.float64)
    narrow = courses.astype(np.float32)
    maps = (inverse @ (narrow @ velocity.T)).astype(np.float32)  # (unit, pixel)
    rest = velocity - maps.T @ narrow
    steps = steps_of(known.noise.area, pixel_size, (depth, width))
    whole = shared_energy(velocity, (depth, width), steps)
    left = shared_energy(rest, (depth, width), steps)
    units = len(train)
    strength = np.zeros(units)
    own, every = np.full(units, np.nan), np.full(units, np.nan)
    for unit, place in enumerate(places):
        alone = shared_energy(maps[unit][:, None], (depth, width), steps)
        strength[unit] = float(alone[place].sum())
        total = float(whole[place].sum())
        if total > 0:
            own[unit] = strength[unit] / total
            every[unit] = 1 - float(left[place].sum()) / total
    return Shares(
        np.clip(own, 0, 1),
        np.clip(every, 0, 1),
        _mixture(courses),
        _likeness(train, strength, round(LAG * frame_rate)),
    )


def _unit(courses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rows of length 1, but for those of length 0."""
    length = np.linalg.norm(courses, axis=1)
    return courses / np.where(length > 0, length, 1.0)[:, None]


def _mixture(courses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return which share of each course, beyond chance, is a mixture of the others.

    By chance, too, few values are mixtures of many courses. What chance explains is seen where the
    signs of all coefficients are drawn: their spectra stay, and what they have in common goes.
    """
    units = len(courses)
    if units < 2:
        return np.zeros(units)
    random = np.random.default_rng(SEED)
    drawn = [_explained(courses * random.choice((-1.0, 1.0), courses.shape)) for _ in range(DRAWN)]
    chance = np.mean(drawn, axis=0)
    beyond = (_explained(courses) - chance) / np.maximum(1 - chance, SINGULAR)
    return np.where(chance < MOST_CHANCE, np.clip(beyond, 0, 1), 0.0)


def _explained(courses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of each course's energy that is a mixture of the others."""
    gram = courses @ courses.T
    inverse = np.linalg.inv(gram + SINGULAR * np.eye(len(gram)))
    return 1 - 1 / np.maximum(np.diag(inverse) * np.diag(gram), 1.0)


def _likeness(
    train: NDArray[np.float32], strength: NDArray[np.float64], reach: int
) -> NDArray[np.float64]:
    courses = _unit(_centred(train))
    found = np.zeros(len(train))
    for unit, course in enumerate(courses):
        stronger = strength > strength[unit]
        if stronger.any():
            found[unit] = likeness_of(course, courses[stronger], reach)
    return found


def _centred(train: NDArray[np.float32]) -> NDArray[np.float64]:
    return train - train.mean(axis=1, dtype=np.float64)[:, None]
