"""Packed values and missing ones mean the same in every format."""

import h5py
import numpy as np
import pytest
import xarray as xr
import zarr

from musim.datasets.importing.description import Description
from musim.datasets.importing.formats import open_file
from musim.datasets.importing.packing import packing_of
from musim.datasets.importing.resolving import resolve

SHAPE = (5, 4, 3)
MISSING = (3, 2, 1)
DIMS = ("time", "depth", "width")


def _velocity(missing=True):
    values = np.random.default_rng(5).integers(-3000, 3000, SHAPE) / 100
    if missing:
        values[MISSING] = np.nan
    return values


def _netcdf(path, engine, group, encoding, values):
    dataset = xr.Dataset(
        {"v": (DIMS, values, {"units": "mm/s"})},
        {"depth": ("depth", np.arange(4) * 0.5, {"units": "mm"})},
    )
    packed = {"v": encoding, "depth": {"dtype": "i2", "scale_factor": 0.25, "_FillValue": -1}}
    dataset.to_netcdf(path, engine=engine, encoding=packed, group=group)


def _zarr(path, version, encoding, values):
    dataset = xr.Dataset(
        {"v": (DIMS, values, {"units": "mm/s"})},
        {"depth": ("depth", np.arange(4) * 0.5, {"units": "mm"})},
    )
    packed = {"v": encoding, "depth": {"dtype": "i2", "scale_factor": 0.25, "_FillValue": -1}}
    dataset.to_zarr(path, encoding=packed, zarr_format=version, consolidated=False)


WRITERS = {
    "netcdf3.nc": lambda p, *a: _netcdf(p, "scipy", None, *a),
    "netcdf4.nc": lambda p, *a: _netcdf(p, "h5netcdf", None, *a),
    "group.nc": lambda p, *a: _netcdf(p, "h5netcdf", "scan", *a),
    "v2.zarr": lambda p, *a: _zarr(p, 2, *a),
    "v3.zarr": lambda p, *a: _zarr(p, 3, *a),
}
PACKED = {"dtype": "i2", "scale_factor": 0.01, "add_offset": 5.0, "_FillValue": -32768}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize(
    ("encoding", "stored", "tolerance"),
    [
        (PACKED, "i2", 1e-12),
        (PACKED | {"scale_factor": np.float32(0.01), "add_offset": np.float32(5)}, "i2", 1e-5),
        ({"dtype": "f4", "_FillValue": np.float32(-9999)}, "f4", 1e-5),
        ({"dtype": "f8", "_FillValue": 1e20}, "f8", 0),
    ],
)
def test_every_format_gives_the_values_that_were_packed(
    name, encoding, stored, tolerance, tmp_path
):
    values = _velocity()
    WRITERS[name](tmp_path / name, encoding, values)
    with open_file(tmp_path / name) as file:
        (info,) = (info for info in file.variables if info.name.endswith("v"))
        assert (info.stored, info.units, info.dims) == (np.dtype(stored), "mm/s", DIMS)
        array = file.array(info.name)
        found = array.read()
        assert found.dtype == array.dtype
        assert array.dtype.kind == "f"
        np.testing.assert_allclose(found, values, rtol=0, atol=tolerance * 10)
        piece = (slice(2, 4), slice(None), slice(1, 3))
        np.testing.assert_array_equal(array.read(piece), found[piece])
        # Coordinates are unpacked too.
        (depth,) = (info.name for info in file.variables if info.name.endswith("depth"))
        np.testing.assert_array_equal(file.array(depth).read(), np.arange(4) * 0.5)


def _attributes(path, values, **attributes):
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("v", data=values)
        for key, value in attributes.items():
            dataset.attrs[key] = value
    return path


NAN = np.nan


