"""Outlines of masks, and labels that lie in them and apart."""

import math
import re

import numpy as np
import pytest

from musim.cli.pages.outlines import label_places, outline


def polygon(path):
    """Return the corners of a path of one closed line."""
    assert path.count("M") == 1
    numbers = [float(text) for text in re.findall(r"-?[\d.]+", path)]
    return np.array(numbers).reshape(-1, 2)


def area(corners):
    x, y = corners.T
    return 0.5 * abs(float(x @ np.roll(y, 1) - y @ np.roll(x, 1)))


@pytest.mark.parametrize("pixels", [(30, 30), (10, 60)])
def test_an_outline_has_the_area_of_its_mask(pixels):
    rows, columns = np.indices(pixels)
    mask = np.hypot(rows - 5, columns - 14) < 4.2
    size = (pixels[0] * 0.5, pixels[1] * 0.25)
    corners = polygon(outline(mask, 20, size)) / 20
    assert area(corners) == pytest.approx(mask.sum() * 0.125, rel=0.05)
    np.testing.assert_allclose(corners.mean(axis=0), (14.5 * 0.25, 5.5 * 0.5), atol=0.1)


def test_outlines_of_special_masks():
    size = (8.0, 8.0)
    mask = np.zeros((8, 8), bool)
    assert outline(mask, 10, size) == ""
    whole = polygon(outline(~mask, 10, size))
    assert area(whole) == pytest.approx(6400, rel=0.03)
    assert whole.min() == 0
    assert whole.max() == 80
    mask[2, 3] = True
    assert area(polygon(outline(mask, 10, size))) == pytest.approx(100, rel=0.5)
    mask[6, 6] = True
    assert outline(mask, 10, size).count("Z") == 2


def test_labels_lie_in_their_masks_and_apart():
    rows, columns = np.indices((40, 40))
    disc = np.hypot(rows - 20, columns - 20) < 12
    masks = [disc, disc, disc, np.zeros_like(disc)]
    places = label_places(masks, (40.0, 40.0))
    assert places[3] is None
    inside = [place for place in places if place is not None]
    for depth, width in inside:
        assert disc[int(depth), int(width)]
    apart = [math.dist(a, b) for n, a in enumerate(inside) for b in inside[:n]]
    assert min(apart) > 3.5
