"""Reading NetCDF 3 and 4 through xarray, which also undoes packing (``scale_factor``)."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray
from numpy.typing import NDArray

from .dtypes import plain_dtype, refusal_of
from .variables import File, VariableInfo, damage


class NetcdfFile(File):
    """A NetCDF file; the variables of its topmost group."""

    def __init__(self, path: Path, mismatch: str = "", *, engine: str) -> None:
        super().__init__(path, mismatch)
        self.format = "NetCDF 3" if engine == "scipy" else "NetCDF 4"
        with damage(path):
            # Times stay numbers: "seconds since" is a date to xarray.
            self._dataset = xarray.open_dataset(
                path, engine=engine, decode_times=False, decode_timedelta=False, cache=False
            )

    def close(self) -> None:
        """Close the file."""
        self._dataset.close()

    def _list(self) -> Iterator[VariableInfo]:
        for key, variable in self._dataset.variables.items():
            name, dims = str(key), tuple(str(dim) for dim in variable.dims)
            dtype = np.dtype(variable.dtype)
            attributes = dict(variable.attrs)
            refusal = refusal_of(dtype)
            if dtype.kind == "O" and h5_text(variable):
                refusal, dtype = "", np.dtype("U1")
            known = None if refusal else plain_dtype(dtype)
            yield VariableInfo(name, variable.shape, known, attributes, dims, refusal)

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


def h5_text(variable: xarray.Variable) -> bool:
    """Return whether a variable of objects is one of texts, as NetCDF 4 stores them."""
    return variable.encoding.get("dtype") is str
