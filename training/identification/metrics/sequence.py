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
from .train_score import UNKNOWN, TrainScore, score_by_trains
from .trains import TRAIN_LAG_BOUND, match_trains

LAG_BOUND = 0.05
"""Largest lag that is looked for, s: half an interval at 10 Hz."""

LOOSE_THRESHOLD = 0.3
"""A milder least IoU, stated beside the usual one: where motion spreads, outlines do too."""


@dataclass(frozen=True)
class SequenceScore:
    """Scores of one sequence. Arrays run over the matches, in the matching's order.

    Parameters
    ----------
    visible : int64 array of shape (visible unit,)
        The true units that show in the image, rising; no other counts.
    trains : TrainScore or None
        Scores of units matched by their trains; None without trains. Its unit k is ``visible[k]``.
    loose : Matching
        By masks with an IoU above 0.3; all that follows is of those of the usual threshold.
    largest_iou : float64 array of shape (prediction,)
        Of each prediction's mask with any unit's; 0 without units.
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

    visible: NDArray[np.int64]
    trains: TrainScore | None
    loose: Matching
    largest_iou: NDArray[np.float64]
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
        read them beside ``detection_recall``, or beside ``train_recall`` where trains match.
        """
        by_trains = UNKNOWN if self.trains is None else self.trains.to_row()
        loose_precision, loose_recall = precision_recall(self.loose)
        pixels, lagged = self.segmentation, self.lagged_firing
        rate_error = np.abs(self.predicted_rate - self.true_rate)
        variation_error = np.abs(self.predicted_variation - self.true_variation)
        return {
            "units": self.matching.units,
            "predictions": self.matching.predictions,
            **by_trains,
            "detection_precision_iou03": loose_precision,
            "detection_recall_iou03": loose_recall,
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

    Units are matched by their trains (:func:`.trains.match_trains`), and apart from that by their
    masks (Ali et al. 2020, section III.B); trains and firings are compared between units matched
    either way. True units with an empty mask do not show in the image (or pad a batch) and do not
    count.

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
        Largest lag, s, of the scores that allow for one; 0 allows for none. Trains are matched at
        no more than 20 ms.

    Returns
    -------
    SequenceScore
        Units and predictions are numbered as in the arrays given.

    Raises
    ------
    InputError
        If shapes do not fit one another, masks are not bool, a train is not finite, the frame rate
        is not positive, or the window is neither given nor known from trains.
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
    matching, loose = (
        _renumbered(match(iou, confidence, least), visible)
        for least in (threshold, LOOSE_THRESHOLD)
    )
    precision, recall = precision_recall(matching)
    window = _window(window, trains, frame_rate)
    compared = _compare_trains(matching, *trains, frame_rate, lag_bound)
    return SequenceScore(
        visible=visible,
        trains=_by_trains(visible, trains, firings, frame_rate, window, lag_bound),
        loose=loose,
        largest_iou=iou.max(axis=1, initial=0.0),
        matching=matching,
        precision=precision,
        recall=recall,
        segmentation=segmentation(predicted_masks, true_masks, matching),
        faults=find_faults(predicted_masks, true_masks, matching),
        **compared,
        **_compare_firings(matching, *firings, window, lag_bound),
    )


Pair = tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]


def _renumbered(matching: Matching, visible: NDArray[np.int64]) -> Matching:
    """Return a matching of visible units with the numbers that these have among all."""
    return dataclasses.replace(
        matching, true=visible[matching.true], missed=visible[matching.missed]
    )


def _by_trains(
    visible: NDArray[np.int64],
    trains: Pair,
    firings: Pair,
    frame_rate: float,
    window: Window | None,
    lag_bound: float,
) -> TrainScore | None:
    predicted, true = trains
    if predicted is None or true is None:
        return None
    bound = min(lag_bound, TRAIN_LAG_BOUND)
    matching = match_trains(predicted, true[visible], frame_rate, lag_bound=bound)
    ours, theirs = firings
    shown = None if theirs is None else theirs[visible]
    return score_by_trains(matching, ours, shown, window, lag_bound=lag_bound)


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
