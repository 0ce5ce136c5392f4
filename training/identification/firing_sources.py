"""Firings to be compared, wherever they stand: in a table of events, or in a store."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...datasets.event_tables import FEWEST_INTERVALS, EventTable, check_rates, read_events
from ...datasets.events import start_of
from ...datasets.origin import recorded_by
from ...datasets.store import Store, open_sequences
from ...simulator.errors import InputError
from .metrics.firing import firings_within
from .stored import optional

PAST_THE_LAST = 0.1
"""A recording of which nothing but tables is known ends this long after the last firing, s, as
MUniverse takes it."""

FEWEST = FEWEST_INTERVALS + 1
"""Firings of a unit that true ones have to have: of fewer, a wrong unit's agree as well."""


TABLES = (".tsv", ".csv", ".txt")
"""Endings of names that are tables, and no stores."""


@dataclass(frozen=True)
class Firings:
    """The firings of a recording's units, from the start of what is compared.

    Parameters
    ----------
    place : str
        Where they stand.
    labels : tuple of str
        The units' names.
    instants : float64 array of shape (unit, firing)
        s, padded with NaN.
    confidence : float64 array of shape (unit,), optional
        None where it is not known.
    remarks : tuple of str
        What was left out.
    """

    place: str
    labels: tuple[str, ...]
    instants: NDArray[np.float64]
    confidence: NDArray[np.float64] | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pair:
    """Two recordings' firings on one clock.

    Parameters
    ----------
    sequence : int
    found, true : Firings
    window : (float, float)
        0, and where the recording ends, s.
    frame_rate : float, optional
        Hz; None where only tables are known.
    """

    sequence: int
    found: Firings
    true: Firings
    window: tuple[float, float]
    frame_rate: float | None = None


Source = EventTable | Store


def pairs_of(
    found: str | Path, true: str | Path, sequence: int | None = None, end: float | None = None
) -> list[Pair]:
    """Read what is to be compared.

    Parameters
    ----------
    found, true : path of a table of events, or path or URL of a store
        Tables count from the recording's first frame, and so from where a store's sequence lies in
        its recording.
    sequence : int, optional
        Of stores; all, if not given.
    end : float, optional
        End of the recording of two tables, s; :data:`PAST_THE_LAST` the last firing, if not given.

    Returns
    -------
    list of Pair
        One for each sequence.

    Raises
    ------
    InputError
        If something cannot be read or compared, or holds no firing at all in the recording's time.
    """
    sides = [_open(place) for place in (found, true)]
    stores = [one for one in sides if isinstance(one, Store)]
    sequences = _sequences(stores, sequence)
    if end is not None and stores:
        raise InputError(
            f"{stores[0].location}: found `end` beside a store, wanted none; its recordings end "
            "where it says"
        )
    if end is not None and not 0 < end < math.inf:
        raise InputError(f"end: found {end:g} s, wanted more than 0")
    pairs = []
    frame_rate = stores[0].layout.frame_rate if stores else None
    for index in sequences:
        span = _span(stores, index) or (0.0, _end_of(sides) if end is None else end)
        ours, theirs = (
            _read(place, side, index, span)
            for place, side in zip((found, true), sides, strict=True)
        )
        pairs.append(Pair(index, ours, theirs, (0.0, span[1]), frame_rate))
    return pairs


def _open(place: str | Path) -> Source:
    path = Path(place)
    if path.is_file():
        return read_events(path)
    if path.suffix.lower() in TABLES:
        raise InputError(f"{place}: found nothing there, wanted a table of events, or a store")
    store = open_sequences(place)
    if "firing" not in store.layout.variables:
        raise InputError(
            f"{store.location}: found no firings, wanted a table of events, or a store that is "
            "simulated, identified or imported with `events`"
        )
    return store


def _sequences(stores: list[Store], sequence: int | None) -> list[int]:
    """Return which sequences of the stores are compared; [0] of tables."""
    counts = {len(store) for store in stores}
    if sequence is not None:
        for store in stores:
            store.read("unit_count", sequence)  # says that there is none
        if not stores:
            raise InputError("sequence: found one of two tables, wanted none; it is of stores")
        return [sequence]
    if len(counts) > 1:
        one, other = stores
        raise InputError(
            f"{one.location}: found {len(one)} sequences and {len(other)} in {other.location}, "
            "wanted as many in both, or one named by `sequence`"
        )
    if len(stores) == 1 and counts != {1}:
        raise InputError(
            f"{stores[0].location}: found {len(stores[0])} sequences and one table, wanted the "
            "one that it is of, named by `sequence`"
        )
    return list(range(max(counts, default=1)))


def _span(stores: list[Store], index: int) -> tuple[float, float] | None:
    """Return where the stores' sequence begins in its recording, and how long it is, s."""
    spans = [
        (start_of(store, index), store.layout.shape[0] / store.layout.frame_rate)
        for store in stores
    ]
    if len(spans) == 2 and not np.allclose(spans[0], spans[1]):
        texts = [f"{length:g} s from {start:g} s on" for start, length in spans]
        raise InputError(
            f"{stores[0].location}, sequence {index}: found {texts[0]} and {texts[1]} in "
            f"{stores[1].location}, wanted the same span of one recording"
        )
    return spans[0] if spans else None


def _end_of(tables: list[Source]) -> float:
    """Return where a recording ends of which nothing but tables is known, s."""
    onsets = [one.firing for one in tables if isinstance(one, EventTable) and one.firing.size]
    last = max((float(np.nanmax(firing)) for firing in onsets), default=0.0)
    return max(last, 0.0) + PAST_THE_LAST


def _read(place: str | Path, source: Source, index: int, span: tuple[float, float]) -> Firings:
    """Return the firings of one side in a span (start and length, s), from its start."""
    start, duration = span
    if isinstance(source, Store):
        count = int(source.read("unit_count", index))
        confidence = optional(source, "confidence", index)
        return Firings(
            str(place),
            _names(source, index, count),
            source.read("firing", index)[:count],
            None if confidence is None else confidence[:count],
        )
    remarks = [f"{place}: {text}" for text in source.remarks]
    onsets = source.firing[~np.isnan(source.firing)]
    outside = int(((onsets < start) | (onsets >= start + duration)).sum())
    if onsets.size == outside:
        raise InputError(
            f"{place}: found no firing in the {duration:g} s from {start:g} s on, wanted one or "
            "more; onsets are seconds after the recording's first frame"
        )
    if outside:
        remarks.append(
            f"{place}: {outside} of {onsets.size} firings lie outside the {duration:g} s from "
            f"{start:g} s on, and do not count"
        )
    return Firings(
        str(place), tuple(source.labels), source.within(start, duration), None, tuple(remarks)
    )


def _names(store: Store, index: int, count: int) -> tuple[str, ...]:
    """Return the units' names, as the table said that an import had its firings from."""
    recorded = recorded_by(store.origin)
    named = None if recorded is None else recorded.cuts[index].units
    return tuple(named) if named else tuple(map(str, range(count)))


def check_pair(pair: Pair) -> None:
    """Raise InputError unless true firings are enough to compare with, and no rate too high."""
    true = pair.true
    counts = [firings_within(row, pair.window).size for row in true.instants]
    most = max(counts, default=0)
    if most < FEWEST:
        raise InputError(
            f"{true.place}: found {most} firing{'' if most == 1 else 's'} of a unit at most in "
            f"{pair.window[1]:.3g} s, wanted {FEWEST} or more, three intervals"
        )
    for one in (pair.found, true):
        if pair.frame_rate is not None:
            check_rates(one.place, one.labels, one.instants, pair.frame_rate)
