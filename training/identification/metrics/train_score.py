"""Scores of units matched by their trains: trains, firings, and what a wrong unit would score."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .firing import (
    STRICT_TOLERANCE,
    TOLERANCE,
    FiringScore,
    Window,
    rate_and_variation,
    score_all_at_best_lag,
    score_firings,
)
from .ratios import mean_of_known
from .trains import TrainMatching

NAMES = (
    "train_matches",
    "train_recall",
    "train_precision",
    "train_inverted",
    "train_match_correlation",
    "train_chance",
    "train_wrong_share",
    "firing_agreement",
    "firing_chance",
    "train_firing_recall",
    "train_firing_precision",
    "firing_agreement_5ms",
    "firing_agreement_15ms",
    "train_firing_rate_error",
    "train_interval_variation_error",
)
"""Names of the scores of :meth:`TrainScore.to_row`."""


@dataclass(frozen=True)
class TrainScore:
    """Scores of one sequence by trains.

    Parameters
    ----------
    matching : TrainMatching
        Which prediction is which true unit; of the units, those that show in the image.
    firing : tuple of FiringScore
        Of each match, after the pair's own best lag; empty without firings.
    wrong_firing : float64 array of shape (match, unit - 1)
        Agreement of each matched prediction's firings with those of the other true units, each
        after its own best lag, 0..1; of shape (0, 0) without firings.
    strict_firing, loose_firing : tuple of FiringScore
        As `firing`, with its lags, within 5 and within 15 ms.
    rate_error, variation_error : float64 arrays of shape (match,)
        Of the mean rate, Hz, and of the SD over mean of intervals, without their signs; NaN with
        less than two and three firings.
    """

    matching: TrainMatching
    firing: tuple[FiringScore, ...]
    wrong_firing: NDArray[np.float64]
    strict_firing: tuple[FiringScore, ...] = ()
    loose_firing: tuple[FiringScore, ...] = ()
    rate_error: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    variation_error: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    def to_row(self) -> dict[str, float]:
        """Return the sequence's numbers, by the names of :data:`NAMES`; NaN where not defined."""
        matching = self.matching
        values = (
            matching.matches,
            matching.recall,
            matching.precision,
            matching.inverted,
            matching.mean_correlation,
            matching.chance,
            matching.wrong_share,
            mean_of_known([one.agreement for one in self.firing]),
            mean_of_known(self.wrong_firing),
            mean_of_known([one.recall for one in self.firing]),
            mean_of_known([one.precision for one in self.firing]),
            mean_of_known([one.agreement for one in self.strict_firing]),
            mean_of_known([one.agreement for one in self.loose_firing]),
            mean_of_known(self.rate_error),
            mean_of_known(self.variation_error),
        )
        return dict(zip(NAMES, values, strict=True))


UNKNOWN: dict[str, float] = dict.fromkeys(NAMES, math.nan)
"""The row of a sequence without trains."""


def score_by_trains(
    matching: TrainMatching,
    predicted_firings: NDArray[np.float64] | None,
    true_firings: NDArray[np.float64] | None,
    window: Window | None,
    *,
    lag_bound: float,
) -> TrainScore:
    """Score the firings of units that are matched by their trains, and of wrong pairs.

    Parameters
    ----------
    matching : TrainMatching
    predicted_firings, true_firings : float64 arrays of shape (unit, firing), optional
        Instants of the units of the matching, s; padded with NaN.
    window : (float, float), optional
        Start and end, s; without one, or without firings of both, firings are not scored.
    lag_bound : float
        Largest lag of firings, s, 0 or more.

    Returns
    -------
    TrainScore
    """
    if predicted_firings is None or true_firings is None or window is None:
        return TrainScore(matching, (), np.zeros((0, 0)))
    ours = predicted_firings[matching.predicted]
    scores = score_all_at_best_lag(ours, true_firings, window, bound=lag_bound)
    own = matching.true.tolist()
    best = tuple(row[place] for row, place in zip(scores, own, strict=True))
    pairs = list(zip(ours, true_firings[matching.true], best, strict=True))
    strict, loose = (
        tuple(
            score_firings(mine, theirs, window, tolerance=reach, lag=one.lag)
            for mine, theirs, one in pairs
        )
        for reach in (STRICT_TOLERANCE, TOLERANCE)
    )
    errors = [
        np.abs(np.subtract(rate_and_variation(mine, window), rate_and_variation(theirs, window)))
        for mine, theirs, _ in pairs
    ]
    rate_error, variation_error = np.array(errors, np.float64).reshape(len(errors), 2).T
    wrong = [
        [score.agreement for unit, score in enumerate(row) if unit != place]
        for row, place in zip(scores, own, strict=True)
    ]
    return TrainScore(
        matching,
        best,
        np.array(wrong, np.float64).reshape(len(wrong), max(len(true_firings) - 1, 0)),
        strict,
        loose,
        rate_error,
        variation_error,
    )