@pytest.mark.parametrize(
    ("numbers", "attributes", "wanted"),
    [
        (np.array([1, 2, 3], "i2"), {"missing_value": np.array([1, 3], "i2")}, [NAN, 2, NAN]),
        (np.array([1, 2, 3], "i2"), {"_FillValue": np.array([2], "i2")}, [1, NAN, 3]),
        (np.array([1, 2, 3], "i2"), {"_FillValue": 2.5, "missing_value": 1e9}, [1, 2, 3]),
        (np.array([1, 2, 3], "i2"), {"valid_min": -np.inf}, [1, 2, 3]),
        (np.array([-5, 0, 5, 9], "i2"), {"valid_range": [-4, 5]}, [NAN, 0, 5, NAN]),
        (np.array([-5, 0, 5, 9], "i2"), {"valid_min": -4}, [NAN, 0, 5, 9]),
        (np.array([-5, 0, 5, 9], "i2"), {"valid_max": 5, "scale_factor": 2.0}, [-10, 0, 10, NAN]),
        # Of the factors' type: in the values' own unit.
        (np.array([-5, 0, 5, 9], "i2"), {"valid_max": 10.0, "scale_factor": 2.0},
         [-10, 0, 10, NAN]),
        (np.array([-5, 0, 5, 9], "i2"), {"valid_max": 5.0, "scale_factor": -1.0},
         [5, 0, -5, -9]),
        (np.array([-1, 100], "i1"), {"_Unsigned": "true"}, [255, 100]),
        (np.array([-1, 100], "i1"), {"_Unsigned": "true", "_FillValue": np.int8(-1)}, [NAN, 100]),
        (np.array([-2, 100], "i1"), {"_Unsigned": "true", "scale_factor": 0.5}, [127, 50]),
        (np.array([255, 100], "u1"), {"_Unsigned": "false"}, [-1, 100]),
        (np.array([255, 3], ">i2"), {"_FillValue": np.int16(255)}, [NAN, 3]),
        (np.array([-2, 100], "i1"), {"_Unsigned": "true", "valid_max": np.int8(-6)},
         [NAN, 100]),
        (np.array([1, 2], "f4"), {"scale_factor": "2.5"}, [2.5, 5]),
        (np.array([1 + 1j, -9], "c8"), {"_FillValue": -9.0, "scale_factor": 2.0}, [2 + 2j, NAN]),
        (np.array([1, NAN], "f4"), {"_FillValue": np.float32(NAN)}, [1, NAN]),
        (np.array([1, 2, 3], "i4"), {"scale_factor": 1.0, "add_offset": 0.0}, [1, 2, 3]),
    ],
)  # fmt: skip
def test_attributes_say_what_numbers_stand_for(numbers, attributes, wanted, tmp_path):
    with open_file(_attributes(tmp_path / "a.h5", numbers, **attributes)) as file:
        np.testing.assert_array_equal(file.array("v").read(), wanted)


@pytest.mark.parametrize(
    ("stored", "attributes", "wanted"),
    [
        ("i2", {"scale_factor": np.float32(0.1)}, "f4"),
        ("i4", {"scale_factor": np.float32(0.1)}, "f8"),
        ("i2", {"scale_factor": 0.1}, "f8"),
        ("i2", {"scale_factor": np.float32(0.1), "add_offset": 1.0}, "f8"),
        ("i2", {"_FillValue": 7}, "f4"),
        ("i4", {"_FillValue": 7}, "f8"),
        ("f2", {"_FillValue": 7}, "f2"),
        ("f8", {"scale_factor": np.float32(2)}, "f8"),
        ("c8", {"_FillValue": 7}, "c8"),
    ],
)
def test_the_values_type_is_that_of_the_factors_and_wide_enough(stored, attributes, wanted):
    packing = packing_of(attributes, np.dtype(stored))
    assert packing.dtype == np.dtype(wanted)
    assert packing.decode(np.ones(3, stored)).dtype == np.dtype(wanted)


def test_numbers_that_nothing_is_said_of_stay_as_they_are():
    assert packing_of({"units": "mm/s"}, np.dtype("i2")) is None
    assert packing_of({"_FillValue": np.nan, "valid_min": -np.inf}, np.dtype("f4")) is None
    assert packing_of({"scale_factor": 1}, np.dtype("i2")) is None
    assert packing_of({"scale_factor": 2.0}, np.dtype("U1")) is None


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"scale_factor": "much"}, ("scale_factor", "'much'", "a number")),
        ({"scale_factor": 0.0}, ("scale_factor", "found 0")),
        ({"scale_factor": [1.0, 2.0]}, ("scale_factor", "2 values", "one number")),
        ({"add_offset": np.nan}, ("add_offset", "nan")),
        ({"valid_range": [1.0, 2.0, 3.0]}, ("valid_range", "3 values", "wanted 2")),
        ({"_FillValue": "none"}, ("_FillValue", "'none'")),
    ],
)
def test_attributes_that_cannot_be_followed_are_named(attributes, words, tmp_path, refused):
    path = _attributes(tmp_path / "a.h5", np.zeros(SHAPE, "i2"), **attributes)
    with refused("a.h5: v: ", "save the values unpacked", *words), open_file(path) as file:
        file.array("v")


