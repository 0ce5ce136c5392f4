"""Which predicted units are which true ones: IoU, one-to-one matching, precision and recall."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....simulator.errors import InputError
from .assignment import assign
from .masks import areas, check_masks, shared_pixels
from .ratios import precision_and_recall

THRESHOLD = 0.5
"""Least IoU, itself excluded, of a unit that is found (Ali et al. 2020, section III.B,
doi:10.1109/ACCESS.2020.3023495)."""


@dataclass(frozen=True)
class Matching:
    """Predictions and true units, one to one.

    Parameters
    ----------
    predicted : int64 array of shape (match,)
        The matched predictions.
    true : int64 array of shape (match,)
        The true unit of each.
    iou : float64 array of shape (match,)
        Intersection over union of their masks.
    false : int64 array of shape (prediction,)
        Predictions without a true unit, rising.
    missed : int64 array of shape (unit,)
        True units without a prediction, rising.
    """

    predicted: NDArray[np.int64]
    true: NDArray[np.int64]
    iou: NDArray[np.float64]
    false: NDArray[np.int64]
    missed: NDArray[np.int64]

    @property
    def matches(self) -> int:
        """Number of matches."""
        return len(self.predicted)

    @property
    def predictions(self) -> int:
        """Number of predictions, matched or not."""
        return len(self.predicted) + len(self.false)

    @property
    def units(self) -> int:
        """Number of true units, matched or not."""
        return len(self.true) + len(self.missed)


def intersection_over_union(
    predicted: NDArray[np.bool_], true: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the IoU of every predicted mask with every true one.

    Parameters
    ----------
    predicted : bool array of shape (prediction, depth, width)
    true : bool array of shape (unit, depth, width)

    Returns
    -------
    float64 array of shape (prediction, unit)
        0..1; two empty masks have 0, so that nothing never matches nothing.

    Raises
    ------
    InputError
        If they are not bool masks of one image.
    """
    predicted, true = check_masks(predicted, true)
    shared = shared_pixels(predicted, true)
    union = areas(predicted)[:, None] + areas(true)[None, :] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def match(
    iou: NDArray[np.float64], confidence: ArrayLike, threshold: float = THRESHOLD
) -> Matching:
    """Match predictions, the surest first, with the free true unit that each overlaps most.

    Parameters
    ----------
    iou : float64 array of shape (prediction, unit)
    confidence : array of shape (prediction,)
        Equally sure predictions take their turns in the order given.
    threshold : float
        A match needs an IoU above this, 0..1. Of units with equal IoU the first is taken.

    Returns
    -------
    Matching
        Its matches in the order they were made.

    Raises
    ------
    InputError
        If the shapes do not fit, the threshold is not in 0..1 or a number is NaN.
    """
    iou = _check_iou(iou, threshold)
    sure = np.asarray(confidence, np.float64)
    if sure.shape != iou.shape[:1] or np.isnan(sure).any():
        raise InputError(
            f"confidence: found {sure.size} values, {int(np.isnan(sure).sum())} of them NaN, "
            f"wanted one number for each of {len(iou)} predictions"
        )
    free = np.ones(iou.shape[1], np.bool_)
    pairs = []
    for prediction in np.argsort(-sure, kind="stable"):
        open_iou = np.where(free, iou[prediction], -1.0)
        if open_iou.max(initial=-1.0) > threshold:
            unit = int(open_iou.argmax())
            free[unit] = False
            pairs.append((int(prediction), unit))
    return _matching(iou, pairs)


def match_optimally(iou: NDArray[np.float64], threshold: float = THRESHOLD) -> Matching:
    """Make as many matches as can be, and among those the ones with the largest sum of IoU.

    A reference for :func:`match`, which the papers' figures use: it needs no confidence, and no
    other one-to-one matching above the threshold finds more units.

    Parameters
    ----------
    iou : float64 array of shape (prediction, unit)
    threshold : float
        A match needs an IoU above this, 0..1.

    Returns
    -------
    Matching
        Its matches by rising prediction.

    Raises
    ------
    InputError
        If `iou` is not a matrix of numbers or the threshold is not in 0..1.
    """
    iou = _check_iou(iou, threshold)
    rows, columns = assign(iou, iou > threshold)
    return _matching(iou, list(zip(rows.tolist(), columns.tolist(), strict=True)))


def precision_recall(matching: Matching) -> tuple[float, float]:
    """Return the precision and the recall of detection in one sequence.

    Without predictions precision is not defined, and without true units recall is not: each is NaN
    then, and means over sequences leave it out (a detector that is silent where it is hard loses
    recall there and gains no precision). Without either, both are 1: nothing was to be found, and
    nothing was said.

    Returns
    -------
    precision, recall : float
    """
    return precision_and_recall(matching.matches, len(matching.false), len(matching.missed))


def _check_iou(iou: NDArray[np.float64], threshold: float) -> NDArray[np.float64]:
    matrix = np.asarray(iou, np.float64)
    if matrix.ndim != 2 or np.isnan(matrix).any():
        raise InputError(
            f"IoU: found shape {matrix.shape} with {int(np.isnan(matrix).sum())} NaN, wanted a "
            "number for each (prediction, unit)"
        )
    if not 0 <= threshold < 1:
        raise InputError(f"threshold: found {threshold}, wanted 0 or more and less than 1")
    return matrix


def _matching(iou: NDArray[np.float64], pairs: list[tuple[int, int]]) -> Matching:
    predicted, true = np.array(pairs, np.int64).reshape(-1, 2).T
    return Matching(
        predicted=predicted,
        true=true,
        iou=iou[predicted, true],
        false=np.setdiff1d(np.arange(iou.shape[0]), predicted),
        missed=np.setdiff1d(np.arange(iou.shape[1]), true),
    )
