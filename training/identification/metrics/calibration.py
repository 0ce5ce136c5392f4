"""Whether confidence means what it says: of units given 0.8, 80 % are true."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....simulator.errors import InputError

BINS = 10
"""Bins of confidence, equally wide."""

SUREST = 1e-15
"""Least probability that is not taken for impossible: no wrong prediction is infinitely bad."""


def calibration_error(confidence: ArrayLike, true: ArrayLike, bins: int = BINS) -> float:
    """Return the expected calibration error of predictions.

    The size of the difference of mean confidence and share of true predictions in each bin of
    confidence, averaged over the bins by their numbers of predictions (Naeini et al. 2015,
    doi:10.1609/aaai.v29i1.9602).

    Parameters
    ----------
    confidence : array of shape (prediction,)
        0..1.
    true : array of shape (prediction,)
        Whether each prediction is true, 0 or 1.
    bins : int
        1 or more. Each has its lower edge; the last has both.

    Returns
    -------
    float
        0..1; NaN without predictions.

    Raises
    ------
    InputError
        If a confidence is not in 0..1, or there is not one truth for each.
    """
    sure, right = _checked(confidence, true)
    if not sure.size:
        return math.nan
    place = np.minimum(np.floor(sure * bins), bins - 1).astype(np.int64)
    # A bin's share of predictions times the difference of its means is that of its sums.
    difference = np.bincount(place, sure) - np.bincount(place, right)
    return float(np.abs(difference).sum() / sure.size)


def area_under_curve(confidence: ArrayLike, true: ArrayLike) -> float:
    """Return the area under the curve of the receiver operating characteristic.

    It is how probably a true prediction is surer than a false one, ties counted as a half
    (Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747).

    Parameters
    ----------
    confidence : array of shape (prediction,)
    true : array of shape (prediction,)
        Whether each prediction is true, 0 or 1.

    Returns
    -------
    float
        0..1; NaN without true or without false predictions.

    Raises
    ------
    InputError
        If there is not one truth for each.
    """
    sure, right = np.asarray(confidence, np.float64), np.asarray(true, bool)
    if sure.ndim != 1 or sure.shape != right.shape:
        raise InputError(
            f"confidence: found shape {sure.shape} for {right.size} predictions, wanted a number "
            "for each"
        )
    good, bad = np.sort(sure[right]), np.sort(sure[~right])
    if not good.size or not bad.size:
        return math.nan
    below, up_to = (np.searchsorted(bad, good, side) for side in ("left", "right"))
    return float((below + up_to).mean() / (2 * bad.size))


def log_loss(confidence: ArrayLike, true: ArrayLike) -> float:
    """Return the mean negative logarithm of the probability given to what is so, in nats.

    Parameters
    ----------
    confidence : array of shape (prediction,)
        0..1; less than :data:`SUREST` for what is so counts as that.
    true : array of shape (prediction,)
        Whether each prediction is true, 0 or 1.

    Returns
    -------
    float
        0 or more; NaN without predictions.

    Raises
    ------
    InputError
        If a confidence is not in 0..1, or there is not one truth for each.
    """
    sure, right = _checked(confidence, true)
    if not sure.size:
        return math.nan
    given = np.clip(np.where(right > 0.5, sure, 1 - sure), SUREST, 1.0)
    return float(-np.log(given).mean())


def _checked(
    confidence: ArrayLike, true: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    sure, right = np.asarray(confidence, np.float64), np.asarray(true, np.float64)
    if sure.ndim != 1 or sure.shape != right.shape or not ((sure >= 0) & (sure <= 1)).all():
        raise InputError(
            f"confidence: found shape {sure.shape} for {right.size} predictions, wanted a number "
            "of 0 to 1 for each"
        )
    return sure, right
