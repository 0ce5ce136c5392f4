"""Reading NetCDF 3 and 4 through xarray."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import h5py
import numpy as np
import xarray
from numpy.typing import NDArray

from ...simulator.errors import InputError
from .content import Content
from .damage import damage
from .dtypes import plain_dtype, refusal_of
from .files import File, VariableInfo
from .hdf5 import is_hdf5, topmost
from .hdf5_filters import missing_filter
from .packing import UNWRITTEN


class _NetcdfFile(File):
    """A NetCDF file; the variables of its topmost group."""

    engine: ClassVar[Literal["scipy", "h5netcdf"]]
    """What xarray reads it with."""

    guarded = True

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._missing_filters = self._look_for_filters()
        with damage(path):
            # Times stay numbers: "seconds since" is a date to xarray. What is packed is unpacked
            # as in every other format.
            self._dataset = xarray.open_dataset(
                path, engine=self.engine, decode_times=False, decode_timedelta=False,
                mask_and_scale=False, cache=False,
            )  # fmt: skip

    def close(self) -> None:
        """Close the file."""
        self._dataset.close()

    def _list(self) -> Iterator[VariableInfo]:
        for key, variable in self._dataset.variables.items():
            name, dims = str(key), tuple(str(dim) for dim in variable.dims)
            dtype = np.dtype(variable.dtype)
            attributes = dict(variable.attrs)
            if dtype.kind == "f":
                attributes.setdefault("_FillValue", UNWRITTEN)
            refusal = self._missing_filters.get(name) or refusal_of(dtype)
            if dtype.kind == "O" and _is_text(variable):
                refusal, dtype = "", np.dtype("U1")
            known = None if refusal else plain_dtype(dtype)
            chunk = math.prod(variable.encoding.get("chunksizes") or (0,)) * dtype.itemsize
            yield VariableInfo(
                name, variable.shape, known, attributes, dims, refusal, together=chunk
            )

    def _look_for_filters(self) -> dict[str, str]:
        """Return why each variable's chunks cannot be unpacked; empty texts where they can."""
        return {}

    def _read(self, info: VariableInfo, slices: tuple[slice, ...]) -> NDArray[Any]:
        return np.array(self._dataset.variables[info.name][slices].values)

    def _text(self, info: VariableInfo) -> str:
        values = np.asarray(self._dataset.variables[info.name].values)
        if values.size != 1:
            raise ValueError(f"found {values.size} texts, wanted one")
        text = values.ravel()[0]
        return text.decode(errors="replace") if isinstance(text, bytes) else str(text)

    def _attributes(self) -> Mapping[str, Any]:
        return dict(self._dataset.attrs)


class Netcdf3File(_NetcdfFile):
    """A NetCDF 3 file, with offsets of 32 or 64 bits."""

    format = "NetCDF 3"
    suffixes = (".nc", ".nc3", ".cdf", ".netcdf")
    engine = "scipy"
    libraries = ("scipy.io",)

    @classmethod
    def recognises(cls, content: Content) -> bool:
        """Return whether it begins as NetCDF 3 does."""
        return content.starts_with(b"CDF\x01", b"CDF\x02")


class Netcdf4File(_NetcdfFile):
    """A NetCDF 4 file, which is HDF5.

    One with groups is opened as the HDF5 that it is: xarray shows one group.
    """

    format = "NetCDF 4"
    suffixes = (".nc", ".nc4", ".h5", ".hdf5", ".netcdf")
    engine = "h5netcdf"
    libraries = ("h5netcdf",)

    @classmethod
    def recognises(cls, content: Content) -> bool:
        """Return whether it is HDF5."""
        return is_hdf5(content)

    @classmethod
    def confirms(cls, path: Path) -> bool:
        """Return whether it says that it is NetCDF, with variables in its topmost group alone."""
        with h5py.File(path, "r", locking="best-effort") as file:
            items = topmost(file)
            return "_NCProperties" in file.attrs and all(
                isinstance(item, h5py.Dataset) for item in items
            )

    def _look_for_filters(self) -> dict[str, str]:
        found = {}
        with damage(self.path), h5py.File(self.path, "r", locking="best-effort") as file:
            for item in topmost(file):
                if isinstance(item, h5py.Dataset) and item.name:
                    name, reason = item.name.strip("/"), missing_filter(item)
                    if reason and item.is_scale:  # xarray reads coordinates at once
                        raise InputError(f"{self.path}: {name}: {reason}")
                    found[name] = reason
        return found


def _is_text(variable: xarray.Variable) -> bool:
    """Return whether a variable of objects is one of texts, as NetCDF 4 stores them."""
    return variable.encoding.get("dtype") is str
