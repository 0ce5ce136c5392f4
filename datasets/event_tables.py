"""Reading tables of events: BIDS ``events.tsv``, and the CSV of spreadsheets and decomposers."""

import csv
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..simulator.errors import InputError

UNIT_COLUMNS = (
    "unit", "unit_id", "motor_unit", "motor_unit_id", "mu", "mu_id", "cluster", "cluster_id",
    "source", "source_id", "neuron", "neuron_id",
)  # fmt: skip
"""Columns that name the unit of an event, the first one found counts: those of musim, of tables of
decomposed electromyograms, and of spike sorters."""

KIND_COLUMNS = ("trial_type", "value")
"""Columns of BIDS that may name it without one of those: the first that tells events apart."""

OTHER_COLUMNS = (
    "onset", "duration", "sample", "event_type", "response_time", "stim_file", "channel", "hed",
)  # fmt: skip
"""Columns that say nothing of units: a table of these alone is of one unit."""

ABSENT = ("", "n/a", "na", "nan", "none", "null")
"""What cells hold that a column does not apply to; BIDS writes the second."""

BEFORE = 0.6
"""Firings are kept from this long before a sequence, s: by then a simulated twitch has passed."""

FEWEST_INTERVALS = 3
"""Intervals of a unit that tell its rate."""

_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+(e[+-]?\d+)?", re.IGNORECASE)


@dataclass(frozen=True)
class EventTable:
    """Firings that were read from a table.

    Parameters
    ----------
    labels : list of str
        The units, numbers in their order, before other names in theirs.
    firing : float64 array of shape (unit, pulse)
        Instants, s, rising, padded with NaN.
    remarks : tuple of str
        What was left out, and how often.
    """

    labels: list[str]
    firing: NDArray[np.float64]
    remarks: tuple[str, ...] = ()

    def within(self, start: float, duration: float) -> NDArray[np.float64]:
        """Return the firings in a span of time, s from its start, as :attr:`firing` has them.

        Firings up to :data:`BEFORE` the span are kept, at times below 0.
        """
        firing = self.firing - start
        firing[(firing < -BEFORE) | (firing >= duration)] = np.nan
        firing = np.sort(firing, axis=1)  # NaN last
        most = int((~np.isnan(firing)).sum(axis=1).max(initial=0))
        return firing[:, : max(most, 1)]

    def outside(self, start: float, end: float) -> tuple[int, int]:
        """Return how many firings :meth:`within` has no place for, and how many there are."""
        onsets = self.firing[~np.isnan(self.firing)]
        return int(((onsets < start - BEFORE) | (onsets >= end)).sum()), onsets.size


def read_events(path: str | Path) -> EventTable:
    """Read firing instants from a table with one row an event.

    Parameters
    ----------
    path : path
        A BIDS ``events.tsv`` or a CSV file, in UTF-8 or UTF-16: a header, then rows. ``onset`` has
        the instants in seconds after the recording's first frame, with a decimal comma if need be;
        a column of :data:`UNIT_COLUMNS` says whose they are, or one of :data:`KIND_COLUMNS` does.
        Rows without an instant or a unit are no firings, and two equal rows are one.

    Returns
    -------
    EventTable

    Raises
    ------
    InputError
        If the table cannot be read, or names units in no column that is known.
    """
    path = Path(path)
    columns, rows = _rows(path)
    if "onset" not in columns:
        raise InputError(
            f"{path}: found columns {', '.join(columns) or '(none)'}, wanted onset (s) among them"
        )
    onset, named = columns.index("onset"), _unit_column(path, columns, [row for _, row in rows])
    found: dict[str, set[float]] = {}
    lost = {"an instant": 0, "a unit": 0}
    equal = 0
    for line, row in rows:
        instant = _instant(path, line, row[onset])
        label = "1" if named is None else _label(row[named])
        if instant is None or label is None:
            lost["an instant" if instant is None else "a unit"] += 1
            continue
        instants = found.setdefault(label, set())
        equal += instant in instants
        instants.add(instant)
    remarks = [f"{_count(n, 'row')} without {what} left out" for what, n in lost.items() if n]
    remarks += [f"{_count(equal, 'row')} equal to another left out"] if equal else []
    labels = sorted(found, key=_order)
    return EventTable(labels, padded([sorted(found[label]) for label in labels]), tuple(remarks))


