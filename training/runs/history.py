"""Histories of a run: CSV tables that grow by a row at a time and survive a kill in mid-row."""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ...datasets.location import Location

Row = Mapping[str, float]


def append(path: Path, row: Row) -> None:
    """Add a row to a table, whose first line names the columns; they keep their order.

    Parameters
    ----------
    path : Path
    row : mapping of column to number
        A column that the table has and the row has not is left empty. One that the table has not is
        added to it.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    known = columns(path)
    if any(name not in known for name in row):
        _rewrite(path, [*known, *(name for name in row if name not in known)], [*rows(path), row])
        return
    with path.open("a", newline="") as file:
        file.write(_lines(known, [row]))


def rows(path: Path) -> list[dict[str, float]]:
    """Return the rows of a table, empty fields as NaN; none if it has not begun.

    A last line that a kill cut short is left out.
    """
    if not path.exists():
        return []
    found = csv.DictReader(io.StringIO(_complete(path)))
    return [{key: float(value or math.nan) for key, value in row.items()} for row in found]


def columns(path: Path) -> list[str]:
    """Return the names of a table's columns; none if it has not begun."""
    return next(csv.reader(io.StringIO(_complete(path))), []) if path.exists() else []


def keep_until(path: Path, step: int) -> None:
    """Take the rows of later steps than `step` out of a table, and a line that was cut short."""
    if not path.exists():
        return
    names, kept = columns(path), [row for row in rows(path) if row["step"] <= step]
    if kept:
        _rewrite(path, names, kept)
    else:
        path.unlink()


def _complete(path: Path) -> str:
    text = path.read_text()
    return text[: text.rfind("\n") + 1]


def _rewrite(path: Path, names: Sequence[str], kept: Iterable[Row]) -> None:
    text = ",".join(names) + "\n" + _lines(names, kept)
    Location(path.parent).write(path.name, text.encode())


def _lines(names: Sequence[str], kept: Iterable[Row]) -> str:
    lines = (",".join(_text(row.get(name, math.nan)) for name in names) for row in kept)
    return "".join(f"{line}\n" for line in lines)


def _text(value: float) -> str:
    if math.isnan(value):
        return ""
    # Nine digits hold a float32 exactly; steps stay whole numbers however large.
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else f"{value:.9g}"
