"""Polygons and lines on pixels, beside what is computed point by point."""

import math

import numpy as np
import pytest

from musim.training.identification.curation.geometry import (
    FINENESS,
    check_point,
    coverage,
    sides_of,
)

SHAPE, PIXEL = (11, 14), (0.5, 0.4)


def is_inside(polygon, z, x):
    """Count the sides that a ray to the right crosses."""
    inside = False
    for (z0, x0), (z1, x1) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        if (z0 > z) != (z1 > z) and x < x0 + (z - z0) / (z1 - z0) * (x1 - x0):
            inside = not inside
    return inside


@pytest.mark.parametrize("seed", range(4))
def test_shares_are_those_of_points_counted_one_by_one(seed):
    random = np.random.default_rng(seed)
    size = [n * pixel for n, pixel in zip(SHAPE, PIXEL, strict=True)]
    polygon = [tuple(point) for point in random.uniform(-1, 1.2, (5 + seed, 2)) * size]
    found = coverage(polygon, SHAPE, PIXEL)
    for row, column in random.integers(0, SHAPE, (25, 2)):
        steps = (np.arange(FINENESS) + 0.5) / FINENESS
        points = [((row + a) * PIXEL[0], (column + b) * PIXEL[1]) for a in steps for b in steps]
        wanted = np.mean([is_inside(polygon, *point) for point in points])
        assert found[row, column] == pytest.approx(wanted, abs=1e-6)


def test_a_rectangle_covers_what_it_covers():
    found = coverage([(1.0, 0.8), (1.0, 2.0), (2.25, 2.0), (2.25, 0.8)], SHAPE, PIXEL)
    wanted = np.zeros(SHAPE)
    wanted[2:4, 2:5] = 1
    wanted[4, 2:5] = 0.5
    np.testing.assert_allclose(found, wanted)
    again = coverage([(2.25, 0.8), (2.25, 2.0), (1.0, 2.0), (1.0, 0.8)], SHAPE, PIXEL)
    np.testing.assert_array_equal(found, again)


def test_a_disc_has_its_area():
    angle = np.linspace(0, 2 * math.pi, 90, endpoint=False)
    disc = [(2.7 + 1.9 * math.sin(a), 2.8 + 1.9 * math.cos(a)) for a in angle]
    area = coverage(disc, SHAPE, PIXEL).sum() * PIXEL[0] * PIXEL[1]
    assert area == pytest.approx(math.pi * 1.9**2, rel=0.01)


def test_what_lies_beyond_the_image_is_not_there():
    assert not coverage([(-3, -3), (-3, -1), (-1, -1)], SHAPE, PIXEL).any()
    assert (coverage([(-9, -9), (-9, 99), (99, 99), (99, -9)], SHAPE, PIXEL) == 1).all()


def test_both_sides_of_a_line_are_all():
    upper = sides_of(((2.0, 0.0), (2.0, 1.0)), SHAPE, PIXEL)
    rows = (np.arange(SHAPE[0]) + 0.5) * PIXEL[0] > 2.0
    assert (upper == rows[:, None]).all()
    turned = sides_of(((2.0, 1.0), (2.0, 0.0)), SHAPE, PIXEL)
    assert (upper != turned).all()


def test_a_line_needs_two_points(refused):
    with refused("the same point twice (1, 2)"):
        sides_of(((1.0, 2.0), (1.0, 2.0)), SHAPE, PIXEL)


@pytest.mark.parametrize("line", [((1.0, 0.5), (4.0, 5.0)), ((4.2, 1.1), (0.3, 3.0))])
def test_a_slanting_line_parts_pixels_where_it_lies(line):
    (z0, x0), (z1, x1) = line
    found = sides_of(line, SHAPE, PIXEL)
    for row, column in np.ndindex(*SHAPE):
        z, x = (row + 0.5) * PIXEL[0], (column + 0.5) * PIXEL[1]
        below = z > z0 + (x - x0) * (z1 - z0) / (x1 - x0)
        assert found[row, column] == (below == (x1 > x0))


def test_points_lie_within_reason(refused):
    for value in (math.nan, math.inf, 1e308, -1e9):
        with refused("wanted finite depth and width in mm, 1e+06 at most"):
            check_point((0.0, value), "split")
