"""What is looked at: recordings, and the units that are known or were found in each of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...datasets.origin import Curated, Identified
from ...datasets.store import Store
from ...simulator.errors import InputError, MusimError
from ...training.identification.same_recording import is_same_recording
from .watching import Watched

TRUE, FOUND, KNOWN = "true", "found", "known"

LOOKED_AT = 3
"""Sequences by which a recording is told to be another than that of some units."""


@dataclass(frozen=True)
class UnitSet:
    """Units of a recording's sequences.

    The true ones; those that a method found; or firings that came with the recording, such as those
    of units in an electromyogram, of which nobody knows where they lie.

    Parameters
    ----------
    name : str
    kind : {"true", "found", "known"}
    watched : Watched
        The store that holds them.
    """

    name: str
    kind: str
    watched: Watched

    def place_of(self, recording: Store, sequence: int) -> int | None:
        """Return the sequence of the set's store that is one of a recording; None without any."""
        store = self.watched.store
        if self.kind != FOUND or store.location.address == recording.location.address:
            return sequence
        return place_of(store, recording, sequence)


@dataclass(frozen=True)
class Recording:
    """A store of sequences that are seen, and its sets of units.

    Parameters
    ----------
    watched : Watched
    sets : list of UnitSet
        The true units, or known firings, first.
    """

    watched: Watched
    sets: list[UnitSet] = field(default_factory=list)


@dataclass(frozen=True)
class Shown:
    """All that is looked at.

    Parameters
    ----------
    recordings : tuple of Recording
    sequence, frame : int
        What is seen first.
    """

    recordings: tuple[Recording, ...]
    sequence: int = 0
    frame: int = 0

    def refresh(self) -> None:
        """Open what has been replaced since it was opened."""
        for recording in self.recordings:
            for watched in (recording.watched, *(units.watched for units in recording.sets)):
                watched.refresh()


def open_shown(urls: Iterable[Any], sequence: int = 0, frame: int = 0) -> Shown:
    """Open stores to look at.

    Parameters
    ----------
    urls : iterable of str or path
        Stores of recordings, and stores of units that were found in them. Units without their
        recording bring it along, where it is still to be had; else they are seen for themselves.
    sequence, frame : int
        What is seen first.

    Raises
    ------
    InputError
        If one of them cannot be opened, units are of none of the recordings, or there is no such
        sequence or frame.
    FailureError
        If one is damaged.
    """
    opened = [Watched(url) for url in urls]
    found = [one for one in opened if one.opened.kind == "identified"]
    recordings = [_recording(one) for one in opened if one.opened.kind != "identified"]
    recordings = recordings or [_recording(one) for one in _sources_of(found[0])]
    for units in found:
        homes = [one for one in recordings if _are_of(units.opened, one.watched.opened)]
        if not homes:
            raise InputError(
                f"{units.opened.location}: found units of {_source_names(units.opened)}, wanted "
                f"those of {recordings[0].watched.opened.location}; view that recording, or the "
                "units alone"
            )
        for home in homes:
            home.sets.append(UnitSet(_name_of(units, found), FOUND, units))
    store = recordings[0].watched.opened
    frames = store.layout.shape[0]
    if not 0 <= sequence < len(store):
        raise InputError(
            f"{store.location}: found `sequence={sequence}`, wanted 0 to {len(store) - 1}"
        )
    if not 0 <= frame < frames:
        raise InputError(f"{store.location}: found `frame={frame}`, wanted 0 to {frames - 1}")
    return Shown(tuple(recordings), sequence, frame)


def _recording(watched: Watched) -> Recording:
    store = watched.opened
    if store.has_truth:
        return Recording(watched, [UnitSet("truth", TRUE, watched)])
    known = {"firing", "unit_count"} <= set(store.layout.variables) and not store.has_units
    return Recording(watched, [UnitSet("known firings", KNOWN, watched)] if known else [])


def _sources_of(units: Watched) -> list[Watched]:
    """Return the recordings in which units were found; the units' own store where none is left."""
    left = []
    for source in units.opened.layout.origin_as(Identified).searched:
        try:
            left.append(Watched(source.store))
        except MusimError:
            continue
    left = [one for one in left if _are_of(units.opened, one.opened)]
    return left or [units]


def _are_of(units: Store, recording: Store) -> bool:
    if recording.location.address == units.location.address:
        return True
    if recording.is_section or recording.is_video or recording.is_slices:
        return False
    return any(
        place_of(units, recording, index) is not None
        for index in range(min(len(recording), LOOKED_AT))
    )


def place_of(units: Store, recording: Store, sequence: int) -> int | None:
    """Return which sequence of a store of units is one of a recording; None if none is.

    By the address that the units name; or, where the recording has moved since, by its values.
    """
    first, named = 0, False
    for source in units.layout.origin_as(Identified).searched:
        if _same_place(source.store, recording.location.address):
            named = True
            if sequence < source.sequences:
                return first + sequence
        first += source.sequences
    if named or sequence >= len(units):
        return None
    return sequence if is_same_recording(units, sequence, recording, sequence) else None


def _same_place(one: str, other: str) -> bool:
    if one == other:
        return True
    if "://" in one or "://" in other:
        return False
    return Path(one).resolve() == Path(other).resolve()


def _source_names(units: Store) -> str:
    sources = units.layout.origin_as(Identified).searched
    return sources[0].store if len(sources) == 1 else f"{sources[0].store} and others"


def _name_of(units: Watched, found: list[Watched]) -> str:
    """Return the method's name, or the store's where several have one name."""
    names = [_method_of(one) for one in found]
    mine = _method_of(units)
    return mine if names.count(mine) == 1 else units.name


def _method_of(units: Watched) -> str:
    origin = units.opened.layout.origin_as(Identified)
    return f"{origin.method}, curated" if isinstance(origin, Curated) else origin.method
