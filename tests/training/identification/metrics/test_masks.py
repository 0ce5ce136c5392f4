import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musim.training.identification.metrics.masks import areas, check_masks, shared_pixels


@given(st.integers(0, 4), st.integers(0, 4), st.integers(0, 5), st.integers(0, 2**32))
def test_shared_pixels_are_those_of_both(first, second, side, seed):
    random = np.random.default_rng(seed)
    one, other = (random.random((n, side, 3)) < 0.5 for n in (first, second))
    slow = [[sum((a & b).ravel().tolist()) for b in other] for a in one]
    np.testing.assert_array_equal(shared_pixels(one, other), np.reshape(slow, (first, second)))
    np.testing.assert_array_equal(areas(one), [sum(a.ravel().tolist()) for a in one])


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((1, 2, 3)), np.zeros((2, 3), bool), [[[True]]], np.zeros((1, 2, 4), bool)],
    ids=["not bool", "two dimensions", "no array", "another image"],
)
def test_what_are_no_masks_of_one_image_are_refused(wrong, refused):
    right = np.zeros((5, 2, 3), bool)
    with refused("predicted masks: found ", " wanted"):
        check_masks(wrong, right)
    with refused("masks: found ", " wanted"):
        check_masks(right, wrong)
    assert check_masks(right, right[:0])[1].shape == (0, 2, 3)
