"""Long recordings: units are sought in a part of them, and their trains are read in the rest.

What is told from what in time are components whose number grows with the duration, and the time it
takes with its third power. Units stay where they are, so those of some seconds are those of a
minute, as long as they are active then.
"""

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from ..firing import firings
from ..slow_motion import slow_waves
from ..units import Recording, Units
from .blocks import average, factors_of

TURN = 1.0
"""Time whose motion is looked at together, s."""

RATE = 250.0
"""Maps are fitted at no higher frame rate than this needs, Hz."""

OTHERS = 10
"""Maps of what moves besides units, which are read along with theirs."""

ROUNDS = 4
"""Of the power iteration by which these are found."""

RIDGE = 1e-3
"""Of the mean energy of trains, and 1/1000 of it of maps: what is added to each one's."""

SEED = 0
"""Of the start of the power iteration."""


def searched_span(recording: Recording, longest: float) -> slice:
    """Return the frames in which units are sought: all, or those of a long recording that move.

    Parameters
    ----------
    recording : Recording
    longest : float
        Duration that is searched, s.

    Returns
    -------
    slice
        The span whose typical second moves most: a single jerk of the probe counts for little.
    """
    frames, rate = len(recording.tvi), recording.frame_rate
    if frames <= longest * rate:
        return slice(0, frames)
    turn = max(round(TURN * rate), 1)
    energy = []
    for start in range(0, frames - turn + 1, turn):
        part = recording.tvi[start : start + turn]
        energy.append(float(np.var(part, axis=0, dtype=np.float64).sum()))
    turns = max(int(longest * rate / turn), 1)
    windows = np.lib.stride_tricks.sliding_window_view(energy, min(turns, len(energy)))
    typical = np.sort(windows, axis=1)[:, (windows.shape[1] - 1) // 2]
    # Where most seconds are still, those that are not decide.
    best = int(np.argmax(typical + 1e-6 * windows.mean(axis=1)))
    length = min(int(longest * rate), frames)
    start = min(best * turn, frames - length)
    return slice(start, start + length)


def read_throughout(recording: Recording, units: Units, span: slice, slow: bool = False) -> Units:
    """Return units of a part of a recording with their trains and firings throughout it.

    What each place moves with each train is fitted in the span, together with the strongest of what
    else moves there, and all these maps are fitted to every frame by least squares.

    Parameters
    ----------
    recording : Recording
        All of it.
    units : Units
        Found in the span.
    span : slice
        Of frames.
    slow : bool
        Whether slow motion was taken off the span.
    """
    frames, rate = len(recording.tvi), recording.frame_rate
    trains = np.zeros((units.count, frames), np.float32)
    if units.count:
        factors = factors_of(recording.pixel_size)
        mean = _mean(recording, span)
        reading = _reading(recording, units, span, mean, slow)
        turn = max(round(TURN * rate), 1)
        for start in range(0, frames, turn):
            velocity = average(recording.tvi[start : start + turn] - mean, factors)
            trains[:, start : start + turn] = reading @ velocity.reshape(len(velocity), -1).T
        if slow:
            length = span.stop - span.start
            # Pieces as long as the span: the last reaches back.
            for start in range(0, frames, length):
                first = min(start, frames - length)
                part = trains[:, first : first + length]
                part = _without(part, slow_waves(length, rate))
                trains[:, start : start + length] = part[:, start - first :]
        trains[:, span] = units.train
    return dataclasses.replace(units, train=trains, firing=firings(trains, rate))


def _mean(recording: Recording, span: slice) -> NDArray[np.float32]:
    return recording.tvi[span].mean(axis=0, dtype=np.float64).astype(np.float32)


def _reading(
    recording: Recording, units: Units, span: slice, mean: NDArray[np.float32], slow: bool
) -> NDArray[np.float64]:
    """Return the weights of blocks by which trains are read, float64 (unit, block)."""
    together = max(int(recording.frame_rate // RATE), 1)
    count = (span.stop - span.start) // together
    courses = units.train[:, : count * together].reshape(units.count, count, together)
    courses = courses.mean(axis=2, dtype=np.float64)
    velocity = []
    for start in range(span.start, span.start + count * together, together):
        part = recording.tvi[start : start + together].mean(axis=0) - mean
        velocity.append(average(part[None], factors_of(recording.pixel_size)).ravel())
    moved = np.array(velocity).T  # (block, time)
    fast = moved
    if slow:
        fast = _without(moved, slow_waves(count, recording.frame_rate / together))
    gram = courses @ courses.T
    gram += RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    maps = np.linalg.solve(gram, courses @ fast.T)
    # Slow motion is among what else moves, or it would be read as units'.
    left = moved - maps.T @ courses
    others = np.random.default_rng(SEED).standard_normal((len(moved), min(OTHERS, *moved.shape)))
    for _ in range(ROUNDS):
        others, _ = np.linalg.qr(left @ (left.T @ others))
    left -= others @ (others.T @ left)
    power = np.square(left).mean(axis=1)
    weight = 1 / np.maximum(power, 1e-6 * power.mean() + 1e-300)
    others = others.T * (np.linalg.norm(maps) / math.sqrt(units.count))
    together_maps = np.concatenate([maps, others])
    weighted = together_maps * weight
    gram = weighted @ together_maps.T
    gram += 1e-3 * RIDGE * max(float(np.trace(gram)), 1e-300) / len(gram) * np.eye(len(gram))
    return np.linalg.solve(gram, weighted)[: units.count]


def _without(courses: NDArray[np.floating], waves: NDArray[np.float64]) -> NDArray[np.float64]:
    return courses - (courses @ waves.T) @ waves
