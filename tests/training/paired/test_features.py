"""Structures by their width: found where they are, and kept as far as they are kept."""

import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, gaussian_filter1d, grey_opening

from musim.training.paired.explaining.features import (
    DIAMETERS,
    SizeClass,
    by_width,
    disc,
    noise_of,
    smallest_faithful,
    structures_of,
)

WIDTHS = (1, 2, 3, 4, 5, 6, 8, 10, 13)
INSIDE = np.ones((260, 120), bool)


def bars(sign=1):
    """Return an image of seven bars of each width, 20 px long, on a grey ground."""
    image = np.full((260, 120), 100.0)
    for row, width in enumerate(WIDTHS):
        for column in range(6):
            top, left = 4 + 28 * row, 3 + 20 * column
            image[top : top + 20, left : left + width] += sign * 80
    return image


def test_discs_are_discs():
    assert disc(1).tolist() == [[True]]
    assert disc(2).all()
    assert disc(3).all()
    assert disc(4).sum() == 12
    for diameter in (5, 8, 17):
        assert disc(diameter).sum() == pytest.approx(math.pi * diameter**2 / 4, rel=0.1)


@pytest.mark.parametrize("sign", [1, -1])
def test_structures_are_told_by_their_width(sign):
    image = bars(sign)
    found = structures_of(image, image, INSIDE)
    assert {width: sum(one.width == width for one in found) for width in WIDTHS} == dict.fromkeys(
        WIDTHS, 6
    )
    assert len(found) == 6 * len(WIDTHS)
    for one in found:
        assert one.bright is (sign > 0)
        assert one.contrast == pytest.approx(sign * 80, abs=2)
        assert one.kept == pytest.approx(1)
        assert one.error == 0
        assert image[one.place] == 100 + sign * 80
    assert smallest_faithful(by_width(found)) == 1


@pytest.mark.parametrize("width", [2, 4, 8])
def test_the_smallest_faithful_width_is_that_below_which_all_is_taken_away(width):
    image = bars()
    found = structures_of(image, grey_opening(image, footprint=disc(width)), INSIDE)
    classes = by_width(found)
    assert smallest_faithful(classes) == width
    for one in classes:
        assert one.count == 6
        assert one.kept == pytest.approx((float(one.width >= width),) * 3, abs=0.15)
        assert one.error == pytest.approx(0 if one.width >= width else 80, abs=12)


def test_contrast_of_blurred_bars_is_that_of_the_error_function():
    image = np.full((40, 300), 100.0)
    for number, width in enumerate(WIDTHS):
        image[:, 10 + 32 * number : 10 + 32 * number + width] = 180
    sd = 2.0
    blurred = gaussian_filter1d(image, sd, axis=1, truncate=8)
    classes = by_width(structures_of(image, blurred, np.ones(image.shape, bool)))
    assert [one.count for one in classes] == [1] * len(WIDTHS)
    for one in classes:
        # In the bar less from 2 px on, or as far from it as half its width.
        x = np.arange(one.width) - (one.width - 1) / 2
        away = np.arange(2, max(2, one.width // 2) + 1) + (one.width - 1) / 2
        expected = bar(x, one.width, sd).mean() - bar(away, one.width, sd).mean()
        assert one.kept[1] == pytest.approx(expected, abs=0.01)


def bar(x, width, sd):
    """Return a blurred bar of height 1 at distances from its middle."""
    erf = np.vectorize(math.erf)
    scale = sd * math.sqrt(2)
    return (erf((x + width / 2) / scale) - erf((x - width / 2) / scale)) / 2


def test_what_is_reversed_is_not_kept():
    image = bars()
    classes = by_width(structures_of(image, 255 - image, INSIDE))
    assert all(one.kept == pytest.approx((-1, -1, -1)) for one in classes)
    assert smallest_faithful(classes) == math.inf


def test_contrast_that_is_overdone_is_not_kept():
    image = bars()
    for factor, there in ((1.4, 1), (1.7, 0), (0.6, 1), (0.4, 0)):
        made = 100 + factor * (image - 100)
        classes = by_width(structures_of(image, made, INSIDE))
        assert all(one.faithful == there for one in classes)
        assert all(one.kept[1] == pytest.approx(factor) for one in classes)


def test_noise_is_no_structure():
    random = np.random.default_rng(1)
    smooth = gaussian_filter(random.normal(0, 1, (120, 120)), 12)
    smooth = 100 + 40 * smooth / smooth.std()
    inside = np.ones((120, 120), bool)
    noisy = smooth + random.normal(0, 12, smooth.shape)
    assert noise_of(noisy, inside) == pytest.approx(12, rel=0.05)
    assert noise_of(smooth, inside) < 0.5
    assert structures_of(noisy, smooth, inside) == []
    # Nor is what lies outside.
    image = bars()
    assert structures_of(image, image, ~INSIDE) == []


def test_sizes_of_few_structures_do_not_count():
    def size(width, count, faithful):
        return SizeClass(width, count, (1.0, 1.0, 1.0), 0.0, faithful)

    classes = [size(1, 9, 0.2), size(2, 9, 0.6), size(3, 2, 0.0), size(4, 9, 0.9)]
    assert smallest_faithful(classes) == 2
    assert math.isnan(smallest_faithful(by_width([])))
    assert [one.width for one in by_width([])] == list(DIAMETERS[:-1])
