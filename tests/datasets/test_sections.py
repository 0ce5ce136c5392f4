"""Stores of images of the longitudinal section: how they are made, read, verified and refused."""

import dataclasses
import math
import shutil

import numpy as np
import pytest

from musim.datasets import open_store, verify
from musim.datasets.notebook import html_of
from musim.datasets.origin import (
    SectionImages,
    check_revision,
    from_attributes,
    to_attributes,
)
from musim.datasets.sections import generate_sections, plan_sections
from musim.datasets.store import check_velocity, open_sequences
from musim.simulator.errors import FailureError
from musim.simulator.section.parameters import SECTION_REVISION, SectionParameters
from musim.simulator.section.scene import draw_section

TINY = SectionParameters.of("rectus-femoris", pixels=(64, 48), looks=1)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    out = tmp_path_factory.mktemp("sections") / "images.zarr"
    return generate_sections(
        TINY, out, sequences=5, seed=3, muscle="rectus-femoris", part_size=2, workers=1,
        pool="threads",
    )  # fmt: skip


def test_a_store_holds_what_is_drawn(store):
    for index in range(5):
        section = draw_section(TINY, 3, index)
        np.testing.assert_array_equal(store.read("bmode", index)[0], section.image)
        np.testing.assert_array_equal(store.read("aponeurosis_mask", index), section.aponeurosis)
        assert store.read("muscle_thickness", index) == section.thickness
        assert store.read("pennation", index) == section.pennation
        np.testing.assert_equal(
            float(store.read("fascicle_length", index)), section.fascicle_length
        )


def test_any_reader_of_zarr_sees_labelled_images(store):
    import xarray

    dataset = xarray.open_zarr(store.location.address)
    assert dataset.bmode.dims == ("sequence", "time", "depth", "width")
    assert dataset.bmode.dtype == np.uint8
    assert dataset.aponeurosis_mask.sizes["aponeurosis"] == 2
    np.testing.assert_allclose(dataset.depth, (np.arange(64) + 0.5) * 60 / 64)
    np.testing.assert_allclose(dataset.width, (np.arange(48) + 0.5) * 50 / 48)
    assert "longitudinal section" in dataset.attrs["title"]
    assert "comment" not in dataset.attrs
    np.testing.assert_array_equal(store[-1].bmode, dataset.bmode[4])
    assert "tvi" not in store.dataset


def test_the_origin_comes_back(store):
    opened = open_store(store.location)
    assert opened.origin == SectionImages(
        parameters=TINY, seed=3, muscle="rectus-femoris", software=opened.origin.software
    )
    assert opened.seed == 3
    assert opened.parameters is None
    assert opened.is_section
    assert repr(opened).endswith("images.zarr: 5 images of 64 x 48 px of 0.9375 x 1.04167 mm>")
    plain = {**opened.layout.attributes, "musim_origin_version": 2}
    with pytest.raises(ValueError, match="section 2, wanted one of"):
        from_attributes(plain)


def test_processes_and_parts_give_the_same_bytes(store, tmp_path):
    other = generate_sections(TINY, tmp_path / "other.zarr", sequences=5, seed=3, workers=2)
    for name in store.layout.variables:
        for index in range(5):
            np.testing.assert_array_equal(store.read(name, index), other.read(name, index))


def test_a_store_is_verified_and_its_damage_found(store, tmp_path):
    assert len(verify(store.location, remake=2)) == 5
    copy = tmp_path / "copy.zarr"
    shutil.copytree(store.location.path, copy)
    chunk = copy / "aponeurosis_mask" / "c.1.0.0.0"
    content = bytearray(chunk.read_bytes())
    content[len(content) // 2] ^= 1
    chunk.write_bytes(content)
    with pytest.raises(FailureError, match=r"part 1: aponeurosis_mask/c\.1\.0\.0\.0 is altered"):
        verify(copy)


def test_another_seed_is_seen_when_images_are_made_again(store, monkeypatch):
    from musim.datasets import sections

    drawn = sections.draw_section
    monkeypatch.setattr(
        sections, "draw_section", lambda parameters, seed, index: drawn(parameters, seed + 1, index)
    )
    with pytest.raises(FailureError, match="sequence 0: bmode is not what its parameters give"):
        verify(store.location, remake=1)


def test_stores_of_another_revision_are_read_and_not_made_again(store, tmp_path, refused):
    origin = open_store(store.location).origin
    older = dataclasses.replace(origin, revision=1)
    assert from_attributes(to_attributes(older)) == older
    assert "musim_revision" not in to_attributes(older)
    assert to_attributes(origin)["musim_revision"] == SECTION_REVISION
    with refused("a.zarr: found images of the longitudinal section", "by revision 1", "pennation"):
        check_revision(older, "a.zarr")


def test_an_interrupted_store_is_gone_on_with(store, tmp_path, refused):
    out = tmp_path / "images.zarr"
    generate_sections(TINY, out, sequences=5, seed=3, part_size=2, muscle="rectus-femoris",
                      workers=1, pool="threads")  # fmt: skip
    (out / "zarr.json").unlink()
    (out / ".musim" / "parts" / "000001.json").unlink()
    with refused("found an unfinished store (2 of 3 parts)"):
        open_store(out)
    with refused("found a store with other settings", "seed: 3 there, 4 asked"):
        generate_sections(TINY, out, sequences=5, seed=4, part_size=2, muscle="rectus-femoris",
                          workers=1, pool="threads", resume=True)  # fmt: skip
    again = generate_sections(TINY, out, sequences=5, seed=3, part_size=2, muscle="rectus-femoris",
                              workers=1, pool="threads", resume=True)  # fmt: skip
    for index in range(5):
        np.testing.assert_array_equal(again.read("bmode", index), store.read("bmode", index))


def test_whoever_needs_velocity_refuses_it(store, refused):
    wanted = "found images of the longitudinal section", "wanted sequences of tissue velocity"
    with refused(*wanted):
        open_sequences(store.location)
    with refused(*wanted):
        check_velocity(store)
    with refused(*wanted):
        store.tvi(0)
    with refused("found a store without truth"):
        store.truth(0)


def test_what_cannot_be_made_is_refused_and_leaves_nothing(tmp_path, refused):
    with refused("sequences: found 0, wanted 1 to"):
        plan_sections(TINY, sequences=0)
    with refused("part_size: found 0, wanted 1 or more"):
        plan_sections(TINY, sequences=1, part_size=0)
    with refused("found a deep aponeurosis at"):
        generate_sections(SectionParameters(thickness=60, tilt=0), tmp_path / "a.zarr")
    assert not list(tmp_path.iterdir())


def test_notebooks_show_the_first_image(store):
    html = html_of(store)
    assert "one image" in html
    assert "data:image/png" in html
    thick = float(store.read("muscle_thickness", 0))
    assert f"image 0: {thick:.1f} mm thick" in html
    assert html.count("<path") == 2
    assert "fascicle size" in html
    assert not math.isnan(thick)
