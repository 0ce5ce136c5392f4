"""What the page's requests are answered with; each answer reads what it is asked for alone."""

import functools
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...datasets.origin import Identified
from ...simulator.errors import InputError, MusimError
from ...training.colours import COLOURS
from .colours import colour_maps
from .curating import LiveStore, Session, act
from .facts import facts_of, marks_of, proportions_of
from .judging import judged
from .layers import Layer, deviation, frames_of, motion_about, range_of
from .queries import Query
from .sequences import Sequence, about, known_layers, tells_pixels
from .shown import FOUND, TRUE, Shown
from .signals import mean_about, reduced, region_signal
from .states import signals_of
from .units import Units, described, neighbours

MOST_BYTES = 64 * 2**20
"""Of one answer."""

MOST_POINTS = 20_000
SPAN = (-0.025, 0.150)
"""Seconds about a firing in which the course of a twitch is shown."""

KEPT = 32
"""Answers that take long and are small are kept: maps, scales."""


class Answers:
    """Answers about what is shown.

    Parameters
    ----------
    shown : Shown
    session : Session, optional
        Of curation, of a set that is shown.
    """

    def __init__(self, shown: Shown, session: Session | None = None) -> None:
        self.shown, self.session = shown, session
        self._ranges = functools.lru_cache(maxsize=KEPT)(range_of)
        self._maps: dict[tuple[Any, ...], NDArray[np.float32]] = {}

    def prepare(self) -> None:
        """Read what the page will ask for first, while a browser opens it."""
        query = Query({"sequence": str(self.shown.sequence)})
        # What goes wrong is told to the page, which asks the same.
        with suppress(MusimError):
            self.sequence(query)
            self.units(query)

    def _sequence(self, query: Query) -> Sequence:
        recordings = self.shown.recordings
        recording = recordings[query.integer("recording", 0, 0, len(recordings) - 1)]
        store = recording.watched.store
        return Sequence(recording, query.integer("sequence", 0, 0, len(store) - 1))

    def _window(self, query: Query, frames: int) -> slice:
        first = query.integer("first", 0, 0, frames - 1)
        return slice(first, first + query.integer("count", frames - first, 1, frames - first))

    def _units(self, query: Query, sequence: Sequence) -> tuple[int, Units]:
        if not sequence.recording.sets:
            raise InputError(
                f"{sequence.store.location}: found no units in it or beside it, wanted some"
            )
        number = query.integer("set", 0, 0, len(sequence.recording.sets) - 1)
        units = sequence.units(number)
        if units is None:
            raise InputError(f"set: found {number}, wanted one that has units of this sequence")
        return number, units

    def _layer(self, query: Query, sequence: Sequence) -> Layer:
        known = known_layers(sequence.recording)
        return query.choice("layer", {layer.name: layer for layer in known})

    def about(self, query: Query) -> dict[str, Any]:
        """Return what there is to see; open anew what has been replaced."""
        self.shown.refresh()
        self._ranges.cache_clear()
        self._maps.clear()
        return {
            "recordings": [about(recording) for recording in self.shown.recordings],
            "sequence": self.shown.sequence,
            "frame": self.shown.frame,
            "colours": COLOURS,
            "curation": None if self.session is None else self.session.described(),
        }

    def colours(self, query: Query) -> NDArray[np.uint8]:
        """Return the colours of maps, uint8 (map, 256, 3): of velocity, of its SD, and greys."""
        return colour_maps()

    def state(self, query: Query) -> dict[str, Any]:
        """Return nothing, where all stores are those that were opened."""
        for recording in self.shown.recordings:
            for watched in (recording.watched, *(units.watched for units in recording.sets)):
                _ = watched.store
        return {}

    def sequence(self, query: Query) -> dict[str, Any]:
        """Return what is known of one sequence: frames, and each layer's scale of colours."""
        sequence = self._sequence(query)
        store, index, frames = sequence.store, sequence.index, sequence.frames
        layers = known_layers(sequence.recording)
        ranges: dict[str, Any] = {}
        for layer in layers:
            if not layer.moves:
                continue
            alike = [one for one in ranges if layer.unit and layer.colours == "velocity"]
            if alike:  # one scale for velocities, so that layers can be compared
                ranges[layer.name] = ranges[alike[0]]
            else:
                ranges[layer.name] = self._ranges(store, index, layer, frames)
        beside = [asdict(signal) for signal, _ in signals_of(store, index)]
        return {
            "frames": frames,
            "proportions": proportions_of(store, index),
            "ranges": ranges,
            "facts": facts_of(store, index),
            "marks": marks_of(sequence.recording, store, index),
            "signals": beside,
        }

    def units(self, query: Query) -> list[Any]:
        """Return the units of all sets in one sequence."""
        sequence = self._sequence(query)
        found = [
            described(units, sequence.store, sequence.index) for units in sequence.recording.sets
        ]
        for rows, units in zip(found, sequence.recording.sets, strict=True):
            live, place = units.watched.store, units.place_of(sequence.store, sequence.index)
            if isinstance(live, LiveStore) and rows is not None and place is not None:
                for row, mark in zip(rows, live.marks(place), strict=True):
                    row.update(mark)
        return found

    def curation(self, query: Query) -> dict[str, Any]:
        """Return how far curation has come."""
        if self.session is None:
            raise InputError("found nothing curated here, wanted musim view ... --curate STORE")
        return self.session.described()

    def change(self, name: str, plain: Any) -> dict[str, Any]:
        """Change units as a page asks for, and return how far curation has come.

        Raises
        ------
        MusimError
            If that cannot be done.
        """
        if self.session is None:
            raise InputError("found nothing curated here, wanted musim view ... --curate STORE")
        if name == "edit":
            plain = self._placed(plain)
        changed = act(self.session, name, plain)
        self._maps.clear()
        there = self._seen_at(changed.sequence)
        return {**self.session.described(), **there, "made": changed.made}

    def _placed(self, plain: Any) -> Any:
        """Return a change as of the store of units: pages name the recording's sequence."""
        given = plain if isinstance(plain, dict) else {}
        edit = given.get("edit")
        query = Query({name: str(given.get(name, 0)) for name in ("recording", "sequence")})
        sequence = self._sequence(query)
        for units in sequence.recording.sets:
            place = units.place_of(sequence.store, sequence.index)
            if isinstance(units.watched.store, LiveStore) and place is not None:
                return {**edit, "sequence": place} if isinstance(edit, dict) else edit
        raise InputError("edit: found a sequence that nobody looked for units in, wanted another")

    def _seen_at(self, changed: int | None) -> dict[str, Any]:
        """Return which recording's sequence has the units of a sequence that was changed."""
        for number, recording in enumerate(self.shown.recordings):
            store = recording.watched.store
            for units in recording.sets:
                live = units.watched.store
                if changed is None or not isinstance(live, LiveStore):
                    continue
                there = live.layout.origin_as(Identified).source_of(changed)[1]
                if there < len(store) and units.place_of(store, there) == changed:
                    return {"recording": number, "sequence": there}
        return {}

    def frames(self, query: Query) -> NDArray[Any]:
        """Return frames of a layer, (time, depth, width)."""
        sequence = self._sequence(query)
        window, layer = self._window(query, sequence.frames), self._layer(query, sequence)
        layout = sequence.store.layout
        most = max(MOST_BYTES // (4 * layout.shape[1] * layout.shape[2]), 1)
        if window.stop - window.start > most:
            raise InputError(
                f"count: found {window.stop - window.start}, wanted at most {most} frames at once"
            )
        made_of = None
        if layer.needs_units:
            _, units = self._units(query, sequence)
            chosen = query.some("units", len(units.train))
            made_of = units.territory[chosen], units.train[chosen]
        return frames_of(sequence.store, sequence.index, layer.name, window, made_of)

    def map(self, query: Query) -> NDArray[np.float32]:
        """Return a map of the whole sequence, (depth, width)."""
        sequence = self._sequence(query)
        layer = self._layer(query, sequence)
        if layer.moves:
            raise InputError(f"layer: found {layer.name!r}, wanted one that does not move")
        store, index = sequence.store, sequence.index
        key: tuple[Any, ...] = (store, index)
        make = functools.partial(deviation, store, index, query.check)
        if layer.needs_unit:
            number, units = self._units(query, sequence)
            unit = query.integer("unit", None, 0, len(units.train) - 1)
            key = store, index, number, unit
            frames = slice(0, sequence.frames)
            make = functools.partial(
                motion_about, store, index, units.firing[unit], frames, SPAN, query.check
            )
        if key not in self._maps:
            made = make()
            while len(self._maps) >= KEPT:
                self._maps.pop(next(iter(self._maps)), None)
            self._maps[key] = made
        return self._maps[key]

    def trains(self, query: Query) -> NDArray[np.float32]:
        """Return trains of a set, reduced: a row of frames, then a row of mm/s for each unit."""
        sequence = self._sequence(query)
        _, units = self._units(query, sequence)
        window = self._window(query, sequence.frames)
        chosen = query.some("units", len(units.train))
        return self._reduced(query, units.train[chosen, window], window)

    def pixel(self, query: Query) -> NDArray[np.float32]:
        """Return the signal of a pixel, reduced: a row of frames, then one of values."""
        sequence = self._sequence(query)
        store, window = sequence.store, self._window(query, sequence.frames)
        row = query.integer("row", None, 0, store.layout.shape[1] - 1)
        column = query.integer("column", None, 0, store.layout.shape[2] - 1)
        if not tells_pixels(store):
            raise InputError(f"{store.location}: found images, wanted what pixels tell over time")
        weights = np.zeros(store.layout.shape[1:], np.float32)
        weights[row, column] = 1
        signal = region_signal(store, sequence.index, weights, window, query.check)
        return self._reduced(query, signal[None], window)

    def states(self, query: Query) -> NDArray[np.float32]:
        """Return what was recorded beside a video, reduced: a row of frames, then the signals."""
        sequence = self._sequence(query)
        window = self._window(query, sequence.frames)
        found = [values[window] for _, values in signals_of(sequence.store, sequence.index)]
        shape = len(found), window.stop - window.start
        return self._reduced(query, np.array(found, np.float32).reshape(shape), window)

    def _reduced(
        self, query: Query, signals: NDArray[np.float32], window: slice
    ) -> NDArray[np.float32]:
        points = query.integer("points", MOST_POINTS, 4, MOST_POINTS)
        frames, values = reduced(signals, window.start, points)
        return np.concatenate([frames[None], values])

    def unit(self, query: Query) -> dict[str, Any]:
        """Return the course of a unit's twitch, and which units are like it."""
        sequence = self._sequence(query)
        number, units = self._units(query, sequence)
        unit = query.integer("unit", None, 0, len(units.train) - 1)
        if sequence.is_gone(number, unit):
            return {"twitch": no_twitch(), "neighbours": []}
        layout = sequence.store.layout
        twitch = mean_about(units.firing[unit], units.train[unit], layout.frame_rate, SPAN)
        others = [(n, sequence.units(n)) for n in range(len(sequence.recording.sets))]
        known = [(n, other) for n, other in others if other is not None]
        rows = neighbours(units, unit, known, number, layout.frame_rate, layout.pixel_size)
        there = {n: sequence.there(n) for n, _ in known}
        rows = [row for row in rows if there[row["set"]] is None
                or row["unit"] in there[row["set"]]]  # fmt: skip
        return {"twitch": twitch, "neighbours": rows}

    def matches(self, query: Query) -> dict[str, Any]:
        """Return what the units of a set are in the light of the true ones; nothing without any."""
        sequence = self._sequence(query)
        sets = sequence.recording.sets
        found = sets[query.integer("set", 0, 0, max(len(sets) - 1, 0))] if sets else None
        if found is None or found.kind != FOUND or sets[0].kind != TRUE:
            return {}
        place = found.place_of(sequence.store, sequence.index)
        if place is None:
            return {}
        live = found.watched.store
        kept = live.kept(place) if isinstance(live, LiveStore) else None
        return judged((live, place), (sequence.store, sequence.index), kept)

    def seen(self, query: Query) -> dict[str, Any]:
        """Return the mean course of the recorded velocity in a unit's territory about firings."""
        sequence = self._sequence(query)
        number, units = self._units(query, sequence)
        unit = query.integer("unit", None, 0, len(units.train) - 1)
        if sequence.is_gone(number, unit):
            return no_twitch()
        territory, rate = units.territory[unit], sequence.store.layout.frame_rate
        if not territory.any():
            raise InputError(f"unit: found {unit}, which lies outside the image, wanted one in it")
        frames = slice(0, sequence.frames)
        signal = region_signal(sequence.store, sequence.index, territory, frames, query.check)
        return mean_about(units.firing[unit], signal, rate, SPAN)


def no_twitch() -> dict[str, Any]:
    """Return the course of a twitch of which nothing is known."""
    return mean_about(np.zeros(0), np.zeros(1, np.float32), 1.0, SPAN)


ANSWERS: Mapping[str, Callable[[Answers, Query], Any]] = {
    name: getattr(Answers, name)
    for name in (
        "about", "colours", "state", "sequence", "units", "frames", "map", "trains", "pixel",
        "states", "unit", "matches", "seen", "curation",
    )
}  # fmt: skip
"""What may be asked for, by name."""
