import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musim.simulator.imaging.median_network import (
    across,
    median_network,
    median_steps,
    merge,
    prune,
    sort,
)


def _run(steps, values):
    """Send values of shape (wire, ...) through comparators."""
    values = values.copy()
    for low, high in steps:
        values[[low, high]] = (
            np.minimum(values[low], values[high]),
            np.maximum(values[low], values[high]),
        )
    return values


def _zeros_and_ones(wires):
    """All inputs of zeros and ones: what sorts them sorts anything.

    Knuth, The Art of Computer Programming 3, section 5.3.4, theorem Z.
    """
    return np.array(list(itertools.product((0, 1), repeat=wires))).T


@pytest.mark.parametrize("wires", range(1, 13))
def test_sorting_sorts_all_zeros_and_ones(wires):
    steps, order = sort(list(range(wires)))
    found = _run(steps, _zeros_and_ones(wires))[order]
    assert sorted(order) == list(range(wires))
    assert (np.diff(found, axis=0) >= 0).all()


@pytest.mark.parametrize(("first", "second"), list(itertools.product(range(7), repeat=2))[1:])
def test_merging_merges_sorted_zeros_and_ones_of_any_lengths(first, second):
    wires = list(range(first + second))
    # A sorted list of zeros and ones is its number of ones.
    cases = [
        [0] * (first - i) + [1] * i + [0] * (second - j) + [1] * j
        for i in range(first + 1)
        for j in range(second + 1)
    ]
    steps, order = merge(wires[:first], wires[first:])
    found = _run(steps, np.array(cases).T.reshape(first + second, -1))[order]
    assert sorted(order) == wires
    assert (np.diff(found, axis=0) >= 0).all()


def _median(rows, columns, values):
    """Run both stages on values of shape (columns, rows, ...)."""
    sorting, merging, middle = median_network(rows, columns)
    for column in range(columns):
        values[column] = _run(sorting, values[column])
        assert (np.diff(values[column], axis=0) >= 0).all()
    return _run(merging, values.reshape(rows * columns, -1))[middle]


@pytest.mark.parametrize(
    ("rows", "columns"), [(1, 1), (1, 3), (3, 1), (3, 3), (1, 15), (15, 1), (3, 5), (5, 3)]
)
def test_the_middle_of_all_zeros_and_ones_is_found(rows, columns):
    cases = _zeros_and_ones(rows * columns)
    found = _median(rows, columns, cases.reshape(columns, rows, -1))
    np.testing.assert_array_equal(found, np.median(cases, axis=0))


@pytest.mark.parametrize(("rows", "columns"), [(5, 5), (7, 3), (3, 7), (9, 9), (1, 31), (31, 3)])
def test_the_middle_of_sorted_columns_of_zeros_and_ones_is_found(rows, columns):
    # Sorted columns are told by their numbers of ones; too many to try all, drawn near a half.
    random = np.random.default_rng(1)
    ones = random.binomial(rows, random.uniform(0.3, 0.7, 20_000), (columns, 20_000))
    cases = (np.arange(rows)[:, None] >= rows - ones[:, None]).astype(int)
    found = _median(rows, columns, cases)
    np.testing.assert_array_equal(found, ones.sum(axis=0) > rows * columns // 2)


@pytest.mark.parametrize(("length", "count"), [(1, 3), (3, 3), (5, 3), (7, 3), (3, 5), (5, 7)])
def test_across_leaves_the_median_and_as_many_below_as_above(length, count):
    random = np.random.default_rng(2)
    values = np.sort(random.random((count, length, 500)), axis=1).reshape(length * count, 500)
    wires = np.arange(length * count).reshape(count, length).tolist()
    steps, left = across(wires)
    found = _run(steps, values)
    for places in left:
        assert (np.diff(found[places], axis=0) > 0).all()
    kept = found[np.concatenate(left).astype(int)]
    assert len(kept) < len(values)
    np.testing.assert_array_equal(np.median(kept, axis=0), np.median(values, axis=0))


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 5), (3, 1), (3, 3), (7, 3), (5, 5)])
def test_steps_find_medians_side_by_side_and_leave_what_they_need(rows, columns):
    steps = median_steps(rows, columns)
    image = np.random.default_rng(3).random((rows, columns + 9))
    lines = np.concatenate([image, np.full((steps.lines, columns + 9), np.nan)])

    def compare(entries, width):
        for one, two, *targets in entries:
            pair = [
                lines[row, column : column + width].copy()
                for row, column in (steps.places[one], steps.places[two])
            ]
            for target, choice in zip(targets, (np.minimum, np.maximum), strict=True):
                if target >= 0:
                    row, column = steps.places[target]
                    assert row >= rows
                    lines[row, column : column + width] = choice(*pair)

    compare(steps.sorting, columns + 9)
    compare(steps.merging, 10)
    np.testing.assert_array_equal(lines[:rows], image)
    row, column = steps.places[steps.middle]
    windows = np.lib.stride_tricks.sliding_window_view(image, (rows, columns))
    expected = np.median(windows, axis=(2, 3))[0]
    np.testing.assert_array_equal(lines[row, column : column + len(expected)], expected)


@given(st.integers(0, 7), st.integers(0, 7), st.integers(0, 2**32))
def test_the_middle_is_the_median(above, left, seed):
    rows, columns = 2 * above + 1, 2 * left + 1
    values = np.random.default_rng(seed).standard_normal((columns, rows, 3))
    expected = np.median(values.reshape(rows * columns, 3), axis=0)
    np.testing.assert_array_equal(_median(rows, columns, values), expected)


def test_what_has_no_say_in_the_middle_is_left_out():
    steps, order = sort(list(range(9)))
    kept = prune(steps, order[4])
    assert len(kept) < len(steps)
    cases = _zeros_and_ones(9)
    np.testing.assert_array_equal(_run(kept, cases)[order[4]], np.median(cases, axis=0))
    assert prune([(0, 1), (2, 3)], 1) == [(0, 1)]
    assert prune([(0, 1), (2, 3), (1, 2)], 2) == [(0, 1), (2, 3), (1, 2)]


def test_every_comparator_that_is_left_is_needed():
    # Of a pruned 3 x 3 network, leaving any comparator out spoils some median.
    sorting, merging, middle = median_network(3, 3)
    cases = _zeros_and_ones(9)
    columns = np.sort(cases.reshape(3, 3, -1), axis=1).reshape(9, -1)
    expected = np.median(cases, axis=0)
    assert len(sorting) == 3
    spoiled = [
        (_run(np.delete(merging, step, axis=0), columns)[middle] != expected).any()
        for step in range(len(merging))
    ]
    assert np.mean(spoiled) > 0.9
