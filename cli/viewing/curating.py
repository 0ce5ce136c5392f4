"""Units that are changed while they are looked at: a session of curation behind the page."""

import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...datasets.location import Location
from ...datasets.origin import Identified
from ...datasets.store import Store, open_sequences
from ...datasets.store_files import ROOT
from ...simulator.errors import FailureError, InputError, MusimError
from ...training.identification.curation.curating import curate_store, open_units, searched_in
from ...training.identification.curation.draft import curated_at, draft_path, now, open_draft
from ...training.identification.curation.edits import Edit, edit_of, edits_of
from ...training.identification.curation.working import Bench, State, WorkingUnit
from .shown import FOUND, Shown, UnitSet, place_of
from .watching import ChangedError, Watched

KEPT_BENCHES = 2
"""Sequences whose recordings stay in memory while their units are changed."""


@dataclass(frozen=True)
class Changed:
    """What a change did.

    Parameters
    ----------
    sequence : int, optional
        Whose units are others now; None where none are.
    made : int, optional
        Number of the first unit that it made.
    """

    sequence: int | None = None
    made: int | None = None


class Session:
    """Changes to the units of a store, kept as they are made.

    Parameters
    ----------
    store : Store
        Of the units found.
    out : str or path
        Where the curated units are saved.
    by : str
        Who makes the changes.
    recordings : sequence of Store
        Those that have moved since, see
        :func:`musim.training.identification.curation.curating.searched_in`.

    Raises
    ------
    InputError
        If something else lies where they would be saved, or changes there are of other units.
    """

    def __init__(
        self, store: Store, out: str | Path, by: str, recordings: Sequence[Store] = ()
    ) -> None:
        self.store, self.by, self.recordings = store, by, tuple(recordings)
        origin = replace(
            store.layout.origin_as(Identified), searched=searched_in(store, self.recordings)
        )
        self.out = Location(out)
        self.draft = open_draft(store, self.out)
        for edit in self.draft.edits:
            self._check_sequence(edit)
        self._lock = threading.RLock()
        self._bench = functools.lru_cache(maxsize=KEPT_BENCHES)(
            functools.partial(Bench, store, origin=origin)
        )
        self._made: dict[int, list[tuple[Edit | None, State]]] = {}
        self._most: dict[int, int] = {}
        self._saved = self._stored()
        self._ended = False
        self._saving: dict[str, Any] | None = None

    def state(self, index: int) -> State:
        """Return the units of a sequence as they are now.

        Raises
        ------
        InputError
            If the sequence's recording is not there any more, or a change cannot be made.
        """
        with self._lock:
            own = [edit for edit in self.draft.holding if edit.sequence == index]
            made = self._made.setdefault(index, [])
            if not made:
                made.append((None, self._bench(index).start))
            alike = 1
            while alike < len(made) and alike <= len(own) and made[alike][0] is own[alike - 1]:
                alike += 1
            if alike > len(own):  # what was undone may be done again
                return made[len(own)][1]
            del made[alike:]
            for edit in own[alike - 1 :]:
                made.append((edit, self._bench(index).change(made[-1][1], edit)))
            return made[-1][1]

    def places(self, index: int) -> int:
        """Return one more than the highest number that a unit of a sequence ever had.

        Those that were undone are counted: a page may still ask for them.
        """
        self.state(index)
        most = max(state.following for _, state in self._made[index])
        return max(most, self._most.get(index, 0))

    def add(self, plain: Any) -> "Changed":
        """Make a change, given without who and when.

        Raises
        ------
        InputError
            If it is none, or cannot be made of these units.
        """
        when = now()
        edit = edit_of(plain, by=self.by, when=when)
        if edit.by != self.by:
            raise InputError(f"edit: found {edit.by!r} as who made it, wanted {self.by!r}")
        if edit.when != when:
            raise InputError(f"edit: found {edit.when!r} as when it was made, wanted {when!r}")
        self._check_sequence(edit)
        with self._lock:
            state = self._bench(edit.sequence).change(self.state(edit.sequence), edit)
            self.draft.add(edit)
            own = sum(one.sequence == edit.sequence for one in self.draft.holding)
            made = self._made[edit.sequence]
            most = max(self._most.get(edit.sequence, 0), self.places(edit.sequence))
            self._most[edit.sequence] = most
            del made[own:]
            made.append((edit, state))
            return self._changed(edit.sequence)

    def undo(self) -> "Changed":
        """Take the last change back."""
        with self._lock:
            return Changed(self.draft.undo().sequence)

    def redo(self) -> "Changed":
        """Make the last change again that was taken back."""
        with self._lock:
            return self._changed(self.draft.redo().sequence)

    def _changed(self, index: int) -> "Changed":
        """Return what the last change of a sequence made."""
        now = self.state(index)
        own = sum(one.sequence == index for one in self.draft.holding)
        before = self._made[index][own - 1][1].following
        return Changed(index, before if now.following > before else None)

    def save(self) -> Changed:
        """Make the store of what holds now; what is there is replaced, if it is of these units.

        Raises
        ------
        MusimError
            If it cannot be made.
        """
        with self._lock:
            if self._saving is not None:
                raise InputError("save: found it under way, wanted one at a time; wait for it")
            edits = self.draft.holding
            self._saving = {"done": 0, "total": len(self.store)}
        try:
            there = curated_at(self.store, self.out) is not None
            curate_store(
                self.store, self.out, edits, workers=1, pool="threads", overwrite=there,
                recordings=self.recordings, on_progress=self._report,
            )  # fmt: skip
            with self._lock:
                self._saved = edits
                if self.draft.holding == edits and not self.draft.can_redo:
                    self.draft.remove()
        finally:
            self._saving = None
        return Changed()

    def end(self) -> None:
        """Let saving stop: its changes are kept, and saved another time."""
        self._ended = True

    def _report(self, done: int, total: int) -> None:
        self._saving = {"done": done, "total": total}
        if self._ended:
            raise FailureError(f"{self.out}: found that curation has ended, wanted it to go on")

    def _stored(self) -> tuple[Edit, ...] | None:
        """Return the changes of the store that is there; None where there is none that is whole."""
        if not self.out.exists(ROOT):
            return None
        made = curated_at(self.store, self.out)
        return None if made is None else edits_of(list(made.edits), str(self.out))

    def _check_sequence(self, edit: Edit) -> None:
        if edit.sequence >= len(self.store):
            raise InputError(
                f"{edit.name}: found sequence {edit.sequence}, wanted 0 to {len(self.store) - 1}"
            )

    def described(self) -> dict[str, Any]:
        """Return how far the session has come, as plain values."""
        with self._lock:
            holding, edits = self.draft.holding, self.draft.edits
            last = holding[-1] if holding else None
            following = edits[len(holding)] if self.draft.can_redo else None
            return {
                "by": self.by,
                "out": str(self.out),
                "draft": draft_path(self.out).name,
                "changes": len(holding),
                "undo": None if last is None else in_words(last),
                "redo": None if following is None else in_words(following),
                "saved": self._saved is not None and self._saved == holding,
                "saving": self._saving,
            }


