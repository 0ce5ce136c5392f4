"""Reading HDF5 files."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from .content import Content
from .damage import damage
from .dtypes import plain, plain_dtype, refusal_of
from .files import File, VariableInfo
from .hdf5_filters import foreign_filters, missing_filter
from .packing import UNWRITTEN

_BEGINNING = b"\x89HDF\r\n\x1a\n"

CHUNK_CACHE = 64 << 20
"""Bytes of unpacked chunks that are kept, so that pieces side by side do not unpack them again."""

_ELSEWHERE = (
    "found values that lie in other files, wanted them in this one; gather them with h5repack, or "
    "save the recording again"
)


class Hdf5File(File):
    """An HDF5 file. Numbers are read piece by piece; links to other files are not followed."""

    format = "HDF5"
    suffixes = (".h5", ".hdf5", ".hdf", ".he5", ".uff", ".nc", ".nc4")
    guarded = True

    @classmethod
    def recognises(cls, content: Content) -> bool:
        """Return whether HDF5 begins in it."""
        return is_hdf5(content)

    def __init__(self, path: Path) -> None:
        super().__init__(path)
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
            if (
                isinstance(item, h5py.Dataset)
                and isinstance(name, str)
                and not _is_bare_dimension(item)
            ):
                yield self._describe(name, item)

    def _describe(self, name: str, dataset: h5py.Dataset) -> VariableInfo:
        shape, attributes = self._shape(dataset.shape or ()), _attributes_of(dataset)
        refusal = self._refusal(dataset, attributes)
        if refusal:
            return VariableInfo(name, shape, None, attributes, refusal=refusal)
        text = h5py.check_string_dtype(dataset.dtype) is not None
        dtype = np.dtype("U1") if text else self._dtype(dataset, attributes)
        if dataset.dtype.kind == "f" and np.isclose(dataset.fillvalue, UNWRITTEN, rtol=1e-6):
            attributes.setdefault("_FillValue", UNWRITTEN)
        chunk = math.prod(dataset.chunks or (0,)) * dataset.dtype.itemsize
        dims = _dims_of(dataset)
        return VariableInfo(name, shape, dtype, attributes, dims, together=chunk)

    def _refusal(self, dataset: h5py.Dataset, attributes: Mapping[str, Any]) -> str:
        if dataset.shape is None:
            return "found nothing in it, wanted numbers"
        if dataset.external or dataset.is_virtual:
            return _ELSEWHERE
        missing = missing_filter(dataset)
        if missing:
            return missing
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
        return self._piece(self._dataset(info.name), info.name, slices)

    def _piece(self, dataset: h5py.Dataset, name: str, slices: tuple[slice, ...]) -> NDArray[Any]:
        try:
            return plain(np.asarray(dataset[slices]))
        except OSError as error:
            filters = foreign_filters(dataset)
            if not filters:
                raise
            raise InputError(
                f"{self.path}: {name}: found chunks that {filters} does not unpack; they may "
                "be damaged, or packed by a newer version of it: pip install -U hdf5plugin, or "
                "save it with gzip where it can be read (h5repack -f GZIP=4)"
            ) from error

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
        if attribute in known and np.size(known[attribute]) == 1:
            return np.asarray(known[attribute]).ravel()[0].item()
        raise InputError(
            f"{self.path}: found no attribute {attribute!r} of one value of {variable}; known are "
            f"{', '.join(known) or 'none'}"
        )

    def _groups(self) -> set[str]:
        found: list[tuple[str, Any]] = []
        self._file.visititems(lambda name, item: found.append((name, item)))
        return {name for name, item in found if isinstance(item, h5py.Group)}


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
        elif isinstance(value, np.ndarray) and value.dtype.kind == "O" and value.size == 1:
            only = value.ravel()[0]  # one text, as a list
            if isinstance(only, str | bytes):
                result[name] = only.decode(errors="replace") if isinstance(only, bytes) else only
        elif isinstance(value, str) or (
            isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biufcSU"
        ):
            result[name] = value
    return result


def _dims_of(dataset: h5py.Dataset) -> tuple[str, ...]:
    """Return the names of a dataset's axes: their labels, or the scales that belong to them."""
    try:
        names = [
            dimension.label or (dimension[0].name if len(dimension) else "") or ""
            for dimension in dataset.dims
        ]
    except RuntimeError:  # of a dataset that was copied without its scales
        return ()
    return tuple(name.rpartition("/")[2] for name in names) if all(names) else ()


def _is_bare_dimension(dataset: h5py.Dataset) -> bool:
    """Return whether it is NetCDF's mark of a dimension that has no coordinate."""
    name = dataset.attrs.get("NAME", b"") if dataset.is_scale else b""
    return isinstance(name, bytes) and name.startswith(b"This is a netCDF dimension but not a")


def is_hdf5(content: Content) -> bool:
    """Return whether HDF5 begins at 0, or after a user block of 512, 1024, 2048 ... bytes."""
    if content.is_folder:
        return False
    size, start = content.path.stat().st_size, 0
    with content.path.open("rb") as file:
        while start + len(_BEGINNING) <= size:
            file.seek(start)
            if file.read(len(_BEGINNING)) == _BEGINNING:
                return True
            start = max(512, start * 2)
    return False


def topmost(file: h5py.File) -> list[Any]:
    """Return what lies in the topmost group; links are not followed, wherever they lead."""
    keys = [key for key in file if isinstance(file.get(key, getlink=True), h5py.HardLink)]
    return [file[key] for key in keys]
