"""What a header claims is held against memory before any is asked for."""

import io
import zipfile

import h5py
import numpy as np
import pytest
import scipy.io
import xarray as xr
import zarr

from musim.datasets.importing import memory
from musim.datasets.importing.formats import open_file

ZEROS = np.zeros((20, 1024, 1024), np.uint8)


@pytest.fixture
def little_memory(monkeypatch):
    """Room for 17 MB."""
    monkeypatch.setattr(memory, "available_memory", lambda: 17_000_000)


BOMBS = {
    "a.npz": lambda path: np.savez_compressed(path, x=ZEROS),
    "a.mat": lambda path: scipy.io.savemat(path, {"x": ZEROS}, do_compression=True),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_is_packed_small_and_unpacks_to_more_than_memory(
    name, tmp_path, little_memory, refused
):
    BOMBS[name](tmp_path / name)
    assert (tmp_path / name).stat().st_size < 1 << 18
    with (
        refused(f"{name}: x", "found 0.021 GB", "0.017 GB", "without compression"),
        open_file(tmp_path / name) as file,
    ):
        file.array("x").read((slice(1),))


def _hdf5(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (4, 4, 4), "f4", chunks=(512, 512, 512), maxshape=(None,) * 3)


def _netcdf(path):
    data = xr.Dataset({"x": (("t", "z", "y"), np.zeros((0, 4, 4), "f4"))})
    chunks = {"x": {"chunksizes": (1 << 12, 128, 128)}}
    data.to_netcdf(path, engine="h5netcdf", encoding=chunks, unlimited_dims=("t", "z", "y"))
    with h5py.File(path, "r+") as file:
        for name in ("t", "z", "y", "x"):
            file[name].resize((4,) * file[name].ndim)


def _zarr(path):
    group = zarr.create_group(str(path))
    group.create_array("x", shape=(4, 4, 4), chunks=(1 << 12,) * 3, dtype="f8")


@pytest.mark.parametrize("write", [_hdf5, _netcdf, _zarr])
def test_chunks_that_are_larger_than_memory(write, tmp_path, little_memory, refused):
    path = tmp_path / "recording"
    write(path)
    with refused("recording: x", "packed together", "smaller chunks"), open_file(path) as file:
        file.array("x").read((slice(1),))


def test_a_frame_that_is_larger_than_memory(tmp_path, refused):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (9, 1 << 19, 1 << 19), "f8", chunks=(1, 16, 16))
    with (
        refused("a.h5: x", "found 2.2e+03 GB of values that are read together", "has room for"),
        open_file(path) as file,
    ):
        file.array("x").read((slice(1),))


def test_an_archive_that_claims_more_than_it_can_hold(tmp_path, refused):
    array = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": (1 << 30,)}
    np.lib.format.write_array_header_1_0(array, header)
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", array.getvalue() + b"123")
        packed = archive.getinfo("x.npy").compress_size
    # The length of what is unpacked, in the archive's directory and before the member.
    sound, length = (tmp_path / "a.npz").read_bytes(), len(array.getvalue()) + 3
    claimed = sound.replace(length.to_bytes(4, "little"), (1 << 31).to_bytes(4, "little"))
    assert claimed != sound
    (tmp_path / "a.npz").write_bytes(claimed)
    with refused("a.npz: x", f"found {packed * 1032} bytes", f"wanted {1 << 30}"):
        open_file(tmp_path / "a.npz")


def test_memory_is_that_of_the_machine_or_of_what_it_allows(tmp_path, monkeypatch):
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:  7 kB\nSwapFree:  2 kB\n")
    monkeypatch.setattr(memory, "_SYSTEM", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "_GROUP", tmp_path)
    assert memory.available_memory() == 9 << 10
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("1024\n")
    assert memory.available_memory() == 9 << 10
    (tmp_path / "memory.max").write_text("3072\n")
    assert memory.available_memory() == 2 << 10
    monkeypatch.setattr(memory, "_SYSTEM", tmp_path / "none")
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.available_memory() > 1 << 20
