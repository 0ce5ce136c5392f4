"""Likeness of histograms and K-spaces: against well-known implementations and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.metrics import structural_similarity

from musim.training.translation.metrics.spatial import (
    bhattacharyya,
    correlations,
    structural_similarities,
    window_mean,
)


def histograms(seed=2022, count=4, bins=16):
    random = np.random.default_rng(seed)
    found = np.stack([random.integers(0, 40, bins) / 1.0 for _ in range(count)])
    return found / found.sum(axis=1, keepdims=True)


def test_distance_and_correlation_are_opencvs():
    # Made once with opencv-python-headless 5.0.0, of the same histograms as float32:
    # cv2.compareHist(a, b, cv2.HISTCMP_BHATTACHARYYA) and (a, b, cv2.HISTCMP_CORREL).
    ours = histograms()
    wanted = [[0.407123, 0.367824], [0.371096, 0.510678]]
    np.testing.assert_allclose(bhattacharyya(ours[:2], ours[2:]), wanted, atol=2e-6)
    wanted = [[-0.112093, 0.394363], [0.219290, -0.370741]]
    np.testing.assert_allclose(correlations(ours[:2], ours[2:]), wanted, atol=2e-6)


@given(st.integers(0, 10**6))
def test_distance_and_correlation_as_opencv_documents_them(seed):
    first, second = histograms(seed, 2) + 1e-3
    n = first.size
    distance = np.sqrt(max(0, 1 - sum(
        np.sqrt(p * q) for p, q in zip(first, second, strict=True)
    ) / np.sqrt(first.mean() * second.mean() * n**2)))  # fmt: skip
    a, b = first - first.sum() / n, second - second.sum() / n
    correlation = sum(a * b) / np.sqrt(sum(a**2) * sum(b**2))
    shares = first / first.sum(), second / second.sum()
    assert bhattacharyya(*(s[None] for s in shares)) == pytest.approx(distance, abs=1e-7)
    assert correlations(first[None], second[None]) == pytest.approx(correlation, abs=1e-9)


def test_distance_and_correlation_by_hand():
    one, other, both = np.array([[1.0, 0, 0, 0]]), np.array([[0, 1.0, 0, 0]]), np.eye(4)[:2]
    assert bhattacharyya(one, other) == 1
    assert bhattacharyya(both, both).tolist() == [[0, 1], [1, 0]]
    half = np.array([[0.5, 0.5, 0, 0]])
    assert bhattacharyya(one, half) == pytest.approx(np.sqrt(1 - np.sqrt(0.5)))
    assert correlations(one, other) == pytest.approx(-1 / 3)
    np.testing.assert_allclose(correlations(both, both), [[1, -1 / 3], [-1 / 3, 1]])
    # A constant row tells nothing, whatever its mean's rounding.
    flat = np.full((1, 7), 0.1)
    assert correlations(flat, np.arange(7.0)[None]) == 0
    assert correlations(flat, flat) == 0


@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 4))
def test_all_pairs_are_the_pairs(seed, count, other):
    random = np.random.default_rng(seed)
    first, second = random.uniform(0, 1, (count, 9, 8)), random.uniform(0, 1, (other, 9, 8))
    for found, function in (
        (bhattacharyya(first[:, 0], second[:, 0]), lambda a, b: bhattacharyya(a[:, 0], b[:, 0])),
        (correlations(first[:, 0], second[:, 0]), lambda a, b: correlations(a[:, 0], b[:, 0])),
        (structural_similarities(first, second, 3),
         lambda a, b: structural_similarities(a, b, 3)),
    ):  # fmt: skip
        assert found.shape == (count, other)
        for row in range(count):
            for column in range(other):
                one = function(first[row][None], second[column][None])[0, 0]
                assert found[row, column] == pytest.approx(one, abs=1e-12)


@given(st.integers(0, 10**6), st.sampled_from([3, 5, 7, 9]))
def test_similarity_is_scikit_images(seed, window):
    random = np.random.default_rng(seed)
    images = random.uniform(0, 1, (2, 12, 15))
    images[1] = 0.5 * images[1] + random.uniform(0, 0.5) * images[0]
    wanted = structural_similarity(
        *images, win_size=window, data_range=1.0, gaussian_weights=False,
        use_sample_covariance=False,
    )  # fmt: skip
    found = structural_similarities(images[:1], images[1:], window)
    assert found == pytest.approx(wanted, abs=1e-9)


def test_similarity_by_hand():
    # One window of 3 x 3. Means 0 and 1, variances 0: luminance 1e-4 / (1 + 1e-4), the rest 1.
    zero, one = np.zeros((1, 3, 3)), np.ones((1, 3, 3))
    assert structural_similarities(zero, one, 3) == pytest.approx(1e-4 / (1 + 1e-4))
    assert structural_similarities(one, one, 3) == pytest.approx(1)
    # Images and their negatives about 1/2: means alike, covariance -1 times the variance.
    image = np.array([[[0, 1, 0], [1, 0.5, 0], [1, 0, 1.0]]])
    v, c = image.var(), 9e-4
    assert image.mean() == 0.5
    found = structural_similarities(image, 1 - image, 3)
    assert found == pytest.approx((-2 * v + c) / (2 * v + c))


def test_windows_are_inside():
    image = np.random.default_rng(0).normal(size=(2, 6, 8))
    found = window_mean(image, 5)
    assert found.shape == (2, 2, 4)
    for z in range(2):
        for x in range(4):
            np.testing.assert_allclose(
                found[:, z, x], image[:, z : z + 5, x : x + 5].mean(axis=(1, 2)), atol=1e-14
            )


def test_images_smaller_than_a_window_are_refused(refused):
    with refused("found 6 x 9 points, wanted windows of 7 x 7"):
        structural_similarities(np.zeros((1, 6, 9)), np.zeros((1, 6, 9)), 7)
