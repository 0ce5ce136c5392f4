"""Up to which frequencies predicted changes follow measured ones (Cunningham et al. 2017, Fig. 6).

doi:10.1101/157479. The paper tells neither segments nor window; these are assumptions.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

SEGMENT = 10.24
"""Seconds of a segment: 256 frames at 25 Hz. Frequencies are told apart by a tenth of a Hz, which
is less than between the task's slowest signals, 0.2 and 0.25 Hz, and still leaves 36 segments of
a trial."""

MOST = 1 / 4
"""Share of the shortest trial that a segment may take."""

LEAST = 8
"""Frames of a segment, of which fewer tell nothing."""

SIGNIFICANCE = 0.05
"""Chance that signals that have nothing in common are above the line, at each frequency."""


@dataclass(frozen=True)
class Coherence:
    """Magnitude-squared coherence of two signals.

    Parameters
    ----------
    frequency : float64 array
        Hz, from 0 to half of the frame rate.
    coherence : float64 array
        0 to 1; NaN where one of the signals has no power.
    significance : float
        What unrelated signals exceed with a chance of :data:`SIGNIFICANCE`; NaN if that is not
        known.
    segments : int
        That spectra were averaged over.
    """

    frequency: NDArray[np.float64]
    coherence: NDArray[np.float64]
    significance: float
    segments: int


def coherence_of(pairs: Sequence[tuple[ArrayLike, ArrayLike]], frame_rate: float) -> Coherence:
    """Return the coherence of pairs of signals, by spectra averaged over all of them.

    Spectra are Welch's, of segments of :data:`SEGMENT` under a Hann window that overlap by half and
    never reach from one trial into another; for one pair this is :func:`scipy.signal.coherence`.
    Signals are taken from their first to their last value that is known.

    Parameters
    ----------
    pairs : sequence of (array, array)
        Measured and predicted changes of each trial.
    frame_rate : float
        Hz.

    References
    ----------
    Welch 1967, doi:10.1109/TAU.1967.1161901: how many independent segments those that overlap are
    worth. Rosenberg et al. 1989, doi:10.1016/0079-6107(89)90004-7: unrelated signals have a
    coherence above 1 - a^(1 / (L - 1)) with a chance of a, where L segments are independent.
    """
    import scipy.signal

    whole = [known for known in map(_known, pairs) if len(known[0])]
    shortest = min((len(true) for true, _ in whole), default=0)
    length = min(round(SEGMENT * frame_rate), int(MOST * shortest))
    if length < LEAST:
        nothing = np.empty(0)
        return Coherence(nothing, nothing, math.nan, 0)
    window: Any = scipy.signal.get_window("hann", length)
    step = length - length // 2
    frequency = np.arange(length // 2 + 1, dtype=np.float64) * (frame_rate / length)
    own, other = np.zeros(len(frequency)), np.zeros(len(frequency))
    cross = np.zeros(len(frequency), complex)
    segments, independent = 0, 0.0
    for true, predicted in whole:
        count = (len(true) - length) // step + 1
        first, second, both = (
            count * scipy.signal.csd(one, another, frame_rate, window, noverlap=length - step)[1]
            for one, another in ((true, true), (predicted, predicted), (true, predicted))
        )
        own, other, cross = own + np.real(first), other + np.real(second), cross + both
        segments += count
        independent += _independent(count, window, step)
    power = own * other
    found = np.full(len(frequency), math.nan)
    np.divide(np.abs(cross) ** 2, power, out=found, where=power > 0)
    line = 1 - SIGNIFICANCE ** (1 / (independent - 1)) if independent > 1 else math.nan
    return Coherence(frequency, found, line, segments)


def _known(pair: tuple[ArrayLike, ArrayLike]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    true, predicted = (np.asarray(values, np.float64) for values in pair)
    places = np.flatnonzero(np.isfinite(true) & np.isfinite(predicted))
    if not len(places):
        return true[:0], predicted[:0]
    chosen = slice(places[0], places[-1] + 1)
    # A gap within is bridged: spectra need every frame.
    frames = np.arange(len(true))[chosen]
    return _bridged(frames, places, true), _bridged(frames, places, predicted)


def _bridged(
    frames: NDArray[np.int64], places: NDArray[np.int64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    # What is constant has no power, not that of rounding.
    return np.interp(frames, places, values[places] if np.ptp(values[places]) else 0 * places)


def _independent(count: int, window: NDArray[np.float64], step: int) -> float:
    """Return how many independent segments some that overlap are worth (Welch 1967)."""
    power = float((window**2).sum())
    more = 0.0
    for apart in range(1, count):
        shift = apart * step
        if shift >= len(window):
            break
        shared = float((window[:-shift] * window[shift:]).sum()) / power
        more += 2 * (1 - apart / count) * shared**2
    return count / (1 + more)
