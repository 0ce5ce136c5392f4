"""Changes that people make to units, one by one, and their form in JSON.

Units are named by numbers: those of the store that is curated keep theirs, and units that a change
makes get the next ones, so that a list of changes says the same whenever it is read.
"""

import math
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, ClassVar

from ....simulator.errors import InputError
from .geometry import Point, check_point, check_polygon

MOST_EDITS = 100_000
"""Changes that a list may have."""

LONGEST_NAME = 200
"""Characters of who made a change."""


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A change.

    Parameters
    ----------
    sequence : int
        In which sequence of the store, from 0.
    by : str
        Who made it.
    when : str
        When, ISO 8601 in UTC.
    """

    name: ClassVar[str]
    """What it is called in JSON."""

    words: ClassVar[str]
    """What it does, in words."""

    sequence: int
    by: str
    when: str

    def to_json(self) -> dict[str, Any]:
        """Return plain values that :func:`edit_of` reads back."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {"edit": self.name, **{name: _plain(value) for name, value in values.items()}}

    def __post_init__(self) -> None:
        """Check what can be checked without the units."""
        if not self.by.strip() or len(self.by) > LONGEST_NAME or not self.by.isprintable():
            raise InputError(
                f"{self.name}: found {self.by[:LONGEST_NAME]!r} as who made it, wanted a name"
            )
        try:
            datetime.fromisoformat(self.when)
        except ValueError:
            raise InputError(
                f"{self.name}: found {self.when[:LONGEST_NAME]!r} as when, wanted a date and time "
                "such as 2026-01-31T12:00:00Z"
            ) from None
        for one in fields(self):
            value = getattr(self, one.name)
            if isinstance(value, float) and not math.isfinite(value):
                raise InputError(f"{self.name}: found {one.name} {value}, wanted a finite number")


@dataclass(frozen=True, kw_only=True)
class Accept(Edit):
    """A unit is true."""

    name: ClassVar[str] = "accept"
    words: ClassVar[str] = "accepted"
    unit: int


@dataclass(frozen=True, kw_only=True)
class Reject(Edit):
    """A unit is none."""

    name: ClassVar[str] = "reject"
    words: ClassVar[str] = "rejected"
    unit: int


@dataclass(frozen=True, kw_only=True)
class Merge(Edit):
    """Some units are one, which lies wherever one of them does."""

    name: ClassVar[str] = "merge"
    words: ClassVar[str] = "merged"
    units: tuple[int, ...]

    def __post_init__(self) -> None:
        """Check the units' number."""
        super().__post_init__()
        if len(set(self.units)) < 2 or len(set(self.units)) < len(self.units):
            raise InputError(
                f"merge: found units {', '.join(map(str, self.units)) or 'none'}, wanted two or "
                "more, each once"
            )


@dataclass(frozen=True, kw_only=True)
class Split(Edit):
    """A unit is two, on both sides of a line through two points (mm)."""

    name: ClassVar[str] = "split"
    words: ClassVar[str] = "split"
    unit: int
    line: tuple[Point, Point]

    def __post_init__(self) -> None:
        """Check the line."""
        super().__post_init__()
        for point in self.line:
            check_point(point, "split")


@dataclass(frozen=True, kw_only=True)
class Redraw(Edit):
    """A unit lies in a polygon (mm)."""

    name: ClassVar[str] = "redraw"
    words: ClassVar[str] = "outlined anew"
    unit: int
    polygon: tuple[Point, ...]

    def __post_init__(self) -> None:
        """Check the polygon."""
        super().__post_init__()
        check_polygon(self.polygon, "redraw")


@dataclass(frozen=True, kw_only=True)
class Draw(Edit):
    """There is a unit that was not found, in a polygon (mm)."""

    name: ClassVar[str] = "draw"
    words: ClassVar[str] = "drawn"
    polygon: tuple[Point, ...]

    def __post_init__(self) -> None:
        """Check the polygon."""
        super().__post_init__()
        check_polygon(self.polygon, "draw")


