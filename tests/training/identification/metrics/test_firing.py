import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from musim.simulator import Parameters, draw
from musim.training.identification.metrics.firing import (
    common_lag,
    firings_within,
    match_instants,
    rate_and_variation,
    score_all_at_best_lag,
    score_firings,
)

WINDOW = (0.0, 1.0)
INSTANTS = st.lists(st.integers(0, 60).map(lambda step: step / 400), max_size=10)


def _most_pairs(first, second, tolerance):
    """Return the most pairs that any one-to-one matching has."""
    near = np.abs(np.subtract.outer(first, second)) <= tolerance + 1e-9
    rows, columns = linear_sum_assignment(near, maximize=True)
    return int(near[rows, columns].sum())


@given(INSTANTS, INSTANTS, st.sampled_from([0, 0.0025, 0.015, 0.04]))
def test_no_matching_has_more_pairs(first, second, tolerance):
    one, other = np.array(first, float), np.array(second, float)
    of_first, of_second = match_instants(first, second, tolerance)
    assert len(of_first) == _most_pairs(one, other, tolerance)
    assert len(set(of_first.tolist())) == len(set(of_second.tolist())) == len(of_first)
    assert (np.abs(one[of_first] - other[of_second]) <= tolerance + 1e-9).all()
    assert (np.diff(one[of_first]) >= 0).all()
    assert (np.diff(other[of_second]) >= 0).all()
    assert len(match_instants(second, first, tolerance)[0]) == len(of_first)


def test_the_nearest_is_not_taken_where_that_costs_a_pair():
    # 0.014 is nearest to 0.013, but then 0.000 and 0.028 would have no partner in reach.
    of_first, of_second = match_instants([0.0, 0.014], [0.013, 0.028])
    assert (of_first.tolist(), of_second.tolist()) == ([0, 1], [0, 1])
    assert [places.tolist() for places in match_instants([0.5, 0.1], [0.1, 0.51])] == [
        [1, 0],
        [0, 1],
    ]


@pytest.mark.parametrize("start", [0, 5, 11, 399, 40_001, 4_000_001])
def test_the_edge_of_the_tolerance_belongs_to_it(start):
    # 6 frames are 15 ms, but for rounding.
    assert len(match_instants([start / 400], [(start + 6) / 400])[0]) == 1
    assert len(match_instants([(start + 6) / 400], [start / 400])[0]) == 1
    assert len(match_instants([start / 400], [(start + 6.01) / 400])[0]) == 0


def test_firings_outside_the_window_and_padding_do_not_count():
    firings = [-0.02, 0.0, 0.4, 1.0, 1.2, math.nan, math.nan]
    assert firings_within(firings, WINDOW).tolist() == [0, 0.4]
    assert firings_within([math.nan], WINDOW).shape == (0,)
    assert firings_within([0.3, 0.1], WINDOW).tolist() == [0.1, 0.3]
    score = score_firings([0.4, -0.015, 1.0], firings, WINDOW)
    assert (score.common, score.only_predicted, score.only_true) == (1, 0, 1)


def test_precision_and_recall_by_hand():
    true = [0.1, 0.2, 0.3, 0.4, 0.5, math.nan]
    predicted = [0.11, 0.185, 0.316, 0.402, math.nan]
    score = score_firings(predicted, true, WINDOW)
    assert (score.common, score.only_predicted, score.only_true, score.lag) == (3, 1, 2, 0)
    assert (score.precision, score.recall) == (3 / 4, 3 / 5)
    assert score_firings(predicted, true, WINDOW, tolerance=0.02).recall == 4 / 5


@pytest.mark.parametrize(
    ("predicted", "true", "expected"),
    [([], [], (1, 1)), ([], [0.5], (math.nan, 0)), ([0.5], [math.nan], (0, math.nan))],
)
def test_precision_and_recall_of_no_firings(predicted, true, expected):
    score = score_firings(predicted, true, WINDOW)
    assert (score.precision, score.recall) == pytest.approx(expected, nan_ok=True)


