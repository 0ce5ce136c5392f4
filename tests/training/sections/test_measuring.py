"""Whole images: rows, reasons, scales, whoever gives the masks; summaries and pictures."""

import math

import numpy as np
import pytest
from PIL import Image

from musim.datasets.images.finding import ImageEntry
from musim.datasets.images.reading import BmodeImage
from musim.datasets.images.scale import PixelScale
from musim.datasets.images.sizes import ImageSize
from musim.training.sections.aponeuroses import NONE
from musim.training.sections.figures import CHORD, caption, measurement_figure
from musim.training.sections.measuring import MASKLESS, measure, measure_images, summarise

from .muscles import parallel, stripes

SHAPE = (90, 130)
MASK = parallel(SHAPE, thickness=50)
IMAGE = stripes(SHAPE, -20, noise=0.2)


@pytest.fixture
def entries(tmp_path):
    """Three images: one with a mask, one with an empty one, one without."""
    for name, values in {
        "a": IMAGE,
        "b": IMAGE,
        "c": IMAGE,
        "a_m": MASK,
        "b_m": np.zeros_like(MASK),
    }.items():
        Image.fromarray(values).save(tmp_path / f"{name}.png")
    masks = [tmp_path / "a_m.png", tmp_path / "b_m.png", None]
    return [
        ImageEntry(name, tmp_path / f"{name}.png", mask)
        for name, mask in zip("abc", masks, strict=True)
    ]


def test_each_image_is_a_row_with_numbers_or_a_reason(entries):
    seen = []
    found = measure_images(entries, on_progress=lambda done, total: seen.append((done, total)))
    rows = [each.row() for each in found]
    assert [row["image"] for row in rows] == ["a", "b", "c"]
    assert [row["reason"] for row in rows] == ["", NONE, MASKLESS]
    assert seen == [(1, 3), (2, 3), (3, 3)]
    first = rows[0]
    assert first["thickness_px"] == pytest.approx(50, abs=0.3)
    assert first["shortest_chord_px"] <= first["thickness_px"] <= first["longest_chord_px"]
    assert first["pennation_deg"] == pytest.approx(20, abs=0.6)
    assert math.isnan(first["thickness_mm"])
    assert {row["depth_px"] for row in rows} == {90}
    assert all(math.isnan(row["thickness_px"]) for row in rows[1:])


def test_pixels_of_all_or_of_each_image_scale_what_is_measured(entries):
    (found,) = measure_images(entries[:1], pixel_size=(0.2, 0.2), unit="mm")
    assert found.row()["thickness_mm"] == pytest.approx(found.row()["thickness_px"] / 5)
    sizes = {"a": ImageSize(pixels_mm=(0.4, 0.4))}
    (found,) = measure_images(entries[:1], sizes=sizes, unit="mm")
    assert found.row()["fascicle_length_mm"] == pytest.approx(0.4 * found.fascicles.length_pixels)


def test_millimetres_of_unknown_pixels_are_refused(entries, refused):
    with refused("a.png: found no size of its pixels", "`pixel_size`"):
        measure_images(entries, unit="mm")
    with refused("a.png: found no size of its pixels", "`sizes`"):
        measure_images(entries, unit="mm", sizes={"a": ImageSize((90, 130))})
    with refused("`sizes`: found no row of b"):
        measure_images(entries, sizes={"a": ImageSize()})


def test_masks_may_come_from_anywhere(entries):
    found = measure_images(entries, masks=lambda entry, image: image.values < 300)
    assert [each.thickness.reason for each in found] != [""] * 3
    found = measure_images(entries, masks=lambda entry, image: MASK)
    assert [each.thickness.reason for each in found] == [""] * 3


def test_masks_of_another_size_are_refused(refused):
    with refused("a: found a mask of 90 x 129 px", "wanted 90 x 130"):
        measure("a", BmodeImage(IMAGE, 0.0), MASK[:, :-1], PixelScale())


def test_a_summary_has_quartiles_and_names_what_was_not_measured(entries):
    found = measure_images(entries, pixel_size=(0.2, 0.2))
    summary = summarise(found)
    assert (summary.images, summary.measured, summary.unit) == (3, 1, "mm")
    assert summary.thickness == pytest.approx((found[0].thickness.millimetres,) * 3)
    assert summary.with_fascicles == 1
    assert summary.reasons == {NONE: ("b",), MASKLESS: ("c",)}
    assert summarise(found, "px").thickness[1] == pytest.approx(found[0].thickness.pixels)
    assert math.isnan(summarise(found[1:]).thickness[1])


@pytest.mark.parametrize("pixel_shape", [1.0, 1.5])
def test_a_picture_shows_lines_chords_and_a_fascicle(pixel_shape):
    measured = measure("a", BmodeImage(IMAGE, 0.0), MASK, PixelScale(pixel_shape, 0.1))
    (axes,) = measurement_figure(IMAGE, measured).axes
    drawn = [line for line in axes.lines if line.get_color() == CHORD]
    shown = np.array([line.get_xydata()[:, ::-1] for line in drawn])
    np.testing.assert_allclose(shown, measured.thickness.chords)
    # Two aponeuroses, the line between them, five chords, a fascicle.
    assert len(axes.lines) == 9
    assert axes.get_aspect() == pytest.approx(1 / pixel_shape)
    assert "5.0 mm thick, pennation" in axes.get_title()


def test_a_picture_says_why_there_is_nothing_to_show():
    measured = measure("a", BmodeImage(IMAGE, 0.0), None, PixelScale())
    (axes,) = measurement_figure(IMAGE, measured).axes
    assert (len(axes.lines), axes.get_title()) == (0, f"a: {MASKLESS}")
    assert caption(measure("a", BmodeImage(IMAGE * 0, 0.0), MASK, PixelScale())) == (
        "50.0 px thick; no clear direction of fascicles"
    )
