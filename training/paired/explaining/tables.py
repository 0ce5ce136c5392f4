"""Where the answer of a network comes from, as rows of tables and as tables to be read."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ...sections.likeness.tables import UNKNOWN, ShownTable
from .explanation import QUARTILES, WindowExplanation, side_of
from .features import CONTRAST, FAITHFUL, FEW, NOISES
from .windows import TOLERANCE

Row = dict[str, Any]

PAPER = 10.0
"""Width that the network of Grant-Jacob et al. 2021 looked at, mm: "~ 1 cm"; 20 px, by its text."""

PAPER_SMALLEST = 2.0
"""Of features in its images that differed, mm: "some small features measuring < 2 mm"."""


def point_rows(found: WindowExplanation) -> list[Row]:
    """Return a row for each point and width of the window."""
    return [
        {
            "slice": each.slice.index, "plane": each.slice.plane, "row": int(row),
            "column": int(column), "width": width, "width_mm": width * side_of(each.slice),
            "answer": float(each.answers.answers[number, place]),
            "whole": float(each.answers.whole[number]), "actual": float(each.actual[number]),
        }
        for each in found.points
        for number, (row, column) in enumerate(each.answers.points)
        for place, width in enumerate(found.widths)
    ]  # fmt: skip


def curve_rows(found: WindowExplanation) -> list[Row]:
    """Return a row for each width: quartiles over points of changes and errors, in levels."""
    quantiles = [np.quantile(each, QUARTILES, axis=0) for each in (found.changes, found.errors)]
    names = ("first_quartile", "median", "third_quartile")
    return [
        {
            "width": width, "width_mm": width * found.pixel,
            **{f"{kind}_{name}": float(values[row, place])
               for kind, values in zip(("change", "error"), quantiles, strict=True)
               for row, name in enumerate(names)},
        }
        for place, width in enumerate(found.widths)
    ]  # fmt: skip


def map_rows(found: WindowExplanation) -> list[Row]:
    """Return a row for each point of the maps: which window it needs, NaN if none is enough."""
    return [
        {
            "slice": each.slice.index, "plane": each.slice.plane, "row": int(row),
            "column": int(column), "needed": _finite(needed),
            "needed_mm": _finite(needed * side_of(each.slice)),
        }
        for each in found.maps
        for (row, column), needed in zip(
            each.answers.points, each.answers.needed(found.tolerance).tolist(), strict=True
        )
    ]  # fmt: skip


def structure_rows(found: WindowExplanation) -> list[Row]:
    """Return a row for each structure."""
    return [
        {
            "slice": one.slice.index, "plane": one.slice.plane, "row": each.place[0],
            "column": each.place[1], "width": each.width,
            "width_mm": each.width * side_of(one.slice), "bright": int(each.bright),
            "pixels": each.pixels, "contrast": each.contrast, "generated": each.generated,
            "kept": each.kept, "error": each.error,
        }
        for one in found.structures
        for each in one.structures
    ]  # fmt: skip


def size_rows(found: WindowExplanation) -> list[Row]:
    """Return a row for each width of structures."""
    return [
        {
            "width": one.width, "width_mm": one.width * found.pixel, "structures": one.count,
            "kept_first_quartile": one.kept[0], "kept_median": one.kept[1],
            "kept_third_quartile": one.kept[2], "faithful": one.faithful, "error": one.error,
        }
        for one in found.classes
    ]  # fmt: skip


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.nan


def summary(found: WindowExplanation) -> dict[str, Any]:
    """Return all numbers as plain values, as JSON knows them.

    Returns
    -------
    dict
        ``points``, ``slices`` and ``structures`` that were looked at; ``pixel``, mm; ``widest``
        window, mm; ``needed``: quartiles of the width that points need, mm, by plane, and ``all``;
        ``settled``; ``smallest``; None where a width is beyond all windows, or is not known.
        ``whole_error``: median error of the answers to whole images, in levels; ``sizes``: rows of
        :func:`size_rows`.
    """
    planes = list(dict.fromkeys(one.slice.plane for one in found.points))
    needed = {plane: found.needed_quartiles(plane) for plane in planes}
    return _plain(
        {
            "points": sum(len(one.answers.points) for one in found.points),
            "mapped": sum(len(one.answers.points) for one in found.maps),
            "slices": len(found.structures),
            "pixel": found.pixel,
            "widest": found.widths[-1] * found.pixel,
            "tolerance": found.tolerance,
            "needed": {"all": found.needed_quartiles(), **needed},
            "settled": found.settled,
            "whole_error": float(np.median(found.whole_errors)),
            "structures": sum(len(one.structures) for one in found.structures),
            "smallest": found.smallest,
            "sizes": size_rows(found),
        }
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def counts(numbers: Mapping[str, Any]) -> str:
    """Return what was looked at, in a sentence; `numbers` are a :func:`summary`."""
    return (
        f"{numbers['points']} points drawn in {numbers['slices']} slices, {numbers['mapped']} on "
        f"maps, windows of up to {numbers['widest']:.0f} mm, {numbers['structures']} structures; "
        f"pixels of {numbers['pixel']:.2g} mm."
    )


def tables_of(numbers: Mapping[str, Any]) -> list[ShownTable]:
    """Return the tables of a :func:`summary`."""
    widest = f"> {numbers['widest']:.0f}"
    rows = tuple(
        (plane, tuple(widest if each is None else f"{each:.1f}" for each in quartiles))
        for plane, quartiles in numbers["needed"].items()
    )
    low, high = FAITHFUL
    smallest = numbers["smallest"]
    said = "no size is" if smallest is None else f"it is {smallest:.1f} mm or more"
    return [
        ShownTable(
            "windows", "Width of the window that an answer needs",
            "mm; a square about the point, all else 0 as air is",
            ("first quartile", "median", "third quartile"), rows,
            (
                f"From there on the answer is within {TOLERANCE:.0%} of the range of that to the "
                "whole slice. That is what the network uses; whether it is right with it is "
                f"another question: half of its answers to whole slices are within "
                f"{numbers['whole_error']:.0f} levels of the actual ones. By the curve of medians, "
                f"answers have settled at {_settled(numbers)}. Grant-Jacob et al. 2021 found about "
                f"{PAPER:.0f} mm, at three points.",
            ),
        ),
        ShownTable(
            "structures", "Structures by their width",
            "Share of the contrast to what lies around them that is kept",
            ("structures", "first quartile", "median", "third quartile", "there", "error, levels"),
            tuple(_size_cells(numbers["sizes"])),
            (
                f"A structure stands out by {CONTRAST:.0%} of the range and {NOISES:g} SDs of "
                f"noise, and is there if it keeps {low:g} to {high:g} of its contrast. The "
                "smallest width at which, and above which, half of them are there, of sizes with "
                f"{FEW} structures or more: {said}. Grant-Jacob et al. 2021 saw features of less "
                f"than {PAPER_SMALLEST:g} mm differ.",
            ),
        ),
    ]  # fmt: skip


def _settled(numbers: Mapping[str, Any]) -> str:
    settled = numbers["settled"]
    return f"> {numbers['widest']:.0f} mm" if settled is None else f"{settled:.1f} mm"


def _size_cells(sizes: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, tuple[str, ...]]]:
    for one in sizes:
        kept = (one[f"kept_{name}"] for name in ("first_quartile", "median", "third_quartile"))
        there = UNKNOWN if one["faithful"] is None else f"{one['faithful']:.0%}"
        error = UNKNOWN if one["error"] is None else f"{one['error']:.0f}"
        yield (
            f"{one['width_mm']:.1f} mm",
            (str(one["structures"]),
             *(UNKNOWN if each is None else f"{each:.2f}" for each in kept), there, error),
        )  # fmt: skip
