"""Firing instants against true ones: matching in time, lag, precision, recall, rate, variation."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....simulator.errors import InputError
from .ratios import agreement_rate, precision_and_recall

TOLERANCE = 0.015
"""Largest distance of matching firings, s: 6 frames at 400 Hz (Ali et al. 2020, section III.C,
doi:10.1109/ACCESS.2020.3023495)."""

ROUNDING = 1e-9
"""What rounding may add to a distance of instants, s: frame numbers over a rate are not exact."""

FINE_TOLERANCE = 0.01
"""Largest distance of firings that agree once their constant lag is taken away, s."""

STRICT_TOLERANCE = 0.005
"""A stricter one, stated beside it, s: two frames at 400 Hz."""

LAGS_A_SECOND = 1000
"""Lags that are tried, 1/s: a step of 1 ms is fine against the tolerance."""

Window = tuple[float, float]


@dataclass(frozen=True)
class FiringScore:
    """How many firings were found, after a lag was taken away.

    Parameters
    ----------
    common : int
        Predicted firings that match a true one.
    only_predicted : int
        Predicted firings without a true one.
    only_true : int
        True firings without a predicted one.
    lag : float
        What was subtracted from the predicted instants, s.
    """

    common: int
    only_predicted: int
    only_true: int
    lag: float = 0.0

    @property
    def precision(self) -> float:
        """Share of predicted firings that are true; NaN if none is predicted and some are true."""
        return precision_and_recall(self.common, self.only_predicted, self.only_true)[0]

    @property
    def recall(self) -> float:
        """Share of true firings that are found; NaN if none is true and some are predicted."""
        return precision_and_recall(self.common, self.only_predicted, self.only_true)[1]

    @property
    def agreement(self) -> float:
        """Matched firings over matched, missed and false ones, 0..1; 1 where there is none."""
        return agreement_rate(self.common, self.only_predicted, self.only_true)


def match_instants(
    first: ArrayLike, second: ArrayLike, tolerance: float = TOLERANCE
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Match instants one to one, as many as can be, in the order of time.

    Both are walked through in time: the earliest two that are left match if they are close enough,
    else the earlier of the two has no partner (all that is left of the other is later still). With
    one tolerance for all, no matching has more pairs.

    Parameters
    ----------
    first, second : arrays of shape (instant,)
        Instants, s, in any order, without NaN.
    tolerance : float
        Largest distance of a pair, s, itself included.

    Returns
    -------
    of_first, of_second : int64 arrays of shape (pair,)
        Places of the pairs in `first` and `second`, by rising time.
    """
    one, other = np.asarray(first, np.float64), np.asarray(second, np.float64)
    order, other_order = np.argsort(one, kind="stable"), np.argsort(other, kind="stable")
    # Lists: taking single numbers out of arrays is several times slower.
    instants, others = one[order].tolist(), other[other_order].tolist()
    reach = tolerance + ROUNDING
    pairs, i, j = [], 0, 0
    while i < len(instants) and j < len(others):
        distance = instants[i] - others[j]
        if abs(distance) <= reach:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif distance < 0:
            i += 1
        else:
            j += 1
    places = np.array(pairs, np.int64).reshape(-1, 2)
    return order[places[:, 0]], other_order[places[:, 1]]


def firings_within(firings: ArrayLike, window: Window) -> NDArray[np.float64]:
    """Return the firings of one unit in a window, s, rising, without the NaN that pads them.

    Parameters
    ----------
    firings : array of shape (firing,)
        Instants, s; padded with NaN.
    window : (float, float)
        Start, which belongs to the window, and end, which does not, s.
    """
    instants = np.asarray(firings, np.float64)
    return np.sort(instants[(instants >= window[0]) & (instants < window[1])])


def score_firings(
    predicted: ArrayLike,
    true: ArrayLike,
    window: Window,
    *,
    tolerance: float = TOLERANCE,
    lag: float = 0.0,
) -> FiringScore:
    """Count the firings of one unit that were found in a window.

    With a lag, a true firing at t is predicted at t + lag: the ones that would be predicted outside
    the window, and the predictions of ones outside it, do not count.

    Parameters
    ----------
    predicted, true : arrays of shape (firing,)
        Instants, s; padded with NaN.
    window : (float, float)
        Start and end, s; firings outside do not count.
    tolerance : float
        Largest distance of firings that match, s.
    lag : float
        Constant lag of the predicted firings, s, which is taken away.

    Returns
    -------
    FiringScore

    Raises
    ------
    InputError
        If the window has no length.
    """
    window = check_window(window)
    ours, theirs = _aligned(
        firings_within(predicted, window), firings_within(true, window), window, lag
    )
    common = len(match_instants(ours, theirs, tolerance)[0])
    return FiringScore(common, len(ours) - common, len(theirs) - common, lag)


