"""What headers of TIFF files say: where pages lie, names of axes, steps and calibration.

Of whoever wrote them: ImageJ in lines of its description, OME in XML, others in TIFF's own tags.
"""

import struct
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree

from .image_files import length_in, line, time_in

PRINTED = (72, 96, 150, 300, 600)
"""Pixels an inch that programs write where nobody told them of a size."""

_STRAIGHT, _NONE, _OPTICAL_DENSITY = 0, 20, 21  # of ImageJ's Calibration


def check_chain(path: Path) -> None:
    """Raise ValueError if the pages of a file do not end as they should.

    Each page says where the next one is; where that leads out of the file, readers silently take
    the page for the last.
    """
    size, seen = path.stat().st_size, set()
    with path.open("rb") as file:
        head = file.read(4)
        order = "<" if head.startswith(b"II") else ">"
        is_big = 43 in head[2:]
        # TIFF 6.0, section 2, and BigTIFF: a count of entries, these, and where the next page is.
        count_type, entry, next_type = ("Q", 20, "Q") if is_big else ("H", 12, "I")
        file.seek(8 if is_big else 4)
        while place := _number(file, order + next_type):
            if place in seen or place >= size:
                raise ValueError(f"page {len(seen) + 1} is not in the file")
            seen.add(place)
            file.seek(place)
            file.seek(_number(file, order + count_type) * entry, 1)


def _number(file: IO[bytes], code: str) -> int:
    content = file.read(struct.calcsize(code))
    return struct.unpack(code, content)[0]


def dims_of(letters: str) -> tuple[str, ...]:
    """Return the names of axes; pages without a meaning of their own are frames."""
    names = {"T": "t", "Y": "y", "X": "x", "C": "channel", "Z": "slice"}
    frames = "T" if "T" in letters else next((one for one in letters if one not in "YXCS"), "")
    return tuple(
        "frame" if one == frames != "T" else names.get(one, one.lower()) for one in letters
    )


def calibration_of(meta: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Return attributes of the line and unit of ImageJ's values, and why they are not read.

    So ImageJ keeps signed numbers: as unsigned ones with ``c0 = -32768``.
    """
    function = meta.get("cf", _NONE)
    if function in {_NONE, _OPTICAL_DENSITY}:
        return {}, ""
    if function != _STRAIGHT:
        return {}, (
            f"found values that ImageJ calibrates by a curve (cf={function}), wanted plain numbers "
            "or a straight line; convert it to 32 bits in ImageJ and save it again"
        )
    unit = str(meta.get("vunit", "")).strip()
    return {**line(meta.get("c1", 1), meta.get("c0", 0)), **({"units": unit} if unit else {})}, ""


def steps_of(page: Any, meta: Mapping[str, Any]) -> dict[str, tuple[float, str, str]]:
    """Return the step, its unit and what says so, by the letter of the axis."""
    found: dict[str, tuple[float, str, str]] = {}
    interval, unit = meta.get("finterval"), time_in(str(meta.get("tunit", "s")))
    if isinstance(interval, int | float) and unit is not None:
        found["T"] = (interval * unit, "s", "ImageJ's finterval")
    for letter, tag, word in (("X", 282, "XResolution"), ("Y", 283, "YResolution")):
        with suppress(TypeError, ValueError, ZeroDivisionError):
            pixels, over = page.tags.valueof(tag)
            pixels /= over
            if "unit" in meta:
                worth = length_in(str(meta["unit"]))
            else:
                code = int(page.tags.valueof(296, default=2))  # inches, where it is not said
                worth = {2: 25.4, 3: 10.0}.get(code)
            # What is printed is not what is shown.
            if worth is not None and not (worth == 25.4 and pixels in PRINTED):
                found[letter] = (worth / pixels, "mm", word)
    return found


def read_ome(text: str) -> tuple[list[dict[str, str]], int]:
    """Return what OME-XML says of each of its images' pixels, and of how many files."""
    try:
        every = [*ElementTree.fromstring(text).iter()]
    except ElementTree.ParseError:
        return [], 1
    pixels = [dict(one.attrib) for one in every if one.tag.rpartition("}")[2] == "Pixels"]
    names = {one.text for one in every if one.tag.rpartition("}")[2] == "UUID"}
    return pixels, len((names | {every[0].get("UUID")}) - {None})


def ome_steps_of(pixels: Mapping[str, str]) -> dict[str, tuple[float, str, str]]:
    """Return the steps as :func:`steps_of` does, in the units that OME's schema has as defaults."""
    found: dict[str, tuple[float, str, str]] = {}
    for letter, key, worth_of, usual, unit in (
        ("T", "TimeIncrement", time_in, "s", "s"),
        ("X", "PhysicalSizeX", length_in, "um", "mm"),
        ("Y", "PhysicalSizeY", length_in, "um", "mm"),
    ):
        worth = worth_of(pixels.get(f"{key}Unit", usual))
        with suppress(KeyError, ValueError):
            if worth is not None:
                found[letter] = (float(pixels[key]) * worth, unit, f"OME's {key}")
    return found
