"""Describing a recording: what its arrays mean, read from TOML and from options."""

import dataclasses
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

from ...simulator.errors import InputError
from .axes import parse_axes
from .damage import damage
from .quantities import QUANTITIES, VELOCITY_UNITS, parse_quantity, spelled
from .recording_kinds import KINDS, PART, missing_keys

Number = float | str
"""A number, or the name of the variable that holds it, with its unit in brackets if it has one."""


@dataclass(frozen=True, kw_only=True)
class Description:
    """What the arrays of a recording mean.

    Each quantity is a number, in the unit that stands with it, or the name of a variable of the
    file, such as ``"param/pitch [m]"``; the unit in brackets may be left out if it is the one here,
    or if the file states it. ``"rf@fs"`` names an attribute.

    Parameters
    ----------
    kind : {"rf", "iq", "velocity"}
        Echoes of each element, as they were sampled or demodulated; demodulated and beamformed
        images; or velocity images.
    axes : tuple of str
        Names of the axes of the data, in the order that the file shows: time, sample, channel and
        perhaps transmit and sequence for ``rf``; else time, depth, width and perhaps sequence. Time
        is slow time, the frames; samples lie along fast time. IQ data whose real and imaginary
        part (I and Q, in this order) lie side by side have an axis ``part``. Axes of length 1 need
        no name. Common names such as ``z, x, t`` are understood. They may be left out if the file
        names its axes.
    variable : str
        Name of the data. It may be left out if the file has one array alone.
    real, imaginary : str
        Names of the two parts of IQ data, instead of `variable`.
    frame_rate : number
        Hz. It may be left out if the file has a coordinate of time, with its unit.
    centre_frequency, sampling_frequency, demodulation_frequency : number
        Hz.
    sound_speed : number
        m/s.
    pitch, element_width : number
        mm.
    first_sample : number, or numbers
        s, one for all transmits, or one for each.
    angles : numbers
        Degrees.
    delays : numbers
        s, instead of angles: those of one wave, or the name of a variable (transmit, channel).
    bandwidth : number
        Fraction of the centre frequency.
    f_number : number
    depth_step, width_step, depth_start, width_start : number
        mm. Steps may be left out if the file has coordinates of depth and width, with their units.
    size : (number, number)
        Depth and width of the image, mm, instead of steps.
    velocity_unit : {"mm/s", "cm/s", "m/s", "um/s"}
        The file's own, if it is left out; mm/s if the file states none.
    sign : {1, -1}
        1 if velocity towards the transducer is positive.
    saturation : number
        Full scale of the values; that of the integers of the file, if left out.

    Notes
    -----
    Make one with :meth:`parse` or :meth:`load`, which check every value.
    """

    kind: str
    axes: tuple[str, ...] = ()
    variable: str = ""
    real: str = ""
    imaginary: str = ""
    frame_rate: Number | None = None
    centre_frequency: Number | None = None
    sampling_frequency: Number | None = None
    sound_speed: Number = 1540.0
    demodulation_frequency: Number | None = None
    pitch: Number | None = None
    element_width: Number | None = None
    first_sample: Number | tuple[float, ...] = 0.0
    angles: tuple[float, ...] | str | None = None
    delays: tuple[float, ...] | str | None = None
    bandwidth: Number | None = None
    f_number: Number | None = None
    depth_step: Number | None = None
    width_step: Number | None = None
    depth_start: Number | None = None
    width_start: Number | None = None
    size: tuple[float, float] | None = None
    velocity_unit: str | None = None
    sign: int = 1
    saturation: Number | None = None

    @classmethod
    def parse(cls, values: Mapping[str, Any], source: str = "description") -> Self:
        """Check values, as TOML or options give them, and make a description of them.

        Parameters
        ----------
        values : mapping of str to object
            Numbers may be texts, such as ``"5 MHz"``, and lists texts with commas.
        source : str
            Where they come from, for the messages.

        Raises
        ------
        InputError
            If a key is not known, or a value cannot be used.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        for key in values:
            if key not in names:
                close = get_close_matches(key, names, n=1, cutoff=0.5)
                hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(names)}"
                raise InputError(f"{source}: {key}: found an unknown key; {hint}")
        given = {key: value for key, value in values.items() if value is not None}
        kind = _choice(given.get("kind"), KINDS, "kind", source)
        parsed: dict[str, Any] = {"kind": kind, "axes": parse_axes(given, kind, source)}
        for key in ("variable", "real", "imaginary"):
            parsed[key] = _name(given.get(key, ""), key, source)
        for key in QUANTITIES.keys() & given.keys():
            parsed[key] = parse_quantity(given[key], key, kind, source)
        if "velocity_unit" in given:
            unit = given["velocity_unit"]
            unit = spelled(unit) if isinstance(unit, str) else unit
            parsed["velocity_unit"] = _choice(unit, tuple(VELOCITY_UNITS), "velocity_unit", source)
        if "sign" in given:
            parsed["sign"] = _sign(given["sign"], source)
        description = cls(**parsed)
        description._check_together(given, source)
        return description

    @classmethod
    def load(cls, path: str | Path, overrides: Mapping[str, Any] | None = None) -> Self:
        """Read a TOML file; `overrides` that are not None take the place of what it says.

        Raises
        ------
        InputError
            If there is no such file, it is not TOML, or a value cannot be used.
        """
        path = Path(path)
        with damage(path):
            content = path.read_bytes()
        try:
            values = tomllib.loads(content.decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            reason = " ".join(str(error).split())
            raise InputError(
                f'{path}: found a text that is not TOML ({reason}); write lines such as kind = "rf"'
            ) from error
        given = {key: value for key, value in (overrides or {}).items() if value is not None}
        return cls.parse({**values, **given}, str(path))

    def to_values(self) -> dict[str, Any]:
        """Return what was given, as plain values that :meth:`parse` reads back."""
        result = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value != field.default:
                result[field.name] = list(value) if isinstance(value, tuple) else value
        return result

    def to_toml(self) -> str:
        """Return a TOML text that :meth:`load` reads back."""
        return toml_of(self.to_values())

    def _check_together(self, given: Mapping[str, Any], source: str) -> None:
        if self.kind == "velocity" and (self.real or self.imaginary):
            raise InputError(
                f"{source}: real and imaginary: found them for velocity, wanted them for iq, or "
                "for rf that is demodulated; give variable instead"
            )
        if bool(self.real) != bool(self.imaginary):
            missing = "imaginary" if self.real else "real"
            raise InputError(f"{source}: {missing}: found none, wanted both parts; give it too")
        if PART in self.axes and self.real:
            raise InputError(
                f"{source}: axes: found {PART} beside real and imaginary; give one or the other"
            )
        if self.variable and self.real:
            raise InputError(
                f"{source}: variable: found it beside real and imaginary; give one or the other"
            )
        if self.kind != "velocity" and "velocity_unit" in given:
            raise InputError(
                f"{source}: velocity_unit: found it for {self.kind}, wanted it for velocity "
                "alone; remove it"
            )
        for one, other in (("angles", "delays"), ("size", "depth_step"), ("size", "width_step")):
            if getattr(self, one) is not None and getattr(self, other) is not None:
                raise InputError(
                    f"{source}: {one}: found it beside {other}, wanted one of them; remove one"
                )


def toml_of(values: Mapping[str, Any], reasons: Mapping[str, str] | None = None) -> str:
    """Return a TOML text of a description's values, with a line of explanation above each.

    Parameters
    ----------
    values : mapping of str to object
        Of keys of :class:`Description`, perhaps not all that it needs. Those that its kind still
        needs are written as comments, to be filled in.
    reasons : mapping of str to str, optional
        Why a value is what it is.
    """
    lines = []
    for key in (field.name for field in dataclasses.fields(Description)):
        if key in values:
            notes = [meaning_of(key), (reasons or {}).get(key, "")]
            lines += [f"# {' '.join(note.split())}" for note in notes if note]
            lines.append(f"{key} = {_toml_value(values[key])}")
    missing = missing_keys(values)
    for key in missing:
        lines += [f"# missing: {meaning_of(key)}", f"# {key} = "]
    if "width_step" in missing:
        lines += [f"# or in place of steps: {meaning_of('size')}", "# size = "]
    return "\n".join(lines) + "\n"


def meaning_of(key: str) -> str:
    """Return one line that says what a key of a description means."""
    if key in QUANTITIES:
        quantity = QUANTITIES[key]
        return f"{quantity.unit}: {quantity.meaning}" if quantity.unit else quantity.meaning
    return {
        "kind": '"rf", "iq" or "velocity"',
        "axes": "the data's axes in the file's order, such as time,depth,width or t,z,x",
        "variable": "the data",
        "real": "the real part of the data",
        "imaginary": "the imaginary part of the data",
        "velocity_unit": "unit of the data; the file's own, or mm/s, if left out",
        "sign": "1 if velocity towards the transducer is positive, else -1",
    }[key]


def _toml_value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml_value(item) for item in value)}]"
    if isinstance(value, str):
        # The escapes of JSON are TOML's too, but for DEL.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    return repr(value)


def _choice(value: Any, known: tuple[str, ...], key: str, source: str) -> str:
    """Return a text that is one of those known."""
    if value not in known:
        wanted = ", ".join(known)
        found = "none" if value is None else repr(value)
        close = get_close_matches(str(value).lower(), known, n=1, cutoff=0.4)
        hint = f"did you mean {close[0]}?" if close else "give one"
        raise InputError(f"{source}: {key}: found {found}, wanted one of {wanted}; {hint}")
    return value


def _name(value: Any, key: str, source: str) -> str:
    """Return the name of a variable."""
    if not isinstance(value, str):
        raise InputError(f"{source}: {key}: found {value!r}, wanted the name of a variable")
    return value


def _sign(value: Any, source: str) -> int:
    """Return 1 or -1."""
    if isinstance(value, bool) or str(value).strip() not in {"1", "+1", "-1", "1.0", "-1.0"}:
        raise InputError(
            f"{source}: sign: found {value!r}, wanted 1 (velocity towards the transducer is "
            "positive) or -1; give one of them"
        )
    return int(float(value))