def common_lag(
    predicted: Sequence[ArrayLike],
    true: Sequence[ArrayLike],
    window: Window,
    *,
    bound: float,
    tolerance: float = TOLERANCE,
) -> float:
    """Return the one lag of the predicted firings of all units that makes most of them match.

    Methods that see motion place firings at a fixed time after the nerve's: at the peak of
    velocity, say. Every whole number of ms within the bound is tried. Of lags with as many matches,
    that with the smallest sum of the pairs' distances is taken, then the smallest lag, then the
    negative one. A bound of less than half an interval keeps regular trains from matching one
    firing late.

    Parameters
    ----------
    predicted, true : sequences of arrays of shape (firing,)
        Instants of the same units in the same order, s; padded with NaN.
    window : (float, float)
        Start and end, s.
    bound : float
        Largest lag either way, s, 0 or more.
    tolerance : float
        Largest distance of firings that match, s.

    Returns
    -------
    float
        s; positive where predicted firings come later than true ones.

    Raises
    ------
    InputError
        If the bound is negative or not finite, or the window has no length.
    """
    from .firing_kernels import match_at_lags

    window = check_window(window)
    bound = check_lag_bound(bound)
    if len(predicted) != len(true):
        raise ValueError(f"found {len(predicted)} predicted units, wanted {len(true)} as true ones")
    ours, theirs = _packed(predicted, window), _packed(true, window)
    lags = _lags(bound)
    matches, distances = np.zeros(len(lags), np.int64), np.zeros(len(lags))
    match_at_lags(*ours, *theirs, window, tolerance + ROUNDING, lags, matches, distances)
    best, least, best_lag = 0, 0.0, 0.0
    for lag, common, distance in zip(lags, matches, distances, strict=True):
        # Distances that differ by rounding alone are equal.
        if common > best or (common == best and distance < least - ROUNDING):
            best, least, best_lag = common, distance, float(lag)
    return best_lag


def score_all_at_best_lag(
    predicted: Iterable[ArrayLike],
    true: Iterable[ArrayLike],
    window: Window,
    *,
    bound: float,
    tolerance: float = FINE_TOLERANCE,
) -> list[list[FiringScore]]:
    """Count the firings that every predicted unit has in common with every true one.

    Each pair has a lag of its own, the one that :func:`common_lag` gives for the pair alone, and is
    counted as :func:`score_firings` counts with that lag.

    Parameters
    ----------
    predicted, true : iterables of arrays of shape (firing,)
        Instants of each unit, s; padded with NaN.
    window : (float, float)
        Start and end, s.
    bound : float
        Largest lag either way, s, 0 or more.
    tolerance : float
        Largest distance of firings that match, s.

    Returns
    -------
    list of list of FiringScore
        One for each true unit, for each predicted unit.

    Raises
    ------
    InputError
        If the bound is negative or not finite, or the window has no length.
    """
    from .firing_kernels import best_lags

    window = check_window(window)
    tried = _lags(check_lag_bound(bound))
    ours, theirs = _packed(predicted, window), _packed(true, window)
    found = np.zeros((len(ours[0]), len(theirs[0]), 3), np.int64)
    lags = np.zeros(found.shape[:2])
    best_lags(*ours, *theirs, window, ROUNDING, tolerance + ROUNDING, tried, found, lags)
    return [
        [FiringScore(*map(int, counts), lag=float(lag)) for counts, lag in zip(*rows, strict=True)]
        for rows in zip(found, lags, strict=True)
    ]


def _lags(bound: float) -> NDArray[np.float64]:
    """Return the lags within a bound, s, from 0 outwards: the first of equals is the smallest."""
    most = math.floor((bound + ROUNDING) * LAGS_A_SECOND)
    steps = sorted(range(-most, most + 1), key=lambda s: (abs(s), s))
    return np.array(steps, np.float64) / LAGS_A_SECOND


def _packed(
    firings: Iterable[ArrayLike], window: Window
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the firings of each unit in a window, rising, as rows, and how many there are."""
    rows = [firings_within(row, window) for row in firings]
    counts = np.array([row.size for row in rows], np.int64)
    packed = np.full((len(rows), int(counts.max(initial=0))), np.nan)
    for row, values in zip(packed, rows, strict=True):
        row[: values.size] = values
    return packed, counts


def rate_and_variation(firings: ArrayLike, window: Window) -> tuple[float, float]:
    """Return the mean rate of a train and the variation of its intervals.

    Parameters
    ----------
    firings : array of shape (firing,)
        Instants, s; padded with NaN.
    window : (float, float)
        Start and end, s; firings outside do not count.

    Returns
    -------
    rate : float
        One over the mean interval, Hz; NaN with fewer than two firings. Unlike the count over the
        window's length it does not depend on where the window cuts the first and last interval.
    variation : float
        SD (with n - 1) over mean of the intervals; NaN with fewer than three firings.
    """
    intervals = np.diff(firings_within(firings, check_window(window)))
    if intervals.size == 0 or intervals.mean() == 0:
        return math.nan, math.nan
    mean = float(intervals.mean())
    variation = float(intervals.std(ddof=1)) / mean if intervals.size > 1 else math.nan
    return 1 / mean, variation


def check_window(window: Window) -> Window:
    """Return a window's start and end, s, if the end is later, else raise InputError."""
    start, end = (float(edge) for edge in window)
    if not (start < end and math.isfinite(start) and math.isfinite(end)):
        raise InputError(f"window: found {start} to {end} s, wanted an end after its start")
    return start, end


def check_lag_bound(bound: float) -> float:
    """Return a bound of lags, s, if it is a number of 0 or more, else raise InputError."""
    if not 0 <= bound < math.inf:
        raise InputError(f"lag bound: found {bound} s, wanted 0 or more")
    return float(bound)


def _aligned(
    predicted: NDArray[np.float64], true: NDArray[np.float64], window: Window, lag: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Take a lag away; keep what lies in the window and in the window moved by the lag."""
    shifted = predicted - lag
    common = max(window[0], window[0] - lag), min(window[1], window[1] - lag)
    return firings_within(shifted, common), firings_within(true, common)
