"""Reading NIfTI 1 and 2: ``.nii``, ``.nii.gz``, and pairs of ``.hdr`` and ``.img``."""

import gzip
import math
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from .content import Content
from .damage import damage
from .dtypes import refusal_of
from .files import VariableInfo
from .image_files import (
    IMAGES,
    Image,
    ImageFile,
    Positions,
    length_in,
    library,
    line,
    package,
    parts_of,
    time_in,
)
from .mapped import piece_of_file

HEADER = 540
"""Bytes of the longer of the two headers, that of NIfTI 2."""

MOST_PACKED = 1032
"""How many times its size gzip may have packed something."""

PIECE = 1 << 16
"""Bytes that are unpacked at once."""

_MARKS = {344: (b"n+1\0", b"ni1\0"), 4: (b"n+2\0\r\n\x1a\n", b"ni2\0\r\n\x1a\n")}
_GZIP = b"\x1f\x8b"


class NiftiFile(ImageFile):
    """A NIfTI file, or either file of a pair: one array, ``images``.

    Of a file that is compressed the values are unpacked, when they are first asked for, into a
    temporary file that has no name; they are never in memory as a whole.
    """

    format = "NIfTI"
    suffixes = (".nii", ".hdr", ".img")
    column_major = True
    loggers = ("nibabel.global",)

    @classmethod
    def recognises(cls, content: Content) -> bool:
        """Return whether its header, or that beside it, is NIfTI's."""
        return not content.is_folder and _version(_beginning(_pair(content.path)[0])) > 0

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        nibabel = package(path, self.format, "nibabel")
        self._header_path, self._data_path = _pair(path)
        self._unpacked: IO[bytes] | None = None
        self._places: dict[str, int] = {}
        with damage(path), library(*self.loggers):
            head = _beginning(self._header_path)
            kind = {1: nibabel.Nifti1Header, 2: nibabel.Nifti2Header}[_version(head)]
            # The header alone: extensions hold no values, and claim any length. Its checks mend
            # orientations, which mean nothing here.
            size = kind.template_dtype.itemsize
            self._header: Any = kind(head[:size], check=False)
            self._least_offset = 0 if _is_one_of_two(head) else size + 4

    @property
    def paths(self) -> tuple[Path, ...]:
        """The file itself; of a pair both files, the header's first."""
        return (self._header_path, *({self._data_path} - {self._header_path}))

    def affine(self) -> NDArray[np.float64]:
        """Return what takes voxels to places in a body: to the right, the front, the head [mm].

        Returns
        -------
        float64 array of shape (4, 4)

        Raises
        ------
        InputError
            If the header is damaged.
        """
        with damage(self.path), library(*self.loggers):
            # Mended where it has to be: many writers leave the sign of the third axis at 0.
            header = type(self._header)(self._header.binaryblock, check=True)
            affine = np.asarray(header.get_best_affine(), np.float64)
        millimetres = length_in(self._units()[0])
        affine[:3] *= 1.0 if millimetres is None else millimetres
        return affine

    @property
    def is_placed(self) -> bool:
        """Whether the header says where in a body voxels lie."""
        return bool(self._header["sform_code"] > 0 or self._header["qform_code"] > 0)

    def close(self) -> None:
        """Close the file, and with it what was unpacked."""
        if self._unpacked is not None:
            self._unpacked.close()
            self._unpacked = None

    def _images(self) -> Iterator[Image]:
        header = self._header
        shape, dtype = self._shape(), header.get_data_dtype()
        refusal = _refusal(dtype)
        dims = _dims(shape)
        if refusal:
            yield Image(VariableInfo(IMAGES, shape, None, {}, dims, refusal))
            return
        self._check_size(shape, dtype)
        attributes = {**self._unsaid(), **_line(header)}
        info = VariableInfo(IMAGES, shape, dtype.newbyteorder("="), attributes, dims)
        image = Image(info, tuple(self._coordinates_of(shape, dims)))
        if "component" not in dims:
            self._places[IMAGES] = 0
            yield image
            return
        for part, index in parts_of(image, dims.index("component"), "component"):
            self._places[part.info.name] = index
            yield part

    def _shape(self) -> tuple[int, ...]:
        shape = tuple(int(n) for n in self._header.get_data_shape())
        if not shape or min(shape) < 0:
            raise InputError(f"{self.path}: found the shape {shape} in its header; save it again")
        return shape

    def _check_size(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        """Raise InputError if the file is too short for what its header claims."""
        wanted = self._offset + math.prod(shape) * dtype.itemsize
        present = self._data_path.stat().st_size
        packed = present * MOST_PACKED if self._is_packed else present
        if packed < wanted:
            raise InputError(
                f"{self.path}: found {present} bytes in {self._data_path.name}, wanted {wanted} "
                f"for shape {shape}; the file is cut short or its header is wrong, copy or save it "
                "again"
            )

    @property
    def _is_packed(self) -> bool:
        return _first(self._data_path, 2) == _GZIP

    @property
    def _offset(self) -> int:
        return max(int(self._header["vox_offset"]), self._least_offset)

    def _units(self) -> tuple[str, str]:
        """Return the units of space and time; empty where they are not said, or none of these."""
        with suppress(KeyError):
            space, time = self._header.get_xyzt_units()
            return _UNITS.get(space, ""), _UNITS.get(time, "")
        return "", ""

    def _steps(self) -> list[float]:
        # As they were meant: 0.3, and not the 0.30000001 that single precision makes of it.
        return [float(str(step)) for step in self._header["pixdim"][1:5]]

    def _coordinates_of(self, shape: tuple[int, ...], dims: tuple[str, ...]) -> Iterator[Positions]:
        space, time = self._units()
        source = "NIfTI's pixdim and xyzt_units"
        length, second = length_in(space), time_in(time)
        for axis, count, step in zip(dims, shape, self._steps(), strict=False):
            if axis == "t" and second is not None:
                yield from Positions.even(axis, count, step * second, "s", source)
            elif axis in {"x", "y", "z"} and length is not None:
                yield from Positions.even(axis, count, step * length, "mm", source)

    def _unsaid(self) -> dict[str, float]:
        """Return steps of space whose unit the header leaves open, as mm may be meant."""
        if self._units()[0]:
            return {}
        steps = dict(zip(("pixel_width", "pixel_height"), self._steps(), strict=False))
        return {name: step for name, step in steps.items() if step not in {0.0, 1.0}}

    def _pixels(self, info: VariableInfo, slices: tuple[slice, ...]) -> NDArray[Any]:
        shape, dtype = self._shape(), self._header.get_data_dtype()
        dims = _dims(shape)
        if "component" in dims:
            index, place = self._places[info.name], dims.index("component")
            slices = (*slices[:place], slice(index, index + 1), *slices[place:])
        source, offset = self._data_path, self._offset
        if self._is_packed:
            self._unpacked = self._unpacked or self._unpack(math.prod(shape) * dtype.itemsize)
            source, offset = self._unpacked, 0
        found = piece_of_file(source, offset, shape, dtype, slices, "F")
        return found.squeeze(dims.index("component")) if "component" in dims else found

    def _unpack(self, length: int) -> IO[bytes]:
        """Return a temporary file of the values, which is gone when it is closed."""
        free = shutil.disk_usage(tempfile.gettempdir()).free
        if free < length:
            raise InputError(
                f"{self.path}: found {free / 1e9:.3g} GB free in {tempfile.gettempdir()}, wanted "
                f"{length / 1e9:.3g} GB to unpack it; unpack it yourself, or set TMPDIR"
            )
        target = tempfile.TemporaryFile()  # noqa: SIM115, as it is closed with this file
        try:
            with gzip.open(self._data_path) as packed:
                _skip(packed, self._offset)
                left = length
                while left:
                    piece = packed.read(min(PIECE, left))
                    if not piece:
                        raise EOFError(f"wanted {left} more bytes")
                    target.write(piece)
                    left -= len(piece)
                packed.read(1)  # on to the checksum
            target.flush()
        except BaseException:
            target.close()
            raise
        return target


# As nibabel calls them.
_UNITS = {"mm": "mm", "meter": "m", "micron": "um", "sec": "s", "msec": "ms", "usec": "us"}


def _dims(shape: tuple[int, ...]) -> tuple[str, ...]:
    """Return the names of the axes.

    Three that are no plane of a fourth are an image and its frames, for which there is no other
    place in arrays of three axes. Planes of a volume are sequences beside one another.
    """
    if len(shape) == 3:
        return "x", "y", "frame"
    is_volume = len(shape) > 3 and min(shape[:3]) > 1
    names = ["x", "y", "slice" if is_volume else "z", "t", "component"]
    return tuple([*names, *(f"axis{n}" for n in (6, 7))][: len(shape)])


def _refusal(dtype: np.dtype[Any]) -> str:
    if dtype.names:
        return (
            "found a picture in colours, wanted one number a voxel; the colours of a screen hold "
            "no velocity, export the numbers themselves"
        )
    return refusal_of(dtype)


def _line(header: Any) -> dict[str, float]:
    """Return attributes of slope and intercept; 0 as slope says that there are none."""
    slope, intercept = (float(str(header[key])) for key in ("scl_slope", "scl_inter"))
    if not (math.isfinite(slope) and slope != 0):
        return {}
    return line(slope, intercept if math.isfinite(intercept) else 0.0)


def _pair(path: Path) -> tuple[Path, Path]:
    """Return the files of the header and the values, which may be one."""
    packed = ".gz" if path.suffix.lower() == ".gz" else ""
    stem = path.with_suffix("") if packed else path
    other = {".hdr": ".img", ".img": ".hdr", ".HDR": ".IMG", ".IMG": ".HDR"}.get(stem.suffix, "")
    if not other:
        return path, path
    beside = stem.with_suffix(other)
    found = next((one for one in (beside, Path(f"{beside}.gz")) if one.is_file()), None)
    header, data = (path, found) if other.lower() == ".img" else (found, path)
    if header is None or not _is_one_of_two(_beginning(header)):
        return path, path
    if data is None:
        raise InputError(
            f"{path}: found a header alone, wanted {beside.name} with its values; put it beside it"
        )
    return header, data


def _beginning(path: Path) -> bytes:
    """Return the first bytes of a file, unpacked; none where they cannot be."""
    if _first(path, 2) != _GZIP:
        return _first(path, HEADER)
    try:
        with path.open("rb") as file:
            return zlib.decompressobj(wbits=31).decompress(file.read(PIECE), HEADER)
    except zlib.error:
        return b""


def _first(path: Path, count: int) -> bytes:
    with path.open("rb") as file:
        return file.read(count)


def _version(head: bytes) -> int:
    """Return which NIfTI a header is of; 0 if of none."""
    found = [head[place:].startswith(marks) for place, marks in _MARKS.items()]
    return 1 + found.index(True) if True in found else 0


def _is_one_of_two(head: bytes) -> bool:
    """Return whether it is the header of a pair."""
    return any(head[place:].startswith(marks[1]) for place, marks in _MARKS.items())


def _skip(file: gzip.GzipFile, count: int) -> None:
    while count:
        piece = file.read(min(PIECE, count))
        if not piece:
            raise EOFError(f"wanted {count} more bytes")
        count -= len(piece)
