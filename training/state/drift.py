"""How far states drift that are made of predicted changes, and states that are predicted.

Changes that are added up carry every error with them (Cunningham et al. 2017, doi:10.1101/157479,
Discussion); states that are told from each frame itself do not.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .scoring import PredictedTrial

END = 10.0
"""Seconds at a trial's end over which the error there is taken."""


@dataclass(frozen=True)
class Drift:
    """Error of states over a trial.

    Parameters
    ----------
    time : float64 array of shape (frame,)
        s from the first frame.
    error : float64 array of shape (frame,)
        Predicted less measured state, in its unit; NaN where one of them is not known.
    slope : float
        Of a line fitted to it by least squares, units a second.
    end : float
        Root mean square error of the last :data:`END` seconds that are known.
    """

    time: NDArray[np.float64]
    error: NDArray[np.float64]
    slope: float
    end: float


def integrated(true: ArrayLike, changes: ArrayLike) -> NDArray[np.float64]:
    """Return states from the first measured one on, by adding up predicted changes.

    Parameters
    ----------
    true : array of shape (frame,)
        The measured state, NaN where there is none.
    changes : array of shape (frame - 1,)
        Predicted ones.

    Returns
    -------
    float64 array of shape (frame,)
        NaN before the first measured state.
    """
    true, changes = np.asarray(true, np.float64), np.asarray(changes, np.float64)
    states = np.full(len(true), math.nan)
    known = np.flatnonzero(np.isfinite(true))
    if len(known):
        first = known[0]
        states[first:] = true[first] + np.concatenate([[0.0], np.cumsum(changes[first:])])
    return states


def drift_of(true: ArrayLike, predicted: ArrayLike, frame_rate: float) -> Drift:
    """Return the error of predicted states over a trial.

    Parameters
    ----------
    true, predicted : arrays of shape (frame,)
    frame_rate : float
        Hz.
    """
    true, predicted = np.asarray(true, np.float64), np.asarray(predicted, np.float64)
    time, error = np.arange(len(true)) / frame_rate, predicted - true
    known = np.isfinite(error)
    if not known.any():
        return Drift(time, error, math.nan, math.nan)
    slope = math.nan
    if known.sum() > 1:
        centred = time[known] - time[known].mean()
        slope = float(centred @ error[known] / (centred @ centred))
    last = known & (time > time[known][-1] - END)
    return Drift(time, error, slope, math.sqrt(float((error[last] ** 2).mean())))


INTEGRATED, ABSOLUTE = "integrated", "absolute"
"""How states were had: by adding up changes, or by predicting them."""


def states_by(trial: PredictedTrial, how: str, signal: int) -> NDArray[np.float64]:
    """Return the states of a trial, by :data:`INTEGRATED` changes or :data:`ABSOLUTE` ones."""
    if how == INTEGRATED:
        return integrated(trial.true[:, signal], trial.changes[:, signal])
    assert trial.states is not None  # of runs that tell them alone
    return trial.states[:, signal].astype(np.float64)


def ways_of(trial: PredictedTrial) -> tuple[str, ...]:
    """Return how states of a trial can be had."""
    return (INTEGRATED,) if trial.states is None else (INTEGRATED, ABSOLUTE)
