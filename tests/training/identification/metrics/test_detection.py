import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musim.training.identification.metrics.detection import (
    intersection_over_union,
    match,
    match_optimally,
    precision_recall,
)

SIZES = st.tuples(st.integers(0, 5), st.integers(0, 5))


def _pairs(matching):
    return list(zip(matching.predicted.tolist(), matching.true.tolist(), strict=True))


def _random(size, seed):
    random = np.random.default_rng(seed)
    return random.random(size), random.permutation(size[0]).astype(float), random


def _match_slowly(iou, confidence, threshold):
    """Match in falling confidence, looking at every unit."""
    free, pairs = set(range(iou.shape[1])), []
    for prediction in sorted(range(len(iou)), key=lambda p: -confidence[p]):
        best = max(sorted(free), key=lambda unit: iou[prediction, unit], default=None)
        if best is not None and iou[prediction, best] > threshold:
            pairs.append((prediction, best))
            free.remove(best)
    return pairs


def _all_matchings(iou, threshold):
    """Every one-to-one set of pairs above the threshold."""
    allowed = list(zip(*np.nonzero(iou > threshold), strict=True))
    for size in range(min(iou.shape) + 1):
        for pairs in itertools.combinations(allowed, size):
            if len({p for p, _ in pairs}) == len({u for _, u in pairs}) == size:
                yield pairs


def test_iou_by_hand(strips):
    predicted = strips("###...", "......", "######")
    true = strips(".###..", "######", "......")
    expected = [[2 / 4, 3 / 6, 0], [0, 0, 0], [3 / 6, 1, 0]]
    assert intersection_over_union(predicted, true).tolist() == expected


@given(SIZES, st.integers(0, 2**32))
def test_iou_is_that_of_sets_of_pixels(size, seed):
    random = np.random.default_rng(seed)
    one, other = (random.random((n, 3, 4)) < 0.5 for n in size)
    result = intersection_over_union(one, other)
    assert result.dtype == np.float64
    assert result.shape == size
    for i, j in np.ndindex(size):
        a, b = (set(np.flatnonzero(mask).tolist()) for mask in (one[i], other[j]))
        assert result[i, j] == (len(a & b) / len(a | b) if a | b else 0)
    np.testing.assert_array_equal(result, intersection_over_union(other, one).T)


def test_iou_of_large_images_is_exact():
    masks = np.ones((2, 1500, 1500), bool)
    masks[1, 0, 0] = False
    assert intersection_over_union(masks, masks)[0, 1] == (1500**2 - 1) / 1500**2


def test_the_surest_takes_its_best_unit_first():
    iou = np.array([[0.9, 0.6], [0.95, 0.0], [0.0, 0.7]])
    matching = match(iou, [0.9, 0.5, 0.1])
    assert _pairs(matching) == [(0, 0), (2, 1)]
    assert matching.iou.tolist() == [0.9, 0.7]
    assert matching.false.tolist() == [1]
    assert matching.missed.tolist() == []
    assert (matching.matches, matching.predictions, matching.units) == (2, 3, 2)
    assert precision_recall(matching) == (2 / 3, 1)
    # The surer one leaves it what it wants second.
    assert _pairs(match(iou[:2], [0.1, 0.5])) == [(1, 0), (0, 1)]


def test_a_match_needs_more_than_the_threshold(strips):
    iou = intersection_over_union(strips("##"), strips("#."))
    assert iou.tolist() == [[0.5]]
    assert match(iou, [1.0]).matches == 0
    assert match(iou, [1.0], 0.499).matches == 1
    assert match_optimally(iou).matches == 0
    assert match(np.array([[0.0]]), [1.0], 0.0).matches == 0
    three_of_five = intersection_over_union(strips("###.."), strips("#####"))
    assert match(three_of_five, [1.0], 0.6).matches == 0


