"""Stores of regions: images turned level, all signals as they were, or one line."""

import dataclasses

import numpy as np
import pytest

from musim.datasets.location import Location
from musim.datasets.origin import ExtractedRegions
from musim.datasets.store import open_store
from musim.datasets.videos.generation import generate_trials
from musim.datasets.videos.trials import trials_of
from musim.datasets.writer import begin, finalise, write_part
from musim.simulator.calf.study import Study
from musim.training.state.region import Region, extract
from musim.training.state.regions import extract_regions

pytestmark = pytest.mark.torch

SIZE = (14.0, 54.0)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Three trials of whole images, in two parts."""
    study = Study().changed({
        "view": "whole", "pixels": "164x248", "rest": 0.2, "duration": 1, "looks": 1,
    })  # fmt: skip
    out = tmp_path_factory.mktemp("whole") / "whole.zarr"
    return generate_trials(study, out, sequences=3, seed=4, written=True, part_size=2, workers=1,
                           pool="threads")  # fmt: skip


@pytest.fixture(scope="module")
def regions(whole, tmp_path_factory):
    out = tmp_path_factory.mktemp("regions") / "regions.zarr"
    return extract_regions(whole, out, every=15, pixels=(60, 240), size=SIZE, workers=1)


def test_images_are_those_of_the_region(whole, regions):
    layout = regions.layout
    assert (layout.shape, layout.pixel_size) == ((30, 60, 240), pytest.approx((14 / 60, 54 / 240)))
    for index in range(3):
        place = (float(regions.read(f"region_{name}", index)) for name in
                 ("depth", "width", "angle"))  # fmt: skip
        wanted = extract(
            whole.bmode(index), Region(*place), whole.layout.pixel_size, (60, 240), SIZE
        )
        np.testing.assert_array_equal(regions.bmode(index), wanted)
    # All trials are of one muscle, which lies where it lies.
    angles = [float(regions.read("region_angle", index)) for index in range(3)]
    assert max(angles) - min(angles) < np.radians(0.5)


def test_one_of_so_many_images_is_looked_at(whole, tmp_path, monkeypatch):
    seen = []

    def look(blocks, pixel_size, probabilities, size):
        seen.append(np.concatenate(list(blocks)))
        assert (pixel_size, size) == (whole.layout.pixel_size, pytest.approx(SIZE))
        return Region(20.0, 27.0, 0.01)

    monkeypatch.setattr("musim.training.state.regions.region_of", look)
    extract_regions(whole, tmp_path / "r.zarr", every=3, pixels=(60, 240), size=SIZE, workers=1)
    for index, images in enumerate(seen):
        np.testing.assert_array_equal(images, whole.bmode(index)[::3])
    assert len(seen) == 3


def test_signals_and_names_stay(whole, regions):
    before, after = trials_of(whole), trials_of(regions)
    for one, other in zip(before, after, strict=True):
        assert (one.name, one.participant, one.task, one.frames) == (
            other.name, other.participant, other.task, other.frames,
        )  # fmt: skip
        np.testing.assert_array_equal(one.states(), other.states())
    np.testing.assert_array_equal(whole.read("mode_course", 2), regions.read("mode_course", 2))
    assert "first_row" not in regions.layout.variables
    origin = regions.layout.origin_as(ExtractedRegions)
    assert (origin.store, origin.every, origin.run) == (whole.location.address, 15, "")
    assert "trials of the calf" in origin.made_by


def test_what_has_no_region_is_one_line(whole, regions, tmp_path, refused):
    out = tmp_path / "r.zarr"
    with refused("regions.zarr: found regions of muscles", "wanted whole images"):
        extract_regions(regions, out)
    with refused("found images of 40.1 x 55.42 mm", "the region of 40 x 50 mm", "`size`"):
        extract_regions(whole, out, size=(40, 50))
    with refused("the region of 14 x 70 mm"):
        extract_regions(whole, out, size=(14, 70))
    with refused("`size`: found -1 x 40 mm"):
        extract_regions(whole, out, size=(-1, 40))
    with refused("`every`: found 0"):
        extract_regions(whole, out, every=0)
    with refused("`pixels`: found 2x9"):
        extract_regions(whole, out, pixels=(2, 9))
    with refused("none"):
        extract_regions(whole, out, run=tmp_path / "none")


def with_images(place, whole, images):
    """Make a store of one trial with other images."""
    layout = dataclasses.replace(
        whole.layout, part_size=1, sizes={**whole.layout.sizes, "sequence": 1}
    )
    arrays = {name: whole.read(name, 0)[None] for name in layout.variables if name != "bmode"}
    location = Location(place)
    begin(location, layout, overwrite=False)
    write_part(location, layout, 0, arrays, [[images]])
    finalise(location, layout)
    return open_store(place)


def test_images_without_aponeuroses_or_millimetres_are_one_line(whole, tmp_path, refused):
    store = with_images(tmp_path / "black.zarr", whole, np.zeros((30, 164, 248), np.uint8))
    with refused("black.zarr, 00-isometric: found both aponeuroses in 0 of 2 images"):
        extract_regions(store, tmp_path / "r.zarr")
    store.layout = dataclasses.replace(store.layout, pixel_unit="px")
    with refused("found pixels of no known size", "`pixel_size`"):
        extract_regions(store, tmp_path / "r.zarr")
