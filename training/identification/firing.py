"""Firing instants from twitch trains, by deconvolution with the velocity of one twitch.

A train is a sum of equal twitches. On a grid of onsets, amplitudes that are not negative are fitted
by least squares for each of a few contraction times; the best contraction time is kept, and what
stands together is one firing.
"""

import functools
import math

import numpy as np
from numpy.typing import NDArray

from ...simulator.twitch import twitch_velocity

CONTRACTION_TIMES = (55.0, 65.0, 75.0, 82.5, 90.0, 100.0)
"""Contraction times that are tried, ms: 75-90 in Rohlén 2020's published code, 50-75 in others'."""

TWITCH_LENGTH = 0.35
"""A twitch is over after this time, s."""

SLOWEST_RATE = 250.0
"""Faster recordings are averaged down to no less than this, Hz; one onset a frame is tried."""

MOST_ONSETS = 512
"""Longer recordings are taken in pieces of so many frames."""

TOGETHER = 0.0125
"""Onsets no further apart than this are one firing, s."""

SMALLEST = 0.5
"""A firing has at least this share of its train's usual amplitude."""

SPARSITY = 0.03
"""Least gain of an onset, as a share of the largest: noise is not deconvolved."""


def firings(train: NDArray[np.float32], frame_rate: float) -> NDArray[np.float64]:
    """Find the firing instants of trains.

    Parameters
    ----------
    train : float32 array of shape (unit, time)
        Velocity, mm/s; its mean over time is not looked at.
    frame_rate : float
        Hz.

    Returns
    -------
    float64 array of shape (unit, pulse)
        Instants inside the recording, s, rising; padded with NaN.
    """
    # Averages of neighbouring frames: twitches need no finer steps.
    together = max(int(frame_rate // SLOWEST_RATE), 1)
    count = train.shape[1] // together
    coarse = train[:, : count * together].reshape(len(train), count, together).mean(axis=2)
    rate = frame_rate / together
    shift = (together - 1) / (2 * frame_rate)
    found: list[list[NDArray[np.float64]]] = [[] for _ in train]
    lead = math.ceil(TWITCH_LENGTH * rate)
    length = min(count, MOST_ONSETS)
    for start in range(0, count, max(length, 1)):
        first = max(start - lead, 0)
        # The piece goes on after its last instant, whose twitch would not be seen otherwise.
        part = coarse[:, first : start + length + lead]
        low, high = start / rate if start else 0.0, (start + length) / rate
        if start + length >= count:
            high = train.shape[1] / frame_rate
        for unit, times in enumerate(_firings(part, rate)):
            instants = times + first / rate + shift
            found[unit].append(instants[(instants >= low) & (instants < high)])
    whole = [np.concatenate(times) if times else np.zeros(0) for times in found]
    padded = np.full((len(train), max((len(times) for times in whole), default=0)), np.nan)
    for unit, times in enumerate(whole):
        padded[unit, : len(times)] = times
    return padded


def _firings(train: NDArray[np.float32], frame_rate: float) -> list[NDArray[np.float64]]:
    """Find the firing instants of one piece of all trains, s."""
    from .firing_kernels import fit_amplitudes

    units, frames = train.shape
    onsets = _onsets(frames, frame_rate)
    centred = train.astype(np.float64) - train.mean(axis=1, dtype=np.float64)[:, None]
    least = np.full(units, np.inf)
    best = np.zeros((units, len(onsets)))
    for twitches, gram in _twitches(frames, frame_rate):
        products = centred @ twitches.T
        for unit in range(units):
            amplitude = np.zeros(len(onsets))
            gain = fit_amplitudes(gram, products[unit], SPARSITY, amplitude)
            left = float(centred[unit] @ centred[unit]) - gain
            if left < least[unit]:
                least[unit], best[unit] = left, amplitude
    return [_events(onsets, amplitude) for amplitude in best]


def _onsets(frames: int, frame_rate: float) -> NDArray[np.float64]:
    return np.arange(-int(TWITCH_LENGTH * frame_rate), frames) / frame_rate


# The recordings of a store are equally long: they share these.
@functools.lru_cache(maxsize=1)
def _twitches(
    frames: int, frame_rate: float
) -> tuple[tuple[NDArray[np.float64], NDArray[np.float64]], ...]:
    """Return for each contraction time the twitches (onset, time), of mean 0, and their products.

    The products are float64 (onset, onset). Neither may be changed.
    """
    since = np.arange(frames) / frame_rate - _onsets(frames, frame_rate)[:, None]
    found = []
    for contraction_time in CONTRACTION_TIMES:
        twitches = twitch_velocity(since, contraction_time=contraction_time)
        twitches -= twitches.mean(axis=1)[:, None]
        found.append((twitches, twitches @ twitches.T))
    return tuple(found)


def _events(onsets: NDArray[np.float64], amplitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """Join neighbouring onsets into firings and leave out those that are too small."""
    used = np.flatnonzero(amplitude > 0)
    if not used.size:
        return np.zeros(0)
    groups = np.split(used, np.flatnonzero(np.diff(onsets[used]) > TOGETHER) + 1)
    sizes = np.array([amplitude[group].sum() for group in groups])
    instants = np.array(
        [float(onsets[group] @ amplitude[group] / amplitude[group].sum()) for group in groups]
    )
    usual = float(np.median(sizes[sizes > SMALLEST * sizes.max()]))
    return instants[sizes > SMALLEST * usual]
