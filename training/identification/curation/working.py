"""The units of one sequence while they are changed, and what each change does to them."""

import dataclasses
import functools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....datasets.origin import Identified
from ....datasets.store import Store, open_sequences
from ....simulator.errors import InputError
from ..results import recording_of
from ..same_recording import is_same_recording
from ..stored import optional, units_in
from ..units import Recording, Units
from . import edits as kinds
from .edits import Edit
from .geometry import coverage, sides_of
from .train_reading import TrainReader

ACCEPTED, OUTLINED, FIRED = 1, 2, 4
"""Bits of the variable ``by_hand``."""

NEAR = 0.5
"""Frames from a firing within which it is meant, and no other may be added."""


@dataclass(frozen=True)
class WorkingUnit:
    """A unit while it is changed.

    Parameters
    ----------
    number : int
        By which changes name it.
    territory : float32 array of shape (depth, width)
    train : float32 array of shape (time,)
        mm/s.
    firing : float64 array of shape (pulse,)
        s, rising.
    confidence, outline_confidence : float
    place : int, optional
        In the store that is curated; None of units that a change made.
    by_hand : int
        What people did with it: bits of the variable of this name.
    changed : bool
        Whether its outline, train or firings are others than in that store.
    rejected : bool
    """

    number: int
    territory: NDArray[np.float32]
    train: NDArray[np.float32]
    firing: NDArray[np.float64]
    confidence: float
    outline_confidence: float
    place: int | None
    by_hand: int = 0
    changed: bool = False
    rejected: bool = False

    @property
    def accepted(self) -> bool:
        """Whether somebody said that it is true."""
        return bool(self.by_hand & ACCEPTED)


@dataclass(frozen=True)
class State:
    """The units of a sequence after some changes.

    Parameters
    ----------
    units : tuple of WorkingUnit
        Those that were rejected too, by rising numbers.
    following : int
        Number of the next unit that a change makes.
    """

    units: tuple[WorkingUnit, ...]
    following: int

    def unit(self, number: int) -> WorkingUnit:
        """Return a unit by its number; raise InputError if there is none."""
        for unit in self.units:
            if unit.number == number:
                return unit
        known = ", ".join(str(unit.number) for unit in self.units) or "none"
        raise InputError(f"found unit {number}, wanted one of {known}")

    def changeable(self, number: int) -> WorkingUnit:
        """Return a unit that was not rejected, by its number."""
        unit = self.unit(number)
        if unit.rejected:
            raise InputError(
                f"found unit {number} rejected, wanted one that is not; accept it first"
            )
        return unit

    def with_unit(self, unit: WorkingUnit) -> "State":
        """Return the state with a unit in the place of the one of its number."""
        units = tuple(unit if one.number == unit.number else one for one in self.units)
        return dataclasses.replace(self, units=units)

    def without(self, numbers: Iterable[int]) -> "State":
        """Return the state without some units."""
        gone = set(numbers)
        return dataclasses.replace(self, units=tuple(u for u in self.units if u.number not in gone))


