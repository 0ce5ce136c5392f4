"""Whether confidence means what it says: of units given 0.8, 80 % are true."""

import math

import numpy as np
from numpy.typing import ArrayLike

from ....simulator.errors import InputError

BINS = 10
"""Bins of confidence, equally wide."""


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
    sure, right = np.asarray(confidence, np.float64), np.asarray(true, np.float64)
    if sure.ndim != 1 or sure.shape != right.shape or not ((sure >= 0) & (sure <= 1)).all():
        raise InputError(
            f"confidence: found shape {sure.shape} for {right.size} predictions, wanted a number "
            "of 0 to 1 for each"
        )
    if not sure.size:
        return math.nan
    place = np.minimum(np.floor(sure * bins), bins - 1).astype(np.int64)
    # A bin's share of predictions times the difference of its means is that of its sums.
    difference = np.bincount(place, sure) - np.bincount(place, right)
    return float(np.abs(difference).sum() / sure.size)
