"""The region of a muscle: where it lies, what it shows, and how near the network comes."""

import math

import numpy as np
import pytest

from musim.simulator.calf.scene import prepare_scene
from musim.simulator.calf.study import REGION, REGION_SIZE, Study
from musim.training.state.region import (
    Region,
    aponeurosis_lines,
    extract,
    mean_lines,
    region_along,
)

PIXEL = (REGION_SIZE[0] / REGION[0], REGION_SIZE[1] / REGION[1])


def lines_of(angle, middle=15.0, thickness=12.0, columns=496, pixel=PIXEL):
    """Rows of two lines that are parallel, at some angle, with their middle in the image's."""
    width = (np.arange(columns) + 0.5) * pixel[1]
    depth = middle + math.tan(angle) * (width - columns * pixel[1] / 2)
    return np.stack([depth - thickness / 2, depth + thickness / 2]) / pixel[0] - 0.5


@pytest.mark.parametrize("degrees", [-5, 0, 3])
def test_a_region_lies_along_the_middle_between_lines(degrees):
    found = region_along(lines_of(math.radians(degrees)), PIXEL)
    assert found.angle == pytest.approx(math.radians(degrees), abs=1e-9)
    assert (found.depth, found.width) == (pytest.approx(15), pytest.approx(REGION_SIZE[1] / 2))


def test_columns_without_lines_are_left_out():
    lines = lines_of(0.05)
    lines[0, :100], lines[1, 400:] = np.nan, np.nan
    found = region_along(lines, PIXEL)
    assert found.angle == pytest.approx(0.05)
    assert (found.depth, found.width) == (pytest.approx(15), pytest.approx(REGION_SIZE[1] / 2))
    # A region that is narrower than the image lies where the muscle is, within the image.
    narrow = region_along(lines, PIXEL, (14, 20))
    assert narrow.width == pytest.approx(250 * PIXEL[1])
    assert narrow.depth == pytest.approx(15 + math.tan(0.05) * (250 - 248) * PIXEL[1])
    lines[:, 60:] = np.nan
    lines[0, :60] = 0
    assert region_along(lines, PIXEL, (14, 20)).width == pytest.approx(10)


def test_lines_side_by_side_are_refused(refused):
    lines = lines_of(0)
    lines[0, :248], lines[1, 248:] = np.nan, np.nan
    with refused("found aponeuroses side by side"):
        region_along(lines, PIXEL)


def test_single_images_may_be_wrong_and_most_may_not(refused):
    right = lines_of(0.02)
    lines = np.stack([right, right + 0.5, right - 0.5, right + 60, np.full_like(right, np.nan)])
    lines[0, 0, 90] = np.nan
    np.testing.assert_allclose(mean_lines(lines)[1], right[1] + 0.25)
    assert np.isfinite(mean_lines(lines)).all()
    lines[:3] = np.nan
    with refused("found both aponeuroses in 1 of 5 images", "`run`"):
        mean_lines(lines)


def test_a_level_region_is_a_window_to_the_bit():
    images = np.random.default_rng(0).integers(0, 256, (2, 200, 496), np.uint8)
    found = extract(images, Region(100 * PIXEL[0], 248 * PIXEL[1], 0.0), PIXEL)
    np.testing.assert_array_equal(found, images[:, 40:160])


def test_a_turned_region_shows_what_lies_there():
    angle, step = math.radians(4), 0.1
    depth, width = np.meshgrid(*((np.arange(n) + 0.5) * step for n in (300, 600)), indexing="ij")
    centre = Region(14.0, 31.0, angle)
    down, along = depth - centre.depth, width - centre.width
    across = math.cos(angle) * down - math.sin(angle) * along
    ahead = math.sin(angle) * down + math.cos(angle) * along
    image = np.rint(128 + 40 * np.sin(across) + 40 * np.sin(0.8 * ahead)).astype(np.uint8)
    found = extract(image[None], centre, (step, step), (60, 200), (12, 40))[0]
    rows, columns = ((np.arange(n) + 0.5) * 0.2 - m for n, m in ((60, 6), (200, 20)))
    wanted = 128 + 40 * np.sin(rows)[:, None] + 40 * np.sin(0.8 * columns)
    assert np.abs(found - wanted).max() < 3
    # The same from coarser pixels, and where the region goes on beyond the image.
    coarse = image[::2, ::2]
    off = extract(coarse[None], Region(14.05, 31.05, angle), (0.2, 0.2), (60, 200), (12, 40))[0]
    assert np.abs(off.astype(int) - found).mean() < 4
    beyond = extract(image[None], Region(2.0, 31.0, 0.0), (step, step), (60, 200), (12, 40))[0]
    np.testing.assert_array_equal(beyond[:15], np.broadcast_to(beyond[0], (15, 200)))


@pytest.mark.torch
def test_the_network_finds_simulated_muscles():
    from musim.training.sections.segmentation.segmenting import segmenter

    study = Study().changed({"view": "whole", "rest": 0.2, "duration": 3, "looks": 1})
    scene = prepare_scene(study, 3, 1)
    chosen = [0, 40, 79]
    images = np.concatenate([scene.images("combined", one, one + 1) for one in chosen])
    masks = np.concatenate([scene.masks("combined", one, one + 1) for one in chosen])
    rows = np.arange(masks.shape[2])[:, None]
    truth = (masks * rows).sum(axis=2) / masks.sum(axis=2)
    found = aponeurosis_lines(segmenter().probabilities(images))
    # The paper's shape model: 0.16 mm.
    assert np.nanmean(np.abs(found - truth)) * PIXEL[0] < 0.16
    one, other = (region_along(mean_lines(lines), PIXEL) for lines in (found, truth))
    assert one.angle == pytest.approx(other.angle, abs=math.radians(0.3))
    assert one.depth == pytest.approx(other.depth, abs=0.1)
