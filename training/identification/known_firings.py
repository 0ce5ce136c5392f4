"""Firings that are known, for methods that take them: of one sequence, and what is left out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...datasets.event_tables import EventTable, check_rates, read_events
from ...datasets.events import start_of
from ...datasets.store import Store, open_sequences
from ...simulator.errors import InputError

FASTEST = 50.0
"""Firings a second of a unit that a store has room for, Hz: above any voluntary mean rate."""


def events_of(table: EventTable, store: Store, index: int) -> NDArray[np.float64]:
    """Return the firings of a table in one sequence of a store, s after its first frame.

    Raises
    ------
    InputError
        If there is none, or more of a unit than frames can tell or than a store has room for.
    """
    layout = store.layout
    start, duration = start_of(store, index), layout.shape[0] / layout.frame_rate
    firing = table.within(start, duration)
    if not (firing >= 0).any():
        raise InputError(
            f"events: found no firing in the {duration:g} s from {start:g} s on, wanted one or "
            "more; onsets are seconds after the recording's first frame"
        )
    check_rates("events", table.labels, firing, layout.frame_rate)
    counts = ((firing >= 0) & (firing < duration)).sum(axis=1)
    room, most = room_for_firings(duration), int(counts.argmax())
    if counts[most] > room:
        raise InputError(
            f"events: found {counts[most]} firings of unit {table.labels[most]} in {duration:g} s, "
            f"wanted no more than {room}, about {FASTEST:g} a second; onsets are seconds after "
            "the recording's first frame"
        )
    return firing


def room_for_firings(duration: float) -> int:
    """Return how many firings of a unit a store has room for in a recording, s long."""
    return int(duration * FASTEST) + 8


def remarks_on_events(
    events: str | Path, recordings: Sequence[Any] | str | Path | Store
) -> list[str]:
    """Return what of a table of firings is left out in recordings, a line each.

    Parameters
    ----------
    events : path
        See :func:`musim.datasets.event_tables.read_events`.
    recordings : sequence of str, path or Store
        As :func:`identify_stores` takes them.

    Raises
    ------
    InputError
        If the table or a store cannot be read.
    """
    table = read_events(events)
    alone = isinstance(recordings, str | Path | Store)
    stores = [open_sequences(one) for one in ([recordings] if alone else recordings)]
    spans = [
        (start_of(store, index), store.layout.shape[0] / store.layout.frame_rate)
        for store in stores
        for index in range(len(store))
    ]
    seen = np.zeros(table.firing.shape, bool)
    for start, duration in spans:
        seen |= (table.firing >= start) & (table.firing < start + duration)
    remarks = [f"{events}: {text}" for text in table.remarks]
    fired = ~np.isnan(table.firing)
    if (fired & ~seen).any():
        remarks.append(
            f"{events}: {int((fired & ~seen).sum())} of {int(fired.sum())} firings lie outside the "
            "recordings, and do not count"
        )
    silent = [label for label, row in zip(table.labels, seen, strict=True) if not row.any()]
    if silent:
        units = "unit" if len(silent) == 1 else "units"
        remarks.append(f"{events}: no firing of {units} {', '.join(silent)} lies in the recordings")
    return remarks
