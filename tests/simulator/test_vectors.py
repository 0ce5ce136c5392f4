from fractions import Fraction

import numpy as np
import pytest
from numba import njit

from musim.simulator.vectors import (
    LANES,
    broadcast,
    fused_multiply_add,
    load,
    load_pairs,
    store,
    where_less,
)


@njit
def _arithmetic(x, y, number, out):
    a, b = load(x, 0), load(y, 0)
    results = (
        a + b, a - b, a * b, a / b,
        a + number, a - number, a * number, a / number,
        number + b, number - b, number * b, number / b,
    )  # fmt: skip
    for row in range(12):
        store(out, row * LANES, results[row])


@njit
def _fused(x, y, z, number, out):
    a, b, c = load(x, 0), load(y, 0), load(z, 0)
    store(out, 0, fused_multiply_add(a, b, c))
    store(out, LANES, fused_multiply_add(number, b, c))
    store(out, 2 * LANES, fused_multiply_add(a, number, c))
    store(out, 3 * LANES, fused_multiply_add(a, b, number))
    return fused_multiply_add(x[0], y[0], z[0])


@njit
def _sum_of_rows(rows, weights, out):
    for x in range(0, rows.shape[1], LANES):
        total = broadcast(np.float32(0))
        for row in range(len(rows)):
            total = total + weights[row] * load(rows, row * rows.shape[1] + x)
        store(out, x, total)


@njit
def _choose(x, y, number, out):
    a, b = load(x, 0), load(y, 0)
    store(out, 0, where_less(a, b, a, b))
    store(out, LANES, where_less(number, a, number, a))
    store(out, 2 * LANES, -a)
    store(out, 3 * LANES, abs(a))
    return where_less(x[0], y[0], x[0], y[0])


@njit
def _part(pairs, place, out):
    even, odd = load_pairs(pairs, place)
    store(out, 0, even)
    store(out, LANES, odd)


def test_operators_are_those_of_single_numbers():
    random = np.random.default_rng(0)
    x, y = random.standard_normal((2, LANES)).astype(np.float32)
    number, out = np.float32(0.7), np.empty((12, LANES), np.float32)
    _arithmetic(x, y, number, out)
    expected = [
        f(a, b)
        for a, b in ((x, y), (x, number), (number, y))
        for f in (np.add, np.subtract, np.multiply, np.divide)
    ]
    np.testing.assert_array_equal(out, expected)


def test_what_is_fused_is_rounded_once():
    random = np.random.default_rng(1)
    x, y = random.standard_normal((2, LANES)).astype(np.float32)
    z = (-x * y).astype(np.float32)  # what is left is the rounding of the product
    number, out = np.float32(1 / 3), np.empty((4, LANES), np.float32)
    alone = _fused(x, y, z, number, out)
    numbers = np.full(LANES, number)
    for row, triple in enumerate(((x, y, z), (numbers, y, z), (x, numbers, z), (x, y, numbers))):
        lists = (values.tolist() for values in triple)
        exact = [Fraction(a) * Fraction(b) + Fraction(c) for a, b, c in zip(*lists, strict=True)]
        np.testing.assert_array_equal(out[row], [np.float32(float(value)) for value in exact])
    assert out[0].all()
    assert alone == out[0, 0]


def test_signs_and_choices_are_those_of_single_numbers():
    x = np.arange(-5, LANES - 5, dtype=np.float32)
    x[0], x[5] = np.nan, -0.0
    y = np.where(np.arange(LANES) % 2, x + 1, x - 1).astype(np.float32)
    number, out = np.float32(2), np.empty((4, LANES), np.float32)
    assert _choose(x[1:], y[1:], number, out) == x[1]
    _choose(x, y, number, out)
    with np.errstate(invalid="ignore"):
        expected = [np.where(x < y, x, y), np.where(number < x, number, x), -x, abs(x)]
    np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(np.signbit(out[2:]), np.signbit(expected[2:]))


@pytest.mark.parametrize("place", [0, 3])
def test_pairs_are_taken_apart(place):
    values = np.arange(40, dtype=np.float32)
    out = np.empty((2, LANES), np.float32)
    _part(values.reshape(20, 2), place, out)
    np.testing.assert_array_equal(out, values[place : place + 2 * LANES].reshape(LANES, 2).T)


def test_sums_are_in_the_order_that_is_written():
    random = np.random.default_rng(2)
    rows = random.standard_normal((9, 3 * LANES)).astype(np.float32)
    weights = random.standard_normal(9).astype(np.float32)
    out, expected = np.empty(3 * LANES, np.float32), np.zeros(3 * LANES, np.float32)
    _sum_of_rows(rows, weights, out)
    for row, weight in zip(rows, weights, strict=True):
        expected += weight * row
    np.testing.assert_array_equal(out, expected)
    assert (out != weights @ rows).any()  # another order has other last bits


@pytest.mark.parametrize("place", [0, 1, 7, 19])
def test_places_count_values_and_need_no_alignment(place):
    @njit
    def move(source, first, target, second):
        store(target, second, load(source, first))

    source = np.arange(40, dtype=np.float32).reshape(2, 20)
    target = np.full((4, 11), -1, np.float32)
    move(source, place, target, 3)
    expected = np.full(44, -1, np.float32)
    expected[3 : 3 + LANES] = np.arange(place, place + LANES)
    np.testing.assert_array_equal(target.ravel(), expected)
