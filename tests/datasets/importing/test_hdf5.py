"""HDF5 files: what is no array of numbers, lies elsewhere, or is packed by what is not here."""

import importlib
import sys

import h5py
import numpy as np
import pytest

from musim.datasets.importing import hdf5_filters
from musim.datasets.importing.formats import open_file
from musim.datasets.importing.hdf5 import Hdf5File


def test_hdf5_objects_and_what_lies_elsewhere_are_refused(tmp_path, refused):
    secret = tmp_path / "secret"
    secret.write_bytes(b"\7" * 8)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = np.zeros(3)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.zeros(3)
        file.create_dataset("reference", (2,), h5py.ref_dtype)
        file.create_dataset("lists", (2,), h5py.vlen_dtype(np.dtype("f4")))
        file.create_dataset("fields", (2,), [("a", "f4"), ("b", "f4"), ("c", "f4")])
        file.create_dataset("raw", (8,), "u1", external=[(str(secret), 0, 8)])
        layout = h5py.VirtualLayout((3,), "f8")
        layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "x", (3,))
        file.create_virtual_dataset("virtual", layout)
        file["link"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "x")
        file.create_dataset("nothing", data=h5py.Empty("f4"))
    with open_file(tmp_path / "a.h5") as file:
        assert "link" not in {v.name for v in file.variables}
        for name in ("reference", "lists", "fields", "raw", "virtual", "nothing", "link"):
            with refused("a.h5", name, "found"):
                file.array(name)


@pytest.fixture
def without_plugins(monkeypatch):
    """No filters but HDF5's own, as where nobody installed others, for what is read here."""
    available = h5py.h5z.filter_avail
    monkeypatch.setattr(h5py.h5z, "filter_avail", lambda n: n < 256 and available(n))
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)


def _packed(path, number, mask=0, stored=b"1234"):
    """Write one chunk as a filter of that number would have left it."""
    with h5py.File(path, "w") as file:
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk((2, 2, 2))
        properties.set_filter(number, h5py.h5z.FLAG_OPTIONAL, ())
        space = h5py.h5s.create_simple((2, 2, 2))
        new = h5py.h5d.create(file.id, b"iq", h5py.h5t.IEEE_F32LE, space, dcpl=properties)
        new.write_direct_chunk((0, 0, 0), stored, mask)
    return path


def test_a_filter_that_is_not_installed_is_named(tmp_path, refused, without_plugins):
    path = _packed(tmp_path / "a.h5", 32008)
    with (
        refused("a.h5: iq", "filter 32008 (bitshuffle)", "pip install hdf5plugin"),
        Hdf5File(path) as file,
    ):
        file.array("iq")
    path = _packed(tmp_path / "b.h5", 32999)
    with refused("filter 32999 (of no known name)", "h5repack"), Hdf5File(path) as file:
        file.array("iq")


def test_a_filter_that_left_the_chunks_alone_is_not_needed(tmp_path, without_plugins):
    values = np.arange(8, dtype="f4").reshape(2, 2, 2)
    path = _packed(tmp_path / "a.h5", 32008, mask=1, stored=values.tobytes())
    with Hdf5File(path) as file:
        np.testing.assert_array_equal(file.array("iq").read(), values)


def test_chunks_that_an_installed_filter_cannot_unpack_are_not_its_absence(tmp_path, refused):
    pytest.importorskip("hdf5plugin")
    path = _packed(tmp_path / "a.h5", 32008, stored=b"x" * 99)
    with refused("a.h5: iq", "32008 (bitshuffle)", "damaged"), open_file(path) as file:
        file.array("iq").read()


def test_more_filters_are_loaded_for_a_file_that_needs_them_alone(tmp_path, monkeypatch):
    hdf5plugin = pytest.importorskip("hdf5plugin")
    values = np.arange(24, dtype="i2").reshape(2, 3, 4)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("plain", data=values, compression="gzip")
        file.create_dataset("packed", data=values, **hdf5plugin.Bitshuffle())
    loaded = []
    load = importlib.import_module
    monkeypatch.setattr(importlib, "import_module", lambda name: loaded.append(name) or load(name))
    monkeypatch.setattr(h5py.h5z, "filter_avail", lambda n: n < 256 or bool(loaded))
    with h5py.File(tmp_path / "a.h5") as file:
        assert hdf5_filters.missing_filter(file["plain"]) == ""
        assert loaded == []
    with Hdf5File(tmp_path / "a.h5") as file:
        np.testing.assert_array_equal(file.array("packed").read(), values)
    assert loaded == ["hdf5plugin"]
