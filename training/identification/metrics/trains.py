"""Which predicted units are which true ones by their trains alone, whatever their outlines.

In a recording of a muscle a unit is validated by its firings and by the motion that follows them:
where motion spreads, outlines are not known to anybody.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....simulator.errors import InputError
from .agreement import check_frame_rate
from .assignment import assign
from .firing import ROUNDING, check_lag_bound
from .ratios import mean_of_known, precision_and_recall

TRAIN_THRESHOLD = 0.7
"""Least size of the correlation, itself excluded, of trains that are one unit's."""

TRAIN_LAG_BOUND = 0.02
"""Largest lag at which trains are compared, s: methods and filters delay, units do not."""

FEWEST_FRAMES = 3
"""Fewer frames in common tell nothing about two trains."""


@dataclass(frozen=True)
class TrainMatching:
    """Predictions and true units, one to one by their trains.

    Parameters
    ----------
    predicted : int64 array of shape (match,)
        The matched predictions, rising.
    true : int64 array of shape (match,)
        The true unit of each.
    correlations : float64 array of shape (prediction, unit)
        Of each prediction's train with each unit's, -1..1, at the lag at which its size is largest.
    lags : float64 array of shape (prediction, unit)
        Those lags, s; positive where the predicted train comes later.
    threshold : float
        What the size of a match's correlation exceeds.
    """

    predicted: NDArray[np.int64]
    true: NDArray[np.int64]
    correlations: NDArray[np.float64]
    lags: NDArray[np.float64]
    threshold: float = TRAIN_THRESHOLD

    @property
    def matches(self) -> int:
        """Number of matches."""
        return len(self.predicted)

    @cached_property
    def false(self) -> NDArray[np.int64]:
        """Predictions without a true unit, rising, int64 (prediction,)."""
        return np.setdiff1d(np.arange(self.correlations.shape[0]), self.predicted)

    @cached_property
    def missed(self) -> NDArray[np.int64]:
        """True units without a prediction, rising, int64 (unit,)."""
        return np.setdiff1d(np.arange(self.correlations.shape[1]), self.true)

    @property
    def precision(self) -> float:
        """Share of predictions that match; NaN as :func:`.ratios.precision_and_recall` says."""
        return precision_and_recall(self.matches, len(self.false), len(self.missed))[0]

    @property
    def recall(self) -> float:
        """Share of true units that match; NaN as :func:`.ratios.precision_and_recall` says."""
        return precision_and_recall(self.matches, len(self.false), len(self.missed))[1]

    @property
    def correlation(self) -> NDArray[np.float64]:
        """Correlation of each match, -1..1, float64 (match,)."""
        return self.correlations[self.predicted, self.true]

    @property
    def lag(self) -> NDArray[np.float64]:
        """Lag of each match, s, float64 (match,)."""
        return self.lags[self.predicted, self.true]

    @property
    def mean_correlation(self) -> float:
        """Mean size of the matches' correlations, 0..1; NaN without a match."""
        return mean_of_known(np.abs(self.correlation))

    @property
    def inverted(self) -> int:
        """Number of matches whose trains have opposite signs."""
        return int((self.correlation < 0).sum())

    @cached_property
    def wrong(self) -> NDArray[np.float64]:
        """Sizes of the correlations of wrong pairs, 0..1, float64 (match, unit - 1).

        A wrong pair is a matched prediction with a true unit other than its own. Predictions
        without a match are in none: one may well be a unit's second, and no chance.
        """
        others = np.ones((self.matches, self.correlations.shape[1]), np.bool_)
        others[np.arange(self.matches), self.true] = False
        columns = max(self.correlations.shape[1] - 1, 0)
        return np.abs(self.correlations[self.predicted])[others].reshape(self.matches, columns)

    @property
    def chance(self) -> float:
        """Mean over matches of the largest size of correlation with a wrong unit, 0..1.

        What the likeliest wrong unit scores, at its own best lag; NaN without wrong pairs.
        """
        return float(self.wrong.max(axis=1).mean()) if self.wrong.size else math.nan

    @property
    def wrong_share(self) -> float:
        """Share of wrong pairs that would pass for a match, 0..1; NaN without wrong pairs."""
        return float((self.wrong > self.threshold).mean()) if self.wrong.size else math.nan