def check_rates(
    what: str, labels: Sequence[str], firing: NDArray[np.float64], frame_rate: float
) -> None:
    """Raise InputError if a unit fires more often than frames can tell: with every second one.

    Parameters
    ----------
    what : str
        What is wrong then.
    labels : sequence of str
        The units' names.
    firing : float64 array of shape (unit, pulse)
        s, padded with NaN. A few firings in haste, fewer than four of a unit, are let pass.
    frame_rate : float
        Hz.
    """
    for label, row in zip(labels, firing, strict=True):
        intervals = np.diff(np.sort(row[~np.isnan(row)]))
        if len(intervals) >= FEWEST_INTERVALS and intervals.mean() < 2 / frame_rate:
            rate = 1 / max(float(intervals.mean()), 1e-9)
            raise InputError(
                f"{what}: found {rate:.4g} firings a second of unit {label}, wanted no more than "
                f"{frame_rate / 2:g}, half of the {frame_rate:g} frames a second; onsets are "
                "seconds after the recording's first frame"
            )


def padded(instants: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """Return lists of instants as one array of shape (unit, pulse), padded with NaN."""
    firing = np.full((len(instants), max(map(len, instants), default=0)), np.nan)
    for row, values in zip(firing, instants, strict=True):
        row[: len(values)] = values
    return firing


def _rows(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the names of the columns, in one spelling, and the rows with their lines' numbers."""
    lines = _text(path).splitlines()
    first = next((n for n, line in enumerate(lines) if line.strip() and line[0] != "#"), None)
    if first is None:
        return [], []
    # In a table of tabs a quotation mark is a character like any other.
    tabs = "\t" in lines[first]
    delimiter = "\t" if tabs else _delimiter(lines[first])
    quoting = csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL
    text = io.StringIO("\n".join(lines[first:]))
    reader = csv.reader(text, delimiter=delimiter, strict=True, quoting=quoting)
    try:
        read = [(first + reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        raise InputError(
            f"{path}: found a table that cannot be read ({error}), wanted CSV or TSV; save it again"
        ) from error
    columns = [_spelled(name.strip('"')) for name in read[0][1]]
    while columns and not columns[-1]:
        columns.pop()
    rows = []
    for line, row in read[1:]:
        if not any(row):
            continue
        if len(row) < len(columns) or any(row[len(columns) :]):
            raise InputError(f"{path}, line {line}: found {len(row)} cells, wanted {len(columns)}")
        cells = [cell[1:-1] if tabs and _is_quoted(cell) else cell for cell in row]
        rows.append((line, cells[: len(columns)]))
    return columns, rows


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        utf16 = content[:2] in (b"\xff\xfe", b"\xfe\xff")
        return content.decode("utf-16" if utf16 else "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: found it unreadable ({type(error).__name__}), wanted a table of events in "
            "UTF-8; save it so"
        ) from error


def _delimiter(header: str) -> str:
    """Return what separates the header's names: the sign between which ``onset`` stands alone."""
    for delimiter in ",;":
        try:
            names = next(csv.reader([header], delimiter=delimiter), [])
        except csv.Error:
            continue
        if "onset" in map(_spelled, names) and len(names) > 1:
            return delimiter
    return ";" if ";" in header and "," not in header else ","


def _spelled(name: str) -> str:
    return re.sub(r"[\s\-]+", "_", name.strip().lower())


def _is_quoted(cell: str) -> bool:
    return len(cell) > 1 and cell[0] == cell[-1] == '"'


def _unit_column(path: Path, columns: list[str], rows: list[list[str]]) -> int | None:
    """Return which column names the units; None where all rows are one unit's."""
    for name in UNIT_COLUMNS:
        if name in columns:
            return columns.index(name)
    kinds = [columns.index(name) for name in KIND_COLUMNS if name in columns]
    labels = {place: {_label(row[place]) for row in rows} - {None} for place in kinds}
    telling = [place for place in kinds if len(labels[place]) > 1]
    saying = [place for place in kinds if labels[place]]
    unknown = [name for name in columns if name not in (*KIND_COLUMNS, *OTHER_COLUMNS)]
    if telling or (saying and not unknown):
        return (telling or saying)[0]
    if unknown:
        raise InputError(
            f"{path}: found columns {', '.join(columns)}, wanted one that names units, such as "
            f"{UNIT_COLUMNS[0]} or {UNIT_COLUMNS[1]}; rename it"
        )
    return None


def _instant(path: Path, line: int, cell: str) -> float | None:
    """Return an instant, s; None where there is none."""
    if cell.lower() in ABSENT:
        return None
    text = cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell
    try:
        instant = float(text)
    except ValueError:
        instant = math.nan
    if not math.isfinite(instant):
        raise InputError(f"{path}, line {line}: found onset {cell!r}, wanted seconds")
    return instant


def _label(cell: str) -> str | None:
    """Return a unit's name; None where there is none. Whole numbers have no decimals."""
    if cell.lower() in ABSENT:
        return None
    return re.sub(r"^([+-]?\d+)\.0+$", r"\1", cell)


def _order(label: str) -> tuple[int, float, str]:
    try:
        number = float(label)
    except ValueError:
        number = math.nan
    return (0, number, label) if math.isfinite(number) else (1, 0.0, label)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
