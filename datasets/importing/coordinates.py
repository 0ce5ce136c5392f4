"""The coordinates of a file: what they say of an axis, and what is odd about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .files import File, VariableInfo
from .quantities import NO_UNITS, QUANTITIES, UNITS, Quantity, factor_of, spelled
from .vocabulary import DIMS, last_part

UNEVEN = 1e-3
"""Relative deviation from the usual step from which a coordinate is not even."""

GAP = 1.5
"""Step from which frames are missing, in usual ones."""

OFTEN = 0.25
"""Share of the steps above which longer ones are no gaps."""

IRREGULAR = 0.25
"""Standard deviation, in usual steps, from which frames have no rate."""

NO_UNIT = "no known unit"
"""What the fault of a coordinate begins with that may be even, but in an unknown unit."""

_EVENLY = "frames are taken to follow one another evenly"


@dataclass(frozen=True)
class Coordinate:
    """What a file's coordinate says of an axis.

    Parameters
    ----------
    name : str
        Of the variable.
    start, step : float or None
        Least value, and mean step between neighbours, gaps left out, in s or mm; None if they are
        not known.
    falls : bool
        Whether it falls in the file: the data are turned, so that it rises.
    fault : str
        Why start and step are not known; empty if they are.
    remarks : tuple of str
        What is odd about it, in a line each.
    """

    name: str
    start: float | None = None
    step: float | None = None
    falls: bool = False
    fault: str = ""
    remarks: tuple[str, ...] = ()


def read_coordinate(
    file: File, data: VariableInfo, axis: str, *, dim: str = "", length: int | None = None
) -> Coordinate | None:
    """Return what the file says of an axis of its data; None if it has no coordinate of it.

    The coordinate lies beside the data, or above them, and goes by the name that the file gives the
    axis, or by one that people give it (:data:`.vocabulary.DIMS`).

    Parameters
    ----------
    file : File
    data : VariableInfo
    axis : {"time", "depth", "width"}
    dim : str
        What the file calls the axis.
    length : int, optional
        Number of values that it must have.
    """
    info = _find(file, data, [dim, axis, *DIMS[axis]], length)
    if info is None:
        return None
    quantity = QUANTITIES["first_sample" if axis == "time" else "depth_start"]
    factor, fault = _unit(info, quantity)
    numbers = values = file.array(info.name).read().ravel().astype(np.float64)
    if not np.isfinite(values).all():
        first = int((~np.isfinite(values)).argmax())
        return Coordinate(info.name, fault=f"found no number at {first}, wanted one at each place")
    values, unit = values * (factor or 1.0), f" {quantity.unit}" if factor else ""
    remarks: list[str] = []
    if axis == "depth" and _points_up(info, values):
        values = -values
        remarks.append("counts upwards from the transducer; depth is taken to count downwards")
    falls = bool((np.diff(values) < 0).all())
    if falls:
        remarks.append(
            f"falls, from {values[0]:g} to {values[-1]:g}{unit}; the data are turned, so that "
            f"{axis} rises"
        )
        values = values[::-1]
    steps = np.diff(values)
    unordered = int((steps <= 0).argmax())
    if steps[unordered] <= 0:
        problem = (
            f"found {values[unordered + 1]:g}{unit} after {values[unordered]:g}{unit}, at "
            f"{unordered + 1}, wanted steps that are even and rising; sort it, or resample"
        )
        return Coordinate(info.name, falls=falls, fault=problem, remarks=tuple(remarks))
    rounding = _rounding(info, numbers, factor or 1.0)
    step, odd = (_times if axis == "time" else _places)(values, steps, rounding, unit)
    remarks += odd
    if step is None:
        problem = f"found {odd[-1]}, wanted steps that are even and rising; resample the recording"
        return Coordinate(info.name, None, None, falls, problem, tuple(remarks[:-1]))
    if factor is None:
        return Coordinate(info.name, None, None, falls, fault, tuple(remarks))
    start, step = (float(f"{value:.12g}") for value in (values[0], step))
    return Coordinate(info.name, start, step, falls, "", tuple(remarks))


def _find(
    file: File, data: VariableInfo, names: Sequence[str], length: int | None
) -> VariableInfo | None:
    """Return the variable of a coordinate: the nearest that has one of the names."""
    above = data.name.rpartition("/")[0]
    while True:
        beside = [
            info
            for info in file.variables
            if info.name.rpartition("/")[0] == above
            and info.name != data.name
            and info.is_numeric
            and np.dtype(info.dtype).kind in "iuf"
            and 1 < info.size == max(info.shape)
            and length in {None, info.size}
        ]
        for name in names:
            for info in beside:
                if name and name.lower() in {
                    info.name.rpartition("/")[2].lower(),
                    last_part(info.name),
                }:
                    return info
        if not above:
            return None
        above = above.rpartition("/")[0]


def _unit(info: VariableInfo, quantity: Quantity) -> tuple[float | None, str]:
    """Return what one of the coordinate's unit is worth, or why that is not known."""
    stated = info.units.split(" since ")[0]
    unit = "" if stated.lower() in NO_UNITS else spelled(stated)
    factor = factor_of(unit, quantity) if unit else None
    found = f"the unit {unit[:40]!r}" if unit else "none"
    wanted = ", ".join(UNITS[quantity.unit])
    return factor, "" if factor else f"{NO_UNIT} (found {found}, wanted one of {wanted})"


