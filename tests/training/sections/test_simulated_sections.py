"""What is measured on masks of simulated sections is what these were drawn with."""

import math

import pytest

from musim.datasets.images.scale import PixelScale
from musim.datasets.images.stored import images_of
from musim.datasets.sections import generate_sections
from musim.simulator.section.anatomy import draw_anatomy
from musim.simulator.section.muscles import MUSCLES
from musim.simulator.section.parameters import SectionParameters
from musim.training.sections.aponeuroses import aponeuroses_of
from musim.training.sections.measuring import measure_images, summarise
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


def test_the_pennation_of_straight_lines_is_the_truth(tmp_path):
    # Fascicles, and the aponeurosis that they leave, are bent.
    parameters = SectionParameters.of(
        "gastrocnemius-medialis", bow=1.4, fascicle_bow=0.03, gain_error=0, contact=0, pennation=22,
    )  # fmt: skip
    store = generate_sections(parameters, tmp_path / "s.zarr", sequences=4, seed=4, workers=1)
    found = measure_images(images_of(store), unit="mm")
    assert [each.name for each in found] == [f"{index:06d}" for index in range(4)]
    off = summarise(found).off
    assert off["thickness_mm"][2] == 4
    assert abs(off["thickness_mm"][0]) < 0.05
    middle, spread, count = off["pennation_deg"]
    assert count >= 3
    # Between tangents at the insertion it would be several degrees more.
    assert abs(middle) < 1.2
    assert spread < 2.5
    row = found[0].row()
    assert row["true_thickness_mm"] == pytest.approx(float(store.read("muscle_thickness", 0)))
    assert row["true_pennation_deg"] == pytest.approx(math.degrees(store.read("pennation", 0)))
