"""Scores of pairs, beside scikit-image's; as published they are high for any two images."""

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from musim.training.sections.likeness.pairs import PUBLISHED_EXCESS, compare_pairs, draw_pairs


@pytest.fixture(scope="module")
def sets():
    random = np.random.default_rng(0)
    return np.clip(random.gamma(2, 25, (2, 3, 40, 36)), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def scores(sets):
    return compare_pairs(*sets, np.array([[0, 1], [2, 0]]))


def test_as_scikit_image_has_them(sets, scores):
    for place, (i, j) in enumerate(((0, 1), (2, 0))):
        one, other = sets[0, i], sets[1, j]
        assert scores.psnr[place] == pytest.approx(
            peak_signal_noise_ratio(one, other, data_range=255)
        )
        assert scores.ssim[place] == pytest.approx(
            structural_similarity(one, other, data_range=255, use_sample_covariance=False)
        )


def test_as_published_they_are_those_of_a_wrong_range(sets, scores):
    """Images from 0 to 1, which are said to reach to 255."""
    for place, (i, j) in enumerate(((0, 1), (2, 0))):
        one, other = sets[0, i] / 255, sets[1, j] / 255
        assert scores.psnr_published[place] == pytest.approx(
            peak_signal_noise_ratio(one, other, data_range=255)
        )
        assert scores.ssim_published[place] == pytest.approx(
            structural_similarity(one, other, data_range=255, use_sample_covariance=False)
        )
    assert pytest.approx(48.13, abs=0.005) == PUBLISHED_EXCESS
    # Noise and noise: nothing in common.
    assert np.all(scores.ssim < 0.1)
    assert np.all(scores.psnr_published > 60)
    assert np.all(scores.ssim_published > 0.99)


def test_what_is_said_of_structural_similarity_as_published(sets, scores):
    """1 less the local means' squared difference over 6.5, less the variance over 58.5."""
    for place, (i, j) in enumerate(((0, 1), (2, 0))):
        apart = (sets[0, i] / 255 - sets[1, j] / 255) ** 1
        windows = np.lib.stride_tricks.sliding_window_view(apart, (7, 7))
        mean, variance = windows.mean(axis=(2, 3)), windows.var(axis=(2, 3))
        expected = 1 - mean**2 / 6.5025 - variance / 58.5225
        assert scores.ssim_published[place] == pytest.approx(expected.mean(), abs=2e-4)


def test_the_same_image_twice(sets):
    """Has no noise: the ratio has no value, and does not make a mean infinite."""
    found = compare_pairs(sets[0], sets[0], np.array([[1, 1]]))
    assert np.isnan(found.psnr[0])
    assert found.ssim[0] == pytest.approx(1)


def test_pairs_within_a_set_are_of_different_groups():
    groups = np.array([0, 0, 1, 2, 2])
    pairs = draw_pairs(groups, None, 0)
    assert sorted(map(tuple, pairs)) == [
        (0, 2), (0, 3), (0, 4), (1, 2), (1, 3), (1, 4), (2, 3), (2, 4)
    ]  # fmt: skip
    drawn = draw_pairs(groups, None, 0, most=5)
    assert len({tuple(pair) for pair in drawn}) == 5
    assert {tuple(pair) for pair in drawn} <= {tuple(pair) for pair in pairs}
    assert not np.array_equal(drawn, draw_pairs(groups, None, 1, most=5))
    assert np.array_equal(drawn, draw_pairs(groups, None, 0, most=5))
    assert len(draw_pairs(np.zeros(3, int), None, 0)) == 0


def test_pairs_between_sets_are_of_all_images():
    """Groups of different sets are different, whatever their numbers."""
    pairs = draw_pairs(np.array([0, 1]), np.array([0, 0, 0]), 0)
    assert {tuple(pair) for pair in pairs} == {(i, j) for i in range(2) for j in range(3)}


def test_images_smaller_than_a_window(refused):
    small = np.zeros((2, 6, 20), np.uint8)
    with refused("found images of 6 x 20 px", "wanted 7 x 7 or more"):
        compare_pairs(small, small, np.array([[0, 1]]))
