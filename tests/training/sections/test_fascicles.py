"""Pennation and length of fascicles whose direction is known, and when nothing is said of them."""

import math

import numpy as np
import pytest

from musim.datasets.images.scale import PixelScale
from musim.training.sections.aponeuroses import ONE, aponeuroses_of
from musim.training.sections.fascicles import FLAT, UNCLEAR, between, fascicles_of
from musim.training.sections.orientation import gradient_direction
from musim.training.sections.thickness import thickness_of

from .muscles import parallel, rings, speckled, straight, stripes

SHAPE = (160, 220)
LEVEL = parallel(SHAPE, thickness=100)


def measured(image, mask=LEVEL, scale=None):
    found = aponeuroses_of(mask)
    return fascicles_of(image, found, thickness_of(found, mask.shape[1], scale), scale)


@pytest.mark.parametrize("degrees", [-35, -20, -6, 12, 30])
@pytest.mark.parametrize("noise", [0, 1])
def test_stripes_have_their_angle_and_length(degrees, noise):
    found = measured(stripes(SHAPE, degrees, noise=noise))
    assert found.reason == ""
    within = 0.7 if abs(degrees) < 10 else 0.5
    assert found.angle_deg == pytest.approx(degrees, abs=within)
    assert found.pennation_deg == pytest.approx(abs(degrees), abs=within)
    radians = math.radians(abs(degrees))
    change = math.radians(within) / math.tan(radians)
    assert found.length_pixels == pytest.approx(100 / math.sin(radians), rel=1.1 * change)
    assert math.isnan(found.length_mm)


@pytest.mark.parametrize("degrees", [-25, -15, -8, 15])
def test_speckle_does_not_turn_fascicles(degrees):
    image = speckled(SHAPE, degrees)
    found = measured(image)
    assert found.angle_deg == pytest.approx(degrees, abs=1.5)
    # Gradients show the speckle's smear rather, by several degrees.
    rows, columns = np.indices(SHAPE, float)
    lines = aponeuroses_of(LEVEL)
    inside = between(rows, columns, lines.superficial, lines.deep)
    smeared = gradient_direction(image, inside).angle_deg
    assert abs(smeared) < abs(degrees) - 3


@pytest.mark.parametrize("degrees", [-40, -15, 0, 25])
def test_gradients_have_the_angle_of_stripes(degrees):
    found = gradient_direction(stripes(SHAPE, degrees, noise=0.1), np.ones(SHAPE, bool))
    assert found.angle_deg == pytest.approx(degrees, abs=0.5)
    assert found.clearness > 0.9


def test_pennation_is_against_the_deep_aponeurosis():
    mask = straight(SHAPE, depth=25, degrees=0) | straight(SHAPE, depth=115, degrees=8)
    found = measured(stripes(SHAPE, -14, noise=0.3), mask)
    assert found.angle_deg == pytest.approx(-14, abs=0.5)
    assert found.pennation_deg == pytest.approx(22, abs=0.6)


def test_a_fascicle_goes_from_one_aponeurosis_to_the_other():
    found = measured(stripes(SHAPE, -20))
    (top, left), (bottom, right) = found.fascicle
    assert (top, bottom) == pytest.approx((29.5, 129.5), abs=0.5)
    assert (left + right) / 2 == pytest.approx((SHAPE[1] - 1) / 2, abs=1)
    assert left > right
    # It is 275 px wide, and the image 220.
    assert found.seen == pytest.approx(219 / (100 / math.tan(math.radians(20))), abs=0.03)
    assert measured(stripes(SHAPE, -35)).seen == 1


def test_bent_fascicles_have_the_angle_of_their_chord():
    # Rings about a point far below: at the image's middle they fall by 20 degrees.
    radius, angle = 900, math.radians(20)
    centre = (79.5 + radius * math.cos(angle), 109.5 - radius * math.sin(angle))
    found = measured(rings(SHAPE, centre, noise=0.3))
    assert found.angle_deg == pytest.approx(20, abs=2)
    assert found.length_pixels == pytest.approx(100 / math.sin(angle), rel=0.1)


@pytest.mark.parametrize("pixel_shape", [0.6, 1.7])
def test_pixels_that_are_not_square_are_taken_as_they_are(pixel_shape):
    scale = PixelScale(pixel_shape, 0.2)
    found = measured(stripes(SHAPE, -18, noise=0.5, pixel_shape=pixel_shape), scale=scale)
    assert found.pennation_deg == pytest.approx(18, abs=0.6)
    assert found.length_mm == pytest.approx(20 / math.sin(math.radians(18)), rel=0.04)


def test_mirrored_images_are_mirrored_and_enlarged_ones_alike():
    image = speckled(SHAPE, -15, seed=2)
    found = measured(image)
    assert measured(image[:, ::-1]).angle_deg == pytest.approx(-found.angle_deg, abs=0.2)
    large = measured(image.repeat(2, 0).repeat(2, 1), LEVEL.repeat(2, 0).repeat(2, 1))
    assert large.angle_deg == pytest.approx(found.angle_deg, abs=0.5)
    assert large.length_pixels == pytest.approx(2 * found.length_pixels, rel=0.03)


@pytest.mark.parametrize("seed", range(3))
def test_speckle_alone_has_no_direction(seed):
    found = measured(speckled(SHAPE, 0, fascicles=0, seed=seed))
    assert found.reason == UNCLEAR
    assert found.clearness < 1.8
    assert math.isnan(found.pennation_deg)


def test_an_empty_image_has_no_direction():
    assert measured(np.full(SHAPE, 7, np.uint8)).reason == UNCLEAR


def test_fascicles_along_the_deep_aponeurosis_have_no_length():
    mask = parallel(SHAPE, thickness=90, degrees=10)
    found = measured(stripes(SHAPE, 10, noise=0.5), mask)
    assert found.reason == FLAT
    assert found.pennation_deg < 1
    assert math.isnan(found.length_pixels)


def test_without_two_aponeuroses_nothing_is_said():
    found = measured(stripes(SHAPE, 10), straight(SHAPE, depth=50, degrees=0))
    assert (found.reason, len(found.fascicle)) == (ONE, 0)