def in_words(edit: Edit) -> str:
    """Say what a change does, in a few words."""
    plain = edit.to_json()
    units = plain.get("units", [plain["unit"]] if "unit" in plain else [])
    named = " ".join([edit.name.replace("_", " "), *map(str, units)])
    return f"{named} (sequence {edit.sequence})"


class LiveStore(Store):
    """A store of units in which a session's changes are seen at once.

    A unit's place is its number: of those that a change took away, nothing is left but the place.
    """

    def __init__(self, session: Session) -> None:
        super().__init__(session.store.location, session.store.layout)
        self.session = session
        self._arrays: dict[int, tuple[State, dict[str, NDArray[Any]]]] = {}

    def read(self, name: str, index: int) -> NDArray[Any]:
        """Return a variable of one sequence, without padding where it is of units."""
        self._check_index(index)
        state, count = self.session.state(index), self.session.places(index)
        known = self._arrays.get(index)
        if known is None or known[0] is not state or int(known[1]["unit_count"]) != count:
            known = self._arrays[index] = state, self._of(state, count)
        return known[1][name] if name in known[1] else super().read(name, index)

    def _of(self, state: State, count: int) -> dict[str, NDArray[Any]]:
        frames, *image = self.layout.shape
        longest = max((unit.firing.size for unit in state.units), default=0)
        arrays: dict[str, NDArray[Any]] = {
            "unit_count": np.array(count, np.int32),
            "territory": np.zeros((count, *image), np.float32),
            "twitch_train": np.zeros((count, frames), np.float32),
            "firing": np.full((count, max(longest, 1)), np.nan),
            "confidence": np.full(count, np.nan),
            "outline_confidence": np.ones(count),
        }
        for unit in state.units:
            place = unit.number
            arrays["territory"][place] = unit.territory
            arrays["twitch_train"][place] = unit.train
            arrays["firing"][place, : unit.firing.size] = unit.firing
            arrays["confidence"][place] = 1.0 if unit.accepted else unit.confidence
            arrays["outline_confidence"][place] = unit.outline_confidence
        return arrays

    def kept(self, index: int) -> list[int]:
        """Return the numbers of the units that are neither gone nor rejected."""
        return [unit.number for unit in self.session.state(index).units if not unit.rejected]

    def marks(self, index: int) -> list[dict[str, Any]]:
        """Return what became of each unit: whether it is gone, and what people did with it."""
        state = self.session.state(index)
        known: Mapping[int, WorkingUnit] = {unit.number: unit for unit in state.units}
        return [_mark(known.get(number)) for number in range(self.session.places(index))]


