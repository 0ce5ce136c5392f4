"""Ratios of counts, with one rule for empty ones, and means that leave out what is not defined.

The rule: nothing there and nothing said is right, and scores 1. Any other ratio without a
denominator is not defined: it is NaN, and means leave it out and say over how many they ran. A
method that says nothing thus loses recall and gains no precision.
"""

import math

import numpy as np
from numpy.typing import ArrayLike


def precision_and_recall(common: int, only_predicted: int, only_true: int) -> tuple[float, float]:
    """Return precision and recall of what was predicted.

    Parameters
    ----------
    common : int
        Predicted and true.
    only_predicted : int
        Predicted, but not true.
    only_true : int
        True, but not predicted.

    Returns
    -------
    precision : float
        ``common / (common + only_predicted)``; without predictions 1 if there was nothing to find,
        else NaN.
    recall : float
        ``common / (common + only_true)``; with nothing to find 1 if nothing was predicted, else
        NaN.
    """
    predicted, true = common + only_predicted, common + only_true
    if predicted == 0 and true == 0:
        return 1.0, 1.0
    precision = common / predicted if predicted else math.nan
    recall = common / true if true else math.nan
    return precision, recall


def agreement_rate(common: int, only_predicted: int, only_true: int) -> float:
    """Return c / (c + A + B), 0..1; 1 where all three are 0.

    Parameters
    ----------
    common, only_predicted, only_true : int
        c, A and B of Ali et al. 2020 (section III.C, equation 1).
    """
    whole = common + only_predicted + only_true
    return common / whole if whole else 1.0


def known(values: ArrayLike) -> np.ndarray:
    """Return the values that are not NaN, float64 of shape (value,)."""
    array = np.asarray(values, np.float64).ravel()
    return array[~np.isnan(array)]


def mean_of_known(values: ArrayLike) -> float:
    """Return the mean of the values that are not NaN; NaN where there are none."""
    found = known(values)
    return float(found.mean()) if found.size else math.nan
