"""Types of values: which are read, and as what they are handed out."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def complex_fields(dtype: np.dtype[Any]) -> tuple[str, str] | None:
    """Return the names of the real and the imaginary field of a compound type, if it is such."""
    names = dtype.names or ()
    if len(names) != 2 or any(dtype[name].kind not in "iuf" for name in names):
        return None
    pairs = ({"r", "i"}, {"re", "im"}, {"real", "imag"}, {"real", "imaginary"})
    first, second = (name.lower() for name in names)
    if {first, second} not in pairs:
        return None
    return (names[0], names[1]) if first.startswith("r") else (names[1], names[0])


def plain_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type in which values of `dtype` are handed out: native, complex for pairs."""
    fields = complex_fields(dtype)
    if fields:
        return complex_dtype(np.result_type(dtype[fields[0]], dtype[fields[1]]))
    return dtype.newbyteorder("=")


def complex_dtype(part: np.dtype[Any]) -> np.dtype[Any]:
    """Return the complex type that holds real and imaginary parts of a type exactly."""
    return np.result_type(part, np.complex64)


def plain(values: NDArray[Any]) -> NDArray[Any]:
    """Return values whose real and imaginary parts are fields as complex numbers."""
    fields = complex_fields(values.dtype)
    if not fields:
        return values
    result = np.empty_like(values, plain_dtype(values.dtype))
    result.real, result.imag = values[fields[0]], values[fields[1]]
    return result


def refusal_of(dtype: np.dtype[Any]) -> str:
    """Return why values of a type are not read; empty if they are."""
    if dtype.hasobject:
        return (
            "found Python objects, wanted numbers; objects are never loaded, save the numbers in "
            "an array of a numeric type"
        )
    if dtype.kind not in "biufcSU" and not complex_fields(dtype):
        return f"found values of type {dtype}, wanted numbers; save them in a numeric type"
    return ""
