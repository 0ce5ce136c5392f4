"""What the axes of an array seem to be: guesses from names, lengths and the order in memory."""

import numpy as np

from .axes import axes_from_dims
from .files import File, VariableInfo
from .plausibility import Guess
from .recording_kinds import AXES, PART
from .vocabulary import (
    CHANNELS,
    DATA_NAMES,
    DIMS,
    ELEMENT_COUNTS,
    NAMES,
    last_part,
    single_number,
)


def part_axis(file: File, info: VariableInfo) -> int | None:
    """Return the axis along which real and imaginary part seem to lie; None if there is none."""
    places = [i for i, n in enumerate(info.shape) if n > 1]
    if np.dtype(info.dtype).kind not in "iuf" or len(places) < 4:
        return None
    likely = [i for i, dim in enumerate(info.dims) if last_part(dim) in DIMS["part"]]
    if not info.dims:
        # Side by side in memory; of what is called IQ, images of either part may follow another.
        inward = places if file.column_major else places[::-1]
        likely = inward[:1]
        if last_part(info.name) in DATA_NAMES["iq"]:
            likely += inward[-1:]
    return next((i for i in likely if info.shape[i] == 2), None)


def two_parts(info: VariableInfo, axis: int) -> str:
    """Return the reason why an axis is taken for that of the two parts."""
    last = max(i for i, n in enumerate(info.shape) if n > 1)
    place = "last" if axis == last else "first" if axis == 0 else f"{axis + 1}th"
    return f"two parts in the {place} axis, taken as real and imaginary"


def guess_axes(file: File, info: VariableInfo, kind: str) -> Guess | None:
    """Guess the axes: from their names, or from lengths and the order in memory."""
    places = [i for i, n in enumerate(info.shape) if n > 1]
    named = axes_from_dims(info, kind)
    if named:
        return Guess("axes", [*named], f"the file names them {', '.join(info.dims)}")
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
    part = part_axis(file, info) if kind != "velocity" else None
    if part is not None:
        found[part] = PART
        reasons.append(two_parts(info, part))
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
    least = len(AXES[kind][0]) - (kind == "rf")  # the channels are found
    if not least <= len(rest) <= len(names):
        return None
    found |= dict(zip(rest, names, strict=False))
    reasons.append(f"the order in memory of {file.format}, with frames after one another")
    return Guess("axes", [found[i] for i in places], "; ".join(reasons))


def _channel_axis(file: File, info: VariableInfo, inward: list[int]) -> tuple[int | None, str]:
    count = single_number(file, ELEMENT_COUNTS)
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
        if last_part(variable.name) in NAMES["angles"] and variable.is_numeric:
            for i in places:
                if info.shape[i] == variable.size:
                    return i, f"{variable.name} has {variable.size} values"
    return None
