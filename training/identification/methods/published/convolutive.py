"""Convolutive blind source separation: firings from channels that sum responses to them.

F. Negro et al. 2016, Journal of Neural Engineering 13, doi:10.1088/1741-2560/13/2/026027: channels
are extended by their delayed copies and whitened; a fixed-point iteration looks for sources that
are sparse, one after another; pulses are told from noise, and the filter is made again from them as
long as they become more regular.
"""

import math
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TOLERANCE = 1e-4
"""Directions whose cosine with the one before is this near to 1 have settled (Negro 2016)."""

ITERATIONS = 100

REFINEMENTS = 20

LEAST = 1e-9
"""Share of the strongest direction's variance below which there is nothing but rounding."""

TRAIN_SHARE = 1e-4
"""The same where one train is undone: its weak directions hold what is sharp in it."""

STARTS = 8
"""Moments at which the filter of a train is looked for."""

SLOWEST = 4.0
"""Fewer pulses than at this rate are none of a unit, Hz."""

REFRACTORY = 0.02
"""No unit fires twice within this time, s: at 50 Hz, above any voluntary rate."""


@dataclass(frozen=True)
class Source:
    """A unit's pulses.

    Parameters
    ----------
    frames : int64 array of shape (pulse,)
        Rising.
    silhouette : float
        How far apart pulses and other peaks are, up to 1.
    """

    frames: NDArray[np.int64]
    silhouette: float


def extended(channels: Floats, factor: int) -> Floats:
    """Return channels (channel, time) and their copies, each delayed by one frame more.

    The first ``factor - 1`` frames are left out: there copies would begin with a jump, which looks
    like the best of all pulses.
    """
    count, frames = channels.shape
    rows = [channels[:, factor - 1 - delay : frames - delay] for delay in range(factor)]
    return np.concatenate(rows).reshape(factor * count, frames - factor + 1)