def _points_up(info: VariableInfo, values: NDArray[np.float64]) -> bool:
    """Return whether what is called depth is height: by what the file says, or all below 0."""
    direction: Any = info.attributes.get("positive", "")
    says = direction.strip().lower() if isinstance(direction, str) else ""
    return says == "up" or (says != "down" and values.max() <= 0 > values.min())


def _rounding(info: VariableInfo, numbers: NDArray[np.float64], factor: float) -> float:
    """Return how far a value may be off, as the numbers of the file have so many digits."""
    stored = np.dtype(info.stored)
    single = stored.kind == "f" and bool((numbers == numbers.astype(np.float32)).all())
    digits = float(np.finfo(np.float32 if single else np.float64).eps)
    packed = info.packing.scale if info.packing and stored.kind != "f" else 0.0
    return float(digits * np.abs(numbers).max() + abs(packed)) * factor


def _times(
    values: NDArray[np.float64], steps: NDArray[np.float64], rounding: float, unit: str
) -> tuple[float | None, list[str]]:
    """Return the step between frames without gaps, and what is odd; no step if there is no rate."""
    usual, remarks = float(np.median(steps)), []
    gaps = steps > GAP * usual + 2 * rounding
    if gaps.mean() > OFTEN:
        gaps[:] = False  # what is so common is how it was sampled
    regular = steps[~gaps]
    step = float(regular.mean())
    if gaps.any():
        lost = np.round(steps[gaps] / step).astype(int) - 1
        where = int(np.flatnonzero(gaps)[lost.argmax()])
        long = f"{steps[where] - step:.3g}{unit} (some {lost.max()} frames)"
        several = f"{lost.size} gaps, {lost.sum()} frames in all, the longest of {long}"
        remarks.append(
            f"has {several if lost.size > 1 else f'a gap of {long}'} after frame {where}, at "
            f"{values[where]:.4g}{unit}; {_EVENLY}"
        )
    off = np.where(gaps, 0, np.abs(steps - step))
    spread = f"steps from {regular.min():.3g} to {regular.max():.3g}{unit}"
    if regular.std() > IRREGULAR * step:
        return None, [*remarks, spread]
    if off.max() > UNEVEN * step + 2 * rounding:
        remarks.append(
            f"has {spread} about {step:.4g}{unit}, the oddest after frame {int(off.argmax())}; "
            f"{_EVENLY}"
        )
    return step, remarks


def _places(
    values: NDArray[np.float64], steps: NDArray[np.float64], rounding: float, unit: str
) -> tuple[float | None, list[str]]:
    """Return the step between pixels; none, and what it is like, if it is not even."""
    step = float((values[-1] - values[0]) / len(steps))
    if np.abs(steps - step).max() > UNEVEN * step + 2 * rounding:
        return None, [f"steps from {steps.min():.3g} to {steps.max():.3g}{unit}"]
    return step, []
