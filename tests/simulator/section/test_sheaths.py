"""Sheaths lie along their number, have gaps, and the table is read as a slow version does."""

import numpy as np
import pytest

from musim.simulator.section.sheaths import Sheaths
from musim.simulator.section.sheaths_kernels import lay_sheaths, look_up


def test_a_table_is_read_linearly_and_is_nothing_outside():
    table = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    row, step = (
        np.array([0.0, 0.5, 1.25, 1.75, -0.1, 2.1, 1]),
        np.array([0, 0.5, 2, 1.5, 0, 1, 3.2]),
    )
    out = np.empty((2, 7), np.float32)
    look_up(table, row, step, out)
    wanted = row * 4 + step
    np.testing.assert_allclose(out[0, :4], wanted[:4])
    np.testing.assert_allclose(out[1, :4], wanted[:4] + 12)
    np.testing.assert_array_equal(out[:, 4:], 0)


def test_sheaths_are_laid_as_gaussians_about_their_course():
    random = np.random.default_rng(0)
    first, course = np.array([5.2, 30.7]), random.uniform(-1, 1, (2, 6))
    echo, table = random.standard_normal((2, 2, 6)), np.zeros((2, 40, 6), np.float32)
    lay_sheaths(first, course, echo, 1.6, table)
    rows = np.arange(40)[:, None, None]
    shapes = np.exp(-(((rows - (first[:, None] + course)) / 1.6) ** 2) / 2)  # (row, sheath, step)
    wanted = np.einsum("rst,pst->prt", shapes, echo)
    np.testing.assert_allclose(table, wanted, atol=0.03)  # cut at three SD


@pytest.mark.parametrize("gaps", [0.2, 0.5, 0.8])
def test_the_share_of_gaps_is_that_which_is_not_seen(gaps):
    # Sheaths far apart, looked at along their ways: rows of one sheath are zero in its gaps.
    sheaths = Sheaths(0.5, gaps, 1.0, length=2.0, wave=0.0)
    number, along = np.meshgrid(np.arange(0, 150, 0.05), np.arange(0, 60, 0.4), indexing="ij")
    seen = sheaths.seen_at(number.ravel(), along.ravel(), np.random.default_rng(0))
    power = np.abs(seen.reshape(number.shape))
    # Where a sheath is strong, it is the only one to be seen.
    dense = power > 1e-3
    strong = power.max(axis=1) > np.quantile(power.max(axis=1), 0.8)
    assert dense[strong].mean() == pytest.approx(1 - gaps, abs=0.2)


def test_echoes_scale_with_the_strength():
    number, along = np.random.default_rng(1).uniform(0, 20, (2, 500))
    one, ten = (
        Sheaths(1.0, 0.4, echo).seen_at(number, along, np.random.default_rng(0)) for echo in (1, 10)
    )
    np.testing.assert_allclose(ten, 10 * one, rtol=1e-4, atol=1e-5)
    none = Sheaths(1.0, 0.4, 1.0).seen_at(np.zeros(0), np.zeros(0), np.random.default_rng(0))
    assert none.shape == (0,)
