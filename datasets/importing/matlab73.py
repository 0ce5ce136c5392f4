"""Reading MATLAB 7.3 files (``save -v7.3``): HDF5 with the axes in reverse order."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from .content import Content
from .dtypes import plain_dtype
from .files import VariableInfo
from .hdf5 import Hdf5File, is_hdf5, topmost

_HEADER = b"MATLAB 7.3"
_CLASS = "MATLAB_class"
_TEXTS = "char"
_NUMBERS = {
    "double", "single", "logical",
    "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
}  # fmt: skip


class Matlab73File(Hdf5File):
    """A MATLAB 7.3 file; axes stand in MATLAB's order, the reverse of what HDF5 says."""

    format = "MATLAB 7.3"
    suffixes = (".mat",)
    column_major = True
    drops_last_axes = True

    @classmethod
    def recognises(cls, content: Content) -> bool:
        """Return whether it is HDF5."""
        return is_hdf5(content)

    @classmethod
    def confirms(cls, path: Path) -> bool:
        """Return whether it has MATLAB's header, or variables of MATLAB's classes."""
        with path.open("rb") as head:
            if head.read(len(_HEADER)) == _HEADER:
                return True
        with h5py.File(path, "r", locking="best-effort") as file:
            return any(_CLASS in item.attrs for item in topmost(file))

    def _list(self) -> Iterator[VariableInfo]:
        sparse = [name for name in self._groups() if "MATLAB_sparse" in self._file[name].attrs]
        for info in super()._list():
            # What cells, objects and function handles refer to.
            if info.name.startswith(("#refs#", "#subsystem#")):
                continue
            if any(info.name.startswith(f"{name}/") for name in sparse):
                continue
            yield info
        for name in sparse:
            yield VariableInfo(
                name, (), None, refusal="found a sparse matrix, wanted an array of numbers; save "
                "it as a full array",
            )  # fmt: skip

    def _refusal(self, dataset: h5py.Dataset, attributes: Mapping[str, Any]) -> str:
        kind = attributes.get(_CLASS, "double")
        if "MATLAB_object_decode" in attributes or "MATLAB_function_class" in attributes:
            kind = f"object ({kind})"
        if kind != _TEXTS and kind not in _NUMBERS:
            return (
                f"found a MATLAB {kind}, wanted an array of numbers; save its numbers as variables "
                "of their own"
            )
        if "MATLAB_empty" in attributes:
            return "found an empty array, wanted numbers"
        return super()._refusal(dataset, attributes)

    def _shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape[::-1]

    def _dtype(self, dataset: h5py.Dataset, attributes: Mapping[str, Any]) -> np.dtype[Any]:
        kind = attributes.get(_CLASS)
        if kind == _TEXTS:
            return np.dtype("U1")
        return np.dtype(bool) if kind == "logical" else plain_dtype(dataset.dtype)

    def _read(self, info: VariableInfo, slices: tuple[slice, ...]) -> NDArray[Any]:
        return super()._read(info, slices[::-1]).T

    def _text(self, info: VariableInfo) -> str:
        if info.shape and info.shape[0] > 1:
            raise InputError(f"{self.path}: {info.name}: found several texts, wanted one")
        values = np.asarray(self._dataset(info.name)[()])
        if values.dtype.kind not in "ui":
            return super()._text(info)
        return values.astype("<u2").tobytes().decode("utf-16-le")
