"""Round numbers: few, evenly apart, within the range; bars of scales as long as they may be."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musim.cli.pictures.scales import round_length, round_ticks


@given(st.floats(1e-6, 1e6), st.integers(3, 10))
def test_ticks_are_round_few_and_inside(highest, most):
    found = round_ticks(highest, most)
    assert found[0] == 0
    assert 2 <= len(found) <= most + 1
    assert found[-1] <= highest * (1 + 1e-6)
    steps = np.diff(found)
    np.testing.assert_allclose(steps, steps[0], rtol=1e-6)
    assert f"{steps[0]:e}"[0] in "1259"
    assert found[-1] + steps[0] > highest * (1 - 1e-6)


@pytest.mark.parametrize(
    ("highest", "most", "ticks"),
    [
        (0.33, 6, [0, 0.1, 0.2, 0.3]), (40, 8, [0, 5, 10, 15, 20, 25, 30, 35, 40]),
        (40, 6, [0, 10, 20, 30, 40]), (1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]), (0, 6, [0]),
        (-1, 6, [0]), (math.nan, 6, [0]), (math.inf, 6, [0]),
    ],
)  # fmt: skip
def test_ticks_by_hand(highest, most, ticks):
    assert round_ticks(highest, most) == ticks


@given(st.floats(1e-6, 1e6))
def test_a_bar_is_the_longest_round_number(longest):
    length = round_length(longest)
    assert f"{length:e}"[0] in "125"
    assert longest / 2.5 * (1 - 1e-9) < length <= longest


@pytest.mark.parametrize(
    ("longest", "length"), [(0.33, 0.2), (1, 1), (49.9, 20), (5, 5), (1e6 - 1e-10, 5e5)]
)
def test_bars_by_hand(longest, length):
    assert round_length(longest) == pytest.approx(length, rel=1e-12)
