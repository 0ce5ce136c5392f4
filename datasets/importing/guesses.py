"""Guessing what a recording's arrays mean, from names, types and lengths, each with its reason.

The names are those that PyMUST, MUST, Verasonics' Vantage, USTB and common usage give them.
"""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...simulator.errors import InputError
from .description import Description, missing_keys, toml_of
from .description_checks import AXES
from .quantities import QUANTITIES, VELOCITY_UNITS, factor_of, likely_unit, spelled
from .usual_names import (
    CHANNELS,
    DATA_NAMES,
    DIMS,
    ELEMENT_COUNTS,
    IMAGINARY_PARTS,
    NAMES,
    REAL_PARTS,
    TIME_STEPS,
)
from .variables import File, VariableInfo

MOST_VALUES = 100_000
"""Values of the longest list of numbers that is looked at, such as delays."""


@dataclass(frozen=True)
class Guess:
    """One value of a description, and why.

    Parameters
    ----------
    key : str
        A key of :class:`Description`.
    value : object
        As :meth:`Description.parse` takes it.
    reason : str
    """

    key: str
    value: Any
    reason: str


@dataclass(frozen=True)
class Survey:
    """What a file holds, and what it seems to mean.

    Parameters
    ----------
    variables : tuple of VariableInfo
    guesses : tuple of Guess
    """

    variables: tuple[VariableInfo, ...]
    guesses: tuple[Guess, ...]

    @property
    def values(self) -> dict[str, Any]:
        """The guessed values, by key."""
        return {guess.key: guess.value for guess in self.guesses}

    @property
    def missing(self) -> tuple[str, ...]:
        """Keys that a description still needs."""
        return missing_keys(self.values)

    @property
    def description(self) -> Description | None:
        """The guessed description; None if its kind or axes are not known."""
        try:
            return Description.parse(self.values, "guess")
        except InputError:
            return None

    def to_toml(self) -> str:
        """Return a TOML text to be checked and completed by hand, with the reasons in it."""
        reasons = {guess.key: f"guessed: {guess.reason}" for guess in self.guesses}
        return toml_of(self.values, reasons)


def describe(file: File) -> Survey:
    """Guess what a file's arrays mean.

    Parameters
    ----------
    file : File

    Returns
    -------
    Survey
        All variables, and guesses in which nothing is certain.
    """
    data = _guess_data(file)
    if not data:
        return Survey(file.variables, ())
    kind = str(data[0].value)
    name = str(data[1].value)
    info = file.info(name)
    axes = _guess_axes(file, info, kind)
    numbers = _guess_numbers(file, kind, axes)
    unit = spelled(info.units)
    if kind == "velocity" and unit in VELOCITY_UNITS:
        numbers.append(Guess("velocity_unit", unit, f"{name} states it"))
    return Survey(file.variables, (*data, *([axes] if axes else []), *numbers))


def _last(name: str) -> str:
    return re.sub(r"[_\-\s.]", "", re.split(r"[/@]", name)[-1].lower())


def _guess_data(file: File) -> list[Guess]:
    """Guess the kind and the name of the data, in this order."""
    arrays = [v for v in file.variables if v.is_numeric and sum(n > 1 for n in v.shape) >= 3]
    arrays.sort(key=lambda v: v.size, reverse=True)
    pair = _real_and_imaginary(arrays)
    if pair:
        real, imaginary = pair
        why = f"{real.name} and {imaginary.name} have one shape, {real.shape}, and such names"
        return [
            Guess("kind", "iq", why),
            Guess("real", real.name, why),
            Guess("imaginary", imaginary.name, why),
        ]
    for info in arrays:
        for kind, known in DATA_NAMES.items():
            if _last(info.name) in known and (np.dtype(info.dtype).kind == "c") == (kind == "iq"):
                return [
                    Guess("kind", kind, f"{info.name} is a name of such data"),
                    Guess("variable", info.name, f"its name, and its shape {info.shape}"),
                ]
    if not arrays:
        return []
    info, dtype = arrays[0], np.dtype(arrays[0].dtype)
    variable = Guess("variable", info.name, f"the largest array, of shape {info.shape}")
    if dtype.kind == "c":
        return [Guess("kind", "iq", f"{info.name} is complex"), variable]
    if dtype.kind in "iu" and any(n in CHANNELS for n in info.shape):
        reason = f"{info.name} holds integers ({dtype}) and has an axis as long as an array"
        return [Guess("kind", "rf", reason), variable]
    if dtype.kind == "f":
        return [Guess("kind", "velocity", f"{info.name} holds real numbers ({dtype})"), variable]
    return [Guess("kind", "rf", f"{info.name} holds integers ({dtype})"), variable]


