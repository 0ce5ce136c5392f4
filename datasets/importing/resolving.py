"""A description and its file brought together: all numbers known, all axes with their lengths."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from .axes import axes_from_dims, fit_axes
from .description import Description
from .files import File, VariableInfo, plain_text
from .lookup import Lookup
from .quantities import NO_UNITS, VELOCITY_UNITS, spelled
from .recording import DescribedRecording
from .recording_kinds import AXES, PART

SAMPLE = 4096
"""Values that are looked at for the byte order."""


def resolve(description: Description, file: File) -> DescribedRecording:
    """Look up what a description names in its file, and check that the two fit.

    Parameters
    ----------
    description : Description
    file : File

    Returns
    -------
    DescribedRecording

    Raises
    ------
    InputError
        If a variable is not in the file, the axes do not fit the data, a number is missing or out
        of range, or the data are not what the kind says.
    """
    names = _data_names(description, file)
    infos = [file.info(name) for name in names.values() if name]
    for info in infos:
        file.array(info.name)  # raises if it does not hold numbers
    named = description.axes or axes_from_dims(infos[0], description.kind)
    dtype = _data_dtype(description, PART in named, infos, file)
    if not named:
        raise Lookup(description, file, infos[0], (), {}).missing("axes")
    axes, lengths = fit_axes(named, description.kind, infos[0], file)
    look = Lookup(description, file, infos[0], axes, lengths)
    look.check_complete()
    frame_rate = look.frame_rate()
    depth_step, depth_start = look.grid("depth")
    width_step, width_start = look.grid("width")
    centre, pitch = look.number("centre_frequency"), look.number("pitch")
    removed = look.number("demodulation_frequency", centre)
    if description.kind == "rf" and dtype.kind != "c":
        if description.demodulation_frequency is not None and removed:
            raise InputError(
                f"{file.path}: demodulation_frequency: found {removed:g} Hz for real numbers "
                f"({dtype}), wanted complex ones; give real and imaginary, or name the axis of the "
                f"two parts {PART}, or leave it out"
            )
        removed = None
    recording = DescribedRecording(
        kind=description.kind,
        **names,
        axes=axes,
        lengths=lengths,
        dtype=dtype,
        frame_rate=frame_rate,
        centre_frequency=centre,
        sampling_frequency=look.number("sampling_frequency"),
        demodulation_frequency=removed,
        sound_speed=look.number("sound_speed") or 1540.0,
        pitch=pitch,
        element_width=look.number("element_width", pitch),
        first_samples=look.first_samples(),
        angles=look.angles(),
        bandwidth=look.number("bandwidth"),
        f_number=look.number("f_number"),
        depth_step=depth_step,
        width_step=width_step,
        depth_start=depth_start,
        width_start=width_start,
        velocity_scale=description.sign * _velocity_unit(description, infos[0], file),
        sign=description.sign,
        saturation=_saturation(look.number("saturation"), description, infos[0]),
        turned=look.turned,
        remarks=tuple(look.remarks),
    )
    _check_byte_order(recording, file)
    return recording


def _data_names(description: Description, file: File) -> dict[str, str]:
    names = {key: getattr(description, key) for key in ("variable", "real", "imaginary")}
    if any(names.values()):
        return names
    least = len(AXES[description.kind][0])
    large = [info for info in file.variables if info.is_numeric and len(info.shape) >= least]
    # Times and the like may have as many axes, of length 1.
    arrays = [info.name for info in large if sum(n > 1 for n in info.shape) >= least]
    arrays = arrays or [info.name for info in large]
    refused = [info for info in file.variables if info.refusal]
    if not arrays and len(refused) == 1:
        raise InputError(f"{file.path}: {refused[0].name}: {refused[0].refusal}")
    if len(arrays) != 1:
        known = ", ".join(arrays[:12]) or "none"
        raise InputError(
            f"{file.path}: variable: found {len(arrays)} arrays of {least} axes or more ({known}), "
            "wanted the name of the data; give variable"
        )
    return {**names, "variable": arrays[0]}


def _data_dtype(
    description: Description, in_parts: bool, infos: list[VariableInfo], file: File
) -> np.dtype[Any]:
    dtypes = [np.dtype(info.dtype) for info in infos]
    is_complex = dtypes[0].kind == "c"
    where = f"{file.path}: {infos[0].name}"
    if len(infos) == 2:
        if infos[0].shape != infos[1].shape or "c" in (dtypes[0].kind, dtypes[1].kind):
            raise InputError(
                f"{where} and {infos[1].name}: found {dtypes[0]} {infos[0].shape} and {dtypes[1]} "
                f"{infos[1].shape}, wanted two parts of real numbers and of one shape"
            )
        return np.result_type(*dtypes, np.complex64)
    if in_parts:
        if is_complex:
            raise InputError(
                f"{where}: axes: found {PART} for complex numbers, wanted it for real ones that "
                "lie side by side; leave it out"
            )
        return np.result_type(*dtypes, np.complex64)
    if description.kind == "iq" and not is_complex:
        raise InputError(
            f"{where}: found real numbers ({dtypes[0]}), wanted complex ones for iq; give real and "
            f"imaginary, or name the axis of the two parts {PART}, or give another kind"
        )
    if description.kind == "velocity" and is_complex:
        raise InputError(
            f"{where}: found complex numbers, wanted real ones for velocity; perhaps its kind is iq"
        )
    return dtypes[0]


def _velocity_unit(description: Description, info: VariableInfo, file: File) -> float:
    """Return what a value of 1 is worth in mm/s, by the file's own unit or the one given."""
    if description.kind != "velocity":
        return 1.0
    where, given, stated = f"{file.path}: {info.name}", description.velocity_unit, info.units
    if stated.lower() in NO_UNITS:
        return VELOCITY_UNITS[given or "mm/s"]
    unit = spelled(stated)
    if unit not in VELOCITY_UNITS:
        if given:
            return VELOCITY_UNITS[given]
        raise InputError(
            f"{where}: found the unit {plain_text(stated)!r}, wanted one of "
            f"{', '.join(VELOCITY_UNITS)}; give `velocity_unit`"
        )
    if given not in {unit, None}:
        raise InputError(
            f"{where}: found {unit} in the file and {given} in `velocity_unit`, wanted one unit; "
            "leave `velocity_unit` out, or mend the units in the file"
        )
    return VELOCITY_UNITS[unit]


