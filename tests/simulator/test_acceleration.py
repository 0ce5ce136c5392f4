from fractions import Fraction

import numpy as np
from numba import njit

from musim.simulator.acceleration import (
    BLOCK,
    PANEL,
    ROWS,
    add_scaled_block,
    add_scaled_rows,
    bits_of_float32,
    bits_of_float64,
    float32_of_bits,
    float64_of_bits,
    fused_multiply_add,
)


@njit
def _fused(x, y, z, out):
    for i in range(x.size):
        out[i] = fused_multiply_add(x[i], y[i], z[i])


@njit
def _there_and_back(single, double):
    for i in range(single.size):
        single[i] = float32_of_bits(bits_of_float32(single[i]))
        double[i] = float64_of_bits(bits_of_float64(double[i]))


@njit
def _bits(single, double):
    return bits_of_float32(single), bits_of_float64(double)


@njit
def _add_block(total, start, weights, block, factor):
    add_scaled_block(total, start, weights, block, factor)


def test_fused_multiply_add_rounds_once():
    random = np.random.default_rng(0)
    x, y = random.standard_normal((2, 300)).astype(np.float32)
    z = (-x * y).astype(np.float32)  # what is left is the rounding of the product
    out = np.empty_like(x)
    _fused(x, y, z, out)
    triples = zip(x.tolist(), y.tolist(), z.tolist(), strict=True)
    exact = [Fraction(a) * Fraction(b) + Fraction(c) for a, b, c in triples]
    np.testing.assert_array_equal(out, [np.float32(float(value)) for value in exact])
    assert out.any()


def test_bit_casts_keep_every_bit():
    assert _bits(np.float32(1.0), 1.0) == (0x3F800000, 0x3FF0000000000000)
    single = np.array([0.0, -0.0, 1.5, -np.inf, 1e-45], np.float32)
    double = np.array([0.0, -0.0, 1.5, -np.inf, 5e-324])
    expected = single.tobytes(), double.tobytes()
    _there_and_back(single, double)
    assert (single.tobytes(), double.tobytes()) == expected


def test_a_scaled_block_is_added_as_by_a_plain_loop_and_nowhere_else():
    random = np.random.default_rng(0)
    total = random.standard_normal(5 * BLOCK + 3).astype(np.float32)
    weights = random.standard_normal((4, BLOCK)).astype(np.float32)
    factor = np.float32(0.7)
    for start in (0, 1, 5, BLOCK, 4 * BLOCK + 3):
        for block in range(4):
            expected = total.copy()
            expected[start : start + BLOCK] += factor * weights[block]
            _add_block(total, start, weights, block, factor)
            np.testing.assert_array_equal(total, expected)


@njit
def _add_rows(sums, images, first, count, start, factors):
    add_scaled_rows(sums, images, first, count, start, factors)


def test_rows_of_sums_are_added_one_image_after_another():
    random = np.random.default_rng(1)
    sums = random.standard_normal((ROWS, PANEL)).astype(np.float32)
    images = random.standard_normal((7, 100)).astype(np.float32)
    factors = random.standard_normal((ROWS, 5)).astype(np.float32)
    wanted = sums.copy()
    for row in range(ROWS):
        for x in range(PANEL):
            for term in range(4):
                exact = Fraction(float(factors[row, term])) * Fraction(
                    float(images[2 + term, 60 + x])
                ) + Fraction(float(wanted[row, x]))
                wanted[row, x] = np.float32(float(exact))
    found = sums.copy()
    _add_rows(found, images, 2, 4, 60, factors)
    np.testing.assert_array_equal(found, wanted)
    _add_rows(found, images, 2, 0, 60, factors)
    np.testing.assert_array_equal(found, wanted)
