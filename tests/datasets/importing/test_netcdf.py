"""NetCDF files are read as xarray reads them."""

import h5py
import numpy as np
import pytest
import xarray as xr

from musim.datasets.importing.formats import open_file
from musim.datasets.importing.netcdf import Netcdf4File
from tests.datasets.importing.foreign_files import values_of


@pytest.mark.parametrize("engine", ["scipy", "h5netcdf"])
def test_netcdf_is_unpacked_and_keeps_its_names(engine, tmp_path):
    values = values_of("i2")
    coordinate = ("depth", np.arange(4) * 0.1, {"units": "mm"})
    data = xr.Dataset(
        {"v": (("time", "depth", "width"), values, {"scale_factor": 0.5, "units": "mm/s"})},
        coords={
            "depth": coordinate,
            "time": ("time", np.arange(5.0), {"units": "seconds since 1"}),
        },
    )
    data.to_netcdf(tmp_path / "a.nc", engine=engine)
    with open_file(tmp_path / "a.nc") as file:
        assert file.info("v").dims == ("time", "depth", "width")
        assert np.array_equal(file.array("v").read(), values * 0.5)
        assert file.info("depth").units == "mm"
        assert np.array_equal(file.array("time").read(), np.arange(5.0))
        assert (file.info("v").units, file.format[:6]) == ("mm/s", "NetCDF")


@pytest.mark.parametrize("coordinate", [False, True])
def test_a_filter_that_is_not_installed_is_named(coordinate, tmp_path, refused, monkeypatch):
    hdf5plugin = pytest.importorskip("hdf5plugin")
    data = xr.Dataset({"v": (("x", "y"), np.ones((4, 6)))}, {"x": np.arange(4.0)})
    packed = {
        "x" if coordinate else "v": {"chunksizes": (4, 6)[: 2 - coordinate], **hdf5plugin.LZ4()}
    }
    data.to_netcdf(tmp_path / "a.nc", engine="h5netcdf", encoding=packed)
    with open_file(tmp_path / "a.nc") as file:
        assert file.format == "NetCDF 4"
        np.testing.assert_array_equal(file.array("v").read(), np.ones((4, 6)))
    monkeypatch.setattr(h5py.h5z, "filter_avail", lambda n: n < 256)
    name = next(iter(packed))
    with refused(f"a.nc: {name}", "32004 (LZ4)"), Netcdf4File(tmp_path / "a.nc") as file:
        file.array(name)