def test_zarrs_own_fill_value_is_missing_only_where_xarray_says_so(tmp_path):
    for version, named, fill, wanted in (
        (2, True, 7, True), (2, False, 7, False), (3, True, 7, False), (2, True, 0, False),
    ):  # fmt: skip
        group = zarr.create_group(str(tmp_path / "a.zarr"), zarr_format=version, overwrite=True)
        array = group.create_array("v", shape=(4,), dtype="i2", chunks=(2,), fill_value=fill)
        array[2:] = [1, 2]
        if named:
            array.attrs["_ARRAY_DIMENSIONS"] = ["time"]
        with open_file(tmp_path / "a.zarr") as file:
            found = file.array("v").read()
        np.testing.assert_array_equal(
            found, [np.nan] * 2 + [1, 2] if wanted else [fill] * 2 + [1, 2]
        )


def test_full_scale_is_that_of_the_stored_numbers(tmp_path):
    values = {
        "kind": "rf", "axes": "time,channel,sample", "frame_rate": 1000, "pitch": 0.3,
        "centre_frequency": 5e6, "sampling_frequency": 2e7,
    }  # fmt: skip
    echoes = np.zeros((3, 4, 5), "i2")

    def limits(change=(), **attributes):
        with open_file(_attributes(tmp_path / "a.h5", echoes, **attributes)) as file:
            return resolve(Description.parse(values | dict(change)), file).saturation

    assert limits() == (-32768, 32767)
    assert limits(_FillValue=np.int16(99)) == (-32768, 32767)
    assert limits(scale_factor=0.5, add_offset=1.0) == (-16383, 16384.5)
    assert limits(scale_factor=-0.5) == (-16383.5, 16384)
    assert limits({"saturation": 2047}, scale_factor=0.5) == (-1023.5, 1023.5)
    assert limits(_Unsigned="true") == (0, 65535)


def test_single_numbers_are_unpacked(tmp_path):
    with open_file(_attributes(tmp_path / "a.h5", np.int16(4000), scale_factor=0.1)) as file:
        assert file.value("v") == pytest.approx(400)


def test_axes_of_hdf5_are_named_by_labels_or_scales(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["v"] = np.zeros(SHAPE)
        file["t"] = np.arange(5.0)
        file["t"].make_scale("t")
        file["v"].dims[0].attach_scale(file["t"])
        file["v"].dims[1].label, file["v"].dims[2].label = "z", "x"
        file["v"].attrs["Unit"] = np.array(["mm/s"], h5py.string_dtype())
        file["bare"] = np.zeros(4)
        file["bare"].make_scale("This is a netCDF dimension but not a netCDF variable.         4")
    with open_file(tmp_path / "a.h5") as file:
        assert (file.info("v").dims, file.info("v").units) == (("t", "z", "x"), "mm/s")
        assert file.info("t").dims == ()
        assert [info.name for info in file.variables] == ["t", "v"]


@pytest.mark.parametrize("group", [None, "scan"])
def test_what_nobody_wrote_into_a_netcdf_file_is_missing(group, tmp_path):
    # As the libraries of NetCDF fill it, without a word in the attributes.
    unwritten = np.float32(9.969209968386869e36)
    with h5py.File(tmp_path / "a.nc", "w") as file:
        file.attrs["_NCProperties"] = "version=2"
        place = file.create_group(group) if group else file
        data = place.create_dataset("v", (4,), "f4", fillvalue=unwritten, chunks=(2,))
        data[2:] = [1, 2]
    with open_file(tmp_path / "a.nc") as file:
        (info,) = file.variables
        np.testing.assert_array_equal(file.array(info.name).read(), [np.nan, np.nan, 1, 2])
        assert (file.mismatch, info.dtype) == ("", np.float32)


def test_nan_of_which_numpy_warns_is_missing_without_a_word():
    signalling = np.array([0x7F800001, 0x3F800000], "u4").view("f4")
    packing = packing_of({"scale_factor": np.float64(2)}, np.dtype("f4"))
    assert packing is not None
    np.testing.assert_array_equal(packing.decode(signalling), [np.nan, 2])
