"""Reading Zarr folders, of version 2 and 3."""

import base64
import contextlib
import math
import struct
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.errors import ZarrUserWarning

from ..blosc import leave_no_semaphore
from .content import Content
from .damage import damage
from .dtypes import plain, plain_dtype, refusal_of
from .files import File, VariableInfo

leave_no_semaphore()

MARKS = ("zarr.json", ".zgroup", ".zarray")
"""Files of which one lies in every Zarr folder."""

# Codecs that compute and no more. Others may execute what the chunks say (pickle does).
_CODECS = {
    "blosc", "lz4", "zstd", "zlib", "gzip", "bz2", "lzma", "shuffle", "delta", "fixedscaleoffset",
    "quantize", "astype", "bitround", "packbits", "crc32", "crc32c", "adler32", "fletcher32",
    "jenkins_lookup3", "vlen-utf8", "vlen-bytes", "bytes", "transpose", "sharding_indexed",
}  # fmt: skip


class ZarrFolder(File):
    """A Zarr group, or a single array, which is named ``array``.

    Chunks that are not there read as the array's fill value, as in every reader of Zarr.
    """

    format = "Zarr"
    suffixes = (".zarr",)
    guarded = True

    @classmethod
    def recognises(cls, content: Content) -> bool:
        """Return whether it is a folder with Zarr's metadata in it."""
        return content.is_folder and any((content.path / mark).is_file() for mark in MARKS)

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._arrays: dict[str, zarr.Array[Any]] = {}
        with damage(path):
            self._found = self._open(path)

    def _open(self, path: Path) -> Any:
        # Consolidated metadata may be stale, and Zarr 3 does not define it.
        return zarr.open(str(path), mode="r", **_unconsolidated(path))

    def _list(self) -> Iterator[VariableInfo]:
        if isinstance(self._found, zarr.Array):
            yield self._describe("array", self._found)
        else:
            with warnings.catch_warnings():
                # Of files that are not Zarr's, such as notes beside the arrays.
                warnings.simplefilter("ignore", ZarrUserWarning)
                members = sorted(self._found.members(max_depth=None), key=lambda member: member[0])
            for name, item in members:
                if isinstance(item, zarr.Array):
                    yield self._describe(name, item)

    def _describe(self, name: str, array: "zarr.Array[Any]") -> VariableInfo:
        self._arrays[name] = array
        attributes: dict[str, Any] = dict(array.attrs)
        names = getattr(array.metadata, "dimension_names", None)
        names = names or attributes.get("_ARRAY_DIMENSIONS") or ()
        dims = tuple(str(dim) for dim in names) if len(names) == array.ndim else ()
        dtype = np.dtype(array.dtype)
        unknown = sorted(_codecs(array.metadata.to_dict()) - _CODECS)
        attributes |= _fill_of(array)
        is_text = dtype.kind in "UT"
        if unknown:
            refusal = f"found it packed with {unknown[0]!r}, which is not known to be safe; save "
            refusal += "it with another compressor, such as zstd"
        else:
            refusal = "" if is_text else refusal_of(dtype)
        if refusal:
            return VariableInfo(name, array.shape, None, attributes, dims, refusal)
        known = np.dtype("U1") if is_text else plain_dtype(dtype)
        chunk = math.prod(array.shards or array.chunks) * dtype.itemsize
        return VariableInfo(name, array.shape, known, attributes, dims, together=chunk)

    def _read(self, info: VariableInfo, slices: tuple[slice, ...]) -> NDArray[Any]:
        return plain(np.asarray(self._arrays[info.name][slices]))

    def _text(self, info: VariableInfo) -> str:
        values = np.asarray(self._arrays[info.name][...])
        if values.size != 1:
            raise ValueError(f"found {values.size} texts, wanted one")
        return str(values.ravel()[0])

    def _attributes(self) -> Mapping[str, Any]:
        return dict(self._found.attrs)


def _fill_of(array: "zarr.Array[Any]") -> dict[str, Any]:
    """Return the mark of missing values as an attribute, where xarray would see one.

    In version 2 the fill value of an array with named axes is that mark; in version 3 it is an
    attribute, of floating-point numbers the base64 text of their bytes. A 0 that nothing is packed
    with is what Zarr itself fills in, and as good a velocity as any.
    """
    attributes, fill = array.attrs, array.fill_value
    if array.metadata.zarr_format == 2:
        if "_ARRAY_DIMENSIONS" not in attributes or fill is None or array.dtype.kind not in "iufc":
            return {}
        plain_zero = fill == 0 and "scale_factor" not in attributes
        return {} if plain_zero else {"_FillValue": fill}
    mark = attributes.get("_FillValue")
    if isinstance(mark, str):
        return {"_FillValue": _float_of(mark)}
    if array.dtype.kind == "c" and isinstance(mark, list) and len(mark) == 2:
        real, imaginary = (_float_of(str(part)) for part in mark)
        return {"_FillValue": real + 1j * imaginary}
    return {}


def _float_of(text: str) -> Any:
    """Return the number of a text: base64 of a little-endian double, or digits."""
    with contextlib.suppress(ValueError, struct.error):
        return struct.unpack("<d", base64.b64decode(text, validate=True))[0]
    return text


def _unconsolidated(path: Path) -> dict[str, Any]:
    is_array = (path / ".zarray").exists()
    return {} if is_array else {"use_consolidated": False}


def _codecs(document: Any) -> set[str]:
    """Return the names of all codecs in an array's metadata, those within shards too."""
    found: set[str] = set()
    entries = [*(document.get("codecs") or ()), *(document.get("filters") or ())]
    entries += [document["compressor"]] if document.get("compressor") else []
    entries += document.get("index_codecs") or ()
    for entry in entries:
        settings = entry if isinstance(entry, Mapping) else _settings(entry)
        name = settings.get("name") or settings.get("id") or "unknown"
        found.add(str(name).removeprefix("numcodecs."))
        found |= _codecs(settings.get("configuration") or {})
    return found


def _settings(codec: Any) -> Mapping[str, Any]:
    return codec.get_config() if hasattr(codec, "get_config") else codec.to_dict()
