"""Settings of a run: every number of a paper's training protocol is a field with its meaning."""

import dataclasses
import math
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from ...simulator.errors import InputError


def setting(
    default: Any,
    text: str,
    unit: str = "",
    *,
    bounds: tuple[float, float] = (-math.inf, math.inf),
    choices: tuple[str, ...] = (),
) -> Any:
    """Declare one setting: default, meaning, unit and allowed values (of each number in tuples)."""
    metadata = {"text": text, "unit": unit, "bounds": bounds, "choices": choices}
    return field(default=default, metadata=metadata)


PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")
"""Precisions by the names that Lightning gives them."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What all runs have in common; tasks add their own.

    Values are int, float, bool, str, tuples of numbers, or tuples of tuples of whole numbers (sizes
    of kernels), so that they go through JSON and can be typed (``5,4,4``, ``7x7x7,3x3x7``).

    Raises
    ------
    InputError
        If a value is out of its bounds or of another type.
    """

    steps: int = setting(1000, "Batches in all.", bounds=(1, 10**9))
    batch_size: int = setting(8, "Sequences in a batch, of all processes together.",
                              bounds=(1, 2**20))  # fmt: skip
    seed: int = setting(0, "Seed of weights, order and all draws.", bounds=(0, 2**31 - 1))
    precision: str = setting("32-true", "Arithmetic of the step.", choices=PRECISIONS)
    validate_every: int = setting(100, "Batches between validations.", bounds=(1, 10**9))
    validation_batches: int = setting(10, "Batches of a validation.", bounds=(1, 10**6))
    patience: int = setting(0, "Validations without improvement until training stops; 0: never.",
                            bounds=(0, 10**9))  # fmt: skip
    save_every: int = setting(100, "Batches between checkpoints.", bounds=(1, 10**9))
    log_every: int = setting(10, "Batches between lines of the history.", bounds=(1, 10**9))

    def __post_init__(self) -> None:
        """Check every value."""
        for each in dataclasses.fields(self):
            _check(each, getattr(self, each.name), _type_of(type(self), each.name))

    def to_json(self) -> dict[str, Any]:
        """Return plain values that :meth:`from_json` reads back."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_json` made, after JSON as well.

        Raises
        ------
        InputError
            If a setting is unknown or cannot be used.
        """
        cls._check_names(plain)
        return cls(**{name: _frozen(value) for name, value in plain.items()})

    @classmethod
    def from_texts(cls, texts: Mapping[str, str], base: Mapping[str, Any] | None = None) -> Self:
        """Return settings from what a user typed, over those in `base`.

        Raises
        ------
        InputError
            If a setting is unknown or a text cannot be read.
        """
        cls._check_names(texts)
        values = {name: _parse(name, text, _type_of(cls, name)) for name, text in texts.items()}
        return cls(**{**(base or {}), **values})

    @classmethod
    def _check_names(cls, given: Mapping[str, Any]) -> None:
        known = [each.name for each in dataclasses.fields(cls)]
        for name in given:
            if name not in known:
                raise InputError(f"setting: found {name!r}, wanted one of {', '.join(known)}")

    def describe(self) -> list[tuple[str, str, str, str]]:
        """Return (name, value, unit, meaning) of each setting, as a user would type the value."""
        return [
            (each.name, as_text(getattr(self, each.name)), each.metadata["unit"],
             each.metadata["text"])
            for each in dataclasses.fields(self)
        ]  # fmt: skip


def as_text(value: Any) -> str:
    """Return a value as a user would type it."""
    if isinstance(value, tuple):
        if value and isinstance(value[0], tuple):
            return ",".join("x".join(str(number) for number in each) for each in value)
        return ",".join(as_text(each) for each in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        # Short where that is the very number.
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return str(value)


def _type_of(cls: type, name: str) -> Any:
    return typing.get_type_hints(cls)[name]


def _frozen(value: Any) -> Any:
    return tuple(_frozen(each) for each in value) if isinstance(value, list | tuple) else value


def _parse(name: str, text: str, kind: Any) -> Any:
    """Read what a user typed as a value of a type."""
    try:
        if kind is bool:
            return {"yes": True, "true": True, "no": False, "false": False}[text.lower()]
        if kind in (int, float, str):
            return kind(text)
        inner = typing.get_args(kind)[0]
        if inner in (int, float):
            return tuple(inner(each) for each in text.split(",") if each.strip())
        return tuple(tuple(int(n) for n in each.split("x")) for each in text.split(","))
    except (KeyError, ValueError):
        raise InputError(f"{name}: found {text!r}, wanted {_kind_text(kind)}") from None


def _kind_text(kind: Any) -> str:
    names: dict[Any, str] = {int: "a whole number", float: "a number", bool: "yes or no",
                             str: "a text"}  # fmt: skip
    if kind in names:
        return names[kind]
    inner = typing.get_args(kind)[0]
    return "numbers with commas between them" if inner in (int, float) else (
        "sizes such as 7x7x7,3x3x7"
    )  # fmt: skip


def _check(each: dataclasses.Field[Any], value: Any, kind: Any) -> None:
    if not _is_of(value, kind):
        raise InputError(f"{each.name}: found {value!r}, wanted {_kind_text(kind)}")
    choices = each.metadata["choices"]
    if choices and value not in choices:
        raise InputError(f"{each.name}: found {value!r}, wanted one of {', '.join(choices)}")
    low, high = each.metadata["bounds"]
    for number in _numbers(value):
        if not low <= number <= high:
            bounds = f"{low:g} or more" if math.isinf(high) else f"{low:g} to {high:g}"
            raise InputError(f"{each.name}: found {number}, wanted {bounds}")


def _is_of(value: Any, kind: Any) -> bool:
    if kind is bool or isinstance(value, bool):
        return kind is bool and isinstance(value, bool)
    if kind is float:
        return isinstance(value, int | float) and not math.isnan(value)
    if kind in (int, str):
        return isinstance(value, kind)
    inner = typing.get_args(kind)[0]
    return isinstance(value, tuple) and all(_is_of(each, inner) for each in value)


def _numbers(value: Any) -> list[float]:
    if isinstance(value, tuple):
        return [number for each in value for number in _numbers(each)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []
