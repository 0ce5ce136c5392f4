"""Instants, sizes and the twitch of a train's firings, fitted by penalised least squares."""

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .firing_paths_kernels import PLACES
from .twitch_shapes import CONTRACTION_STEP, Grid, shapes_of

SHIFT_SD = 0.005
"""How far all firings may lie off together, s."""

APART_SD = 0.003
"""How far each may lie off, s."""

CONTRACTION_SD = 0.1
"""SD of the logarithm of units' contraction times."""

LEAST_VARIATION = 0.05
"""Twitches vary in size by no less, over their mean."""

FARTHEST = 10
"""Steps that a contraction time may lie off the usual one: 61-111 ms."""

BEFORE_VARIATION, BEFORE_SD = 0.3, 0.25
"""How much firings before the first, of which nobody knows, vary in size and place, over the mean
and in intervals."""

FREE = 1e3
"""SD of what may be anything."""

FIRST_NOISE = 0.02
"""Share of a train's energy that is thought to be noise at first."""

ROUNDS = 3
"""Times that the fit is made anew where the last one led."""

SMOOTHNESS = 0.3
"""How much a free twitch is held to one of the family, against what the train says."""

LEAST_NOISE = 0.002
"""Twitches are not known better than this share of a train's energy."""


@dataclass(frozen=True)
class Fit:
    """What was fitted to a train.

    Parameters
    ----------
    places : float64 array of shape (firing,)
        Onsets, rising.
    earlier : float64 array of shape (firing,)
        Those that are thought to lie before them.
    step : int
        Contraction time, see :func:`.twitch_shapes.whole_step`.
    noise : float
        Mean square of what is left of the train, whose own is 1.
    course : float64 array of shape (time,)
        What was fitted.
    """

    places: NDArray[np.float64]
    earlier: NDArray[np.float64]
    step: int
    noise: float
    course: NDArray[np.float64]


def courses_of(
    places: NDArray[np.float64], dense: NDArray[np.float64], frames: int
) -> NDArray[np.float64]:
    """Return what a twitch does after each firing, float64 (firing, time).

    Parameters
    ----------
    places : float64 array of shape (firing,)
        Any, not whole ones alone.
    dense : float64 array of shape (place,)
        The twitch at all places since its onset, linear between them.
    frames : int
    """
    since = np.arange(frames) * PLACES - places[:, None]
    low = np.floor(since).astype(np.int64)
    share = since - low
    inside = (low >= 0) & (low < len(dense) - 1)
    low = np.where(inside, low, 0)
    return np.where(inside, (1 - share) * dense[low] + share * dense[low + 1], 0.0)


@functools.lru_cache(maxsize=128)
def _slopes(step: int, variation: float, grid: Grid) -> tuple[NDArray[np.float64], ...]:
    """Return a twitch, its slope by place and by the logarithm of its contraction time."""
    dense, less, more = (shapes_of(step + each, variation, grid).dense for each in (0, -1, 1))
    return dense, np.gradient(dense), (more - less) / (2 * CONTRACTION_STEP)


def _differences(
    step: int, variation: float, grid: Grid
) -> list[tuple[NDArray[np.float64], float]]:
    """Return courses of how twitches differ, float64 (place,), and the SD of how much."""
    shapes = shapes_of(step, variation, grid)
    return [
        (one.T.ravel(), math.sqrt(variance))
        for one, variance in zip(shapes.bases, shapes.variances, strict=True)
    ]