@dataclass(frozen=True, kw_only=True)
class MoveFiring(Edit):
    """A firing was at another instant (s)."""

    name: ClassVar[str] = "move_firing"
    words: ClassVar[str] = "firings moved"
    unit: int
    instant: float
    to: float


@dataclass(frozen=True, kw_only=True)
class AddFiring(Edit):
    """A unit fired at an instant (s)."""

    name: ClassVar[str] = "add_firing"
    words: ClassVar[str] = "firings added"
    unit: int
    instant: float


@dataclass(frozen=True, kw_only=True)
class RemoveFiring(Edit):
    """A unit did not fire at an instant (s)."""

    name: ClassVar[str] = "remove_firing"
    words: ClassVar[str] = "firings taken away"
    unit: int
    instant: float


EDITS: dict[str, type[Edit]] = {
    kind.name: kind
    for kind in (
        Accept, Reject, Merge, Split, Redraw, Draw, MoveFiring, AddFiring, RemoveFiring
    )
}  # fmt: skip
"""The kinds of changes by their names."""


def edit_of(plain: Any, place: str = "edit", **missing: str) -> Edit:
    """Read a change from plain values, as JSON has them.

    Parameters
    ----------
    plain : mapping of str to object
    place : str
        Where it stands, for the messages.
    **missing : str
        What stands for ``by`` and ``when`` where they are left out.

    Raises
    ------
    InputError
        If it is no change, or one of another kind.
    """
    named = plain.get("edit") if isinstance(plain, Mapping) else type(plain).__name__
    if not isinstance(plain, Mapping) or not isinstance(named, str) or named not in EDITS:
        raise InputError(f"{place}: found {named!r}, wanted an edit, one of {', '.join(EDITS)}")
    kind = EDITS[named]
    given: dict[str, Any] = {**missing, **{k: v for k, v in plain.items() if k != "edit"}}
    wanted = {one.name for one in fields(kind)}
    wrong = sorted(wanted.symmetric_difference(given))
    if wrong:
        what = "lacking" if wrong[0] in wanted else "unknown"
        raise InputError(
            f"{place}: found {wrong[0]} {what} in {kind.name}, wanted {', '.join(sorted(wanted))}"
        )
    try:
        read = {name: _READERS[name](value) for name, value in given.items()}
    except (TypeError, ValueError, OverflowError):
        raise InputError(
            f"{place}: found {kind.name} with values that are none of its own, wanted whole "
            "numbers of sequence and units, seconds, and points as [depth, width] in mm"
        ) from None
    try:
        return kind(**read)
    except InputError as error:
        raise InputError(f"{place}: {error}") from None


def edits_of(plain: Any, place: str, **missing: str) -> tuple[Edit, ...]:
    """Read a list of changes; see :func:`edit_of`."""
    if not isinstance(plain, Sequence) or isinstance(plain, str) or len(plain) > MOST_EDITS:
        raise InputError(f"{place}: found no list of edits, wanted one of {MOST_EDITS} at most")
    return tuple(
        edit_of(one, f"{place}, edit {number}", **missing) for number, one in enumerate(plain)
    )


def _plain(value: Any) -> Any:
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise TypeError
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _point(value: Any) -> Point:
    depth, width = value
    return _number(depth), _number(width)


def _points(value: Any) -> tuple[Point, ...]:
    return tuple(_point(one) for one in value)


def _line(value: Any) -> tuple[Point, Point]:
    first, second = value
    return _point(first), _point(second)


_READERS: Mapping[str, Callable[[Any], Any]] = types.MappingProxyType({
    "sequence": _whole, "unit": _whole, "units": lambda value: tuple(map(_whole, value)),
    "by": _text, "when": _text, "instant": _number, "to": _number, "line": _line,
    "polygon": _points,
})  # fmt: skip
