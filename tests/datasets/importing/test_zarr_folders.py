"""Zarr folders: codecs that compute and no more, shards, single arrays."""

import json
import pickle

import numcodecs
import numpy as np
import pytest
import zarr

from musim.datasets.importing.formats import open_file
from tests.datasets.importing.foreign_files import (
    SHAPE,
    Trap,
    assert_same,
    values_of,
)


@pytest.mark.parametrize("place", ["compressor", "filters"])
def test_zarr_that_unpickles_its_chunks_is_refused(place, tmp_path, refused):
    mark, path = tmp_path / "mark", tmp_path / "a.zarr"
    path.mkdir()
    pickler = {"id": "pickle", "protocol": 5}
    for dtype in ("<f8", "|O"):
        document = {
            "zarr_format": 2, "shape": [2], "chunks": [2], "dtype": dtype, "fill_value": 0,
            "order": "C", "compressor": None, "filters": None,
            place: pickler if place == "compressor" else [pickler],
        }  # fmt: skip
        (path / ".zarray").write_text(json.dumps(document))
        (path / "0").write_bytes(pickle.dumps(Trap(mark)))
        with refused("a.zarr", "pickle"), open_file(path) as file:
            file.array("array").read()
    assert not mark.exists()


def test_codecs_that_are_not_known_are_refused(tmp_path, refused):
    values = values_of("u1")
    group = zarr.create_group(str(tmp_path / "a.zarr"), zarr_format=2)
    group.create_array("odd", data=values, chunks=SHAPE, compressors=numcodecs.Base64())
    group.create_array("x", data=values, chunks=SHAPE, compressors=numcodecs.LZ4())
    with open_file(tmp_path / "a.zarr") as file:
        assert_same(file.array("x").read(), values)
        with refused("a.zarr", "odd", "base64"):
            file.array("odd")


def test_shards_are_read(tmp_path):
    values = values_of("f4")
    group = zarr.create_group(str(tmp_path / "a.zarr"))
    group.create_array("deep/x", data=values, chunks=(1, 2, 3), shards=(5, 4, 6))
    with open_file(tmp_path / "a.zarr") as file:
        assert_same(file.array("deep/x").read((slice(2, 4),)), values[2:4])


def test_files_beside_the_arrays_of_a_store_do_not_matter(write):
    path = write("v3.zarr", values_of("f4"))
    (path / "notes.txt").write_text("words")
    (path / ".hidden").mkdir()
    with open_file(path) as file:
        assert [info.name for info in file.variables] == ["x"]


def test_a_single_zarr_array_is_a_store(tmp_path):
    for version in (2, 3):
        array = zarr.create_array(str(tmp_path / f"{version}.zarr"), shape=(4,), dtype="f4",
                                  chunks=(2,), zarr_format=version)  # fmt: skip
        array[:] = np.arange(4)
        with open_file(tmp_path / f"{version}.zarr") as file:
            assert_same(file.array("array").read((slice(1, 3),)), np.array([1, 2], "f4"))