class Bench:
    """Where the units of one sequence are changed.

    Parameters
    ----------
    store : Store
        Of the units found.
    index : int
        The sequence.
    origin : Identified, optional
        That says where recordings are; the store's own, if not given.

    Raises
    ------
    InputError
        If there is no such sequence, or its recording is not there any more.
    """

    def __init__(self, store: Store, index: int, origin: Identified | None = None) -> None:
        self.store, self.index = store, index
        self.found: Units = units_in(store, index)
        address, place = (origin or store.layout.origin_as(Identified)).source_of(index)
        source = open_sequences(address)
        check_same(store, index, source, place)
        self._source = source, place

    @functools.cached_property
    def recording(self) -> Recording:
        """The recording in which the units were found."""
        return recording_of(*self._source)

    @functools.cached_property
    def reader(self) -> TrainReader:
        """What reads trains of new outlines."""
        firings = self.store.layout.origin_as(Identified).firings or None
        return TrainReader(self.recording, self.found.train, firings)

    @functools.cached_property
    def start(self) -> State:
        """The units before any change."""
        by_hand = optional(self.store, "by_hand", self.index)
        return State(
            tuple(
                WorkingUnit(
                    number=unit,
                    territory=self.found.territory[unit],
                    train=self.found.train[unit],
                    firing=_known(self.found.firing[unit]),
                    confidence=float(self.found.confidence[unit]),
                    outline_confidence=float(self.found.outline_confidence[unit]),
                    place=unit,
                    by_hand=0 if by_hand is None else int(by_hand[unit]),
                )
                for unit in range(self.found.count)
            ),
            self.found.count,
        )

    def after(self, edits: Sequence[Edit]) -> State:
        """Return the units after some changes, those of other sequences passed over.

        Raises
        ------
        InputError
            If one cannot be made; it is named by its place in the list.
        """
        state = self.start
        for number, edit in enumerate(edits):
            if edit.sequence != self.index:
                continue
            try:
                state = self.change(state, edit)
            except InputError as error:
                raise InputError(f"edit {number} ({edit.name}): {error}") from None
        return state

    def change(self, state: State, edit: Edit) -> State:
        """Return the units after one more change.

        Raises
        ------
        InputError
            If it cannot be made of these units.
        """
        match edit:
            case kinds.Accept():
                unit = state.unit(edit.unit)
                by_hand = unit.by_hand | ACCEPTED
                return state.with_unit(dataclasses.replace(unit, rejected=False, by_hand=by_hand))
            case kinds.Reject():
                unit = state.unit(edit.unit)
                by_hand = unit.by_hand & ~ACCEPTED
                return state.with_unit(dataclasses.replace(unit, rejected=True, by_hand=by_hand))
            case kinds.Merge():
                units = [state.changeable(number) for number in edit.units]
                territory = np.max([unit.territory for unit in units], axis=0)
                sure = max(unit.confidence for unit in units)
                rest = state.without(edit.units)
                return self._made(rest, [territory], sure, _strongest_of(units))
            case kinds.Split():
                unit = state.changeable(edit.unit)
                halves = self._halves(unit.territory, edit.line)
                rest = state.without([unit.number])
                return self._made(rest, halves, unit.confidence, unit.train)
            case kinds.Redraw():
                unit = state.changeable(edit.unit)
                redrawn = dataclasses.replace(
                    unit, territory=self._drawn(edit.polygon), outline_confidence=1.0,
                    by_hand=unit.by_hand | OUTLINED, changed=True,
                )  # fmt: skip
                return self._read(state.with_unit(redrawn), [unit.number])
            case kinds.Draw():
                nothing = np.zeros(self.store.layout.shape[0], np.float32)
                return self._made(state, [self._drawn(edit.polygon)], 1.0, nothing)
            case kinds.MoveFiring():
                return self._fire(state, edit.unit, edit.instant, edit.to)
            case kinds.AddFiring():
                return self._fire(state, edit.unit, None, edit.instant)
            case kinds.RemoveFiring():
                return self._fire(state, edit.unit, edit.instant, None)
        raise TypeError(f"found a change of the kind {edit.name}, wanted one that is known")

    def _made(
        self,
        state: State,
        territories: list[NDArray[np.float32]],
        confidence: float,
        train: NDArray[np.float32],
    ) -> State:
        """Return the state with units of these territories as well, and their trains read.

        What is known of their trains so far is the same for all.
        """
        made = tuple(
            WorkingUnit(
                number=state.following + n, territory=territory, train=train, firing=np.zeros(0),
                confidence=confidence, outline_confidence=1.0, place=None, by_hand=OUTLINED,
                changed=True,
            )
            for n, territory in enumerate(territories)
        )  # fmt: skip
        more = State((*state.units, *made), state.following + len(made))
        return self._read(more, [unit.number for unit in made])

    def _read(self, state: State, numbers: list[int]) -> State:
        """Return the state with trains of some units read from the recording, and their firings.

        Firings that somebody moved stay.
        """
        moving = [unit for unit in state.units if not unit.rejected]
        chosen = [n for n, unit in enumerate(moving) if unit.number in numbers]
        territory = np.array([unit.territory for unit in moving])
        known = np.array([unit.train for unit in moving])
        trains, firings = self.reader.read(territory, known, chosen)
        for place, train, firing in zip(chosen, trains, firings, strict=True):
            unit = moving[place]
            kept = unit.firing if unit.by_hand & FIRED else _known(firing)
            state = state.with_unit(dataclasses.replace(unit, train=train, firing=kept))
        return state

    def _drawn(self, polygon: tuple[tuple[float, float], ...]) -> NDArray[np.float32]:
        """Return how much of each pixel lies in a polygon, where pixels show tissue."""
        layout = self.store.layout
        territory = coverage(polygon, layout.shape[1:], layout.pixel_size)
        return self._seen(territory, "a polygon")

    def _halves(
        self, territory: NDArray[np.float32], line: tuple[tuple[float, float], tuple[float, float]]
    ) -> list[NDArray[np.float32]]:
        """Return what of a territory lies on either side of a line."""
        layout = self.store.layout
        side = sides_of(line, layout.shape[1:], layout.pixel_size)
        return [
            self._seen(np.where(half, territory, np.float32(0)), "a half") for half in (side, ~side)
        ]

    def _seen(self, territory: NDArray[np.float32], what: str) -> NDArray[np.float32]:
        shown = np.where(self.reader.prepared.blind, np.float32(0), territory)
        if not (shown > 0.5).any():
            raise InputError(
                f"found {what} with no pixel of the image that shows tissue, wanted one or more"
            )
        return shown

    def _fire(self, state: State, number: int, away: float | None, to: float | None) -> State:
        """Return the state with a firing of a unit taken away, with another one, or moved."""
        unit, rate = state.changeable(number), self.store.layout.frame_rate
        firing, near = unit.firing, NEAR / rate
        if away is not None:
            distance = np.abs(firing - away)
            if not distance.size or distance.min() > near:
                raise InputError(
                    f"found no firing of unit {number} at {away:g} s, wanted one within half a "
                    "frame"
                )
            firing = np.delete(firing, int(distance.argmin()))
        if to is not None:
            end = self.store.layout.shape[0] / rate
            if not 0 <= to < end:
                raise InputError(f"found a firing at {to:g} s, wanted 0 to less than {end:g} s")
            if firing.size and np.abs(firing - to).min() <= near:
                raise InputError(
                    f"found a firing of unit {number} at {to:g} s already, wanted none within "
                    "half a frame"
                )
            firing = np.sort(np.append(firing, to))
        room = self.store.layout.sizes["pulse"]
        if firing.size > room:
            raise InputError(f"found {firing.size} firings of unit {number}, wanted {room} at most")
        by_hand = unit.by_hand | FIRED
        return state.with_unit(
            dataclasses.replace(unit, firing=firing, by_hand=by_hand, changed=True)
        )


def check_same(store: Store, index: int, source: Store, place: int) -> None:
    """Raise InputError unless a sequence of units was found in a recording."""
    if not is_same_recording(store, index, source, place):
        raise InputError(
            f"{source.location}, sequence {place}: found another recording than units were "
            f"found in, wanted that of {store.location}; identify again"
        )


def _strongest_of(units: Sequence[WorkingUnit]) -> NDArray[np.float32]:
    """Return the course that units have most in common, each counted by what it moves, mm/s."""
    moved = np.array([math.sqrt(float(np.square(unit.territory).sum())) for unit in units])
    courses = np.array([unit.train for unit in units], np.float64) * moved[:, None]
    _, size, directions = np.linalg.svd(courses, full_matrices=False)
    course = directions[0] * size[0] / np.linalg.norm(moved)
    return (course * math.copysign(1.0, float((courses @ course).sum()))).astype(np.float32)


def _known(firing: NDArray[np.float64]) -> NDArray[np.float64]:
    return firing[~np.isnan(firing)]
