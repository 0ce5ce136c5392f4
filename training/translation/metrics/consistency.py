"""Whether a translated sequence keeps its content: cross-correlation of input and output."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....simulator.errors import InputError
from ...identification.metrics.agreement import check_frame_rate
from .features import check_sequence, pixel_blocks, signals

LEAST_MOTION = 1e-6
"""SD of a pixel over the greatest of its sequence below which it counts as still: its signal is
rounding, or nothing."""

ROUNDING = 1e-12
"""Correlations that differ by less are equal."""


@dataclass(frozen=True)
class Consistency:
    """Cross-correlation of each pixel's input and output signal; NaN where one of them is still.

    Parameters
    ----------
    maximum : float64 array of shape (depth, width)
        Greatest correlation over lags inside the window, -1..1.
    lag : float64 array of shape (depth, width)
        Where it lies, ms; positive where the output comes later.
    at_once : float64 array of shape (depth, width)
        Correlation at lag 0.
    variance : float64 array of shape (depth, width)
        Of the input's signal, over the mean of all pixels.
    """

    maximum: NDArray[np.float64]
    lag: NDArray[np.float64]
    at_once: NDArray[np.float64]
    variance: NDArray[np.float64]


def lag_frames(frames: int, frame_rate: float, window: float) -> int:
    """Return the largest lag in frames that is inside a window, s, and inside a sequence."""
    return min(math.floor(window * check_frame_rate(frame_rate) + 1e-9), frames - 1)


def correlation_by_lag(
    before: NDArray[np.float64], after: NDArray[np.float64], frames: int
) -> NDArray[np.float64]:
    """Return normalised cross-correlations of signals, by Fourier transform.

    Each signal's mean is taken off. At lag l it is the sum of after[t + l] before[t] over the
    square root of both signals' whole energies, so that 1 means alike and lags at which fewer
    frames meet cannot win by that.

    Parameters
    ----------
    before, after : arrays of shape (pixel, time)
    frames : int
        Largest lag either way, less than the number of frames.

    Returns
    -------
    float64 array of shape (pixel, 2 * frames + 1)
        Lags rise; NaN where a signal is constant.
    """
    from scipy.fft import irfft, next_fast_len, rfft

    centred = [rows - rows.mean(axis=1, keepdims=True) for rows in (before, after)]
    energy = np.prod([np.einsum("pt,pt->p", rows, rows) for rows in centred], axis=0)
    length: Any = next_fast_len(before.shape[1] + frames, real=True)
    ours, theirs = (np.asarray(rfft(rows, length, axis=1)) for rows in centred)
    whole = np.asarray(irfft(theirs * ours.conj(), length, axis=1))
    found = np.concatenate([whole[:, length - frames :], whole[:, : frames + 1]], axis=1)
    constant = (np.ptp(before, axis=1) == 0) | (np.ptp(after, axis=1) == 0)
    scale = np.where(constant | (energy == 0), np.nan, np.sqrt(energy))
    return found / scale[:, None]


def cross_correlate(
    before: NDArray[Any], after: NDArray[Any], frame_rate: float, window: float
) -> Consistency:
    """Compare each pixel's signal before and after a translation (Ali et al. 2022, xCorr and Lag).

    Parameters
    ----------
    before, after : arrays of shape (time, depth, width)
        Their scales have no influence.
    frame_rate : float
        Hz.
    window : float
        Largest lag either way, s. Of equals the shortest lag counts, then the negative one.

    Returns
    -------
    Consistency

    Raises
    ------
    InputError
        If the shapes differ.
    """
    check_sequence(before)
    if before.shape != after.shape:
        raise InputError(
            f"translated sequence: found shape {after.shape}, wanted {before.shape} as its input"
        )
    frames, depth, width = before.shape
    most = lag_frames(frames, frame_rate, window)
    lags = np.arange(-most, most + 1)
    order = np.lexsort((lags, np.abs(lags)))
    maximum, lag, at_once, sd_before, sd_after = (np.empty((depth, width)) for _ in range(5))
    for rows in pixel_blocks(before.shape):  # type: ignore[arg-type]
        ours, theirs = signals(before, rows), signals(after, rows)
        found = correlation_by_lag(ours, theirs, most)
        greatest = found.max(axis=1, keepdims=True)
        places = order[(found[:, order] >= greatest - ROUNDING).argmax(axis=1)]
        for target, values in (
            (maximum, found[np.arange(len(found)), places]),
            (lag, lags[places] * (1000 / frame_rate)),
            (at_once, found[:, most]),
            (sd_before, ours.std(axis=1)),
            (sd_after, theirs.std(axis=1)),
        ):
            target[rows] = values.reshape(-1, width)
    still = np.isnan(maximum)
    for sd in (sd_before, sd_after):
        still |= sd <= LEAST_MOTION * sd.max()
    for values in (maximum, lag, at_once):
        values[still] = np.nan
    for values in (maximum, at_once):
        np.clip(values, -1, 1, out=values)
    power = sd_before**2
    return Consistency(maximum, lag, at_once, power / (power.mean() or 1.0))
