"""The quantities that describe a recording: their units, sensible ranges, and how they are read."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...simulator.errors import InputError
from .recording_kinds import KINDS

_HERTZ = {"Hz": 1.0, "kHz": 1e3, "MHz": 1e6, "GHz": 1e9}
_LENGTHS = {"mm": 1.0, "m": 1e3, "cm": 10.0, "um": 1e-3}
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_SPEEDS = {"m/s": 1.0, "km/s": 1e3, "mm/us": 1e3, "cm/s": 1e-2, "mm/s": 1e-3}
_ANGLES = {"deg": 1.0, "rad": 180 / math.pi, "mrad": 0.18 / math.pi}
_SHARES = {"1": 1.0, "%": 0.01}
UNITS = {
    "Hz": _HERTZ, "mm": _LENGTHS, "s": _SECONDS, "m/s": _SPEEDS, "degrees": _ANGLES,
    "fraction": _SHARES, "": {"1": 1.0},
}  # fmt: skip
"""Of each unit in which a quantity is held, the other units and what one of them is worth."""

VELOCITY_UNITS = {"mm/s": 1.0, "cm/s": 10.0, "m/s": 1000.0, "um/s": 1e-3}
"""Units of velocity images, and what one of them is worth in mm/s."""

NO_UNITS = {"", "-", "none", "n/a", "na", "unknown"}
"""What stands where a unit would, in lower case, and is none."""

_SYNONYMS = {
    "hz": "Hz", "hertz": "Hz", "khz": "kHz", "kilohertz": "kHz", "mhz": "MHz", "megahertz": "MHz",
    "ghz": "GHz", "1/s": "Hz", "s-1": "Hz", "s^-1": "Hz", "/s": "Hz", "per second": "Hz",
    "1/second": "Hz", "1/sec": "Hz", "fps": "Hz", "frames/s": "Hz", "frames/sec": "Hz",
    "frames/second": "Hz", "frames per second": "Hz",
    "meter": "m", "meters": "m", "metre": "m", "metres": "m", "kilometre": "km",
    "kilometres": "km", "kilometer": "km", "kilometers": "km", "millimeter": "mm",
    "millimeters": "mm", "millimetre": "mm", "millimetres": "mm", "centimeter": "cm",
    "centimeters": "cm", "centimetre": "cm", "centimetres": "cm", "micrometer": "um",
    "micrometers": "um", "micrometre": "um", "micrometres": "um", "micron": "um", "microns": "um",
    "sec": "s", "secs": "s", "second": "s", "seconds": "s", "msec": "ms", "millisecond": "ms",
    "milliseconds": "ms", "microsecond": "us", "microseconds": "us", "usec": "us",
    "nanosecond": "ns", "nanoseconds": "ns", "degree": "deg", "degrees": "deg", "°": "deg",
    "radian": "rad", "radians": "rad", "percent": "%", "fraction": "1",
    "mm": "mm", "cm": "cm", "um": "um", "m": "m", "s": "s", "ms": "ms", "us": "us", "ns": "ns",
}  # fmt: skip
_SPEED = re.compile(
    r"(?P<length>[a-z]+)(?: ?/ ?| per )(?P<time>[a-z]+)"  # mm/s, millimetres per second
    r"|(?P<length2>[a-z]+)[ .](?P<time2>[a-z]+) ?\^?\(?-1\)?",  # mm s-1, mm.s^(-1)
)
_LETTERS = str.maketrans({"µ": "u", "μ": "u", "⁻": "-", "−": "-", "¹": "1", "·": " ", "⋅": " "})


@dataclass(frozen=True)
class Quantity:
    """A number that describes a recording.

    Parameters
    ----------
    name : str
    unit : str
        A key of :data:`UNITS`.
    low, high : float
        What a value must lie within, in that unit.
    meaning : str
    kinds : tuple of str
        Kinds of recordings that it has a meaning for.
    is_list : bool
        Whether it is several numbers.
    is_per_transmit : bool
        Whether it may be several numbers, one a transmit.
    """

    name: str
    unit: str
    low: float
    high: float
    meaning: str
    kinds: tuple[str, ...] = KINDS
    is_list: bool = False
    is_per_transmit: bool = False


_IMAGES = ("iq", "velocity")
_ECHOES = ("rf", "iq")

QUANTITIES = {
    q.name: q
    for q in (
        Quantity("frame_rate", "Hz", 1, 1e5, "frames a second, after compounding"),
        Quantity("centre_frequency", "Hz", 1e5, 1e8, "of the pulse", _ECHOES),
        Quantity("sampling_frequency", "Hz", 1e5, 1e9, "of the echoes along fast time", ("rf",)),
        Quantity("sound_speed", "m/s", 1000, 2000, "in the tissue", _ECHOES),
        Quantity("demodulation_frequency", "Hz", 0, 1e8, "taken off IQ data, 0 if they still "
                 "carry it along depth; the centre frequency if it is left out", _ECHOES),
        Quantity("pitch", "mm", 0.01, 5, "from element to element", ("rf",)),
        Quantity("element_width", "mm", 0.01, 5, "of an element; the pitch if left out", ("rf",)),
        Quantity("first_sample", "s", -1e-3, 1e-2, "time of the first sample, from the instant at "
                 "which the first element fires; one a transmit where they differ", ("rf",),
                 is_per_transmit=True),
        Quantity("angles", "degrees", -80, 80, "of the plane waves; towards greater width is "
                 "positive", ("rf",), is_list=True),
        Quantity("delays", "s", -1e-3, 1e-3, "of the elements when they transmit, instead of "
                 "angles", ("rf",), is_list=True),
        Quantity("bandwidth", "fraction", 0.01, 2, "of the pulse, as a fraction of its centre "
                 "frequency", _ECHOES),
        Quantity("f_number", "", 0.1, 20, "of reception", ("rf",)),
        Quantity("depth_step", "mm", 1e-3, 10, "from pixel to pixel", _IMAGES),
        Quantity("width_step", "mm", 1e-3, 10, "from pixel to pixel", _IMAGES),
        Quantity("depth_start", "mm", -50, 500, "centre of the first pixel", _IMAGES),
        Quantity("width_start", "mm", -500, 500, "centre of the first pixel", _IMAGES),
        Quantity("size", "mm", 0.1, 1000, "depth and width of the image, instead of steps",
                 _IMAGES, is_list=True),
        Quantity("saturation", "", 1e-30, 1e30, "full scale of the values", _ECHOES),
    )
}  # fmt: skip
"""All quantities, by name."""


def factor_of(unit: str, quantity: Quantity) -> float | None:
    """Return what one of a unit is worth in the quantity's own; None if it is not one of its."""
    known = UNITS[quantity.unit]
    return known.get(unit.strip(), known.get(spelled(unit)))