def _mark(unit: WorkingUnit | None) -> dict[str, Any]:
    if unit is None:
        return {"gone": True}
    return {
        "accepted": unit.accepted,
        "rejected": unit.rejected,
        "changed": unit.changed,
    }


class WatchedLive(Watched):
    """Units that are changed here; where somebody changes the store, the session is over."""

    def _open(self, url: Any) -> None:
        if not isinstance(url, LiveStore):
            raise ChangedError(
                f"{url}: found other units than are curated, wanted the same; end this, and curate "
                "them anew"
            )
        super()._open(url)


def begin(shown: Shown, out: str | Path, by: str) -> Session:
    """Let the first units that are shown be curated.

    Parameters
    ----------
    shown : Shown
        Its set of these units becomes one that changes.
    out : str or path
        Where they are saved.
    by : str

    Returns
    -------
    Session

    Raises
    ------
    InputError
        If there are no units, their recording is not there any more, or as of :class:`Session`.
    """
    found = [units for one in shown.recordings for units in one.sets if units.kind == FOUND]
    if not found:
        store = shown.recordings[0].watched.opened
        raise InputError(
            f"{store.location}: found no units beside it, wanted those to curate; run musim "
            f"identify {store.location} and give what it writes"
        )
    chosen = found[0]
    store = open_units(chosen.watched.opened)
    if any(one.watched.opened is store for one in shown.recordings):
        raise InputError(
            f"{store.location}: found no recording of these units, wanted it where it was, to "
            "read trains from"
        )
    session = Session(store, out, by, _moved(shown, store))
    live = WatchedLive(LiveStore(session))
    for recording in shown.recordings:
        for place, units in enumerate(recording.sets):
            if units.watched is chosen.watched:
                recording.sets[place] = UnitSet("curated", FOUND, live)
    return session


def _moved(shown: Shown, store: Store) -> list[Store]:
    """Return the recordings of units where they are now; none, if they are where they were."""
    searched = store.layout.origin_as(Identified).searched
    try:
        for one in searched:
            open_sequences(one.store)
    except MusimError:
        first, found = 0, []
        for one in searched:
            found += [
                recording.watched.opened
                for recording in shown.recordings
                if place_of(store, recording.watched.opened, 0) == first
            ][:1]
            first += one.sequences
        return found if len(found) == len(searched) else []
    return []


def act(session: Session, name: str, plain: Any) -> Changed:
    """Do what a page asks for.

    Raises
    ------
    MusimError
        If it cannot be done.
    """
    if name == "edit":
        return session.add(plain)
    actions: Mapping[str, Callable[[], Changed]] = {
        "undo": session.undo,
        "redo": session.redo,
        "save": session.save,
    }
    if name not in actions:
        raise InputError(f"found {name!r}, wanted edit, undo, redo or save")
    return actions[name]()