def match_trains(
    predicted: ArrayLike,
    true: ArrayLike,
    frame_rate: float,
    *,
    threshold: float = TRAIN_THRESHOLD,
    lag_bound: float = TRAIN_LAG_BOUND,
) -> TrainMatching:
    """Match predicted trains with true ones, one to one.

    Two trains may match if the size of their correlation at the best lag exceeds the threshold: the
    sign of a train, that of motion along the beam, is a matter of taste to some methods, so an
    inverted train matches, and is counted. Of all matchings one of most pairs is taken, and of
    those the one with the largest sum of sizes.

    Parameters
    ----------
    predicted : array of shape (prediction, time)
        Velocity, mm/s; the scale has no influence.
    true : array of shape (unit, time)
        Over the same frames.
    frame_rate : float
        Hz.
    threshold : float
        What the size of a match's correlation exceeds, 0..1.
    lag_bound : float
        Largest lag either way, s, 0 or more.

    Returns
    -------
    TrainMatching

    Raises
    ------
    InputError
        If the trains are not rows of finite numbers over the same frames, the threshold is not
        in 0..1, the bound is negative or the frame rate not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from musim.training.identification.metrics import match_trains
    >>> true = np.sin(np.outer([1.0, 2.0], np.arange(200) / 10))
    >>> found = match_trains(-true[::-1], true, frame_rate=400)
    >>> found.true.tolist(), found.recall, found.inverted
    ([1, 0], 1.0, 2)
    """
    if not 0 <= threshold < 1:
        raise InputError(f"threshold: found {threshold}, wanted 0 or more and less than 1")
    correlations, lags = correlate_all(predicted, true, frame_rate, lag_bound)
    sizes = np.abs(correlations)
    rows, columns = assign(sizes, sizes > threshold)
    return TrainMatching(rows, columns, correlations, lags, float(threshold))


def correlate_all(
    predicted: ArrayLike, true: ArrayLike, frame_rate: float, bound: float = TRAIN_LAG_BOUND
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the correlation of largest size of every pair of trains over whole-frame lags.

    At each lag the frames that both have are compared, three at least. A train that is constant
    there correlates with none: 0, as :func:`.agreement.train_correlation` has it.

    Parameters
    ----------
    predicted : array of shape (prediction, time)
    true : array of shape (unit, time)
        Over the same frames.
    frame_rate : float
        Hz.
    bound : float
        Largest lag either way, s, 0 or more.

    Returns
    -------
    correlations : float64 array of shape (prediction, unit)
        -1..1, with their signs.
    lags : float64 array of shape (prediction, unit)
        s; positive where the predicted train comes later. Of equals the smallest, then the
        negative one.

    Raises
    ------
    InputError
        If the trains are not rows of finite numbers over the same frames, the bound is negative or
        the frame rate not positive.
    """
    frame_rate, bound = check_frame_rate(frame_rate), check_lag_bound(bound)
    ours, theirs = _check_rows("predicted trains", predicted), _check_rows("true trains", true)
    best = np.zeros((len(ours), len(theirs)))
    steps = np.zeros(best.shape)
    if best.size == 0:  # of no units there may be trains of no frames
        return best, steps
    frames = ours.shape[1]
    if frames != theirs.shape[1]:
        raise InputError(
            f"predicted trains: found {frames} frames, wanted the true trains' {theirs.shape[1]}"
        )
    most = max(min(math.floor((bound + ROUNDING) * frame_rate), frames - FEWEST_FRAMES), 0)
    ours, theirs = _scaled(ours), _scaled(theirs)
    changes, their_changes = _changes(ours), _changes(theirs)
    for lag in sorted(range(-most, most + 1), key=lambda s: (abs(s), s)):
        start, length = max(lag, 0), frames - abs(lag)
        late, size = _centred(ours, changes, start, start + length)
        early, other_size = _centred(theirs, their_changes, start - lag, start - lag + length)
        found = (late @ early.T) * size[:, None] * other_size
        # Rounding alone does not make a lag better.
        better = np.abs(found) > np.abs(best) + 1e-12
        best[better], steps[better] = found[better], lag
    return np.clip(best, -1.0, 1.0), steps / frame_rate


def _scaled(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rows of largest size 1, so that squares neither overflow nor vanish."""
    largest = np.abs(rows).max(axis=1, keepdims=True)
    return rows / np.where(largest > 0, largest, 1.0)


def _changes(rows: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first frame that differs from the one before, and the last; 0 where none does."""
    differs = rows[:, 1:] != rows[:, :-1]
    any_, last = differs.any(axis=1), differs.shape[1]
    if last == 0:
        return np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
    return (
        np.where(any_, differs.argmax(axis=1) + 1, 0),
        np.where(any_, last - differs[:, ::-1].argmax(axis=1), 0),
    )


def _centred(
    rows: NDArray[np.float64],
    changes: tuple[NDArray[np.int64], NDArray[np.int64]],
    start: int,
    stop: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the first or last frames of rows without their mean, and one over each one's length.

    Exactly constant ones get 0: the mean's rounding would leave a pattern to correlate with.
    """
    part = rows[:, start:stop]
    centred = part - part.mean(axis=1, keepdims=True)
    length = np.sqrt(np.einsum("ij,ij->i", centred, centred))
    first, last = changes
    # From frame 0 on the first change tells, up to the last frame the last one.
    varies = (first > 0) & (first < stop) & (last > start) & (length > 0)
    return centred, np.divide(1.0, length, out=np.zeros_like(length), where=varies)


def _check_rows(name: str, trains: ArrayLike) -> NDArray[np.float64]:
    rows = np.asarray(trains, np.float64)
    if rows.ndim != 2 or (len(rows) and rows.shape[1] == 0) or not np.isfinite(rows).all():
        raise InputError(
            f"{name}: found shape {rows.shape} with {int((~np.isfinite(rows)).sum())} values that "
            "are not finite, wanted a row of numbers for each unit"
        )
    return rows
