"""Tables that say how large the pixels of images are, one row an image."""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from .scale import PixelScale

ORIGINAL = ("original_depth", "original_width")
"""Columns of the size that an image had in square pixels, before it was made another size."""

PIXELS = ("pixel_depth_mm", "pixel_width_mm")
"""Columns of the size of an image's pixels; without a width they are square."""

GROUPS = ("subject", "group", "cluster")
"""Columns that tell which images belong together, the first that is there: those of one subject, or
that are nearly the same."""

ALSO = {"original_height": "original_depth", "image": "name"}
"""Other names of columns."""


@dataclass(frozen=True)
class ImageSize:
    """What a table says of an image.

    Parameters
    ----------
    original : tuple of int, optional
        Depth and width in square pixels before it was made another size.
    pixels_mm : tuple of float, optional
        Depth and width of its pixels as it is [mm]; the width may be NaN.
    group : str
        Which images it belongs to; empty: to none.
    """

    original: tuple[int, int] | None = None
    pixels_mm: tuple[float, float] | None = None
    group: str = ""

    @property
    def is_known(self) -> bool:
        """Whether the table says how large the image is."""
        return self.original is not None or self.pixels_mm is not None

    def scale(self, size: tuple[int, int]) -> PixelScale:
        """Return the scale of the image, of some depth and width in pixels."""
        shape = 1.0
        if self.original is not None:
            shape = PixelScale.of_resizing(size, self.original).shape
        if self.pixels_mm is None:
            return PixelScale(shape)
        depth, width = self.pixels_mm
        return PixelScale.of_millimetres(depth, shape * depth if math.isnan(width) else width)


def read_sizes(path: str | Path) -> dict[str, ImageSize]:
    """Read a table of sizes, as CSV.

    Its columns are `name`, of an image with or without its suffix, and :data:`PIXELS`,
    :data:`ORIGINAL` or one of :data:`GROUPS`, or several; others are passed over, and cells may be
    empty.

    Returns
    -------
    dict of ImageSize
        By name without suffix.

    Raises
    ------
    InputError
        If it cannot be read, lacks columns, or holds what is no size.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: found it unreadable ({type(error).__name__}), wanted a CSV file"
        ) from error
    reader = csv.DictReader(text.splitlines())
    fields = [ALSO.get(name.strip(), name.strip()) for name in reader.fieldnames or ()]
    group = next((name for name in GROUPS if name in fields), "")
    sized = PIXELS[0] in fields or set(ORIGINAL) <= set(fields)
    if "name" not in fields or not (sized or group):
        raise InputError(
            f"{path}: found columns {', '.join(fields) or 'none'}; wanted name, and "
            f"{', '.join(PIXELS)} or {', '.join(ORIGINAL)}, or {', '.join(GROUPS)}"
        )
    reader.fieldnames = fields
    sizes = {}
    for number, row in enumerate(reader, start=2):
        where = f"{path}, line {number}"
        original = [_number(row, name, where) for name in ORIGINAL]
        depth, width = (_number(row, name, where) for name in PIXELS)
        sizes[Path(row["name"] or "").stem] = ImageSize(
            None if math.isnan(sum(original)) else (round(original[0]), round(original[1])),
            None if math.isnan(depth) else (depth, width),
            (row.get(group) or "").strip(),
        )
    return sizes


def grouping_of(sizes: Mapping[str, ImageSize], names: Sequence[str]) -> NDArray[np.int64] | None:
    """Return the group of each image by a table.

    Parameters
    ----------
    sizes : mapping of ImageSize
        As :func:`read_sizes` returns it.
    names : sequence of str
        Of the images' files, without suffix.

    Returns
    -------
    (images,) array of int64, or None
        Images of which nothing is said are of a group of their own; None if nothing is said of
        any.
    """
    told = [sizes[name].group if name in sizes else "" for name in names]
    if not any(told):
        return None
    # A tuple is no text of the table.
    labels = {each: number for number, each in enumerate(dict.fromkeys(
        group or (index,) for index, group in enumerate(told)
    ))}  # fmt: skip
    return np.array([labels[group or (index,)] for index, group in enumerate(told)], np.int64)


def _number(row: Mapping[str, str | None], name: str, where: str) -> float:
    text = (row.get(name) or "").strip()
    try:
        value = float(text or "nan")
    except ValueError:
        value = 0.0
    if not (math.isnan(value) or 0 < value < math.inf):
        raise InputError(f"{where}: found {name} {text!r}, wanted a number above 0, or nothing")
    return value
