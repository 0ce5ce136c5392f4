"""Errors of generated images: by hand, and against scikit-image."""

import math

import numpy as np
import pytest
from skimage.metrics import (
    normalized_root_mse,
    peak_signal_noise_ratio,
    structural_similarity,
)

from musim.training.paired.metrics import (
    global_similarity,
    normalised_error,
    peak_ratio,
    peak_ratio_of_range,
    relative_error,
    root_mean_square_error,
    windowed_similarity,
)

ACTUAL = np.array([[0.0, 100.0], [200.0, 100.0]])
GENERATED = np.array([[0.0, 110.0], [220.0, 90.0]])


@pytest.fixture
def images():
    """Two images of 0 to 255 that have something in common."""
    random = np.random.default_rng(1)
    actual = random.uniform(0, 255, (40, 31))
    return actual, np.clip(0.7 * actual + random.normal(20, 25, actual.shape), 0, 255)


def test_errors_by_hand():
    error = math.sqrt((0 + 100 + 400 + 100) / 4)
    assert root_mean_square_error(ACTUAL, GENERATED) == pytest.approx(error)
    # Over the actual image's range, whatever the generated one's is.
    assert normalised_error(ACTUAL, GENERATED) == pytest.approx(error / 200)
    assert normalised_error(GENERATED, ACTUAL) == pytest.approx(error / 220)
    assert relative_error(ACTUAL, GENERATED) == pytest.approx(
        math.sqrt(600 / (100**2 + 200**2 + 100**2))
    )
    # Of the maximum over both: the same whichever is the actual one.
    decibels = 10 * math.log10(220**2 / 150)
    assert peak_ratio(ACTUAL, GENERATED) == pytest.approx(decibels)
    assert peak_ratio(GENERATED, ACTUAL) == pytest.approx(decibels)
    assert peak_ratio_of_range(ACTUAL, GENERATED) == pytest.approx(10 * math.log10(255**2 / 150))


def test_similarity_of_one_window_by_hand():
    # Means 100 and 105; variances 5000 and (105^2 + 5^2 + 115^2 + 15^2) / 4; covariance 5500.
    variance = (105**2 + 5**2 + 115**2 + 15**2) / 4
    first, second = 2.55**2, 7.65**2
    expected = (2 * 100 * 105 + first) / (100**2 + 105**2 + first)
    expected *= (2 * 5500 + second) / (5000 + variance + second)
    assert global_similarity(ACTUAL, GENERATED) == pytest.approx(expected, rel=1e-12)


def test_they_are_those_of_scikit_image(images):
    actual, generated = images
    for normalization, function in (("min-max", normalised_error), ("euclidean", relative_error)):
        expected = normalized_root_mse(actual, generated, normalization=normalization)
        assert function(actual, generated) == pytest.approx(expected, rel=1e-12)
    assert peak_ratio_of_range(actual, generated) == pytest.approx(
        peak_signal_noise_ratio(actual, generated, data_range=255), rel=1e-12
    )
    for shape in ((40, 31), (11, 12)):
        pair = [image[: shape[0], : shape[1]] for image in images]
        expected = structural_similarity(
            *pair, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        assert windowed_similarity(*pair) == pytest.approx(expected, rel=1e-9)
    # One window: a square one as large as the image.
    square = [image[:31, :31] for image in images]
    expected = structural_similarity(
        *square, data_range=255, win_size=31, use_sample_covariance=False
    )
    assert global_similarity(*square) == pytest.approx(expected, rel=1e-9)


def test_an_image_is_like_itself(images):
    actual, _ = images
    assert normalised_error(actual, actual) == 0
    assert relative_error(actual, actual) == 0
    assert peak_ratio(actual, actual) == math.inf
    assert global_similarity(actual, actual) == pytest.approx(1)
    assert windowed_similarity(actual, actual) == pytest.approx(1)


def test_where_there_is_no_answer_there_is_none():
    flat = np.zeros((12, 12))
    assert math.isnan(normalised_error(flat, flat + 1))
    assert math.isnan(relative_error(flat, flat + 1))
    assert math.isnan(windowed_similarity(flat[:10], flat[:10]))
    assert peak_ratio(flat - 1, flat) == -math.inf


def test_images_of_other_shapes_are_refused(refused):
    with refused("found shape (2, 1)", "wanted (2, 2)"):
        global_similarity(ACTUAL, GENERATED[:, :1])
    with refused("one pixel or more"):
        normalised_error(ACTUAL[:0], GENERATED[:0])
