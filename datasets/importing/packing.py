"""What the numbers of a file stand for: packed values, and marks of missing ones.

As the climate and forecast conventions say, which NetCDF, HDF5 and Zarr files follow alike:
``scale_factor``, ``add_offset``, ``_FillValue``, ``missing_value``, ``valid_min``, ``valid_max``,
``valid_range`` and ``_Unsigned`` (https://cfconventions.org, sections 2.5.1 and 8.1, and appendix A
of the NetCDF user's guide). Every format hands out the numbers that it stores; :class:`.files.File`
turns them into values, piece by piece.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError

_KEYS = (
    "scale_factor", "add_offset", "_FillValue", "missing_value", "valid_min", "valid_max",
    "valid_range", "_Unsigned",
)  # fmt: skip

UNWRITTEN = 9.969209968386869e36
"""What NetCDF fills floating-point values with that nobody wrote (NC_FILL_FLOAT)."""


@dataclass(frozen=True)
class Packing:
    """How stored numbers become values: ``stored * scale + offset``, NaN where they are missing.

    Parameters
    ----------
    stored : numpy.dtype
        Type of the stored numbers, in this machine's byte order and with the sign that is meant.
    dtype : numpy.dtype
        Type of the values, which has room for NaN.
    scale, offset : float
    missing : tuple of numbers
        Stored numbers that stand for a missing value.
    least, greatest : float
        The stored numbers beyond which a value is missing.
    """

    stored: np.dtype[Any]
    dtype: np.dtype[Any]
    scale: float = 1.0
    offset: float = 0.0
    missing: tuple[int | float | complex, ...] = ()
    least: float = -math.inf
    greatest: float = math.inf

    def decode(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """Return the values of stored numbers, as an array of type `dtype`."""
        numbers = numbers.astype(numbers.dtype.newbyteorder("="), copy=False)
        if numbers.dtype != self.stored:
            numbers = np.ascontiguousarray(numbers).view(self.stored)
        # Out of range is NaN or infinite, which is found where finite values are asked for. So is a
        # NaN that damage made, of which NumPy warns.
        with np.errstate(over="ignore", invalid="ignore"):
            values = numbers.astype(self.dtype, order="K")
            if self.scale != 1:
                values *= self.scale
            if self.offset != 0:
                values += self.offset
        for mark in self.missing:
            values[numbers == mark] = math.nan
        if self.least > -math.inf:
            values[numbers < self.least] = math.nan
        if self.greatest < math.inf:
            values[numbers > self.greatest] = math.nan
        return values

    def value_of(self, number: float) -> float:
        """Return the value that a stored number stands for."""
        return number * self.scale + self.offset


def packing_of(attributes: Mapping[str, Any], dtype: np.dtype[Any]) -> Packing | None:
    """Return what a variable's attributes say of its numbers; None if they are the values.

    Parameters
    ----------
    attributes : mapping of str to object
    dtype : numpy.dtype
        Type of the stored numbers, in this machine's byte order.

    Raises
    ------
    InputError
        If they cannot be followed; the message names the attribute alone.
    """
    if dtype.kind not in "iufc" or not any(key in attributes for key in _KEYS):
        return None
    stored = _meant(dtype, attributes.get("_Unsigned"))
    scale, offset = _factor(attributes, "scale_factor", 1), _factor(attributes, "add_offset", 0)
    if scale == 0:
        raise InputError("scale_factor: found 0, wanted another number; save the values unpacked")
    marks = [
        number
        for key in ("_FillValue", "missing_value")
        for number in _numbers(attributes, key)
        if not np.isnan(number)
    ]
    missing = tuple(
        dict.fromkeys(one for mark in marks if (one := _stored(mark, stored)) is not None)
    )
    factors = [np.asarray(attributes[key]).dtype for key in _KEYS[:2] if key in attributes]
    least, greatest = _limits(attributes, stored, float(scale), float(offset), factors)
    nothing = scale == 1 and offset == 0 and stored == dtype and not missing
    if nothing and math.isinf(least) and math.isinf(greatest):
        return None
    # The type of the factors, as the conventions say, and wide enough for the stored numbers.
    narrowest = stored if stored.kind in "fc" and not factors else np.result_type(stored, "f4")
    floats = [factor for factor in factors if factor.kind == "f"]
    return Packing(
        stored,
        np.result_type(narrowest, *floats),
        float(scale),
        float(offset),
        missing,
        least,
        greatest,
    )


def _meant(dtype: np.dtype[Any], unsigned: Any) -> np.dtype[Any]:
    """Return the type with the sign that ``_Unsigned`` says; NetCDF 3 has no unsigned ones."""
    if unsigned is None or dtype.kind not in "iu":
        return dtype
    meant = str(np.ravel(unsigned)[0]).strip().lower()
    return np.dtype(f"{'u' if meant in {'true', '1'} else 'i'}{dtype.itemsize}")


def _numbers(attributes: Mapping[str, Any], key: str) -> NDArray[Any]:
    """Return the numbers of an attribute, which may be written as texts; none if there is none."""
    values = np.ravel(np.asarray(attributes.get(key, ())))
    if values.dtype.kind in "iufc":
        return values
    try:
        return np.array([float(value) for value in values])
    except (TypeError, ValueError):
        raise InputError(
            f"{key}: found {str(attributes[key])[:40]!r}, wanted a number; save the values unpacked"
        ) from None


def _factor(attributes: Mapping[str, Any], key: str, default: int) -> float:
    values = _numbers(attributes, key) if key in attributes else np.array([default])
    if values.size != 1 or values.dtype.kind == "c" or not np.isfinite(values[0]):
        found = values[0] if values.size == 1 else f"{values.size} values"
        raise InputError(f"{key}: found {found}, wanted one number; save the values unpacked")
    return float(values[0])


def _stored(mark: Any, stored: np.dtype[Any]) -> int | float | complex | None:
    """Return a mark as the stored type holds it; None if it holds no such number."""
    if stored.kind in "iu":
        if mark != int(np.real(mark)):
            return None
        number, bits = int(np.real(mark)), 8 * stored.itemsize
        # Written with the other sign: -1 for the 255 of an unsigned byte.
        if stored.kind == "u" and -(2 ** (bits - 1)) <= number < 0:
            number += 2**bits
        limits = np.iinfo(stored.str)
        return number if limits.min <= number <= limits.max else None
    if stored.kind == "f" and np.iscomplexobj(mark):
        return None
    with np.errstate(over="ignore"):
        return np.asarray(mark).astype(stored).item()


def _limits(
    attributes: Mapping[str, Any],
    stored: np.dtype[Any],
    scale: float,
    offset: float,
    factors: list[np.dtype[Any]],
) -> tuple[float, float]:
    """Return the least and the greatest stored number that is valid; infinite without limits."""
    if stored.kind == "c":
        return -math.inf, math.inf
    found = {-1: -math.inf, 1: math.inf}
    spoken: set[np.dtype[Any]] = set()
    for sign, key, place in (
        (-1, "valid_range", 0), (1, "valid_range", 1), (-1, "valid_min", 0), (1, "valid_max", 0),
    ):  # fmt: skip
        numbers = _numbers(attributes, key)
        if key in attributes and numbers.size != (2 if key == "valid_range" else 1):
            raise InputError(
                f"{key}: found {numbers.size} values, wanted {2 if key == 'valid_range' else 1}; "
                "save the values unpacked"
            )
        if numbers.size and np.isfinite(numbers[place]):
            found[sign] = float(numbers[place])
            spoken.add(numbers.dtype)
    least, greatest = found[-1], found[1]
    # In the values' own unit if they are of the factors' type and not of the stored one.
    if spoken and factors and stored.kind in "iu" and all(kind.kind == "f" for kind in spoken):
        least, greatest = sorted(((least - offset) / scale, (greatest - offset) / scale))
        # Half a step is rounding.
        return least - 0.5, greatest + 0.5
    if stored.kind == "u":  # written with the other sign
        least, greatest = (n + 2.0 ** (8 * stored.itemsize) if -math.inf < n < 0 else n
                           for n in (least, greatest))  # fmt: skip
    return least, greatest