def _saturation(
    given: float | None, description: Description, info: VariableInfo
) -> tuple[float, float] | None:
    # The receiver's full scale is one of the stored numbers, whatever they stand for.
    stored = np.dtype(info.stored)
    if description.kind == "velocity":
        return None
    if given is not None:
        low, high = (0.0 if stored.kind in "ub" else -given), given
    # MATLAB's doubles lie in whatever integers hold them, whose limits mean nothing.
    elif stored.kind not in "iu" or info.attributes.get("MATLAB_class") in {"double", "single"}:
        return None
    else:
        limits = np.iinfo(stored.str)
        low, high = float(limits.min), float(limits.max)
    if info.packing:
        low, high = sorted((info.packing.value_of(low), info.packing.value_of(high)))
    return low, high


def _check_byte_order(recording: DescribedRecording, file: File) -> None:
    """Raise InputError if the values make sense only with their bytes the other way round."""
    for name in (recording.variable, recording.real, recording.imaginary):
        if not name:
            continue
        array = file.array(name)
        # A block in the middle, where there are echoes.
        side = max(int(SAMPLE ** (1 / max(len(array.shape), 1))), 1)
        block = tuple(slice(n // 2, min(n // 2 + side, n)) for n in array.shape)
        if looks_swapped(array.read(block)):
            raise InputError(
                f"{file.path}: {name}: found values that make sense only with their bytes in the "
                "other order; save them again with the right byte order"
            )


def looks_swapped(values: NDArray[Any]) -> bool:
    """Return whether values look as if they had been written in the other byte order.

    Floating-point numbers whose binary exponents have an SD above 30, and below 10 when swapped; or
    integers whose low bytes are nearly all 0 and 255, as the high bytes of small numbers are.

    Parameters
    ----------
    values : array of numbers
        A sample.
    """
    if values.dtype.kind == "c":
        values = np.stack([np.real(values), np.imag(values)])
    swapped = values.astype(values.dtype).byteswap()
    if values.dtype.kind == "f" and values.dtype.itemsize <= 8:
        # Swapped, the exponents are the lowest bits of the fractions, which are anything.
        return _exponent_spread(values) > 30 and _exponent_spread(swapped) < 10
    if values.dtype.kind == "i" and values.dtype.itemsize > 1:
        found = values[values != 0]
        low, middle = found & 0xFF, found >> 8
        ends = ((low == 0) | (low == 0xFF)).mean() if found.size >= 16 else 0
        return bool(
            ends > 0.95 and (low == 0).any() and (low == 0xFF).any() and len(set(middle)) > 2
        )
    return False


def _exponent_spread(values: NDArray[Any]) -> float:
    """Return the SD of the binary exponents; 0 for fewer than 16 numbers."""
    values = values[np.isfinite(values)]
    values = values[values != 0]
    return float(np.frexp(values)[1].std()) if values.size >= 16 else 0.0
