"""What readers of image files share: named axes, and positions of frames and pixels.

Formats of images tell in their headers how far apart frames and pixels are. Here that becomes what
a file of arrays would have: a coordinate for each axis, with its unit, which a description may
leave to the file.
"""

import logging
import math
import warnings
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from .files import File, VariableInfo
from .quantities import QUANTITIES, factor_of

IMAGES = "images"
"""Name of the images of a file that has them once."""

EXTRA = "musim[formats]"
"""What is installed for formats whose packages not everybody needs."""

# Beside those of the quantities of a description, mm and s.
_LENGTHS = {"nm": 1e-6, "in": 25.4, "inch": 25.4, "inches": 25.4, "micron": 1e-3, "microns": 1e-3}
_TIMES = {"min": 60.0}


@dataclass(frozen=True)
class Positions:
    """Where the frames or pixels along an axis lie.

    Parameters
    ----------
    axis : str
        Name of the axis.
    positions : array of float64
        Rising.
    units : {"mm", "s"}
    source : str
        What in the file says so, for the user.
    """

    axis: str
    positions: NDArray[np.float64]
    units: str
    source: str

    @classmethod
    def even(
        cls, axis: str, count: int, step: float, units: str, source: str
    ) -> "tuple[Positions, ...]":
        """Return the coordinate of even steps, if that is a step; the first frame is at 0.

        The first pixel's edge is at 0, as where a file says nothing.
        """
        if not (math.isfinite(step) and step > 0):
            return ()
        first = 0.0 if units == "s" else 0.5
        return (cls(axis, (np.arange(count, dtype=np.float64) + first) * step, units, source),)


@dataclass(frozen=True)
class Image:
    """An array of images in a file, with what its header says of it.

    Parameters
    ----------
    info : VariableInfo
        Its name is where it stands beside its coordinates, such as ``series1/images``.
    coordinates : tuple of Positions
    """

    info: VariableInfo
    coordinates: tuple[Positions, ...] = ()


class ImageFile(File):
    """A file of images.

    A format says what images there are (:meth:`_images`), and reads pieces of them
    (:meth:`_pixels`); the coordinates become variables beside them, named as the axes are.
    """

    loggers: tuple[str, ...] = ()
    """Names of the loggers of the library that reads it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._coordinates: dict[str, NDArray[np.float64]] = {}

    @abstractmethod
    def _images(self) -> Iterator[Image]:
        """Yield what is known about all images."""

    @abstractmethod
    def _pixels(self, info: VariableInfo, slices: tuple[slice, ...]) -> NDArray[Any]:
        """Return a piece of images as stored, in memory of its own."""

    def _list(self) -> Iterator[VariableInfo]:
        with library(*self.loggers):
            images = list(self._images())
        yield from (image.info for image in images)
        for image in images:
            above = image.info.name.rpartition("/")[0]
            for one in image.coordinates:
                name = f"{above}/{one.axis}" if above else one.axis
                if name not in self._coordinates:
                    self._coordinates[name] = one.positions
                    attributes = {"units": one.units, "source": one.source}
                    dtype, shape = one.positions.dtype, one.positions.shape
                    yield VariableInfo(name, shape, dtype, attributes, (one.axis,))

    def _read(self, info: VariableInfo, slices: tuple[slice, ...]) -> NDArray[Any]:
        if info.name in self._coordinates:
            return self._coordinates[info.name][slices].copy()
        with library(*self.loggers):
            return self._pixels(info, slices)


def parts_of(image: Image, place: int, word: str) -> Iterator[tuple[Image, int]]:
    """Yield the images along an axis, such as that of channels, each with its index, if it has one.

    An array of channels is no sequence of images, but each of its channels is.
    """
    shape, dims, name = image.info.shape, image.info.dims, image.info.name
    above, slash, last = name.rpartition("/")
    for index in range(shape[place]):
        part = f"{word}{index + 1}" if shape[place] > 1 else last
        yield (
            replace(
                image,
                info=replace(
                    image.info,
                    name=above + slash + part,
                    shape=(*shape[:place], *shape[place + 1 :]),
                    dims=(*dims[:place], *dims[place + 1 :]),
                ),
            ),
            index,
        )


def length_in(unit: str) -> float | None:
    """Return what one of a unit of length is worth in mm; None if it is not known as such."""
    return _worth(unit, "depth_start", _LENGTHS)


def time_in(unit: str) -> float | None:
    """Return what one of a unit of time is worth in s; None if it is not known as such."""
    return _worth(unit, "first_sample", _TIMES)


def _worth(unit: str, quantity: str, more: dict[str, float]) -> float | None:
    # ImageJ writes the micro sign as Java does in a source.
    unit = unit.replace("\\u00B5", "u").replace("\\u00b5", "u").strip()
    return more.get(unit.lower(), factor_of(unit, QUANTITIES[quantity]) if unit else None)


def line(slope: float, intercept: float) -> dict[str, float]:
    """Return attributes that say ``value = slope * stored + intercept``, if that changes values.

    They are those of :mod:`.packing`.
    """
    if (slope, intercept) == (1, 0):
        return {}
    return {"scale_factor": float(slope), "add_offset": float(intercept)}


def plain_attributes(values: Any, without: Sequence[str] = ()) -> dict[str, Any]:
    """Return the single numbers and short texts of a header that keeps them by name."""
    return {
        str(key): value
        for key, value in dict(values).items()
        if key not in without
        and isinstance(value, int | float | str)
        and len(str(value)) < 100
        and not isinstance(value, bool)
    }


def package(path: Path, found: str, name: str) -> Any:
    """Return a package that reads a format, and that not everybody has installed.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise InputError(
            f"{path}: found {found}, wanted {name} to read it; pip install '{EXTRA}'"
        ) from error


@contextmanager
def library(*loggers: str) -> Iterator[None]:
    """Read by a library: errors of its own become ValueErrors.

    What it says of oddities that it reads past is dropped.

    Parameters
    ----------
    loggers : str
        Names of its loggers, which begin with its own.
    """
    known = [logging.getLogger(name) for name in loggers]
    before = [logger.disabled for logger in known]
    try:
        for logger in known:
            logger.disabled = True
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in {n.partition(".")[0] for n in loggers}:
            raise
        raise ValueError(str(error)) from error
    finally:
        for logger, was in zip(known, before, strict=True):
            logger.disabled = was
