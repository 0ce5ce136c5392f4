"""Assignment against all that there are."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from musim.training.identification.metrics.assignment import assign


def _assign_slowly(worth, allowed):
    """Number and worth of the best pairs, of all the ways to pair the fewer with the more."""
    if worth.shape[0] > worth.shape[1]:
        worth, allowed = worth.T, allowed.T
    rows = range(worth.shape[0])
    ways = itertools.permutations(range(worth.shape[1]), len(rows))
    return max(
        (
            sum(allowed[row, column] for row, column in zip(rows, way, strict=True)),
            sum(
                worth[row, column]
                for row, column in zip(rows, way, strict=True)
                if allowed[row, column]
            ),
        )
        for way in ways
    )


@given(st.integers(1, 4), st.integers(1, 5), st.integers(0, 2**32))
def test_most_pairs_and_then_the_worthiest(rows, columns, seed):
    worth = np.random.default_rng(seed).random((rows, columns))
    allowed = worth > 0.5
    first, second = assign(worth, allowed)
    assert len(set(first)) == len(first) == len(set(second)) == len(second)
    assert (np.diff(first) > 0).all()
    assert allowed[first, second].all()
    assert (len(first), worth[first, second].sum()) == pytest.approx(_assign_slowly(worth, allowed))


def test_two_pairs_beat_a_better_one():
    worth = np.array([[0.99, 0.71], [0.71, 0.1]])
    assert [places.tolist() for places in assign(worth, worth > 0.7)] == [[0, 1], [1, 0]]


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_nothing_is_paired_with_nothing(shape):
    first, second = assign(np.zeros(shape), np.ones(shape, bool))
    assert first.size == second.size == 0


@given(st.integers(1, 7), st.integers(1, 7), st.integers(1, 100), st.integers(0, 2**32))
def test_equals_are_broken_as_scipy_breaks_them(rows, columns, levels, seed):
    random = np.random.default_rng(seed)
    worth = random.integers(0, levels, (rows, columns)) / levels
    found = assign(worth, np.ones((rows, columns), bool))
    wanted = linear_sum_assignment(worth + min(rows, columns) + 1.0, maximize=True)
    np.testing.assert_array_equal(found, wanted)
