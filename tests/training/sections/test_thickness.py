"""Thickness between lines against closed forms, under symmetries, and why there may be none."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musim.datasets.images.scale import PixelScale
from musim.training.sections.aponeuroses import aponeuroses_of
from musim.training.sections.thickness import CROSSING, TOO_SHORT, thickness_of

from .muscles import arcs, parallel, straight

SHAPE = (120, 150)

few = settings(max_examples=25)


def measured(mask, scale=None):
    return thickness_of(aponeuroses_of(mask), mask.shape[1], scale)


@pytest.mark.parametrize("degrees", [-25, -10, 0, 5, 25])
def test_parallel_lines_are_as_thick_as_they_are_apart(degrees):
    found = measured(parallel(SHAPE, thickness=40, degrees=degrees))
    assert found.pixels == pytest.approx(40, abs=0.15)
    assert math.isnan(found.millimetres)
    # Chords are perpendicular to the lines, and end on them.
    across = found.chords[:, 1] - found.chords[:, 0]
    assert np.degrees(np.arctan2(-across[:, 1], across[:, 0])) == pytest.approx(degrees, abs=0.5)


@pytest.mark.parametrize("sign", [-1, 1])
def test_concentric_arcs_are_as_thick_as_their_radii_differ(sign):
    centre = (60 - sign * 200, 74.5)
    found = measured(arcs(SHAPE, radii=(180, 220), centre=centre))
    assert found.pixels == pytest.approx(40, abs=0.2)


@pytest.mark.parametrize("pixel_shape", [0.5, 2.0])
def test_pixels_that_are_not_square_are_taken_as_they_are(pixel_shape):
    mask = parallel(SHAPE, thickness=40, degrees=20, pixel_shape=pixel_shape)
    found = measured(mask, PixelScale(pixel_shape, 0.25))
    assert found.pixels == pytest.approx(40, abs=0.2)
    assert found.millimetres == pytest.approx(found.pixels / 4)
    # As though pixels were square it comes out as something else.
    assert abs(measured(mask).pixels - 40) > 1


def test_a_wedge_is_as_thick_as_in_its_middle():
    mask = straight(SHAPE, depth=40, degrees=-5) | straight(SHAPE, depth=80, degrees=5)
    found = measured(mask)
    lengths = np.hypot(*np.moveaxis(found.chords[:, 1] - found.chords[:, 0], -1, 0))
    # The centre line is level, chords are upright, and grow by the lines' slopes.
    at = found.chords[:, 0, 1] - 74.5
    assert lengths == pytest.approx(40 + 2 * at * math.tan(math.radians(5)), abs=0.3)
    assert found.pixels == pytest.approx(lengths.mean())


def test_chords_are_five_and_evenly_spread():
    chords = measured(parallel(SHAPE, thickness=40)).chords
    assert chords[:, 0, 1] == pytest.approx(149 * (np.arange(5) + 0.5) / 5, abs=0.5)


@few
@given(st.floats(20, 45), st.floats(-20, 20), st.floats(45, 70), st.sampled_from([1, 0.7, 1.6]))
def test_mirrored_images_are_as_thick(thickness, degrees, middle, pixel_shape):
    mask = parallel(SHAPE, thickness=thickness, degrees=degrees, middle=middle,
                    pixel_shape=pixel_shape)  # fmt: skip
    scale = PixelScale(pixel_shape)
    found = measured(mask, scale)
    assert found.reason == ""
    # What is level is drawn in whole pixels, each line half a pixel off at most.
    assert found.pixels == pytest.approx(thickness, abs=1)
    assert measured(mask[:, ::-1], scale).pixels == pytest.approx(found.pixels, abs=0.05)
    assert measured(mask[::-1], scale).pixels == pytest.approx(found.pixels, abs=0.05)


@few
@given(st.floats(20, 45), st.floats(-15, 15), st.integers(-12, 12), st.integers(0, 30))
def test_moved_muscles_are_as_thick(thickness, degrees, down, aside):
    mask = np.pad(parallel(SHAPE, thickness=thickness, degrees=degrees), ((20, 20), (30, 30)))
    moved = np.roll(mask, (down, aside), (0, 1))
    assert measured(moved).pixels == pytest.approx(measured(mask).pixels, abs=1e-6)


@few
@given(st.floats(18, 40), st.floats(-15, 15), st.integers(2, 3))
def test_enlarged_images_are_thicker_by_as_much(thickness, degrees, times):
    mask = parallel(SHAPE, thickness=thickness, degrees=degrees)
    large = mask.repeat(times, 0).repeat(times, 1)
    assert measured(large).pixels == pytest.approx(times * measured(mask).pixels, abs=0.2 * times)


def test_lines_that_cross_or_meet_have_no_thickness_between_them():
    crossing = straight(SHAPE, depth=60, degrees=20) | straight(SHAPE, depth=60, degrees=-20)
    meeting = straight(SHAPE, depth=40, degrees=0) | straight(SHAPE, depth=60, degrees=-15)
    for mask in (crossing, meeting):
        found = measured(mask)
        assert found.reason == CROSSING
        assert math.isnan(found.pixels)
        assert found.chords.shape == (0, 2, 2)


def test_lines_that_lie_too_little_above_one_another_are_too_short():
    upper = straight(SHAPE, depth=30, degrees=0, between=(0, 0.5))
    lower = straight(SHAPE, depth=90, degrees=0, between=(0.42, 1))
    assert measured(upper | lower).reason == TOO_SHORT
    # Upright there is enough to go by; chords of tilted lines end beyond the other.
    options = {"degrees": 35, "between": (0.35, 0.65)}
    upper = straight(SHAPE, depth=20, **options)
    assert measured(upper | straight(SHAPE, depth=100, **options)).reason == TOO_SHORT


def test_scales_are_of_positive_size(refused):
    with refused("found 0 mm", "wanted more than 0"):
        PixelScale.of_millimetres(0)
    with refused("found -1", "wanted more than 0"):
        PixelScale(-1)


def test_an_image_that_was_resized_has_the_pixels_that_follow():
    scale = PixelScale.of_resizing((256, 256), (600, 800), 0.1)
    assert scale.shape == pytest.approx(800 / 600)
    assert scale.depth_mm == pytest.approx(0.1 * 600 / 256)
    assert not PixelScale.of_resizing((256, 256), (600, 800)).known