def test_a_lag_is_taken_away():
    true = np.array([-0.03, 0.05, 0.17, 0.26, 0.35, 0.98])
    predicted = true + 0.04  # at 0.01 for the one before the window; the last is never seen
    score = score_firings(predicted, true, WINDOW, lag=0.04)
    assert (score.common, score.only_predicted, score.only_true, score.lag) == (4, 0, 0, 0.04)
    early = score_firings(true - 0.04, true, WINDOW, lag=-0.04)
    # Of 0.05 the prediction lies in the window, of none before; 0.98 is predicted at 0.94.
    assert (early.common, early.only_predicted, early.only_true) == (5, 0, 0)
    raw = score_firings(predicted, true, WINDOW)
    assert (raw.common, raw.only_predicted, raw.only_true) == (0, 5, 5)


@given(st.integers(-50, 50), st.integers(0, 2**32))
def test_the_common_lag_is_found(lag, seed):
    random = np.random.default_rng(seed)
    true = [np.cumsum(random.uniform(0.06, 0.14, 8)) for _ in range(3)]
    predicted = [train + lag / 1000 for train in true]
    assert common_lag(predicted, true, WINDOW, bound=0.05) == pytest.approx(lag / 1000)
    for ours, theirs in zip(predicted, true, strict=True):
        score = score_firings(ours, theirs, WINDOW, lag=lag / 1000)
        assert (score.precision, score.recall) == (1, 1)


def _lag_slowly(predicted, true, window, bound):
    """Score every lag by itself."""
    scores = []
    for step in range(-round(bound * 1000), round(bound * 1000) + 1):
        lag = step / 1000
        start, end = max(window[0], window[0] - lag), min(window[1], window[1] - lag)
        matches, distance = 0, 0.0
        for ours, theirs in zip(predicted, true, strict=True):
            kept = [p - lag for p in ours if window[0] <= p < window[1]]
            one = [p for p in kept if start <= p < end]
            other = [t for t in theirs if start <= t < end]
            of_one, of_other = match_instants(one, other)
            matches += len(of_one)
            pairs = zip(of_one, of_other, strict=True)
            distance += sum(abs(one[a] - other[b]) for a, b in pairs)
        scores.append((-matches, round(distance, 9), abs(lag), lag))
    return min(scores)[-1]


@given(st.integers(0, 3), st.integers(0, 2**32))
def test_the_common_lag_has_the_most_matches(units, seed):
    random = np.random.default_rng(seed)
    true = [np.sort(random.uniform(-0.1, 1.1, 9)) for _ in range(units)]
    predicted = [train + 0.02 + 0.01 * random.standard_normal(9) for train in true]
    found = common_lag(predicted, true, WINDOW, bound=0.05)
    assert found == pytest.approx(_lag_slowly(predicted, true, WINDOW, 0.05))
    assert abs(found) <= 0.05
    assert common_lag(predicted, true, WINDOW, bound=0) == 0


def test_of_lags_that_are_as_good_the_smallest_is_taken():
    assert common_lag([], [], WINDOW, bound=0.05) == 0
    assert common_lag([[0.2]], [[0.8]], WINDOW, bound=0.05) == 0
    # The bound belongs to the lags, whatever rounding did to it.
    assert common_lag([[0.565]], [[0.5]], WINDOW, bound=0.15 - 0.1) == pytest.approx(0.05)
    # One pair, 10 ms either way.
    assert common_lag([[0.49, 0.51]], [[0.5]], WINDOW, bound=0.05) == pytest.approx(-0.01)


def test_rate_and_variation_by_hand():
    firings = [-0.05, 0.1, 0.2, 0.32, 0.4, 1.4, math.nan]
    rate, variation = rate_and_variation(firings, WINDOW)
    assert rate == pytest.approx(10)
    assert variation == pytest.approx(0.02 / 0.1)  # SD of 0.10, 0.12, 0.08 with n - 1
    rate, variation = rate_and_variation([0.2, 0.3], WINDOW)
    assert rate == pytest.approx(10)
    assert math.isnan(variation)
    for few in ([0.2, math.nan], [], [0.2, 0.2]):
        assert np.isnan(rate_and_variation(few, WINDOW)).all()


