"""Zarr stores in zip archives: read where they lie."""

import shutil
import zipfile

import numpy as np
import pytest
import zarr

from musim.datasets.importing.formats import open_file
from tests.datasets.importing.foreign_files import SHAPE, assert_same, values_of


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("way", ["written", "zipped", "zipped with its folder", "compressed"])
def test_a_store_in_a_zip_archive_is_read(way, version, tmp_path):
    values = values_of("c8")
    path = tmp_path / "store.zarr.zip"
    if way == "written":
        store = zarr.storage.ZipStore(path, mode="w")
        group = zarr.create_group(store, zarr_format=version)
        group.create_array("deep/x", data=values, chunks=(2, 4, 3))
        store.close()
    else:
        group = zarr.create_group(str(tmp_path / "in" / "a.zarr"), zarr_format=version)
        group.create_array("deep/x", data=values, chunks=(2, 4, 3), compressors=None)
        folder = tmp_path / "in" / ("" if way == "zipped with its folder" else "a.zarr")
        made = shutil.make_archive(str(tmp_path / "made"), "zip", folder)
        if way == "compressed":
            with zipfile.ZipFile(made) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as new:
                for name in old.namelist():
                    new.writestr(name, old.read(name))
        else:
            shutil.move(made, path)
    with open_file(path) as file:
        assert (file.format, file.mismatch) == ("Zarr in a zip archive", "")
        assert [info.name for info in file.variables] == ["deep/x"]
        assert_same(file.array("deep/x").read((slice(1, 4),)), values[1:4])
    assert not (tmp_path / "deep").exists()


def test_a_single_array_and_its_fill_value(tmp_path):
    for version in (2, 3):
        store = zarr.storage.ZipStore(tmp_path / f"{version}.zip", mode="w")
        array = zarr.create_array(store, shape=SHAPE, dtype="f4", chunks=(2, 4, 6), fill_value=7,
                                  zarr_format=version)  # fmt: skip
        array[:2] = 1
        store.close()
        with open_file(tmp_path / f"{version}.zip") as file:
            assert_same(file.array("array").read((slice(1, 3),))[:, 0, 0], np.array([1, 7], "f4"))


def test_a_member_that_is_damaged_is_found_by_its_checksum(tmp_path, refused):
    store = zarr.storage.ZipStore(tmp_path / "a.zip", mode="w")
    zarr.create_array(store, name="x", data=np.full(64, 7.0), compressors=None)
    store.close()
    content = (tmp_path / "a.zip").read_bytes()
    chunk = np.full(64, 7.0).tobytes()
    assert content.count(chunk) == 1
    (tmp_path / "a.zip").write_bytes(content.replace(chunk, chunk[:-8] + b"\1" * 8))
    with refused("a.zip: x", "damaged"), open_file(tmp_path / "a.zip") as file:
        file.array("x").read()


def test_archives_that_are_not_one_readable_store_are_refused(tmp_path, refused):
    for name in ("a", "b"):
        group = zarr.create_group(str(tmp_path / "in" / f"{name}.zarr"), zarr_format=2)
        group.create_array("x", data=np.ones(3))
    two = shutil.make_archive(str(tmp_path / "two"), "zip", tmp_path / "in")
    with refused("two.zip", "found 2 Zarr stores", "a.zarr/, b.zarr/"):
        open_file(two)
    one = shutil.make_archive(str(tmp_path / "one"), "zip", tmp_path / "in" / "a.zarr")
    content = bytearray((tmp_path / "one.zip").read_bytes())
    entry = content.rindex(b"PK\1\2")
    name = bytes(content[entry + 46 :]).split(b"PK")[0].decode(errors="replace")[:6]
    content[entry + 8] |= 1  # as zip -e would set it
    (tmp_path / "one.zip").write_bytes(content)
    with refused("one.zip", name, "encrypted"):
        open_file(one)
