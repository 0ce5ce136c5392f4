"""Firing instants as event tables: BIDS ``events.tsv``, which EMG tools read, and CSV."""

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..simulator.errors import FailureError, InputError
from .store import Store

UNIT_COLUMNS = ("unit", "motor_unit", "mu", "trial_type", "value")
"""Columns that may name the unit of an event, the first one found counts."""

EVENT = "firing"
"""What ``trial_type`` says of our events."""


def read_events(path: str | Path) -> tuple[list[str], NDArray[np.float64]]:
    """Read firing instants from a table with one row an event.

    Parameters
    ----------
    path : path
        A BIDS ``events.tsv`` or a CSV file: a header, then rows. ``onset`` holds the instants in
        seconds after the recording's first frame; ``unit`` (or ``motor_unit``, ``mu``,
        ``trial_type``, ``value``) says whose they are. Without such a column they are one unit's.

    Returns
    -------
    labels : list of str
        The units, numbers in their order, before other names in theirs.
    firing : float64 array of shape (unit, pulse)
        Instants, s, rising, padded with NaN.

    Raises
    ------
    InputError
        If the table cannot be read.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: found it unreadable ({type(error).__name__}), wanted a table of events"
        ) from error
    header = text.partition("\n")[0]
    delimiter = "\t" if "\t" in header else ";" if ";" in header else ","
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise InputError(
            f"{path}: found a table that cannot be read ({error}), wanted CSV or TSV; save it again"
        ) from error
    columns = [name.strip().lower() for name in rows[0]] if rows else []
    if "onset" not in columns:
        raise InputError(
            f"{path}: found columns {', '.join(columns) or '(none)'}, wanted onset (s) among them"
        )
    onset = columns.index("onset")
    named = next((columns.index(name) for name in UNIT_COLUMNS if name in columns), None)
    instants: dict[str, list[float]] = {}
    for number, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(columns):
            raise InputError(
                f"{path}, line {number}: found {len(row)} cells, wanted {len(columns)}"
            )
        try:
            instant = float(row[onset])
        except ValueError:
            instant = math.nan
        if not math.isfinite(instant):
            raise InputError(
                f"{path}, line {number}: found onset {row[onset].strip()!r}, wanted seconds"
            )
        label = "1" if named is None else row[named].strip()
        instants.setdefault(label, []).append(instant)
    labels = sorted(instants, key=_order)
    return labels, padded([sorted(instants[label]) for label in labels])


def _order(label: str) -> tuple[int, float, str]:
    return (0, float(label), "") if label.isdecimal() else (1, 0.0, label)


def padded(instants: list[list[float]]) -> NDArray[np.float64]:
    """Return lists of instants as one array of shape (unit, pulse), padded with NaN."""
    firing = np.full((len(instants), max(map(len, instants), default=0)), np.nan)
    for row, values in zip(firing, instants, strict=True):
        row[: len(values)] = values
    return firing


def events_table(store: Store, index: int) -> str:
    """Return the firings of a sequence as a BIDS ``events.tsv``.

    Parameters
    ----------
    store : Store
        Simulated, identified, or imported with known firings.
    index : int
        The sequence.

    Returns
    -------
    str
        Columns ``onset`` (s), ``duration`` (0: an instant), ``trial_type`` and ``unit`` (from 0),
        rising in time. Firings before the sequence's start have negative onsets, as BIDS allows.

    Raises
    ------
    InputError
        If the store holds no firings.
    """
    if "firing" not in store.layout.variables:
        raise InputError(
            f"{store.location}: found no firings, wanted a simulated or identified store, or one "
            "imported with `events`"
        )
    firing = store.read("firing", index)[: int(store.read("unit_count", index))]
    events = sorted(
        (float(instant), unit) for unit, row in enumerate(firing) for instant in row[~np.isnan(row)]
    )
    lines = ["onset\tduration\ttrial_type\tunit"]
    lines += [f"{instant:.6f}\t0\t{EVENT}\t{unit}" for instant, unit in events]
    return "\n".join(lines) + "\n"


def sidecar() -> str:
    """Return the JSON that explains the columns, as BIDS wants it beside ``events.tsv``."""
    meaning: dict[str, Any] = {
        "onset": {
            "Description": "Instant at which the motor unit fires, after the sequence's first "
            "frame; below 0 where its twitch is under way at the start.",
            "Units": "s",
        },
        "duration": {"Description": "0: a firing is an instant.", "Units": "s"},
        "trial_type": {"LongName": "Event", "Levels": {EVENT: "A motor unit fires."}},
        "unit": {"Description": "Number of the motor unit in its sequence, from 0."},
    }
    return json.dumps(meaning, indent=2) + "\n"


def export_events(store: Store, folder: str | Path, indices: range | None = None) -> list[Path]:
    """Write the firings of sequences as BIDS ``events.tsv`` files, with their explanation.

    Parameters
    ----------
    store : Store
    folder : path
        Made if it is not there. ``sequence-000003_events.tsv`` holds sequence 3, and one
        ``events.json`` explains the columns of all: BIDS hands it down to them.
    indices : range, optional
        The sequences; all, if not given.

    Returns
    -------
    list of path
        The tables written.

    Raises
    ------
    InputError
        If the store holds no firings.
    FailureError
        If a file cannot be written.
    """
    folder = Path(folder)
    written: list[Path] = []
    for index in range(len(store)) if indices is None else indices:
        text = events_table(store, index)
        path = folder / f"sequence-{index:06d}_events.tsv"
        _write(path, text)
        written.append(path)
    _write(folder / "events.json", sidecar())
    return written


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FailureError(
            f"{path}: cannot be written ({error.strerror}); choose another folder"
        ) from error
