"""Grey levels, beside SciPy's and scikit-image's, and in the limits that are known."""

import numpy as np
import pytest
import scipy
import skimage

from musim.training.sections.likeness.grey_levels import measure_grey_levels


@pytest.fixture(scope="module")
def images():
    random = np.random.default_rng(0)
    return np.clip(random.gamma(2, 20, (4, 40, 30)), 0, 255).astype(np.uint8)


def test_as_scipy_and_scikit_image_have_them(images):
    found = measure_grey_levels(images)
    flat = images.reshape(4, -1).astype(float)
    np.testing.assert_allclose(found.mean, flat.mean(axis=1))
    np.testing.assert_allclose(found.sd, flat.std(axis=1))
    np.testing.assert_allclose(found.skewness, scipy.stats.skew(flat, axis=1))
    np.testing.assert_allclose(
        found.entropy, [skimage.measure.shannon_entropy(image) for image in images]
    )
    np.testing.assert_allclose(found.pixel_entropy, scipy.stats.entropy(flat, axis=1))
    for image, histogram in zip(images, found.histogram, strict=True):
        np.testing.assert_allclose(histogram, np.histogram(image, 256, (0, 256))[0] / image.size)


def test_the_limits_of_both_entropies():
    """256 levels alike have 8 bits; an even image has the logarithm of its pixels."""
    every = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    assert measure_grey_levels(every).entropy[0] == pytest.approx(8)
    even = measure_grey_levels(np.full((1, 256, 256), 7, np.uint8))
    assert even.entropy[0] == 0
    assert even.pixel_entropy[0] == pytest.approx(np.log(65536))
    assert np.isnan(even.skewness[0])
    half = np.zeros((1, 256, 256), np.uint8)
    half[:, :128] = 9
    assert measure_grey_levels(half).pixel_entropy[0] == pytest.approx(np.log(32768))


def test_a_black_image_has_no_entropy_over_pixels():
    assert np.isnan(measure_grey_levels(np.zeros((1, 8, 8), np.uint8)).pixel_entropy[0])


def test_the_published_entropies_are_those_over_pixels():
    """Skewed speckle of 256 x 256 px has 10.6 to 11.0, and its levels less than 8."""
    random = np.random.default_rng(1)
    images = np.clip(random.gamma(2, 25, (3, 256, 256)), 0, 255).astype(np.uint8)
    found = measure_grey_levels(images)
    assert np.all((found.pixel_entropy > 10.6) & (found.pixel_entropy < 11.09))
    assert np.all(found.entropy < 8)