def _real_and_imaginary(
    arrays: list[VariableInfo],
) -> tuple[VariableInfo, VariableInfo] | None:
    for real in arrays:
        for imaginary in arrays:
            same = real.shape == imaginary.shape and "c" not in (
                np.dtype(real.dtype).kind,
                np.dtype(imaginary.dtype).kind,
            )
            if (
                same
                and _last(real.name) in REAL_PARTS
                and IMAGINARY_PARTS[REAL_PARTS.index(_last(real.name))] == _last(imaginary.name)
            ):
                return real, imaginary
    return None


def _guess_axes(file: File, info: VariableInfo, kind: str) -> Guess | None:
    """Guess the axes: from their names, or from lengths and the order in memory."""
    places = [i for i, n in enumerate(info.shape) if n > 1]
    named = _axes_from_dims(info, places, kind)
    if named:
        return Guess("axes", named, f"the file names them {', '.join(info.dims)}")
    # From the axis whose values lie side by side to the one that takes the longest strides.
    inward = places if file.column_major else places[::-1]
    reasons = []
    found: dict[int, str] = {}
    if kind == "rf":
        channel, why = _channel_axis(file, info, inward)
        if channel is None:
            return None
        found[channel] = "channel"
        reasons.append(why)
    rest = [i for i in inward if i not in found]
    if kind == "rf":
        transmit = _transmit_axis(file, info, rest[1:]) if len(rest) > 2 else None
        if transmit is not None:
            found[transmit[0]] = "transmit"
            reasons.append(transmit[1])
            rest.remove(transmit[0])
        names = ["sample", "time", "sequence"]
        if len(rest) == 3 and transmit is None:
            names = ["sample", "transmit", "time"]
    else:
        names = ["depth", "width"] if file.column_major else ["width", "depth"]
        names += ["time", "sequence"]
    if not 2 <= len(rest) <= len(names) or len(rest) < len(AXES[kind][0]) - len(found):
        return None
    found |= dict(zip(rest, names, strict=False))
    reasons.append(f"the order in memory of {file.format}, with frames after one another")
    return Guess("axes", [found[i] for i in places], "; ".join(reasons))


def _axes_from_dims(info: VariableInfo, places: list[int], kind: str) -> list[str] | None:
    if not info.dims:
        return None
    known = {name: axis for axis, names in DIMS.items() for name in names}
    needed, allowed = AXES[kind]
    axes = [known.get(_last(info.dims[i]), "") for i in places]
    if set(axes) <= {*needed, *allowed} and set(needed) <= set(axes) and len({*axes}) == len(axes):
        return axes
    return None


def _channel_axis(file: File, info: VariableInfo, inward: list[int]) -> tuple[int | None, str]:
    count = _single_number(file, ELEMENT_COUNTS)
    if count is not None:
        fitting = [i for i in inward if info.shape[i] == count[1]]
        if fitting:
            return fitting[-1 if len(fitting) == len(inward) else 0], f"{count[0]} is {count[1]:g}"
    for length in CHANNELS:
        for i in inward[:-1]:  # the outermost is the frames
            if info.shape[i] == length:
                return i, f"{length} is a usual number of elements"
    return None, ""


def _transmit_axis(file: File, info: VariableInfo, places: list[int]) -> tuple[int, str] | None:
    for variable in file.variables:
        if _last(variable.name) in NAMES["angles"] and variable.is_numeric:
            for i in places:
                if info.shape[i] == variable.size:
                    return i, f"{variable.name} has {variable.size} values"
    return None


def _single_number(file: File, names: tuple[str, ...]) -> tuple[str, float] | None:
    """Return the name and value of the first single number that has one of the names."""
    for wanted in names:
        for info in file.variables:
            if _last(info.name) == wanted and info.is_numeric and info.size == 1:
                value = file.value(info.name)
                if not isinstance(value, str | complex) and np.isfinite(value):
                    return info.name, float(value)
    return None


