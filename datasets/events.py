"""Writing firing instants as BIDS ``events.tsv``, which EMG tools read."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from ..simulator.errors import FailureError, InputError, MusimError
from .location import write_aside
from .origin import Identified, recorded_by
from .store import Store, open_sequences

EVENT = "motor-unit-spike"
"""What ``event_type`` says of firings, as in MUniverse's tables and the competition MUnitQuest's
(https://github.com/dfarinagroup/muniverse, 0.1.4; https://munitquest.github.io)."""

COLUMNS = ("onset", "duration", "sample", "unit_id", "event_type")
"""Columns of the tables, as those have them."""


def start_of(store: Store, index: int) -> float:
    """Return where in its recording a sequence begins, s: 0 unless an import has cut it out.

    Parameters
    ----------
    store : Store
        Of units found, the recordings are looked at; where they are not there any more, it is 0.
    index : int
        The sequence.
    """
    origin = store.origin
    if isinstance(origin, Identified):
        address, place = origin.source_of(index)
        try:
            return start_of(open_sequences(address), place)
        except MusimError:
            return 0.0
    recorded = recorded_by(origin)
    return recorded.cuts[index].start if recorded is not None else 0.0


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
        :data:`COLUMNS`, rising in time: ``onset`` (s after the recording's first frame, in all
        digits that it has), ``duration`` (0: an instant), ``sample`` (the nearest frame, from 0),
        ``unit_id`` (from 0) and ``event_type``. Firings before a recording's start have negative
        onsets and samples, as BIDS allows.

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
    start, rate = start_of(store, index), store.layout.frame_rate
    last = round(start * rate) + store.layout.shape[0] - 1
    events = sorted(
        # What adding up leaves beyond a picosecond is rounding.
        (round(float(instant) + start, 12) if start else float(instant), unit)
        for unit, row in enumerate(firing)
        for instant in row[~np.isnan(row)]
    )
    lines = ["\t".join(COLUMNS)]
    lines += [
        f"{_digits(onset)}\t0\t{min(round(onset * rate), last)}\t{unit}\t{EVENT}"
        for onset, unit in events
    ]
    return "\n".join(lines) + "\n"


def _digits(onset: float) -> str:
    """Return a number in as few digits as tell it from all others, without an exponent."""
    return np.format_float_positional(onset, trim="-")


def sidecar(frame_rate: float) -> str:
    """Return the JSON that explains the columns, as BIDS wants it beside ``events.tsv``.

    Parameters
    ----------
    frame_rate : float
        Of the recordings, Hz.
    """
    meaning: dict[str, Any] = {
        "onset": {
            "Description": "Instant at which the motor unit fires, after the recording's first "
            "frame; below 0 where its twitch is under way at the start.",
            "Units": "s",
        },
        "duration": {"Description": "0: a firing is an instant.", "Units": "s"},
        "sample": {
            "Description": f"Frame that is nearest to the onset, from 0, of {frame_rate:g} a "
            "second.",
            "Units": "samples",
        },
        "unit_id": {"Description": "Number of the motor unit in its sequence, from 0."},
        "event_type": {"LongName": "Event", "Levels": {EVENT: "A motor unit fires."}},
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
        If a file cannot be written; it then holds what it held.
    """
    folder = Path(folder)
    written: list[Path] = []
    for index in range(len(store)) if indices is None else indices:
        text = events_table(store, index)
        path = folder / f"sequence-{index:06d}_events.tsv"
        _write(path, text)
        written.append(path)
    _write(folder / "events.json", sidecar(store.layout.frame_rate))
    return written


def _write(path: Path, text: str) -> None:
    try:
        write_aside(path, text.encode())
    except OSError as error:
        raise FailureError(
            f"{path}: cannot be written ({error.strerror}); choose another folder"
        ) from error
