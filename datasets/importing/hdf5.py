"""Reading HDF5, and MATLAB 7.3 files, which are HDF5 with the axes in reverse order."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from .dtypes import plain, plain_dtype, refusal_of
from .variables import File, VariableInfo, damage

CHUNK_CACHE = 64 << 20
"""Bytes of unpacked chunks that are kept, so that pieces side by side do not unpack them again."""

MATLAB_CLASS = "MATLAB_class"
_MATLAB_TEXTS = "char"
_MATLAB_NUMBERS = {
    "double", "single", "logical",
    "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
}  # fmt: skip
_ELSEWHERE = (
    "found values that lie in other files, wanted them in this one; gather them with h5repack, or "
    "save the recording again"
)


class Hdf5File(File):
    """An HDF5 file. Numbers are read piece by piece; links to other files are not followed."""

    format = "HDF5"

    def __init__(self, path: Path, mismatch: str = "") -> None:
        super().__init__(path, mismatch)
        with damage(path):
            self._file = h5py.File(path, "r", locking="best-effort", rdcc_nbytes=CHUNK_CACHE)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _list(self) -> Iterator[VariableInfo]:
        # This passes over soft and external links.
        found: list[tuple[str, Any]] = []
        self._file.visititems(lambda name, item: found.append((name, item)))
        for name, item in found:
            if isinstance(item, h5py.Dataset) and isinstance(name, str):
                yield self._describe(name, item)

    def _describe(self, name: str, dataset: h5py.Dataset) -> VariableInfo:
        shape, attributes = self._shape(dataset.shape or ()), _attributes_of(dataset)
        refusal = self._refusal(dataset, attributes)
        if refusal:
            return VariableInfo(name, shape, None, attributes, refusal=refusal)
        text = h5py.check_string_dtype(dataset.dtype) is not None
        dtype = np.dtype("U1") if text else self._dtype(dataset, attributes)
        return VariableInfo(name, shape, dtype, attributes)

    def _refusal(self, dataset: h5py.Dataset, attributes: Mapping[str, Any]) -> str:
        if dataset.shape is None:
            return "found nothing in it, wanted numbers"
        if dataset.external or dataset.is_virtual:
            return _ELSEWHERE
        if h5py.check_string_dtype(dataset.dtype) is not None:
            return ""
        if dataset.dtype.hasobject:
            return (
                "found references or lists of differing lengths, wanted an array of numbers; save "
                "the numbers as a variable of their own"
            )
        return refusal_of(dataset.dtype)

    def _shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape

    def _dtype(self, dataset: h5py.Dataset, attributes: Mapping[str, Any]) -> np.dtype[Any]:
        return plain_dtype(dataset.dtype)

    def _dataset(self, name: str) -> h5py.Dataset:
        dataset = self._file[name]
        if not isinstance(dataset, h5py.Dataset):
            raise TypeError("no dataset")
        return dataset

    def _read(self, info: VariableInfo, slices: tuple[slice, ...]) -> NDArray[Any]:
        return plain(np.asarray(self._dataset(info.name)[slices]))

    def _text(self, info: VariableInfo) -> str:
        if info.size != 1:
            raise InputError(f"{self.path}: {info.name}: found {info.size} texts, wanted one")
        values = np.asarray(self._dataset(info.name).asstr("utf-8", "replace")[()])
        return str(values.ravel()[0])

    def _attributes(self) -> Mapping[str, Any]:
        return _attributes_of(self._file)

    def _attribute(self, variable: str, attribute: str) -> Any:
        # Groups have attributes too, though they are not variables.
        group = self._file.get(variable, getlink=False) if variable in self._groups() else None
        if group is None:
            return super()._attribute(variable, attribute)
        known = _attributes_of(group)
        if attribute in known and np.ndim(known[attribute]) == 0:
            return known[attribute]
        raise InputError(
            f"{self.path}: found no attribute {attribute!r} of one value of {variable}; known are "
            f"{', '.join(known) or 'none'}"
        )

    def _groups(self) -> set[str]:
        found: list[tuple[str, Any]] = []
        self._file.visititems(lambda name, item: found.append((name, item)))
        return {name for name, item in found if isinstance(item, h5py.Group)}


class Matlab73File(Hdf5File):
    """A MATLAB 7.3 file; axes stand in MATLAB's order, the reverse of what HDF5 says."""

    format = "MATLAB 7.3"
    column_major = True

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
        kind = attributes.get(MATLAB_CLASS, "double")
        if "MATLAB_object_decode" in attributes or "MATLAB_function_class" in attributes:
            kind = f"object ({kind})"
        if kind != _MATLAB_TEXTS and kind not in _MATLAB_NUMBERS:
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
        kind = attributes.get(MATLAB_CLASS)
        if kind == _MATLAB_TEXTS:
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


def _attributes_of(item: Any) -> dict[str, Any]:
    """Return the attributes that are numbers and texts."""
    result = {}
    for name in item.attrs:
        if not isinstance(name, str):  # not in UTF-8
            continue
        try:
            value = item.attrs[name]
        except (OSError, TypeError, KeyError):  # of a type that h5py does not know
            continue
        if isinstance(value, bytes | np.bytes_):
            result[name] = value.decode(errors="replace")
        elif isinstance(value, str) or (
            isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biufcSU"
        ):
            result[name] = value
    return result
