"""Reading NumPy's own files: ``.npy``, and ``.npz`` archives of them."""

import struct
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from ...simulator.errors import InputError
from .byte_streams import MOST_UNPACKED
from .content import Content
from .dtypes import plain, plain_dtype, refusal_of
from .files import File, VariableInfo
from .mapped import piece_of_file
from .memory import check_memory
from .zarr_folders import MARKS as ZARR_MARKS

_Header = tuple[tuple[int, ...], bool, np.dtype[Any]]  # shape, Fortran order, type as stored
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")  # PKWARE's APPNOTE 6.3.10, section 4.3.7


def _read_header(file: IO[bytes]) -> _Header:
    """Read the header of an array; the file then stands at its first value."""
    version = npy_format.read_magic(file)
    if version == (1, 0):
        return npy_format.read_array_header_1_0(file)
    if version in {(2, 0), (3, 0)}:  # they differ in the encoding of the names of fields alone
        return npy_format.read_array_header_2_0(file)
    raise ValueError(f"version {version} of the format is not known")


class NpyFile(File):
    """A ``.npy`` file: one array, which is named ``array``."""

    format = "NumPy .npy"
    suffixes = (".npy",)

    @classmethod
    def recognises(cls, content: Content) -> bool:
        """Return whether it begins as NumPy's arrays do."""
        return content.starts_with(npy_format.MAGIC_PREFIX)

    def _list(self) -> Iterator[VariableInfo]:
        # The header alone: NumPy refuses to map objects without saying of what shape they are.
        with self.path.open("rb") as file:
            header = _read_header(file)
            present = self.path.stat().st_size - file.tell()
        self.column_major = header[1]
        yield _describe("array", header, present, self.path)

    def _read(self, info: VariableInfo, slices: tuple[slice, ...]) -> NDArray[Any]:
        return plain(self._piece(slices))

    def _text(self, info: VariableInfo) -> str:
        return _one_text(self._piece(()), self.path, info.name)

    def _piece(self, slices: tuple[slice, ...]) -> NDArray[Any]:
        mapped = np.load(self.path, mmap_mode="r", allow_pickle=False)
        # A copy, so that the map and the file close with this function.
        return np.array(mapped[slices], order="K", subok=False)


class NpzFile(File):
    """A ``.npz`` file: a zip archive of arrays.

    Members that are not compressed are read piece by piece, mapped where they lie in the archive,
    which :func:`numpy.load` does not do. Of compressed ones the last that was used stays in memory,
    whole.
    """

    format = "NumPy .npz"
    suffixes = (".npz",)

    @classmethod
    def recognises(cls, content: Content) -> bool:
        """Return whether it is a zip archive of arrays, and not of a Zarr store."""
        names = [name.rpartition("/")[2] for name in content.members]
        has_arrays = any(name.endswith(".npy") for name in names)
        return has_arrays and not any(name in ZARR_MARKS for name in names)

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._members: dict[str, tuple[zipfile.ZipInfo, _Header, int]] = {}
        self._last: tuple[str, NDArray[Any]] | None = None

    def close(self) -> None:
        """Forget the array that is kept."""
        self._last = None

    def _list(self) -> Iterator[VariableInfo]:
        with zipfile.ZipFile(self.path) as archive:
            for member in archive.infolist():
                if not member.filename.endswith(".npy"):
                    continue
                name = member.filename.removesuffix(".npy")
                if member.flag_bits & 1:
                    yield VariableInfo(
                        name, (), None, refusal="found it encrypted, wanted plain values; unpack "
                        "the archive with its password and save it without",
                    )  # fmt: skip
                    continue
                with archive.open(member) as file:
                    header = _read_header(file)
                    length = file.tell()
                self._members[name] = member, header, length
                present = member.file_size - length
                if member.compress_type == zipfile.ZIP_DEFLATED:
                    # What the archive claims beyond this, it does not hold.
                    present = min(present, member.compress_size * MOST_UNPACKED)
                info = _describe(name, header, present, self.path)
                if member.compress_type != zipfile.ZIP_STORED:
                    info = replace(info, together=member.file_size)
                yield info

    def _read(self, info: VariableInfo, slices: tuple[slice, ...]) -> NDArray[Any]:
        member, header, length = self._members[info.name]
        if member.compress_type == zipfile.ZIP_STORED:
            offset = self._start(member) + length
            shape, fortran, dtype = header
            order = "F" if fortran else "C"
            return plain(piece_of_file(self.path, offset, shape, dtype, slices, order))
        if self._last is None or self._last[0] != info.name:
            self._last = None  # not two arrays in memory at once
            self._last = info.name, self._whole(member)
        return plain(self._last[1][slices].copy(order="K"))

    def _text(self, info: VariableInfo) -> str:
        check_memory(f"{self.path}: {info.name}", 0, info.together)
        return _one_text(self._whole(self._members[info.name][0]), self.path, info.name)

    def _start(self, member: zipfile.ZipInfo) -> int:
        """Return where the bytes of a member begin in the archive."""
        with self.path.open("rb") as file:
            file.seek(member.header_offset)
            fields = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
        if fields[0] != b"PK\x03\x04":
            raise ValueError("no member where the archive says")
        return member.header_offset + _LOCAL_HEADER.size + fields[-2] + fields[-1]

    def _whole(self, member: zipfile.ZipInfo) -> NDArray[Any]:
        with zipfile.ZipFile(self.path) as archive, archive.open(member) as file:
            return npy_format.read_array(file, allow_pickle=False)


def _describe(name: str, header: _Header, present: int, path: Path) -> VariableInfo:
    """Return what a header says; `present` is the number of bytes that follow it."""
    shape, _, dtype = header
    refusal = refusal_of(dtype)
    if refusal:
        return VariableInfo(name, shape, None, refusal=refusal)
    wanted = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if present < wanted or min(shape, default=0) < 0:
        raise InputError(
            f"{path}: {name}: found {present} bytes of values, wanted {wanted} for shape {shape}; "
            "the file is cut short or its header is wrong, copy or save it again"
        )
    return VariableInfo(name, shape, plain_dtype(dtype))


def _one_text(values: NDArray[Any], path: Path, name: str) -> str:
    if values.size != 1:
        raise InputError(f"{path}: {name}: found {values.size} texts, wanted one")
    text = values.ravel()[0]
    return text.decode(errors="replace") if isinstance(text, bytes) else str(text)
