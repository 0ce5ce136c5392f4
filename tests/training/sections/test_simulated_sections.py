"""What is measured on masks of simulated sections is what these were drawn with."""

import math

import pytest

from musim.datasets.images.scale import PixelScale
from musim.simulator.section.anatomy import draw_anatomy
from musim.simulator.section.muscles import MUSCLES
from musim.simulator.section.parameters import SectionParameters
from musim.training.sections.aponeuroses import aponeuroses_of
from musim.training.sections.thickness import thickness_of


@pytest.mark.parametrize("muscle", MUSCLES)
def test_the_thickness_of_masks_is_the_truth(muscle):
    parameters = SectionParameters.of(muscle)
    depth, width = parameters.pixel_size
    scale = PixelScale(shape=width / depth, depth_mm=depth)
    for index in range(8):
        anatomy = draw_anatomy(parameters, 5, index)
        mask = anatomy.masks(parameters.pixels, parameters.pixel_size).any(axis=0)
        found = thickness_of(aponeuroses_of(mask), parameters.pixels[1], scale)
        assert not found.reason
        # A fifth of a pixel: a hard mask tells no more of where a line lies.
        assert math.isclose(found.millimetres, anatomy.thickness, abs_tol=0.2 * depth)