def spelled(unit: str) -> str:
    """Return the usual spelling of a unit.

    Examples
    --------
    >>> [spelled(unit) for unit in ("millimetres", "[cm]", "mm s-1", "Metres per second", "um·s⁻¹")]
    ['mm', 'cm', 'mm/s', 'm/s', 'um/s']
    """
    text = " ".join(unit.translate(_LETTERS).replace("**", "^").replace("*", " ").split())
    text = text.strip("[](){} ")
    known = _SYNONYMS.get(text.lower())
    if known:
        return known
    speed = _SPEED.fullmatch(text.lower())
    if speed:
        parts = (speed["length"] or speed["length2"], speed["time"] or speed["time2"])
        length, duration = (_SYNONYMS.get(part, part) for part in parts)
        if length in {*_LENGTHS, "km"} and duration in _SECONDS:
            return f"{length}/{duration}"
    return text


def check_range(value: float, quantity: Quantity, where: str, *, is_text: bool = False) -> None:
    """Raise InputError unless a value lies in the quantity's range.

    Parameters
    ----------
    value : float
        In the quantity's unit.
    quantity : Quantity
    where : str
        What the message begins with: the file and the key, and whence the value came.
    is_text : bool
        Whether the user named a variable, so that a unit can be put behind it.
    """
    if math.isfinite(value) and quantity.low <= value <= quantity.high:
        return
    unit = f" {quantity.unit}" if quantity.unit else ""
    hint = f"give it in {quantity.unit}" if quantity.unit else "change it"
    meant = likely_unit(value, quantity)
    if meant:
        better = value * UNITS[quantity.unit][meant]
        hint = f"did you mean {better:g}, from {meant}?"
        hint += f' Write "[{meant}]" behind the name' if is_text else ""
    raise InputError(
        f"{where}: found {value:g}, wanted {quantity.low:g} to {quantity.high:g}{unit}; {hint}"
    )


def likely_unit(value: float, quantity: Quantity) -> str:
    """Return a unit that would bring a value into the quantity's range; empty if there is none.

    Of several the one is taken whose value lies nearest the middle of the range.
    """
    if not math.isfinite(value) or value == 0:
        return ""
    low, high = max(quantity.low, quantity.high * 1e-6), quantity.high
    middle = math.sqrt(low * high)
    fitting = {
        unit: abs(math.log(abs(value * factor) / middle))
        for unit, factor in UNITS[quantity.unit].items()
        if factor != 1 and quantity.low <= value * factor <= quantity.high
    }
    return min(fitting, key=lambda unit: fitting[unit], default="")


_REFERENCE = re.compile(r"^(?P<name>.*?)\s*\[(?P<unit>[^\[\]]+)\]$")
_LITERAL = re.compile(r"^(?P<value>[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?)\s*(?P<unit>\D.*)?$")


def split_reference(text: str) -> tuple[str, str]:
    """Split ``"param/pitch [m]"`` into the variable's name and the unit, which may be empty."""
    found = _REFERENCE.match(text.strip())
    return (found["name"], found["unit"].strip()) if found else (text.strip(), "")


def parse_literal(text: str, quantity: Quantity) -> float | None:
    """Return the value of ``"5 MHz"`` or ``"5e6"`` in the quantity's unit; None for other texts."""
    found = _LITERAL.match(text.strip())
    if not found:
        return None
    factor = factor_of(found["unit"].strip("[] "), quantity) if found["unit"] else 1.0
    return None if factor is None else float(found["value"]) * factor


def parse_quantity(value: Any, key: str, kind: str, source: str) -> Any:
    """Return a number, in the quantity's unit, a name, or several numbers."""
    quantity, where = QUANTITIES[key], f"{source}: {key}"
    if kind not in quantity.kinds:
        raise InputError(
            f"{where}: found it for {kind}, wanted it for {' or '.join(quantity.kinds)} alone; "
            "remove it"
        )
    takes_list = quantity.is_list or quantity.is_per_transmit
    if isinstance(value, str) and takes_list and "," in value:
        value = [part.strip() for part in value.split(",")]
    if quantity.is_list and not isinstance(value, str):
        return _parse_list(value, key, where)
    if quantity.is_per_transmit and isinstance(value, list | tuple):
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
