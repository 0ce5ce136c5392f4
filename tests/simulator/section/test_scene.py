"""Whole images: the same from the same seed, in grey levels that the logarithm gives."""

from typing import Any

import numpy as np
import pytest

from musim.simulator.section.grey import GREY_MAPS, compress, grey_levels, to_pixels
from musim.simulator.section.parameters import SectionParameters
from musim.simulator.section.scene import draw_section

SMALL: dict[str, Any] = {"pixels": (128, 96)}


def test_the_logarithm_takes_a_range_from_black_to_white():
    envelope = 10 ** (np.array([-80, -66, -33, 0, 10]) / 20)
    level = compress(envelope, 1.0, 66)
    np.testing.assert_allclose(level, [0, 0, 0.5, 1, 1], atol=1e-12)
    np.testing.assert_array_equal(grey_levels(level, "linear"), [0, 0, 128, 255, 255])
    assert compress(np.zeros(1), 1.0, 66) == 0
    np.testing.assert_allclose(compress(2 * envelope, 2.0, 66), level, atol=1e-12)


@pytest.mark.parametrize("name", GREY_MAPS)
def test_grey_maps_rise_from_black_to_white(name):
    levels = grey_levels(np.linspace(0, 1, 1001), name).astype(int)
    assert (levels[0], levels[-1]) == (0, 255)
    assert (np.diff(levels) >= 0).all()


def test_the_finer_grid_is_averaged():
    level = np.array([[0.0, 1], [1, 1], [0, 0], [1, 0]])
    np.testing.assert_array_equal(to_pixels(level, (2, 1)), [[0.5, 1], [0.5, 0]])
    np.testing.assert_array_equal(to_pixels(level, (2, 2)), [[0.75], [0.25]])


def test_the_same_seed_and_index_give_the_same_image_in_any_order():
    parameters = SectionParameters(**SMALL)
    first = draw_section(parameters, 7, 3)
    other = draw_section(parameters, 7, 4)
    again = draw_section(parameters, 7, 3)
    np.testing.assert_array_equal(again.image, first.image)
    np.testing.assert_array_equal(again.aponeurosis, first.aponeurosis)
    assert (again.thickness, again.pennation) == (first.thickness, first.pennation)
    assert not np.array_equal(other.image, first.image)
    assert not np.array_equal(draw_section(parameters, 8, 3).image, first.image)


def test_settings_of_the_scanner_leave_the_subject_alone():
    first = draw_section(SectionParameters(**SMALL), 0, 0)
    other = draw_section(SectionParameters(**SMALL, looks=1, gain=-40, dynamic_range=50), 0, 0)
    assert other.thickness == first.thickness
    np.testing.assert_array_equal(other.aponeurosis, first.aponeurosis)
    assert not np.array_equal(other.image, first.image)


@pytest.mark.parametrize("muscle", ["gastrocnemius-medialis", "rectus-femoris"])
def test_aponeuroses_are_seen_where_their_masks_are(muscle):
    parameters = SectionParameters.of(muscle, grey_map="linear", gain=-50, **SMALL)
    for index in range(3):
        section = draw_section(parameters, 0, index)
        image = section.image.astype(float)
        for mask in section.aponeurosis:
            inside, about = image[mask].mean(), image[np.roll(mask, 12, 0)].mean()
            assert inside > about + 20


def test_what_lies_below_a_bone_is_dark():
    parameters = SectionParameters(bone=3, fat=5, thickness=15, tilt=0, taper=0, bow=0, gain=-40,
                                   thermal_noise=0, **SMALL)  # fmt: skip
    image = draw_section(parameters, 0, 0).image
    depths = (np.arange(128) + 0.5) * 40 / 128
    assert image[depths > 28].mean() < 0.2 * image[(depths > 7) & (depths < 18)].mean()
