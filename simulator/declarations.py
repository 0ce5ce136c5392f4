"""Fields that are declared once: default, meaning, unit and bounds, and the type that they hold.

A frozen dataclass that derives from :class:`Declared` has its values checked and read from what
users give in Python, from texts and from JSON, all by the declarations of its fields.
"""

import dataclasses
import difflib
import functools
import math
import sys
import typing
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import MISSING, dataclass, field
from typing import Any, ClassVar, Self

from .annotations import kind_of
from .errors import InputError
from .kinds import Kind, NumberKind, RangeKind, Show, exact

POSITIVE = (math.ulp(0.0), sys.float_info.max)
"""Bounds of finite numbers above 0."""

FINITE = (-sys.float_info.max, sys.float_info.max)
"""Bounds of all finite numbers."""


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What is known of one field.

    Parameters
    ----------
    name : str
    kind : Kind
        What it holds, as its annotation says.
    optional : bool
        Whether it may be None.
    default : object
    text : str
        Its meaning, a line of help.
    unit : str
    bounds : (float, float)
        Of every number in it, both included.
    choices : collection of str
        Texts that it may be; any, where there are none. A registry's names are looked up when a
        value is read, so that what was registered later is known too.
    group : str
        Its section of the help.
    whole : bool
        Whether a range's ends are whole numbers.
    infinite : bool
        Whether a range may be infinity alone, whatever the bounds.
    before : object
        What it was before there was the field, for what was stored by then; `dataclasses.MISSING`
        where it was there from the beginning.
    """

    name: str
    kind: Kind
    optional: bool
    default: Any
    text: str
    unit: str
    bounds: tuple[float, float]
    choices: Collection[str]
    group: str
    whole: bool
    infinite: bool
    before: Any

    def read(self, value: Any) -> Any:
        """Return what a user gave, in Python or as a text, as the field holds it.

        Raises
        ------
        InputError
            If it cannot be read, or is out of bounds; the error names the field.
        """
        return self._checked(self._read, value)

    def from_json(self, value: Any) -> Any:
        """Return what :meth:`to_json` made; raise InputError as :meth:`read` does."""
        return self._checked(self.kind.from_json, value)

    def to_json(self, value: Any) -> Any:
        """Return plain values that :meth:`from_json` reads back without loss."""
        return None if value is None else self.kind.to_json(value)

    def show(self, value: Any, number: Show = exact) -> str:
        """Return a value as a user would type it, nothing for None."""
        return "" if value is None else self.kind.show(value, number)

    @property
    def placeholder(self) -> str:
        """What stands for the value in the help of a command."""
        return "|".join(self.choices) if self.choices else self.kind.placeholder

    def _read(self, value: Any) -> Any:
        if not isinstance(value, str):
            return self.kind.of(value)
        if self.choices:
            return value.strip()
        if isinstance(self.kind, RangeKind | NumberKind) and self.bounds[1] > 1 and "%" in value:
            raise InputError(f"found {value!r}, wanted numbers without %, which is for shares")
        return self.kind.read(value)

    def _checked(self, reader: Callable[[Any], Any], value: Any) -> Any:
        if value is None and self.optional:
            return None
        try:
            read = reader(value)
            self._check(read)
        except InputError as error:
            raise InputError(f"{self.name}: {error}") from None
        return read

    def _check(self, value: Any) -> None:
        if self.choices:
            if value not in self.choices:
                raise InputError(f"found {value!r}, wanted one of {', '.join(self.choices)}")
            return
        numbers = self.kind.numbers(value)
        if self.infinite and numbers == (math.inf, math.inf):
            return
        low, high = self.bounds
        unit = f" {self.unit}" if self.unit else ""
        if not all(low <= number <= high for number in numbers):
            found = self.kind.show(value, _long)
            raise InputError(f"found {found}{unit}, wanted {_within(self.bounds, unit)}")
        if isinstance(self.kind, RangeKind) and value.low > value.high:
            found = self.kind.show(value, _long)
            raise InputError(f"found {found}{unit}, wanted low-high with low <= high")
        if self.whole and not all(number == int(number) for number in numbers):
            raise InputError(f"found {self.kind.show(value, _long)}, wanted whole numbers")


def _long(number: float) -> str:
    return f"{number:.12g}"


def _within(bounds: tuple[float, float], unit: str) -> str:
    """Return bounds in words."""
    low, high = bounds
    if bounds == POSITIVE:
        return "more than 0"
    if bounds == FINITE:
        return "finite numbers"
    if math.isinf(high):
        return "numbers" if math.isinf(low) else f"{_long(low)} or more{unit}"
    return f"{_long(low)} to {_long(high)}{unit}"


def declare(
    default: Any,
    text: str,
    unit: str = "",
    bounds: tuple[float, float] = (-math.inf, math.inf),
    choices: Collection[str] = (),
    group: str = "",
    *,
    whole: bool = False,
    infinite: bool = False,
    separator: str = "x",
    before: Any = MISSING,
) -> Any:
    """Declare one field of a dataclass that derives from :class:`Declared`.

    Parameters
    ----------
    default, text, unit, bounds, choices, group, whole, infinite, before
        See :class:`Declaration`.
    separator : str
        Between the two numbers of a pair, where it is read from a text.
    """
    metadata = {"text": text, "unit": unit, "bounds": bounds, "choices": choices, "group": group,
                "whole": whole, "infinite": infinite, "separator": separator,
                "before": before}  # fmt: skip
    return field(default=default, metadata=metadata)


@functools.cache
def declarations(cls: type["Declared"]) -> Mapping[str, Declaration]:
    """Return what is declared of each field of a class, by its name and in its order."""
    hints, found = typing.get_type_hints(cls), {}
    for each in dataclasses.fields(cls):
        about = dict(each.metadata)
        kind, optional, choices = kind_of(hints[each.name], about.pop("separator"))
        about["choices"] = about["choices"] or choices
        found[each.name] = Declaration(
            name=each.name, kind=kind, optional=optional, default=each.default, **about
        )
    return found


class Declared:
    """Base of frozen dataclasses whose fields are all declared, see :func:`declare`.

    A name that is none of its fields is refused with the one that may be meant, and values of
    another kind or out of bounds are refused.
    """

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    noun: ClassVar[str]
    """What a field is called in refusals of its name."""

    def __new__(cls, *args: Any, **values: Any) -> Self:
        """Refuse unknown names, before the dataclass does with an error of its own."""
        cls.check_names(values)
        return super().__new__(cls)

    def __post_init__(self) -> None:
        """Read and check every value, so that equal ones are held alike, however given."""
        for name, declaration in declarations(type(self)).items():
            object.__setattr__(self, name, declaration.read(getattr(self, name)))

    @classmethod
    def check_names(cls, names: Iterable[str]) -> None:
        """Raise InputError if a name is none of the fields'."""
        known = declarations(cls)
        for name in names:
            if name in known:
                continue
            meant = difflib.get_close_matches(name, known, 1)
            others = ", ".join(each for each in known if each not in meant)
            wanted = f"{meant[0]} (or one of {others})" if meant else f"one of {others}"
            raise InputError(f"{cls.noun}: found {name!r}, wanted {wanted}")

    def to_json(self) -> dict[str, Any]:
        """Return plain values that :meth:`from_json` reads back without loss."""
        known = declarations(type(self))
        return {name: known[name].to_json(getattr(self, name)) for name in known}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_json` made, after JSON as well.

        Raises
        ------
        InputError
            If a field is missing and was so from the beginning, or is unknown, or if a value
            cannot be used: a default in its place would be another value than what was stored.
        """
        cls.check_names(plain)
        values: dict[str, Any] = {}
        for name, declaration in declarations(cls).items():
            if name in plain:
                values[name] = declaration.from_json(plain[name])
            elif declaration.before is not MISSING:
                values[name] = declaration.before
            else:
                raise InputError(
                    f"{cls.noun}: found none called {name!r}, wanted it with the others; restore "
                    "what was stored"
                )
        return cls(**values)
