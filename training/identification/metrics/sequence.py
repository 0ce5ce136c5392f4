"""All scores of one sequence: its units as a method found them, against its truth."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....simulator.errors import InputError
from .agreement import (
    RateOfAgreement,
    check_frame_rate,
    lagged_correlation,
    rate_of_agreement,
    train_correlation,
)
from .detection import THRESHOLD, Matching, intersection_over_union, match, precision_recall
from .faults import Faults, find_faults
from .firing import (
    FiringScore,
    Window,
    check_window,
    common_lag,
    rate_and_variation,
    score_firings,
)
from .masks import check_masks
from .ratios import mean_of_known
from .segmentation import Segmentation, segmentation

LAG_BOUND = 0.05
"""Largest lag that is looked for, s: half an interval at 10 Hz."""


@dataclass(frozen=True)
class SequenceScore:
    """Scores of one sequence. Arrays run over the matches, in the matching's order.

    Parameters
    ----------
    matching : Matching
        Which prediction is which true unit; only units that show in the image are in it.
    precision, recall : float
        Of detection; NaN where not defined (:func:`.detection.precision_recall`).
    segmentation : Segmentation
        Agreement of the matched masks.
    faults : Faults
        Units missed, made up, split and merged.
    agreement : tuple of RateOfAgreement
        Of each match's trains; empty without trains.
    correlation : float64 array of shape (match,)
        Of the trains as they are, -1..1; NaN without trains.
    lagged_correlation, train_lag : float64 arrays of shape (match,)
        The largest correlation within the bound and its lag, s.
    firing : tuple of FiringScore
        Of each match's firings as they are; empty without firings.
    lagged_firing : tuple of FiringScore
        The same without the lag that all matches have in common; empty without firings.
    predicted_rate, true_rate : float64 arrays of shape (match,)
        One over the mean interval, Hz; NaN without two firings.
    predicted_variation, true_variation : float64 arrays of shape (match,)
        SD over mean of the intervals; NaN without three firings.
    """

    matching: Matching
    precision: float
    recall: float
    segmentation: Segmentation
    faults: Faults
    agreement: tuple[RateOfAgreement, ...]
    correlation: NDArray[np.float64]
    lagged_correlation: NDArray[np.float64]
    train_lag: NDArray[np.float64]
    firing: tuple[FiringScore, ...]
    lagged_firing: tuple[FiringScore, ...]
    predicted_rate: NDArray[np.float64]
    true_rate: NDArray[np.float64]
    predicted_variation: NDArray[np.float64]
    true_variation: NDArray[np.float64]

    def to_row(self) -> dict[str, float]:
        """Return the sequence's numbers: counts, and means over its matches where defined.

        A mean over no match is NaN. Scores of matches say nothing about units that were missed:
        read them beside ``detection_recall``.
        """
        pixels, lagged = self.segmentation, self.lagged_firing
        rate_error = np.abs(self.predicted_rate - self.true_rate)
        variation_error = np.abs(self.predicted_variation - self.true_variation)
        return {
            "units": self.matching.units,
            "predictions": self.matching.predictions,
            "matches": self.matching.matches,
            "detection_precision": self.precision,
            "detection_recall": self.recall,
            "missed": len(self.faults.missed),
            "false": len(self.faults.false),
            "split": len(self.faults.split),
            "merged": len(self.faults.merged),
            "mask_precision": mean_of_known(pixels.precision),
            "mask_recall": mean_of_known(pixels.recall),
            "mask_iou": mean_of_known(pixels.iou),
            "mask_dice": mean_of_known(pixels.dice),
            "rate_of_agreement": mean_of_known([one.value for one in self.agreement]),
            "train_correlation": mean_of_known(self.correlation),
            "train_correlation_lagged": mean_of_known(self.lagged_correlation),
            "train_lag": mean_of_known(self.train_lag),
            "firing_precision": mean_of_known([one.precision for one in self.firing]),
            "firing_recall": mean_of_known([one.recall for one in self.firing]),
            "firing_precision_lagged": mean_of_known([one.precision for one in lagged]),
            "firing_recall_lagged": mean_of_known([one.recall for one in lagged]),
            "firing_lag": mean_of_known([one.lag for one in lagged]),
            "firing_rate_error": mean_of_known(rate_error),
            "interval_variation_error": mean_of_known(variation_error),
        }


def score(
    predicted_masks: NDArray[np.bool_],
    predicted_trains: ArrayLike | None,
    predicted_firings: ArrayLike | None,
    confidence: ArrayLike,
    true_masks: NDArray[np.bool_],
    true_trains: ArrayLike | None,
    true_firings: ArrayLike | None,
    frame_rate: float,
    window: Window | None = None,
    *,
    threshold: float = THRESHOLD,
    lag_bound: float = LAG_BOUND,
) -> SequenceScore:
    """Score the units that a method found in one sequence.

    Units are matched by their masks (Ali et al. 2020, section III.B); trains and firings are
    compared between matched units. True units with an empty mask do not show in the image (or pad
    a batch) and do not count.

    Parameters
    ----------
    predicted_masks : bool array of shape (prediction, depth, width)
    predicted_trains : array of shape (prediction, time), optional
        Velocity, mm/s; None for a method that gives none.
    predicted_firings : array of shape (prediction, firing), optional
        Instants, s; padded with NaN. None for a method that gives none.
    confidence : array of shape (prediction,)
        The surest predictions are matched first.
    true_masks : bool array of shape (unit, depth, width)
    true_trains : array of shape (unit, time), optional
        Over the same frames as the predicted ones; None where they are not known.
    true_firings : array of shape (unit, firing), optional
        Instants, s; padded with NaN; None where they are not known.
    frame_rate : float
        Hz.
    window : (float, float), optional
        Start and end of the time in which firings count, s: those before 0, whose twitches are
        still under way, do not. The duration of the trains, if not given. Trains are compared over
        all of their frames.
    threshold : float
        A match needs a mask IoU above this.
    lag_bound : float
        Largest lag, s, of the scores that allow for one; 0 allows for none.

    Returns
    -------
    SequenceScore
        Units and predictions are numbered as in the arrays given.

    Raises
    ------
    InputError
        If shapes do not fit one another, masks are not bool, a matched train is not finite, the
        frame rate is not positive, or the window is neither given nor known from trains.
    """
    predicted_masks, true_masks = check_masks(predicted_masks, true_masks)
    frame_rate = check_frame_rate(frame_rate)
    predictions, units = len(predicted_masks), len(true_masks)
    trains = (
        _rows("predicted trains", predicted_trains, predictions),
        _rows("true trains", true_trains, units),
    )
    firings = (
        _rows("predicted firings", predicted_firings, predictions),
        _rows("true firings", true_firings, units),
    )
    visible = np.flatnonzero(true_masks.any(axis=(1, 2)))
    iou = intersection_over_union(predicted_masks, true_masks[visible])
    matching = match(iou, confidence, threshold)
    matching = dataclasses.replace(
        matching, true=visible[matching.true], missed=visible[matching.missed]
    )
    precision, recall = precision_recall(matching)
    return SequenceScore(
        matching=matching,
        precision=precision,
        recall=recall,
        segmentation=segmentation(predicted_masks, true_masks, matching),
        faults=find_faults(predicted_masks, true_masks, matching),
        **_compare_trains(matching, *trains, frame_rate, lag_bound),
        **_compare_firings(matching, *firings, _window(window, trains, frame_rate), lag_bound),
    )


def _compare_trains(
    matching: Matching,
    predicted: NDArray[np.float64] | None,
    true: NDArray[np.float64] | None,
    frame_rate: float,
    lag_bound: float,
) -> dict[str, Any]:
    """Return the fields of a score that come from trains."""
    unknown = np.full(matching.matches, np.nan)
    if predicted is None or true is None:
        names = ("correlation", "lagged_correlation", "train_lag")
        return {"agreement": (), **dict.fromkeys(names, unknown)}
    pairs = list(zip(predicted[matching.predicted], true[matching.true], strict=True))
    lagged = [lagged_correlation(*pair, frame_rate, lag_bound) for pair in pairs]
    return {
        "agreement": tuple(rate_of_agreement(*pair, frame_rate) for pair in pairs),
        "correlation": np.array([train_correlation(*pair) for pair in pairs], np.float64),
        "lagged_correlation": np.array([value for value, _ in lagged], np.float64),
        "train_lag": np.array([lag for _, lag in lagged], np.float64),
    }


def _compare_firings(
    matching: Matching,
    predicted: NDArray[np.float64] | None,
    true: NDArray[np.float64] | None,
    window: Window | None,
    lag_bound: float,
) -> dict[str, Any]:
    """Return the fields of a score that come from firings."""
    fields: dict[str, Any] = {"firing": (), "lagged_firing": ()}
    if predicted is not None and true is not None:
        if window is None:
            raise InputError("window: found none, wanted start and end, s; there are no trains")
        pairs = list(zip(predicted[matching.predicted], true[matching.true], strict=True))
        ours, theirs = [one for one, _ in pairs], [other for _, other in pairs]
        lag = common_lag(ours, theirs, window, bound=lag_bound)
        fields["firing"] = tuple(score_firings(*pair, window) for pair in pairs)
        fields["lagged_firing"] = tuple(score_firings(*pair, window, lag=lag) for pair in pairs)
    for name, firings, places in (
        ("predicted", predicted, matching.predicted),
        ("true", true, matching.true),
    ):
        values = np.full((matching.matches, 2), np.nan)
        if firings is not None and window is not None:
            for row, train in zip(values, firings[places], strict=True):
                row[:] = rate_and_variation(train, window)
        fields[f"{name}_rate"], fields[f"{name}_variation"] = values[:, 0], values[:, 1]
    return fields


def _rows(name: str, values: ArrayLike | None, rows: int) -> NDArray[np.float64] | None:
    if values is None:
        return None
    array = np.asarray(values, np.float64)
    if array.ndim != 2 or len(array) != rows:
        raise InputError(
            f"{name}: found shape {array.shape}, wanted a row for each of the {rows} masks"
        )
    return array


def _window(
    window: Window | None, trains: Sequence[NDArray[np.float64] | None], frame_rate: float
) -> Window | None:
    """Return the window asked for, else the trains' duration, else None."""
    if window is not None:
        return check_window(window)
    # Of no units there may be trains of no frames.
    frames = max((rows.shape[1] for rows in trains if rows is not None), default=0)
    return (0.0, frames / frame_rate) if frames else None
