"""Writing firing instants as BIDS ``events.tsv``, which EMG tools read."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from ..simulator.errors import FailureError, InputError
from .location import write_aside
from .store import Store

EVENT = "firing"
"""What ``trial_type`` says of our events."""


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
        If a file cannot be written; it then holds what it held.
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
        write_aside(path, text.encode())
    except OSError as error:
        raise FailureError(
            f"{path}: cannot be written ({error.strerror}); choose another folder"
        ) from error
