import asyncio
import dataclasses
import json

import numpy as np
import pytest
import zarr

from musim.datasets import schema
from musim.datasets.generation import plan
from musim.datasets.layout import Layout
from musim.datasets.store_files import ROOT


@pytest.fixture
def layout(tiny):
    return plan(tiny, sequences=5, seed=3, part_size=2)


def test_a_layout_survives_json(layout):
    assert Layout.from_json(json.loads(json.dumps(layout.to_json()))) == layout


def test_an_unknown_version_is_refused(layout, refused):
    values = layout.to_json() | {"format_version": 99}
    with refused("99", "wanted 1", "musim that wrote it"):
        Layout.from_json(values)


@pytest.mark.parametrize(
    ("sequences", "part_size", "wanted"),
    [
        (5, 2, [[0, 1], [2, 3], [4]]),
        (4, 2, [[0, 1], [2, 3]]),
        (3, 1, [[0], [1], [2]]),
        (3, 16, [[0, 1, 2]]),
        (1, 1, [[0]]),
    ],
)
def test_parts_divide_the_sequences(tiny, sequences, part_size, wanted):
    layout = plan(tiny, sequences=sequences, part_size=part_size)
    assert [list(layout.sequences_of(part)) for part in range(layout.parts)] == wanted


@pytest.mark.parametrize(
    ("kind", "frames_a_chunk", "sequences", "part_size"),
    [
        ("dense", None, 1, 1),
        ("dense", None, 3, 1),
        ("dense", 30, 5, 2),
        ("dense", 8, 4, 2),
        ("dense", 1, 3, 16),
        ("dense", 8, 2, 1),
        ("rendered", 8, 5, 2),
        ("rendered", None, 3, 1),
        ("rendered", 1, 3, 16),
    ],
)
def test_chunk_keys_are_the_chunk_files_on_the_disk(
    make, tmp_path, monkeypatch, kind, frames_a_chunk, sequences, part_size
):
    if frames_a_chunk is not None:
        monkeypatch.setattr(schema, "CHUNK_BYTES", 9 * 7 * 4 * frames_a_chunk)
    store = make(tmp_path / "set.zarr", kind=kind, sequences=sequences, part_size=part_size)
    layout, folder = store.layout, tmp_path / "set.zarr"
    keys = [
        key
        for name in layout.variables
        for part in range(layout.parts)
        for key in layout.chunk_keys(name, part)
    ]
    assert len(keys) == len(set(keys))
    files = {
        path.relative_to(folder).as_posix()
        for name in layout.variables
        for path in (folder / name).rglob("*")
        if path.is_file() and path.name != "zarr.json"
    }
    assert set(keys) == files
    chunks = 1 if frames_a_chunk is None else -(-30 // frames_a_chunk)
    voxels = sequences * chunks if kind == "dense" else 0
    assert len([key for key in keys if key.startswith("tvi/")]) == voxels


def test_the_keys_of_a_part_hold_that_part(dense):
    layout = dense.layout
    assert layout.chunk_keys("tvi", 1) == ["tvi/c.3.0.0.0", "tvi/c.4.0.0.0"]
    assert layout.chunk_keys("territory", 1) == ["territory/c.1.0.0.0"]
    assert layout.chunk_keys("snr", 0) == ["snr/c.0"]


def test_coordinates_are_pixel_centres_and_seconds_from_zero(layout):
    coordinates = layout.coordinates()
    np.testing.assert_allclose(coordinates["time"], np.arange(30) / 400, rtol=0, atol=1e-15)
    np.testing.assert_allclose(coordinates["depth"], np.arange(9) + 0.5)
    np.testing.assert_allclose(coordinates["width"], np.arange(7) + 0.5)
    np.testing.assert_array_equal(coordinates["sequence"], np.arange(5))


def test_every_variable_ends_its_chunks_with_a_crc(layout):
    for key, document in layout.metadata().items():
        if key != ROOT:
            assert json.loads(document)["codecs"][-1]["name"] == "crc32c"


def test_metadata_can_be_made_where_an_event_loop_runs(layout):
    # As in a notebook.
    async def inside():
        return layout.metadata()

    assert asyncio.run(inside()) == layout.metadata()


def test_metadata_are_what_zarr_reads(layout, tmp_path):
    for key, document in layout.metadata().items():
        (tmp_path / key).parent.mkdir(exist_ok=True)
        (tmp_path / key).write_bytes(document)
    group = zarr.open_group(tmp_path, mode="r")
    assert set(group) == {*layout.variables, "sequence", "time", "depth", "width"}
    assert group["tvi"].shape == (5, 30, 9, 7)
    assert group["territory"].dtype == "uint8"
    assert group.attrs["musim_seed"] == 3


def test_soft_masks_are_stored_as_shares(tiny):
    soft = dataclasses.replace(tiny, mask="soft")
    assert plan(soft, sequences=1).variable("territory").dtype == "float32"
    assert plan(tiny, sequences=1).variable("territory").dtype == "uint8"
