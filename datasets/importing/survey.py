"""What a file holds, and what it seems to mean: guesses, each with its reason."""

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...simulator.errors import InputError
from .axes import axes_from_dims, fit_axes
from .axis_guesses import guess_axes, part_axis, two_parts
from .description import Description, toml_of
from .files import File, VariableInfo, plain_text
from .layouts import layout_of
from .lookup import Lookup
from .plausibility import Guess, guess_numbers
from .quantities import VELOCITY_UNITS, spelled
from .recording_kinds import PART, missing_keys
from .vocabulary import CHANNELS, DATA_NAMES, IMAGINARY_PARTS, REAL_PARTS, UNIT_NAMES, last_part


@dataclass(frozen=True)
class Survey:
    """What a file holds, and what it seems to mean.

    Parameters
    ----------
    variables : tuple of VariableInfo
    guesses : tuple of Guess
    layout : str
        Name of the published layout that it has; empty if it has none that is known.
    remarks : tuple of str
        What keeps it from being imported, or has to be minded.
    """

    variables: tuple[VariableInfo, ...]
    guesses: tuple[Guess, ...]
    layout: str = ""
    remarks: tuple[str, ...] = ()

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
        if "axes" not in self.values:
            return None
        try:
            return Description.parse(self.values, "guess")
        except InputError:
            return None

    def to_toml(self) -> str:
        """Return a TOML text to be checked and completed by hand, with the reasons in it."""
        reasons = {guess.key: f"guessed: {guess.reason}" for guess in self.guesses}
        heading = [f"laid out as {self.layout}"] if self.layout else []
        lines = [f"# {' '.join(line.split())}\n" for line in (*heading, *self.remarks)]
        return "".join(lines) + toml_of(self.values, reasons)


def describe(file: File) -> Survey:
    """Guess what a file's arrays mean.

    Parameters
    ----------
    file : File

    Returns
    -------
    Survey
        All variables, and guesses in which nothing is certain: those of a published layout, or,
        of a file that has none, what names, shapes and types suggest.
    """
    layout = layout_of(file)
    if layout is not None:
        guesses = (*layout.guesses(),)
        return Survey(file.variables, guesses, layout.name, (*layout.remarks(),))
    data = _guess_data(file)
    if not data:
        refused = [f"{info.name}: {info.refusal}" for info in file.variables if info.refusal]
        return Survey(file.variables, (), remarks=(*refused,))
    kind = str(data[0].value)
    name = str(data[1].value)
    info = file.info(name)
    axes = guess_axes(file, info, kind)
    demodulated = np.dtype(info.dtype).kind == "c" or bool(axes and PART in axes.value)
    numbers = guess_numbers(file, kind, axes, demodulated=demodulated)
    if kind == "velocity":
        numbers.append(_velocity_unit(file, info))
    guesses = [*data, *([axes] if axes else []), *numbers]
    more, remarks = _from_coordinates(file, info, kind, guesses)
    return Survey(file.variables, (*guesses, *more), remarks=tuple(remarks))


def _velocity_unit(file: File, info: VariableInfo) -> Guess:
    """Guess the unit of velocities: what the file says, in an attribute or a text beside them."""
    if spelled(info.units) in VELOCITY_UNITS:
        return Guess("velocity_unit", spelled(info.units), f"{info.name} states it")
    for other in file.variables:
        if other.is_text and last_part(other.name) in UNIT_NAMES:
            with suppress(InputError):  # a text that cannot be read says nothing
                unit = spelled(str(file.value(other.name)))
                if unit in VELOCITY_UNITS:
                    return Guess("velocity_unit", unit, f"{other.name} states it")
    return Guess("velocity_unit", "mm/s", "CHECK: the file states no unit of velocity")


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
        is_complex = np.dtype(info.dtype).kind == "c"
        for kind, known in DATA_NAMES.items():
            if last_part(info.name) not in known:
                continue
            in_parts = kind == "iq" and part_axis(file, info) is not None
            # Echoes may be demodulated.
            if kind == "rf" or in_parts or is_complex == (kind == "iq"):
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
    part = part_axis(file, info)
    if part is not None:
        return [Guess("kind", "iq", f"{info.name} has {two_parts(info, part)}"), variable]
    if axes_from_dims(info, "velocity"):
        reason = f"{info.name} has the axes of images ({', '.join(info.dims)})"
        if dtype.kind in "ub":
            reason += (
                f"; numbers without sign ({dtype}) are rather BRIGHTNESS, which cannot be imported"
            )
        return [Guess("kind", "velocity", reason), variable]
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
                and last_part(real.name) in REAL_PARTS
                and IMAGINARY_PARTS[REAL_PARTS.index(last_part(real.name))]
                == last_part(imaginary.name)
            ):
                return real, imaginary
    return None


def _from_coordinates(
    file: File, info: VariableInfo, kind: str, guesses: list[Guess]
) -> tuple[list[Guess], list[str]]:
    """Guess what coordinates of time, depth and width say, where names did not.

    Returns
    -------
    guesses : list of Guess
    remarks : list of str
        What is odd about them, and where they contradict what names say.
    """
    known = {guess.key for guess in guesses}
    try:
        description = Description.parse({guess.key: guess.value for guess in guesses})
        axes, lengths = fit_axes(description.axes, kind, info, file)
    except InputError:
        return [], []
    look = Lookup(description, file, info, axes, lengths)
    found = []
    for axis, coordinate in look.coordinates.items():
        step_key = "frame_rate" if axis == "time" else f"{axis}_step"
        try:
            if axis == "time":
                step, start = look.frame_rate(), None
            else:
                step, start = look.grid(axis)
        except InputError:  # no unit, or steps that are not even: nothing to go by
            continue
        if step_key in known or coordinate.step is None:
            continue
        source = file.info(coordinate.name).attributes.get("source")
        stated = f" ({plain_text(source)})" if isinstance(source, str) else ""
        reason = f"the coordinate {coordinate.name}{stated}"
        found.append(Guess(step_key, step, reason))
        if start is not None:
            found.append(Guess(f"{axis}_start", start, reason))
    # Here they are lines of a description, not arguments.
    return found, [re.sub(r"`(?:description\.)?(\w+)`", r"\1", text) for text in look.remarks]
