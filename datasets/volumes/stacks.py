"""Stacks of pictures: TIFF of many pages, and folders of TIFF or PNG by their names."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from ..images.reading import opened
from ..importing.damage import damage
from ..importing.formats import open_file
from ..importing.image_files import library
from ..importing.tiff import TiffFile
from .reading import FileVolume, values_of
from .slices import PLANES
from .slicing import volume_of_pictures


def read_stack(files: Sequence[Path], kind: str, stacked: str) -> FileVolume:
    """Read pictures, one behind the other, as a volume.

    Parameters
    ----------
    files : sequence of Path
        A single one of many pages, or of one picture each: numbers in names count as such, so
        that 2 comes before 10.
    kind : {"TIFF", "PNG"}
    stacked : str
        Plane of the pictures.

    Raises
    ------
    InputError
        If a picture cannot be read, has colours, or another size than the first.
    """
    if stacked not in PLANES:
        raise InputError(f"`stacked`: found {stacked!r}, wanted one of {', '.join(PLANES)}")
    files = sorted(files, key=_natural)
    read = _tiff if kind == "TIFF" else _png
    if len(files) == 1:
        pictures = read(files[0])
        if pictures.ndim == 2:
            raise InputError(f"{files[0]}: found one picture, wanted a stack of two or more")
        if pictures.ndim != 3:
            shape = " x ".join(str(side) for side in pictures.shape)
            raise InputError(f"{files[0]}: found {shape} pixels, wanted pages of one volume alone")
    else:
        pictures = _stacked(files, [read(path) for path in files])
    return FileVolume(f"{kind} stack", files, volume_of_pictures(pictures, stacked), None)


def _stacked(files: Sequence[Path], pictures: Sequence[NDArray[Any]]) -> NDArray[Any]:
    first = pictures[0]
    for path, one in zip(files, pictures, strict=True):
        if one.ndim != 2:
            raise InputError(f"{path}: found {len(one)} pages, wanted one in each of many files")
        if one.shape != first.shape or one.dtype != first.dtype:
            raise InputError(
                f"{path}: found {one.shape[0]} x {one.shape[1]} px of {one.dtype}, wanted "
                f"{first.shape[0]} x {first.shape[1]} px of {first.dtype} as {files[0].name} has"
            )
    return np.stack(pictures)


def _natural(path: Path) -> tuple[Any, ...]:
    """Return what sorts names as people do: slice2 before slice10."""
    parts = re.split(r"(\d+)", path.name)
    return tuple((int(one), one) if one.isdecimal() else (0, one) for one in parts), path.name


def _tiff(path: Path) -> NDArray[Any]:
    # Another process for each of hundreds of files would take minutes; plain ones need none.
    with TiffFile(path) if _is_plain(path) else open_file(path) as file:
        values = values_of(file)
        dims = next(info.dims for info in file.variables if len(info.shape) != 1)
    if {"y", "x"} <= {*dims}:
        values = np.moveaxis(values, [dims.index("y"), dims.index("x")], [-2, -1])
    while values.ndim > 2 and values.shape[0] == 1:
        values = values[0]
    return values


def _is_plain(path: Path) -> bool:
    """Return whether a TIFF has one page that is not compressed: no library in C unpacks it."""
    import tifffile

    with (
        damage(path),
        library(*TiffFile.loggers),
        tifffile.TiffFile(path, _multifile=False) as tiff,
    ):
        return len(tiff.pages) == 1 and tiff.pages.first.compression == 1


def _png(path: Path) -> NDArray[Any]:
    with opened(path) as image:
        if image.mode == "P" or (image.mode not in _GREY and not image.mode.startswith("I;16")):
            values = np.asarray(image.convert("RGB"))
            if (values != values[..., :1]).any():
                raise InputError(f"{path}: found colours, wanted grey; save it so")
            return values[..., 0]
        return np.asarray(image)[..., 0] if image.mode == "LA" else np.asarray(image)


_GREY = {"1", "L", "LA", "I", "F"}
"""Modes of Pillow that hold one number a pixel; transparency is left out."""
