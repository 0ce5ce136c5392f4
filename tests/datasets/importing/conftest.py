"""Foreign files, made small: the same array in every format that can hold it."""

import h5py
import numpy as np
import pytest
import scipy.io
import xarray as xr
import zarr

from tests.datasets.importing.image_writers import write_dicom, write_nifti, write_tiff

_CLASSES = {"f8": "double", "f4": "single", "b1": "logical", "i2": "int16", "u1": "uint8"}


def _matlab_dataset(group, name, value):
    """Write what MATLAB 7.3 writes for a value: axes reversed, complex numbers as pairs.

    Dicts become structs, arrays of objects cells, and arrays of objects with fields arrays of
    structs, as they do for scipy.
    """
    if isinstance(value, dict):
        struct = group.create_group(name)
        struct.attrs["MATLAB_class"] = np.bytes_("struct")
        for field, inner in value.items():
            _matlab_dataset(struct, field, inner)
        return
    if isinstance(value, str):
        codes = np.array([[ord(letter)] for letter in value], "u2")
        dataset = group.create_dataset(name, data=codes)
        dataset.attrs["MATLAB_class"] = np.bytes_("char")
        dataset.attrs["MATLAB_int_decode"] = np.int32(2)
        return
    value = np.atleast_2d(value)
    if value.dtype.names:
        struct = group.create_group(name)
        struct.attrs["MATLAB_class"] = np.bytes_("struct")
        for field in value.dtype.names:
            struct.create_dataset(field, data=_matlab_references(group.file, value[field]))
        return
    if value.dtype == object:
        dataset = group.create_dataset(name, data=_matlab_references(group.file, value))
        dataset.attrs["MATLAB_class"] = np.bytes_("cell")
        return
    kind = value.real.dtype.str[1:]
    stored = value.astype("u1") if kind == "b1" else value
    if np.iscomplexobj(value):
        stored = np.empty(value.shape, [("real", value.real.dtype), ("imag", value.real.dtype)])
        stored["real"], stored["imag"] = value.real, value.imag
    dataset = group.create_dataset(name, data=stored.T)
    dataset.attrs["MATLAB_class"] = np.bytes_(_CLASSES.get(kind, np.dtype(kind).name))


def _matlab_references(file, values):
    """Write values of a cell or a field into #refs#; returns references to them."""
    apart = file.require_group("#refs#")
    result = np.empty(values.shape[::-1], h5py.ref_dtype)
    for place in np.ndindex(values.shape):
        name = f"r{len(apart)}"
        _matlab_dataset(apart, name, values[place])
        result[place[::-1]] = apart[name].ref
    return result


def write_matlab73(path, values, extra=lambda file: None):
    """Write a file as MATLAB does with ``save -v7.3``."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in values.items():
            _matlab_dataset(file, name, value)
        extra(file)
    text = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Thu Jan  1 00:00:00 2026"
    with path.open("r+b") as file:
        file.write(text.ljust(116) + b" " * 8 + b"\0\2IM")


def _hdf5(path, value, **options):
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=value, **options)


def _zarr(path, value, version, **options):
    group = zarr.create_group(str(path), zarr_format=version)
    chunks = tuple(max(n // 2, 1) for n in value.shape)
    group.create_array("x", data=value, chunks=chunks, **options)


def _zipped_zarr(path, value):
    store = zarr.storage.ZipStore(path, mode="w")
    chunks = tuple(max(n // 2, 1) for n in value.shape)
    zarr.create_array(store, name="x", data=value, chunks=chunks)
    store.close()


def _netcdf(path, value, **options):
    dims = ("time", "depth", "width", "more")[: value.ndim]
    xr.Dataset({"x": (dims, value)}).to_netcdf(path, **options)


def _pairs(value):
    pairs = np.empty(value.shape, [("r", value.real.dtype), ("i", value.real.dtype)])
    pairs["r"], pairs["i"] = value.real, value.imag
    return pairs


def _swapped(value):
    return value.astype(value.dtype.newbyteorder(">"))


# Each writes an array under the name that `name_of` of an open file gives.
WRITERS = {
    "a.npy": np.save,
    "fortran.npy": lambda p, v: np.save(p, np.asfortranarray(v)),
    "big.npy": lambda p, v: np.save(p, _swapped(v)),
    "a.npz": lambda p, v: np.savez(p, other=np.zeros(3), x=v),
    "big.npz": lambda p, v: np.savez(p, x=_swapped(np.asfortranarray(v))),
    "packed.npz": lambda p, v: np.savez_compressed(p, x=v, other=np.zeros(3)),
    "v5.mat": lambda p, v: scipy.io.savemat(p, {"other": np.zeros(3), "x": v}),
    "packed5.mat": lambda p, v: scipy.io.savemat(p, {"x": v, "o": "text"}, do_compression=True),
    "v73.mat": lambda p, v: write_matlab73(p, {"x": v, "other": np.zeros(3)}),
    "a.h5": _hdf5,
    "big.h5": lambda p, v: _hdf5(p, _swapped(v), chunks=True, compression="gzip", shuffle=True),
    "v2.zarr": lambda p, v: _zarr(p, v, 2),
    "big2.zarr": lambda p, v: _zarr(p, _swapped(v), 2),
    "v3.zarr": lambda p, v: _zarr(p, v, 3),
    "v3.zarr.zip": _zipped_zarr,
    "a.tif": lambda p, v: write_tiff(p, v, bigtiff=True),
    "packed.tif": lambda p, v: write_tiff(p, v, compression="zlib", tile=(16, 16)),
    "a.nii": write_nifti,
    "a.nii.gz": write_nifti,
}
COMPLEX_WRITERS = {"pairs.h5": lambda p, v: _hdf5(p, _pairs(v))}
REAL_WRITERS = {
    "a3.nc": lambda p, v: _netcdf(p, v, engine="scipy", format="NETCDF3_64BIT"),
    "a4.nc": lambda p, v: _netcdf(p, v, engine="h5netcdf"),
    "a.dcm": write_dicom,
    "big.tif": lambda p, v: write_tiff(p, v, bigtiff=True, byteorder=">", metadata=None),
}


@pytest.fixture
def write(tmp_path):
    """Write an array into a file whose name is a key of the writers; returns its path."""

    def call(name, value):
        path = tmp_path / name
        (WRITERS | COMPLEX_WRITERS | REAL_WRITERS)[name](path, value)
        return path

    return call


@pytest.fixture
def matlab73(tmp_path):
    """Write a MATLAB 7.3 file of named values; returns its path."""

    def call(values, name="a.mat", **options):
        write_matlab73(tmp_path / name, values, **options)
        return tmp_path / name

    return call


def pytest_generate_tests(metafunc):
    """Run tests of `real_file` and `complex_file` for every format that holds such numbers."""
    given = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "real_file" in metafunc.fixturenames and "real_file" not in given:
        metafunc.parametrize("real_file", [*WRITERS, *REAL_WRITERS])
    if "complex_file" in metafunc.fixturenames:
        metafunc.parametrize("complex_file", [*WRITERS, *COMPLEX_WRITERS])