def test_rate_and_variation_are_those_that_were_drawn():
    truth = draw(Parameters(frames=40_000), seed=3)
    for unit in range(truth.unit_count):
        rate, variation = rate_and_variation(truth.firing[unit], (0, 100))
        assert rate == pytest.approx(truth.firing_rate[unit], rel=0.05)
        # Synchrony moves some firings, which adds to the variation.
        assert 0.17 < variation < 0.4


@given(INSTANTS, INSTANTS, st.integers(0, 2**32))
def test_order_and_padding_have_no_influence(predicted, true, seed):
    random = np.random.default_rng(seed)
    mixed = [
        random.permutation([*train, math.nan, math.nan]).tolist() for train in (predicted, true)
    ]
    assert score_firings(*mixed, WINDOW) == score_firings(predicted, true, WINDOW)
    swapped = score_firings(true, predicted, WINDOW)
    straight = score_firings(predicted, true, WINDOW)
    assert swapped.common == straight.common
    assert swapped.only_true == straight.only_predicted


@given(INSTANTS)
def test_perfect_firings_score_1(firings):
    score = score_firings(firings, firings, WINDOW)
    assert (score.precision, score.recall, score.common) == (1, 1, len(firings))


@pytest.mark.parametrize("window", [(1, 1), (1, 0), (0, math.inf), (math.nan, 1)])
def test_windows_without_length_are_refused(window, refused):
    for call in (
        lambda: score_firings([], [], window),
        lambda: rate_and_variation([], window),
        lambda: common_lag([], [], window, bound=0),
    ):
        with refused("window: found ", " wanted"):
            call()


@pytest.mark.parametrize("bound", [-0.01, math.nan, math.inf])
def test_bounds_that_are_none_are_refused(bound, refused):
    with refused("lag bound: found ", " wanted"):
        common_lag([], [], WINDOW, bound=bound)


# All pairs at their best lags


@settings(max_examples=40)
@given(
    st.lists(st.lists(st.integers(-5, 105), max_size=6), min_size=0, max_size=3),
    st.lists(st.lists(st.integers(-5, 105), max_size=6), min_size=0, max_size=3),
    st.integers(0, 12),
)
def test_all_pairs_are_the_pairs_one_by_one(predicted, true, bound):
    ours, theirs = ([np.array(row, float) / 100 for row in rows] for rows in (predicted, true))
    window, bound = (0.0, 1.0), bound / 100
    found = score_all_at_best_lag(ours, theirs, window, bound=bound, tolerance=0.01)
    assert [len(row) for row in found] == [len(theirs)] * len(ours)
    for one, row in zip(ours, found, strict=True):
        for other, pair in zip(theirs, row, strict=True):
            lag = common_lag([one], [other], window, bound=bound, tolerance=0.01)
            assert pair == score_firings(one, other, window, tolerance=0.01, lag=lag)


def test_a_late_copy_agrees_after_its_lag():
    true = np.array([0.1, 0.25, 0.33, 0.5, 0.71])
    late = np.append(true + 0.03, math.nan)
    ((pair,),) = score_all_at_best_lag([late], [true], (0, 1), bound=0.05)
    assert (pair.common, pair.agreement) == (5, 1)
    assert pair.lag == pytest.approx(0.03)
    # Six of which one lies elsewhere, and one 11 ms from the others' lag: 4 of 7.
    jitter = np.array([0, 0, 0, 0.011, 0])
    ((pair,),) = score_all_at_best_lag([np.append(true + jitter, 0.9)], [true], (0, 1), bound=0.0)
    assert (pair.common, pair.only_predicted, pair.only_true) == (4, 2, 1)
    assert pair.agreement == pytest.approx(4 / 7)
    # A lag between the two would do.
    ((pair,),) = score_all_at_best_lag([np.append(true + jitter, 0.9)], [true], (0, 1), bound=0.05)
    assert (pair.common, pair.lag) == (5, 0.001)


def test_no_firings_agree_with_none(refused):
    ((both, one),) = score_all_at_best_lag([[]], [[], [0.5]], (0, 1), bound=0.05)
    assert (both.agreement, one.agreement) == (1, 0)
    with refused("lag bound"):
        score_all_at_best_lag([[]], [[]], (0, 1), bound=-1)