def white(channels: Floats, share: float | None = None) -> Floats:
    """Return channels (channel, time) as white ones, without directions of noise.

    Parameters
    ----------
    channels : float64 array of shape (channel, time)
    share : float, optional
        Directions are left out that have less of the strongest one's variance than this; else those
        that have less than the mean of the weaker half (Negro 2016).
    """
    centred = channels - channels.mean(axis=1)[:, None]
    energy, turn = np.linalg.eigh(centred @ centred.T / centred.shape[1])
    energy = np.maximum(energy, 0)
    least = LEAST * float(energy[-1])
    if share is not None:
        least = share * float(energy[-1])
    elif len(energy) > 1:
        least = max(float(energy[: len(energy) // 2].mean()), least)
    kept = energy > least
    return turn[:, kept].T / np.sqrt(energy[kept])[:, None] @ centred


def of_train(train: Floats, frame_rate: float, factor: int) -> Source | None:
    """Return the pulses that make one train, or None.

    From several moments a filter is looked for; the best is that whose pulses stand out most and
    come most regularly.

    Parameters
    ----------
    train : float64 array of shape (time,)
    frame_rate : float
        Hz.
    factor : int
        Copies of the train.
    """
    values = white(extended(train[None], factor), TRAIN_SHARE)
    fewest = max(3, round(SLOWEST * len(train) / frame_rate))
    best, most = None, -math.inf
    for start in _starts(values, factor, STARTS):
        direction = _sparse(values, start, np.zeros((len(values), 0)))
        source = None if direction is None else _refined(values, direction, frame_rate)
        if source is None or len(source.frames) < fewest:
            continue
        gaps = np.diff(source.frames)
        quality = source.silhouette - float(gaps.std() / gaps.mean())
        if quality > most:
            best, most = Source(source.frames + factor - 1, source.silhouette), quality
    return best


def _starts(values: Floats, apart: int, most: int) -> list[Floats]:
    """Return white values (channel,) at the most active moments, so far apart."""
    activity = np.square(values).sum(axis=0)
    found = []
    while len(found) < most and activity.max(initial=0) > 0:
        first = int(activity.argmax())
        activity[max(first - apart, 0) : first + apart + 1] = 0
        found.append(values[:, first])
    return found


def separate(
    channels: Floats, frame_rate: float, factor: int, most: int, peel_off: bool
) -> list[Floats]:
    """Return the sources of channels, in the order found.

    Parameters
    ----------
    channels : float64 array of shape (channel, time)
    frame_rate : float
        Hz.
    factor : int
        Copies of each channel.
    most : int
        Sources that are looked for.
    peel_off : bool
        Whether responses to a source's pulses are taken away.

    Returns
    -------
    list of float64 array of shape (time,)
        The first ``factor - 1`` frames are left out.
    """
    whole = white(extended(channels, factor))
    values, found = whole, []
    filters = np.zeros((len(values), 0))
    for start in _starts(values, factor, min(most, len(values))):
        direction = _sparse(values, start, filters)
        if direction is None:
            break
        filters = np.column_stack([filters, direction])
        found.append(direction @ whole)
        source = _refined(values, direction, frame_rate) if peel_off else None
        if source is not None:
            values = _without(values, source.frames, factor)
    return found


def _sparse(values: Floats, start: Floats, filters: Floats) -> Floats | None:
    """Return a direction in which white values are skewed, at right angles to others."""
    direction = start / np.linalg.norm(start)
    for _ in range(ITERATIONS):
        before = direction
        source = before @ values
        direction = values @ np.square(source) / len(source) - 2 * source.mean() * before
        direction = direction - filters @ (filters.T @ direction)
        length = float(np.linalg.norm(direction))
        if not length > 1e-12:
            return None
        direction = direction / length
        if abs(float(direction @ before)) > 1 - TOLERANCE:
            break
    return direction


def _refined(values: Floats, direction: Floats, frame_rate: float) -> Source | None:
    """Return a source whose filter was made again from its pulses until they became no better."""
    best: Source | None = None
    regularity = math.inf
    for _ in range(REFINEMENTS):
        source = pulses(direction @ values, frame_rate)
        if source is None or len(source.frames) < 3:
            break
        gaps = np.diff(source.frames)
        variation = float(gaps.std() / gaps.mean())
        if variation >= regularity:
            break
        best, regularity = source, variation
        direction = values[:, source.frames].mean(axis=1)
        direction = direction / np.linalg.norm(direction)
    return best


def pulses(source: Floats, frame_rate: float) -> Source | None:
    """Tell a source's pulses from its other peaks, by two classes of their squares.

    Returns
    -------
    Source or None
        None with fewer than two peaks of different height.
    """
    distance = max(round(REFRACTORY * frame_rate), 1)
    heights = np.square(np.maximum(source if source.max() > -source.min() else -source, 0))
    peaks, _ = scipy.signal.find_peaks(heights, distance=distance)
    size = heights[peaks]
    if len(size) < 2 or not size.max() > size.min():
        return None
    low, high = float(size.min()), float(size.max())
    upper = np.abs(size - high) < np.abs(size - low)
    for _ in range(ITERATIONS):
        upper = np.abs(size - high) < np.abs(size - low)
        means = float(size[~upper].mean()), float(size[upper].mean())
        if means == (low, high):
            break
        low, high = means
    within = float(np.square(size[upper] - high).sum())
    between = float(np.square(size[upper] - low).sum())
    # Negro 2016: sums of distances to the own class and to the other, over the larger of both.
    silhouette = (between - within) / max(between, within, 1e-30)
    return Source(peaks[upper].astype(np.int64), silhouette)


def _without(values: Floats, frames: NDArray[np.int64], reach: int) -> Floats:
    """Return values (channel, time) less their mean around pulses, at each pulse."""
    left = values.copy()
    for lag in range(-reach, reach + 1):
        there = frames + lag
        there = there[(there >= 0) & (there < values.shape[1])]
        left[:, there] -= values[:, there].mean(axis=1)[:, None] if there.size else 0
    return left
