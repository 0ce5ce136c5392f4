"""Checks of single values of a description; `source` is where they come from, for the messages."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from ...simulator.errors import InputError
from .quantities import QUANTITIES, UNITS, check_range, factor_of, parse_literal, split_reference

AXES = {
    "rf": (("time", "sample", "channel"), ("transmit", "sequence")),
    "iq": (("time", "depth", "width"), ("sequence",)),
    "velocity": (("time", "depth", "width"), ("sequence",)),
}
"""Axes of each kind of recording: those that it must have, and those that it may have."""


def choice(value: Any, known: tuple[str, ...], key: str, source: str) -> str:
    """Return a text that is one of those known."""
    if value not in known:
        wanted = ", ".join(known)
        found = "none" if value is None else repr(value)
        close = get_close_matches(str(value).lower(), known, n=1, cutoff=0.4)
        hint = f"did you mean {close[0]}?" if close else "give one"
        raise InputError(f"{source}: {key}: found {found}, wanted one of {wanted}; {hint}")
    return value


def parse_axes(given: Mapping[str, Any], kind: str, source: str) -> tuple[str, ...]:
    """Return the names of the axes, from a list or a text with commas."""
    needed, allowed = AXES[kind]
    wanted = f"{', '.join(needed)} and perhaps {' and '.join(allowed)}, in the file's order"
    value = given.get("axes")
    if isinstance(value, str):
        value = [name.strip() for name in value.split(",")]
    if not isinstance(value, Sequence) or not all(isinstance(name, str) for name in value):
        found = "none" if value is None else repr(value)
        raise InputError(f"{source}: axes: found {found}, wanted {wanted}; give them as a list")
    for name in value:
        if name not in (*needed, *allowed):
            close = get_close_matches(name, (*needed, *allowed), n=1, cutoff=0.4)
            hint = f"did you mean {close[0]}?" if close else "rename it"
            raise InputError(f"{source}: axes: found {name!r}, wanted {wanted}; {hint}")
    missing = [name for name in needed if name not in value]
    if missing or len(set(value)) < len(value):
        reason = f"name {missing[0]} too" if missing else "name each once"
        raise InputError(
            f"{source}: axes: found {', '.join(value) or 'none'}, wanted {wanted}; {reason}"
        )
    return tuple(value)


def parse_name(value: Any, key: str, source: str) -> str:
    """Return the name of a variable."""
    if not isinstance(value, str):
        raise InputError(f"{source}: {key}: found {value!r}, wanted the name of a variable")
    return value


def parse_sign(value: Any, source: str) -> int:
    """Return 1 or -1."""
    if isinstance(value, bool) or str(value).strip() not in {"1", "+1", "-1", "1.0", "-1.0"}:
        raise InputError(
            f"{source}: sign: found {value!r}, wanted 1 (velocity towards the transducer is "
            "positive) or -1; give one of them"
        )
    return int(float(value))


def parse_quantity(value: Any, key: str, kind: str, source: str) -> Any:
    """Return a number, in the quantity's unit, a name, or several numbers."""
    quantity, where = QUANTITIES[key], f"{source}: {key}"
    if kind not in quantity.kinds:
        raise InputError(
            f"{where}: found it for {kind}, wanted it for {' or '.join(quantity.kinds)} alone; "
            "remove it"
        )
    if isinstance(value, str) and quantity.is_list and "," in value:
        value = [part.strip() for part in value.split(",")]
    if quantity.is_list and not isinstance(value, str):
        return _parse_list(value, key, where)
    if isinstance(value, str):
        number = parse_literal(value, quantity)
        if number is None:
            name, unit = split_reference(value)
            if not name or (unit and factor_of(unit, quantity) is None):
                known = ", ".join(UNITS[quantity.unit])
                raise InputError(
                    f"{where}: found {value!r}, wanted a number, or a variable's name with one of "
                    f"the units {known} in brackets; change it"
                )
            if key == "size":
                raise InputError(f"{where}: found {value!r}, wanted two numbers (depth, width)")
            return value.strip()
        value = number
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(
            f"{where}: found {value!r}, wanted a number or the name of a variable; change it"
        )
    check_range(float(value), quantity, where)
    return (float(value),) if quantity.is_list else float(value)


def _parse_list(value: Any, key: str, where: str) -> tuple[float, ...]:
    items = list(value) if isinstance(value, Sequence) else [value]
    quantity = QUANTITIES[key]
    numbers = []
    for item in items:
        number = parse_literal(item, quantity) if isinstance(item, str) else item
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise InputError(f"{where}: found {item!r}, wanted numbers; change it")
        check_range(float(number), quantity, where)
        numbers.append(float(number))
    if not numbers or (key == "size" and len(numbers) != 2):
        wanted = "two numbers (depth, width)" if key == "size" else "one number or more"
        raise InputError(f"{where}: found {len(numbers)} numbers, wanted {wanted}; change it")
    return tuple(numbers)
