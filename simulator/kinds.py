"""Kinds of values that fields are declared to hold: how each is given, typed, shown and stored."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any, NoReturn

import numpy as np

from .errors import InputError
from .ranges import Range, parse_pair

Show = Callable[[float], str]
"""Turns a number into its text."""


def exact(number: float) -> str:
    """Return a number's text, short where that is the very number."""
    if isinstance(number, int):
        return str(number)
    return f"{number:g}" if float(f"{number:g}") == number else repr(number)


def short(number: float) -> str:
    """Return a number's text to six digits."""
    return f"{number:g}"


def is_number(value: Any) -> bool:
    """Tell whether a value is a number; yes and no are none."""
    return isinstance(value, Real) and not isinstance(value, bool)


class Kind:
    """What a field holds. Refusals do not name the field: whoever reads it does.

    Attributes
    ----------
    wanted : str
        What refusals ask for.
    placeholder : str
        What stands for the value in the help of a command.
    """

    wanted: str
    placeholder: str

    def refuse(self, value: Any) -> NoReturn:
        """Raise InputError for what is not of this kind."""
        shown = " ".join(repr(value).split())
        shown = shown if len(shown) <= 60 else shown[:60] + "…"
        raise InputError(f"found {shown}, wanted {self.wanted}")

    def of(self, value: Any) -> Any:
        """Return a value that was given in Python, but for a text, as this kind holds it."""
        raise NotImplementedError

    def read(self, text: str) -> Any:
        """Return what a text says."""
        raise NotImplementedError

    def show(self, value: Any, number: Show = exact) -> str:
        """Return the text that :meth:`read` reads back, as far as `number` is exact."""
        raise NotImplementedError

    def numbers(self, value: Any) -> tuple[float, ...]:
        """Return the numbers that bounds hold for."""
        return ()

    def to_json(self, value: Any) -> Any:
        """Return plain values that :meth:`from_json` reads back."""
        return value

    def from_json(self, value: Any) -> Any:
        """Return what :meth:`to_json` made, after JSON."""
        if isinstance(value, str):
            self.refuse(value)
        return self.of(value)


class RangeKind(Kind):
    """A range, or the number that it consists of."""

    wanted = "a number or a range, such as (5, 30) or 5-30"
    placeholder = "LOW-HIGH"

    def of(self, value: Any) -> Range:
        """Take a range, a number, or low and high."""
        if isinstance(value, Range):
            return value
        ends = tuple(value) if isinstance(value, tuple | list | np.ndarray) else (value, value)
        if len(ends) != 2 or not all(is_number(end) for end in ends):
            self.refuse(value)
        return Range(*ends)

    def read(self, text: str) -> Range:
        """Read ``"5-30"`` or ``"10"``."""
        return Range.parse(text)

    def show(self, value: Range, number: Show = exact) -> str:
        """Return ``"5-30"`` or ``"10"``."""
        low, high = number(value.low), number(value.high)
        return low if low == high else f"{low}-{high}"

    def numbers(self, value: Range) -> tuple[float, ...]:
        """Return low and high."""
        return value.low, value.high

    def to_json(self, value: Range) -> list[float | str]:
        """Return [low, high]. JSON has no infinity; it is written as a text."""
        return [end if math.isfinite(end) else "inf" for end in (value.low, value.high)]

    def from_json(self, value: Any) -> Range:
        """Read [low, high]."""
        if not isinstance(value, list | tuple):
            raise InputError(f"found {value!r}, wanted [low, high]")
        return self.of([math.inf if end == "inf" else end for end in value])


@dataclass(frozen=True)
class NumberKind(Kind):
    """One number, whole (int) or not (float)."""

    type: type[int] | type[float]

    placeholder = "NUMBER"

    @property
    def wanted(self) -> str:  # type: ignore[override]
        """A whole one, or any."""
        return "a whole number" if self.type is int else "a number"

    def of(self, value: Any) -> float:
        """Take a number; a float that is whole is a whole number."""
        whole = is_number(value) and math.isfinite(value) and value == round(value)
        if not is_number(value) or (self.type is int and not whole):
            self.refuse(value)
        return self.type(value)

    def read(self, text: str) -> float:
        """Read ``"10"``."""
        try:
            found = Range.parse(text)
        except InputError:
            self.refuse(text)
        if not found.is_constant:
            raise InputError(f"found {text!r}, wanted one number, not a range")
        try:
            return self.of(found.low)
        except InputError:
            self.refuse(text)

    def show(self, value: float, number: Show = exact) -> str:
        """Return ``"10"``."""
        return number(value)

    def numbers(self, value: float) -> tuple[float, ...]:
        """Return it."""
        return (value,)


class FlagKind(Kind):
    """Yes or no."""

    wanted = "yes or no"
    placeholder = "yes|no"

    def of(self, value: Any) -> bool:
        """Take a bool."""
        return value if isinstance(value, bool) else self.refuse(value)

    def read(self, text: str) -> bool:
        """Read ``"yes"`` or ``"no"``."""
        known = {"yes": True, "true": True, "no": False, "false": False}
        found = known.get(text.strip().lower())
        return self.refuse(text) if found is None else found

    def show(self, value: bool, number: Show = exact) -> str:
        """Return ``"yes"`` or ``"no"``."""
        return "yes" if value else "no"


class TextKind(Kind):
    """A text, such as a name."""

    wanted = "a text"
    placeholder = "TEXT"

    def of(self, value: Any) -> str:
        """Take a text."""
        return value if isinstance(value, str) else self.refuse(value)

    def read(self, text: str) -> str:
        """Return the text."""
        return text

    def show(self, value: str, number: Show = exact) -> str:
        """Return the text."""
        return value

    def from_json(self, value: Any) -> str:
        """Return the text."""
        return self.of(value)


@dataclass(frozen=True)
class TupleKind(Kind):
    """Several values of one kind, as many as there are; a text has commas between them."""

    inner: Kind

    placeholder = "VALUES"

    @property
    def wanted(self) -> str:  # type: ignore[override]
        """Numbers, or numbers of numbers."""
        if isinstance(self.inner, TupleKind):
            return "sizes such as 7x7x7,3x3x7"
        what = "whole numbers" if self.inner == NumberKind(int) else "numbers"
        return f"{what} with commas between them"

    def of(self, value: Any) -> tuple[Any, ...]:
        """Take a sequence."""
        if not isinstance(value, tuple | list | np.ndarray):
            self.refuse(value)
        try:
            return tuple(self.inner.of(each) for each in value)
        except InputError:
            self.refuse(value)

    def read(self, text: str) -> tuple[Any, ...]:
        """Read ``"5,4,4"``, or ``"7x7x7,3x3x7"``."""
        texts = [each.strip() for each in text.split(",")]
        try:
            if isinstance(self.inner, TupleKind):
                inner = self.inner.inner
                return tuple(tuple(inner.read(size) for size in each.split("x")) for each in texts)
            return tuple(self.inner.read(each) for each in texts if each)
        except InputError:
            self.refuse(text)

    def show(self, value: tuple[Any, ...], number: Show = exact) -> str:
        """Return ``"5,4,4"``, or ``"7x7x7,3x3x7"``."""
        texts = [self.inner.show(each, number) for each in value]
        if isinstance(self.inner, TupleKind):
            texts = [text.replace(",", "x") for text in texts]
        return ",".join(texts)

    def numbers(self, value: tuple[Any, ...]) -> tuple[float, ...]:
        """Return all numbers."""
        return tuple(number for each in value for number in self.inner.numbers(each))

    def to_json(self, value: tuple[Any, ...]) -> list[Any]:
        """Return a list."""
        return [self.inner.to_json(each) for each in value]


@dataclass(frozen=True)
class PairKind(TupleKind):
    """Two numbers: depth and width as ``"64x64"``, or low and high as ``"5-50"``."""

    separator: str = "x"

    @property
    def placeholder(self) -> str:  # type: ignore[override]
        """Of the two numbers."""
        return "DEPTHxWIDTH" if self.separator == "x" else "LOW-HIGH"

    @property
    def wanted(self) -> str:  # type: ignore[override]
        """Two numbers, and which."""
        what = "whole numbers" if self.inner == NumberKind(int) else "numbers"
        form = "(depth, width)" if self.separator == "x" else "(low, high)"
        return f"two {what} {form}, such as {'64x64' if self.separator == 'x' else '5-50'}"

    def of(self, value: Any) -> tuple[Any, ...]:
        """Take two numbers."""
        if not isinstance(value, tuple | list | np.ndarray) or len(value) != 2:
            self.refuse(value)
        return super().of(value)

    def read(self, text: str) -> tuple[Any, ...]:
        """Read ``"64x64"``, or ``"64"`` for both; ``"5-50"``."""
        if self.separator == "x":
            pair = parse_pair(text)
        else:
            found = Range.parse(text)
            pair = self.refuse(text) if found.is_constant else (found.low, found.high)
        try:
            return self.of(pair)
        except InputError:
            self.refuse(text)

    def show(self, value: tuple[Any, ...], number: Show = exact) -> str:
        """Return ``"64x64"`` or ``"5-50"``."""
        return self.separator.join(number(each) for each in value)


@dataclass(frozen=True)
class TableKind(TupleKind):
    """Rows of two numbers, such as times and velocities; its text is that of a CSV file."""

    placeholder = "FILE"

    @property
    def wanted(self) -> str:  # type: ignore[override]
        """Rows."""
        return "pairs of numbers, or the text of a CSV file of them"

    def read(self, text: str) -> tuple[tuple[float, float], ...]:
        """Read two columns; lines that are empty, comments or a heading are passed over."""
        rows: list[tuple[float, float]] = []
        headed = False
        for number, line in enumerate(text.splitlines(), start=1):
            cells = line.replace(",", " ").replace(";", " ").split()
            if not cells or cells[0].startswith("#"):
                continue
            try:
                first, second = (float(cell) for cell in cells)
            except ValueError:
                if not rows and not headed:
                    headed = True
                    continue
                raise InputError(
                    f"line {number}: found {line[:40]!r}, wanted two numbers"
                ) from None
            rows.append((first, second))
        return tuple(rows)

    def show(self, value: tuple[tuple[float, float], ...], number: Show = exact) -> str:
        """Return a line for each row."""
        return "".join(f"{number(first)},{number(second)}\n" for first, second in value)

    def numbers(self, value: tuple[tuple[float, float], ...]) -> tuple[float, ...]:
        """Return none: what a table may hold is its user's to say."""
        return ()
