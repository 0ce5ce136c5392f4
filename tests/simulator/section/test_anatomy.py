"""What is drawn of a section lies in its ranges and in the image, and masks lie where it does."""

import math
from typing import Any

import numpy as np
import pytest

from musim.simulator.section.anatomy import draw_anatomy
from musim.simulator.section.muscles import MUSCLES
from musim.simulator.section.parameters import SectionParameters

STRAIGHT: dict[str, Any] = {"tilt": 0, "taper": 0, "bow": 0}


@pytest.mark.parametrize("muscle", MUSCLES)
def test_every_subject_has_its_muscle_in_the_image(muscle):
    parameters = SectionParameters.of(muscle)
    for index in range(60):
        anatomy = draw_anatomy(parameters, 0, index)
        across = np.linspace(0, 50, 101)
        superficial, deep = anatomy.superficial.at(across), anatomy.deep.at(across)
        assert superficial.min() >= 0
        assert deep.max() <= parameters.size[0]
        assert (deep - superficial).min() >= 1
        masks = anatomy.masks(parameters.pixels, parameters.pixel_size)
        assert masks.any(axis=1).all()


def test_what_is_asked_for_is_what_there_is():
    parameters = SectionParameters(**STRAIGHT, thickness=18, fat=6, pennation=20, fascicle_bow=0)
    anatomy = draw_anatomy(parameters, 3, 5)
    assert anatomy.superficial.depth == 6
    assert anatomy.thickness == pytest.approx(18)
    assert math.degrees(anatomy.fascicle.pennation) == pytest.approx(20)
    assert anatomy.fascicle.length == pytest.approx(18 / math.sin(math.radians(20)))


def test_the_probe_may_be_held_one_way_on_all():
    drawn = {
        way: [draw_anatomy(SectionParameters(fascicles_rise=way), 0, i) for i in range(12)]
        for way in ("left", "right", "mixed")
    }
    sides = {way: {each.fascicles[0].side for each in drawn[way]} for way in drawn}
    assert sides == {"left": {-1}, "right": {1}, "mixed": {-1, 1}}
    # Nothing else depends on it.
    assert [one.deep for one in drawn["left"]] == [one.deep for one in drawn["mixed"]]
    # Sections that were stored before it could be chosen had either.
    stored = SectionParameters().to_json()
    del stored["fascicles_rise"]
    assert SectionParameters.from_json(stored).fascicles_rise == "mixed"


def test_two_compartments_share_the_thickness_and_the_length():
    own = {**STRAIGHT, "thickness": 28, "pennation": 12, "fascicle_bow": 0}
    anatomy = draw_anatomy(SectionParameters.of("tibialis-anterior", **own), 0, 0)
    assert anatomy.central is not None
    assert anatomy.thickness == pytest.approx(28)
    assert anatomy.fascicle.length == pytest.approx(14 / math.sin(math.radians(12)))
    assert [compartment.height for compartment in anatomy.fascicles] == [14, 14]


def test_masks_have_the_thickness_of_aponeuroses_about_their_middle_lines():
    parameters = SectionParameters(**STRAIGHT, thickness=18, fat=6, aponeurosis=1.25)
    masks = draw_anatomy(parameters, 0, 0).masks(parameters.pixels, parameters.pixel_size)
    depths = (np.arange(256) + 0.5) * 40 / 256
    for mask, middle in zip(masks, (6, 24), strict=True):
        np.testing.assert_array_equal(mask.sum(axis=0), 8)  # 1.25 mm in pixels of 0.156
        assert (depths @ mask / mask.sum(axis=0)) == pytest.approx(middle, abs=0.08)


def test_thin_aponeuroses_are_one_pixel_thick_in_every_column():
    parameters = SectionParameters(aponeurosis=0.1)
    for index in range(20):
        masks = draw_anatomy(parameters, 1, index).masks(parameters.pixels, parameters.pixel_size)
        np.testing.assert_array_equal(masks.sum(axis=1), 1)


def test_what_has_no_place_in_the_image_is_refused(refused):
    with refused("found a deep aponeurosis at 45 mm", "in the image's 40 mm"):
        draw_anatomy(SectionParameters(**STRAIGHT, thickness=40, fat=5), 0, 0)
    with refused("mm apart at a side of the image", "wanted 1 mm or more"):
        draw_anatomy(SectionParameters(thickness=3, taper=20, tilt=0, bow=0), 0, 0)
    with refused("found a superficial aponeurosis above the skin"):
        draw_anatomy(SectionParameters(fat=2, tilt=10), 0, 0)
    with refused("found 'soleus', wanted one of gastrocnemius-medialis"):
        SectionParameters.of("soleus")
    with refused("found up to 1.6 mm, wanted at most the 1 mm"):
        SectionParameters(fat=1)
