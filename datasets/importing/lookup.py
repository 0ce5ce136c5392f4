"""Finding the numbers of a description: given, named in the file, or from its coordinates."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from .description import Description
from .files import File, VariableInfo, plain_text
from .quantities import (
    NO_UNITS,
    QUANTITIES,
    UNITS,
    check_range,
    factor_of,
    spelled,
    split_reference,
)

UNEVEN = 1e-3
"""Relative deviation from the mean step from which a coordinate is not even (float32 has 1e-4)."""

BENT = 0.05
"""Deviation of delays from a straight line, in periods, from which a wave is not plane."""


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
        Lengths of all axes.
    """

    description: Description
    file: File
    data: VariableInfo
    axes: tuple[str | None, ...]
    lengths: Mapping[str, int]

    def missing(self, key: str, instead: str = "") -> InputError:
        """Return the error for a quantity that nobody gave."""
        unit = QUANTITIES[key].unit
        return InputError(
            f"{self.file.path}: {key}: found none, wanted it in {unit} for "
            f"{self.description.kind}; give {key}{instead}"
        )

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
            values = np.array([found], np.float64)
        else:
            info = self.file.info(name)
            array = self.file.array(name)
            if array.dtype.kind == "c" or info.size > 1e6:
                raise InputError(
                    f"{where}: found {array.dtype} of shape {array.shape}, wanted a number"
                )
            values = array.read().astype(np.float64)
            stated = "" if info.units.lower() in NO_UNITS else info.units
            if unit and factor_of(stated, quantity) not in {None, factor_of(unit, quantity)}:
                raise InputError(
                    f"{where}: found the unit {plain_text(stated)!r} in the file, wanted {unit} as "
                    "in the brackets; leave the brackets out, or give the number"
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

    def frame_rate(self) -> float:
        """Return the frame rate, perhaps from the coordinate of time, Hz."""
        given = self.number("frame_rate")
        if given is not None:
            return given
        found = self.coordinate("time", "s")
        if found is None:
            raise self.missing("frame_rate")
        rate = float(f"{1 / found[1]:.12g}")  # 400, not 400.00000000000006
        check_range(rate, QUANTITIES["frame_rate"], f"{self.file.path}: frame_rate from time")
        return rate

    def grid(self, axis: str) -> tuple[float | None, float | None]:
        """Return the step and the start of an axis of the image, mm."""
        step_key, start_key = f"{axis}_step", f"{axis}_start"
        if self.description.kind == "rf":
            return None, None
        step, start = self.number(step_key), self.number(start_key)
        if self.description.size is not None:
            side = self.description.size[axis == "width"]
            step = side / self.lengths[axis]
            check_range(step, QUANTITIES[step_key], f"{self.file.path}: {step_key} from size")
        if step is None:
            found = self.coordinate(axis, "mm")
            if found is None:
                raise self.missing(step_key, ", or size")
            step = found[1]
            start = found[0] if start is None else start
            check_range(step, QUANTITIES[step_key], f"{self.file.path}: {step_key} from {axis}")
        # The edge of the first pixel is where nothing else is said at 0.
        return step, step / 2 if start is None else start

    def coordinate(self, axis: str, unit: str) -> tuple[float, float] | None:
        """Return the first value and the step of the coordinate of an axis; None without one."""
        place = list(self.axes).index(axis)
        known = {info.name: info for info in self.file.variables}
        above = self.data.name.rpartition("/")[0]
        names = [self.data.dims[place]] if self.data.dims else []
        for name in (*names, axis):
            info = known.get(f"{above}/{name}" if above else name)
            if info is None or not info.is_numeric or info.size != self.lengths[axis]:
                continue
            where = f"{self.file.path}: {info.name}"
            quantity = QUANTITIES["first_sample" if unit == "s" else "depth_start"]
            since = spelled(info.units.split(" since ")[0])
            factor = factor_of(since, quantity) if since else None
            if factor is None:
                raise InputError(
                    f"{where}: found {'the unit ' + repr(since) if since else 'no unit'}, wanted "
                    f"one of {', '.join(UNITS[quantity.unit])}; give "
                    f"{'frame_rate' if axis == 'time' else axis + '_step'}"
                )
            values = self.file.array(info.name).read().ravel().astype(np.float64) * factor
            step = float((values[-1] - values[0]) / (values.size - 1))
            # Against the coordinate's own rounding: large offsets leave float32 few digits.
            rounding = float(np.abs(values).max()) * 2e-7
            uneven = np.abs(np.diff(values) - step).max() > UNEVEN * abs(step) + 2 * rounding
            if not step > 0 or uneven or not np.isfinite(values).all():
                raise InputError(
                    f"{where}: found steps that are not even and rising, wanted such; resample the "
                    "recording, or flip it"
                )
            return float(f"{values[0]:.12g}"), float(f"{step:.12g}")
        return None

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
                raise self.missing("angles", f", {transmits} of them")
            return (0.0,)
        values = self.values("angles", given) if isinstance(given, str) else np.array(given)
        if values.size != transmits:
            raise InputError(
                f"{self.file.path}: angles: found {values.size}, wanted {transmits}, one a "
                "transmit; give as many"
            )
        return tuple(float(value) for value in values.ravel())

    def _angles_from_delays(self, transmits: int) -> tuple[float, ...]:
        """Fit a plane wave to the delays of each transmit: sin(angle) = c * slope of the delays."""
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
        pitch, centre = self.number("pitch") or 1.0, self.number("centre_frequency") or 1.0
        places = (np.arange(channels) - (channels - 1) / 2) * pitch / 1000  # m
        slopes = values @ places / (places @ places)
        rest = values - values.mean(axis=1, keepdims=True) - slopes[:, None] * places
        sines = slopes * (self.number("sound_speed") or 1540.0)
        worst = float(np.abs(rest).max())
        first = float(np.abs(values.min(axis=1)).max())
        if first > BENT / centre:
            raise InputError(
                f"{where}: found a first element that fires at {first:.3g} s, wanted 0; give "
                "angles instead, and first_sample from the instant at which the first element fires"
            )
        if worst > BENT / centre or np.abs(sines).max() >= 1:
            raise InputError(
                f"{where}: found delays up to {worst:.3g} s off a straight line, wanted those of "
                "plane waves; other waves cannot be imported, beamform them first"
            )
        return tuple(math.degrees(math.asin(sine)) for sine in sines)


def _within(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.bool_]:
    return (values >= low) & (values <= high)