def test_equals_take_turns_in_the_order_given():
    iou = np.full((2, 2), 0.8)
    assert _pairs(match(iou, [0.5, 0.5])) == [(0, 0), (1, 1)]
    many = np.full((40, 1), 0.8)
    assert _pairs(match(many, np.ones(40))) == [(0, 0)]
    assert _pairs(match(iou, np.array([1, 2], np.uint8))) == [(1, 0), (0, 1)]
    assert _pairs(match(iou, [-math.inf, math.inf])) == [(1, 0), (0, 1)]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((0, 0), (1, 1)), ((0, 2), (math.nan, 0)), ((2, 0), (0, math.nan)), ((2, 3), (0, 0))],
)
def test_precision_and_recall_of_nothing(shape, expected):
    for matching in (match(np.zeros(shape), np.ones(shape[0])), match_optimally(np.zeros(shape))):
        assert (matching.predictions, matching.units) == shape
        assert precision_recall(matching) == pytest.approx(expected, nan_ok=True)


@given(SIZES, st.floats(0, 0.99), st.integers(0, 2**32))
def test_matching_equals_the_slow_one(size, threshold, seed):
    iou, confidence, _ = _random(size, seed)
    iou = np.round(iou, 1)  # with ties
    matching = match(iou, confidence // 2, threshold)
    assert _pairs(matching) == _match_slowly(iou, confidence // 2, threshold)
    assert sorted([*matching.predicted, *matching.false]) == list(range(size[0]))
    assert sorted([*matching.true, *matching.missed]) == list(range(size[1]))
    assert (np.diff(matching.false) > 0).all()
    assert (np.diff(matching.missed) > 0).all()


@given(SIZES, st.integers(0, 2**32))
def test_the_order_of_predictions_and_units_has_no_influence(size, seed):
    iou, confidence, random = _random(size, seed)
    rows, columns = (random.permutation(n) for n in size)
    moved = match(iou[rows][:, columns], confidence[rows])
    back = [(int(rows[p]), int(columns[u])) for p, u in _pairs(moved)]
    assert back == _pairs(match(iou, confidence))


@given(st.tuples(st.integers(0, 4), st.integers(0, 4)), st.integers(0, 2**32))
def test_the_optimal_matching_is_the_best_of_all(size, seed):
    iou, confidence, _ = _random(size, seed)
    matching = match_optimally(iou, 0.2)
    best = max(
        _all_matchings(iou, 0.2), key=lambda pairs: (len(pairs), sum(iou[pair] for pair in pairs))
    )
    assert _pairs(matching) == sorted((int(p), int(u)) for p, u in best)
    greedy = match(iou, confidence, 0.2).matches
    # Each greedy match stands in the way of two others at most.
    assert matching.matches / 2 <= greedy <= matching.matches


def test_the_optimal_matching_prefers_more_matches_to_a_larger_sum():
    iou = np.array([[0.9, 0.3], [0.3, 0.0]])
    assert _pairs(match_optimally(iou, 0.2)) == [(0, 1), (1, 0)]
    assert _pairs(match_optimally(iou)) == _pairs(match(iou, [1, 0], 0.2)) == [(0, 0)]


@given(st.integers(0, 6), st.integers(0, 2**32))
def test_perfect_predictions_are_all_matched_with_their_units(units, seed):
    random = np.random.default_rng(seed)
    masks = np.zeros((units, 6, 6), bool)
    for mask, pixel in zip(masks, random.permutation(36), strict=False):
        mask.flat[pixel] = True  # no two alike
        mask |= random.random((6, 6)) < 0.3  # noqa: PLW2901
        mask.flat[35 - pixel] = False
    distinct = np.unique(masks.reshape(units, 36), axis=0).reshape(-1, 6, 6)
    matching = match(intersection_over_union(distinct, distinct), random.random(len(distinct)))
    np.testing.assert_array_equal(matching.predicted, matching.true)
    assert (matching.iou == 1).all()
    assert precision_recall(matching) == (1, 1)


def test_what_cannot_be_matched_is_refused(refused):
    with refused("confidence: found 1 values, 0 of them NaN, wanted"):
        match(np.zeros((2, 2)), [0.5])
    with refused("confidence: found 2 values, 1 of them NaN"):
        match(np.zeros((2, 2)), [0.5, math.nan])
    with refused("threshold: found 1, wanted"):
        match(np.zeros((2, 2)), [0.5, 0.4], 1)
    with refused("threshold: found nan, wanted"):
        match_optimally(np.zeros((2, 2)), math.nan)
    with refused("IoU: found"):
        match(np.zeros(2), [0.5, 0.4])
    with refused("IoU: found"):
        match_optimally(np.full((1, 1), math.nan))