def _candidates(file: File, names: tuple[str, ...]) -> list[tuple[str, str, int]]:
    """Return names of variables and attributes that go by the names, their units and sizes."""
    found = []
    for wanted in names:
        for info in file.variables:
            if _last(info.name) == wanted and _is_real(info) and info.size <= MOST_VALUES:
                found.append((info.name, info.units, info.size))
            found += [
                (f"{info.name}@{key}", "", 1)
                for key, value in info.attributes.items()
                if _last(key) == wanted and np.size(value) == 1 and _is_number(value)
            ]
        found += [
            (f"@{key}", "", 1)
            for key, value in file.attributes.items()
            if _last(key) == wanted and np.size(value) == 1 and _is_number(value)
        ]
    return found


def _is_real(info: VariableInfo) -> bool:
    return info.is_numeric and np.dtype(info.dtype).kind in "iuf"


def _is_number(value: Any) -> bool:
    return np.asarray(value).dtype.kind in "iuf"


def _guess_numbers(file: File, kind: str, axes: Guess | None) -> list[Guess]:
    guesses: list[Guess] = []
    named = list(axes.value) if axes else []
    for key, names in NAMES.items():
        quantity = QUANTITIES[key]
        if kind not in quantity.kinds:
            continue
        if key == "angles" and any(guess.key == "delays" for guess in guesses):
            continue
        for name, unit, size in _candidates(file, names):
            if (size != 1) != quantity.is_list and not (quantity.is_list and size == 1):
                continue
            if key == "delays" and "transmit" in named:
                continue
            guess = _guess_number(file, key, name, unit)
            if guess is None:
                continue
            if key == "frame_rate" and _last(name) in {"prf", "pulserepetitionfrequency"}:
                guess = _frames_of_pulses(file, guess, named)
            guesses.append(guess)
            break
    return guesses + _from_time_steps(file, kind, guesses)


def _guess_number(file: File, key: str, name: str, unit: str) -> Guess | None:
    """Guess that a variable is a quantity, and in which unit; None if no unit makes it fit."""
    quantity = QUANTITIES[key]
    if "@" in name:
        values = np.atleast_1d(np.asarray(file.value(name), np.float64))
    else:
        values = file.array(name).read().ravel().astype(np.float64)
    if values.size == 0 or not np.isfinite(values).all():
        return None
    shown = f"{values[0]:g}" if values.size == 1 else f"{values.size} values"
    if unit:
        factor = factor_of(unit, quantity)
        fits = factor is not None and _fits(values * factor, key)
        return Guess(key, name, f"its name; it is {shown} {unit}") if fits else None
    largest = float(values[np.abs(values).argmax()])
    if key == "angles" and 0 < abs(largest) < 0.6:
        return Guess(key, f"{name} [rad]", f"its name; {shown} up to {largest:g}, taken as radians")
    if _fits(values, key):
        unit = quantity.unit or "no unit"
        return Guess(key, name, f"its name; {shown} fits {unit}")
    likely = likely_unit(largest, quantity)
    if not likely:
        return None
    return Guess(key, f"{name} [{likely}]", f"its name; {shown} fits {likely}")


def _fits(values: Any, key: str) -> bool:
    quantity = QUANTITIES[key]
    return bool(((values >= quantity.low) & (values <= quantity.high)).all())


def _frames_of_pulses(file: File, guess: Guess, axes: list[str]) -> Guess:
    """Say that a frame takes several pulses where there is an axis of transmits."""
    if "transmit" not in axes:
        return guess
    return Guess(
        guess.key,
        guess.value,
        f"{guess.reason}; DIVIDE it by the number of transmits if it counts single pulses",
    )


def _from_time_steps(file: File, kind: str, guesses: list[Guess]) -> list[Guess]:
    """Guess rates from steps of time: those below 1 us are of fast time."""
    known = {guess.key for guess in guesses}
    found = _single_number(file, TIME_STEPS)
    if found is None or found[1] <= 0:
        return []
    name, step = found
    key = "sampling_frequency" if kind == "rf" and step < 1e-6 else "frame_rate"
    if key in known or not _fits(np.array([1 / step]), key):
        return []
    return [Guess(key, 1 / step, f"{name} is {step:g}, taken as s")]
