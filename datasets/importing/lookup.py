"""Finding the numbers of a description: given, named in the file, or from its coordinates."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from .coordinates import NO_UNIT, Coordinate, read_coordinate
from .delays import angles_of
from .description import Description
from .files import File, VariableInfo, plain_text
from .quantities import (
    NO_UNITS,
    QUANTITIES,
    UNITS,
    check_range,
    factor_of,
    split_reference,
)
from .recording_kinds import REQUIRED

CONTRADICTION = 0.01
"""Share by which a number that is given may differ from what a coordinate says."""


@dataclass(frozen=True)
class Lookup:
    """Finds the numbers of a description, in the file where it names variables.

    Parameters
    ----------
    description : Description
    file : File
    data : VariableInfo
        The variable of the data.
    axes : tuple of str or None
        Names of its axes.
    lengths : mapping of str to int
        Lengths of all axes; empty, as `axes`, while they are not known.

    Attributes
    ----------
    remarks : list of str
        What was found not to fit together so far, and what is made of it, in a line each.
    """

    description: Description
    file: File
    data: VariableInfo
    axes: tuple[str | None, ...]
    lengths: Mapping[str, int]
    remarks: list[str] = field(default_factory=list, init=False)

    @cached_property
    def coordinates(self) -> dict[str, Coordinate]:
        """What coordinates of the file say of time and, of images, depth and width."""
        found = {}
        for axis in ("time",) if self.description.kind == "rf" else ("time", "depth", "width"):
            place = self.axes.index(axis) if axis in self.axes else -1
            dim = self.data.dims[place] if self.data.dims and place >= 0 else ""
            coordinate = read_coordinate(
                self.file, self.data, axis, dim=dim, length=self.lengths.get(axis)
            )
            if coordinate is not None:
                found[axis] = coordinate
                self.remarks.extend(f"{coordinate.name}: {text}" for text in coordinate.remarks)
        return found

    @property
    def turned(self) -> tuple[str, ...]:
        """Axes that fall in the file, and are turned."""
        return tuple(axis for axis, coordinate in self.coordinates.items() if coordinate.falls)

    def check_complete(self) -> None:
        """Raise InputError that names all that the file and its description lack."""
        if self.needs():
            raise self.missing()

    def needs(self) -> list[str]:
        """Return the quantities that nobody gave, and that no coordinate tells."""
        kind = self.description.kind
        keys = [*REQUIRED[kind]]
        if kind != "rf" and self.description.size is None:
            keys += ["depth_step", "width_step"]
        if self.lengths.get("transmit", 1) > 1 and self.description.delays is None:
            keys.append("angles")
        return [
            key
            for key in keys
            if getattr(self.description, key) is None
            and ((coordinate := self._coordinate_of(key)) is None or coordinate.step is None)
        ]

    def missing(self, *others: str) -> InputError:
        """Return the error for all that is missing: other keys of the description, and numbers."""
        found = [f"{key} (of an array of shape {self.data.shape})" for key in others]
        needs = self.needs()
        for key in needs:
            coordinate = self._coordinate_of(key)
            fault = f"; {coordinate.name}: {coordinate.fault}" if coordinate else ""
            many = f"{self.lengths['transmit']} of them in " if key == "angles" else ""
            found.append(f"{key} ({many}{QUANTITIES[key].unit}{fault})")
        options = [f"`description.{key}`" for key in (*others, *needs)]
        size = any(key.endswith("_step") for key in needs)
        return InputError(
            f"{self.file.path}: found no {_listed(found)}, wanted "
            f"{'them' if others or len(needs) > 1 else 'it'} for {self.description.kind}; give "
            f"{_listed(options)}{' (or `description.size` in place of steps)' if size else ''}"
        )

    def _coordinate_of(self, key: str) -> Coordinate | None:
        axis = "time" if key == "frame_rate" else key.removesuffix("_step")
        return self.coordinates.get(axis)

    def number(self, key: str, default: float | None = None) -> float | None:
        """Return a quantity, in its unit."""
        given = getattr(self.description, key)
        if given is None:
            return default
        if not isinstance(given, str):
            return float(given)
        values = self.values(key, given)
        if values.size != 1:
            raise InputError(
                f"{self.file.path}: {key}: found {values.size} values in {given}, wanted one; "
                "give the number"
            )
        return float(values.ravel()[0])

    def values(self, key: str, given: str) -> NDArray[np.float64]:
        """Return the values of the variable or attribute that a quantity names, in its unit."""
        quantity = QUANTITIES[key]
        name, unit = split_reference(given)
        where = f"{self.file.path}: {key} ({given})"
        if "@" in name and name not in {info.name for info in self.file.variables}:
            found = self.file.value(name)
            if isinstance(found, str | complex):
                raise InputError(f"{where}: found {found!r}, wanted a number; give the number")
            values, stated = np.array([found], np.float64), self._unit_beside(name)
        else:
            info = self.file.info(name)
            array = self.file.array(name)
            if array.dtype.kind == "c" or info.size > 1e6:
                raise InputError(
                    f"{where}: found {array.dtype} of shape {array.shape}, wanted a number"
                )
            values = array.read().astype(np.float64)
            stated = info.units
        stated = "" if stated.lower() in NO_UNITS else stated
        if unit and factor_of(stated, quantity) not in {None, factor_of(unit, quantity)}:
            raise InputError(
                f"{where}: found the unit {plain_text(stated)!r} in the file, wanted {unit} as in "
                "the brackets; leave the brackets out, or give the number"
            )
        unit = unit or stated
        factor = factor_of(unit, quantity) if unit else 1.0
        if factor is None:
            raise InputError(
                f"{where}: found the unit {plain_text(unit)!r}, wanted one of "
                f"{', '.join(UNITS[quantity.unit])}; write it in brackets behind the name"
            )
        values = values * factor
        if values.size == 0:
            raise InputError(f"{where}: found no values in it, wanted a number; give the number")
        # Of many, one that is out of range tells as much as all.
        worst = values.ravel()[~_within(values.ravel(), quantity.low, quantity.high)]
        if worst.size:
            check_range(float(worst[0]), quantity, where, is_text=not unit)
        return values

    def _unit_beside(self, name: str) -> str:
        """Return the unit of an attribute, which stands in another: ``pitch_units``."""
        for key in (f"{name}_units", f"{name}_unit"):
            with suppress(InputError):
                return str(self.file.value(key)).strip()
        return ""

    def frame_rate(self) -> float:
        """Return the frame rate, perhaps from the coordinate of time, Hz."""
        given, coordinate = self.number("frame_rate"), self.coordinates.get("time")
        if coordinate is None or coordinate.step is None:
            if given is None:
                raise self.missing()
            self._pass_over(coordinate)
            return given
        rate = float(f"{1 / coordinate.step:.12g}")  # 400, not 400.00000000000006
        if given is not None:
            self._compare("frame_rate", given, rate, coordinate, CONTRADICTION * rate)
            return given
        check_range(rate, QUANTITIES["frame_rate"], f"{self.file.path}: frame_rate from time")
        return rate

    def grid(self, axis: str) -> tuple[float | None, float | None]:
        """Return the step and the start of an axis of the image, mm."""
        step_key, start_key = f"{axis}_step", f"{axis}_start"
        if self.description.kind == "rf":
            return None, None
        coordinate = self.coordinates.get(axis)
        told = None if coordinate is None else coordinate.step
        step, start = self.number(step_key), self.number(start_key)
        agrees = True
        if self.description.size is not None:
            side = self.description.size[axis == "width"]
            step = side / self.lengths[axis]
            check_range(step, QUANTITIES[step_key], f"{self.file.path}: {step_key} from size")
            if coordinate and told:
                # From the first pixel's centre to the last one's, some say.
                whole, slack = told * self.lengths[axis], 1.01 * told
                agrees = self._compare(axis, side, whole, coordinate, slack, "size")
        elif step is not None and coordinate and told:
            agrees = self._compare(step_key, step, told, coordinate, CONTRADICTION * told)
        if coordinate is None or coordinate.start is None or told is None:
            if step is None:
                raise self.missing()
            self._pass_over(coordinate)
        else:
            if step is None:
                step = told
                where = f"{self.file.path}: {step_key} from {coordinate.name}"
                check_range(step, QUANTITIES[step_key], where)
            if start is not None:
                self._compare(start_key, start, coordinate.start, coordinate, step)
            elif agrees:
                start = coordinate.start
        # The edge of the first pixel is where nothing else is said at 0.
        return step, step / 2 if start is None else start

    def _compare(
        self, key: str, given: float, told: float, coordinate: Coordinate, slack: float,
        option: str = "",
    ) -> bool:  # fmt: skip
        """Return whether what is given agrees with a coordinate; say so if it does not."""
        if abs(given - told) <= slack:
            return True
        unit = "Hz" if key == "frame_rate" else "mm"
        self.remarks.append(
            f"{key}: found {given:.6g} {unit} given, and {told:.6g} {unit} in the file "
            f"({coordinate.name}); {given:.6g} {unit} is taken, leave out "
            f"`description.{option or key}` to take the file's"
        )
        return False

    def _pass_over(self, coordinate: Coordinate | None) -> None:
        """Say why a coordinate is not looked at where a number is given."""
        if coordinate is not None and not coordinate.fault.startswith(NO_UNIT):
            self.remarks.append(f"{coordinate.name}: {coordinate.fault}; what is given is taken")

    def first_samples(self) -> tuple[float, ...]:
        """Return the time of each transmit's first sample, s."""
        if self.description.kind != "rf":
            return ()
        given, transmits = self.description.first_sample, self.lengths["transmit"]
        values = self.values("first_sample", given) if isinstance(given, str) else np.array(given)
        if values.size == 1:
            return (float(values.ravel()[0]),) * transmits
        if values.size != transmits:
            raise InputError(
                f"{self.file.path}: first_sample: found {values.size}, wanted one, or {transmits}, "
                "one a transmit; give as many"
            )
        return tuple(float(value) for value in values.ravel())

    def angles(self) -> tuple[float, ...]:
        """Return the angle of each transmit, degrees."""
        if self.description.kind != "rf":
            return ()
        transmits = self.lengths["transmit"]
        if self.description.delays is not None:
            return self._angles_from_delays(transmits)
        given = self.description.angles
        if given is None:
            if transmits > 1:
                raise self.missing()
            return (0.0,)
        values = self.values("angles", given) if isinstance(given, str) else np.array(given)
        if values.size != transmits:
            raise InputError(
                f"{self.file.path}: angles: found {values.size}, wanted {transmits}, one a "
                "transmit; give as many"
            )
        return tuple(float(value) for value in values.ravel())

    def _angles_from_delays(self, transmits: int) -> tuple[float, ...]:
        """Return the angles of plane waves that have the delays given."""
        given, channels = self.description.delays, self.lengths["channel"]
        values = self.values("delays", given) if isinstance(given, str) else np.array(given)
        where = f"{self.file.path}: delays"
        if values.size == transmits * channels:
            by_channel = values.ndim < 2 or values.shape[-1] == channels
            values = values.reshape(transmits, channels) if by_channel else values.T
        if values.shape != (transmits, channels):
            raise InputError(
                f"{where}: found shape {values.shape}, wanted (transmit {transmits}, channel "
                f"{channels}); give angles instead"
            )
        return angles_of(
            values,
            pitch=self.number("pitch") or 1.0,
            centre_frequency=self.number("centre_frequency") or 1.0,
            sound_speed=self.number("sound_speed") or 1540.0,
            where=where,
        )


def _within(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.bool_]:
    return (values >= low) & (values <= high)


def _listed(texts: Sequence[str]) -> str:
    """Return texts with commas, and an "and" before the last."""
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)