def fitted(
    train: NDArray[np.float64],
    places: NDArray[np.int64],
    interval: float,
    variation: float,
    grid: Grid,
    step: int,
    twitch: NDArray[np.float64] | None = None,
) -> Fit:
    """Fit instants, sizes and the contraction time to a train.

    Parameters
    ----------
    train : float64 array of shape (time,)
        Of mean square 1.
    places : int64 array of shape (firing,)
        Onsets, nearly, rising.
    interval : float
        Mean interval, s.
    variation : float
        How much twitches vary.
    grid : Grid
    step : int
        Number of the contraction time that is usual.
    twitch : float64 array of shape (place,), optional
        Of the form that it has, as `Shapes.dense`; without, it is one of the family.
    """
    seen = places.astype(np.float64) - grid.ahead * PLACES
    usual, frames = step, len(train)
    if not len(seen):
        return Fit(np.zeros(0), np.zeros(0), step, 1.0, np.zeros(frames))
    gap = interval / grid.step
    length = len(shapes_of(step, variation, grid).dense)
    many = max(math.ceil((length + seen[0]) / gap), 0)
    # Firings before the first: wherever intervals lead.
    now = np.concatenate([seen[0] - gap * np.arange(many, 0, -1), seen])
    apart = np.full(len(now), APART_SD / grid.step)
    apart[:many] = BEFORE_SD * gap
    size = np.where(np.arange(len(now)) < many, BEFORE_VARIATION, LEAST_VARIATION)
    away, noise, fit = np.zeros(len(now)), FIRST_NOISE, np.zeros(frames)
    for _ in range(ROUNDS):
        dense, slope, longer = _slopes(step, variation, grid) if twitch is None else (
            twitch, np.gradient(twitch), np.zeros(len(twitch)))  # fmt: skip
        own, moved = courses_of(now, dense, frames), -courses_of(now, slope, frames)
        sizes, different = [size], [own]
        for basis, sd in _differences(step, variation, grid):
            different.append(courses_of(now, basis, frames))
            sizes.append(np.full(len(now), sd))
        base = own.sum(axis=0)
        base -= base.mean()
        amplitude = max(float(base @ train / (base @ base)), 1e-3)
        design = amplitude * np.concatenate([
            own.sum(axis=0)[None], moved.sum(axis=0)[None],
            courses_of(now, longer, frames).sum(axis=0)[None], moved, *different,
        ])  # fmt: skip
        design -= design.mean(axis=1)[:, None]
        stiff = np.concatenate([
            [FREE, SHIFT_SD / grid.step, CONTRACTION_SD], apart, *sizes,
        ]) ** -2.0  # fmt: skip
        wanted = np.zeros(len(stiff))
        wanted[2] = (usual - step) * CONTRACTION_STEP
        wanted[3 : 3 + len(now)] = -away
        left = train - amplitude * base
        gram = design @ design.T / noise + np.diag(stiff)
        change = np.linalg.solve(gram, design @ left / noise + stiff * wanted)
        fit = amplitude * base + change @ design
        noise = max(float(np.square(train - fit).mean()), LEAST_NOISE)
        step += max(min(round(change[2] / CONTRACTION_STEP), 3), -3)
        step = max(min(step, usual + FARTHEST), usual - FARTHEST)
        by = np.clip(change[3 : 3 + len(now)], -2 * apart, 2 * apart)
        away += by
        now = now + by + change[1]
    now += grid.ahead * PLACES
    return Fit(np.sort(now[many:]), np.sort(now[:many]), step, noise, fit)


def free_twitch(train: NDArray[np.float64], fit: Fit, grid: Grid) -> NDArray[np.float64]:
    """Return the twitch that explains a train best at the firings of a fit, of any smooth form.

    Second differences of what parts it from the fit's own twitch are held small.

    Returns
    -------
    float64 array of shape (place,)
        As `Shapes.dense`.
    """
    dense, frames = shapes_of(fit.step, 0.0, grid).dense, len(train)
    knots = len(dense) // PLACES + 1
    hats = np.maximum(
        1 - np.abs(np.arange(len(dense)) / PLACES - np.arange(knots)[:, None]), 0.0
    )  # (knot, place), linear between frames
    places = np.concatenate([fit.earlier, fit.places]) - grid.ahead * PLACES
    base = courses_of(places, dense, frames).sum(axis=0)
    base -= base.mean()
    amplitude = float(base @ train / (base @ base))
    # It begins and ends with no velocity.
    design = np.array([courses_of(places, hat, frames).sum(axis=0) for hat in hats[1:-1]])
    design = amplitude * (design - design.mean(axis=1)[:, None])
    bends = np.diff(np.eye(knots), 2, axis=0)[:, 1:-1]
    gram = design @ design.T
    stiff = SMOOTHNESS * np.trace(gram) / len(gram) * (bends.T @ bends)
    change = np.linalg.solve(gram + stiff, design @ (train - amplitude * base))
    twitch = dense + change @ hats[1:-1]
    return twitch / math.sqrt(float(np.square(twitch).sum()) / PLACES)
