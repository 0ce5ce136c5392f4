"""Weights as text: nested lists of numbers, of few digits."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def short(values: NDArray[np.floating]) -> Sequence[Any]:
    """Return numbers as nested lists, of five digits each."""
    if values.ndim > 1:
        return [short(row) for row in values]
    return [float(f"{value:.5g}") for value in values]


def array_of(values: Any, dimensions: int) -> NDArray[np.float64]:
    """Return nested lists as an array; raise ValueError if they are not of finite numbers."""
    found = np.array(values)
    if found.dtype.kind not in "if" or found.ndim != dimensions or not np.isfinite(found).all():
        raise ValueError(dimensions)
    return found.astype(np.float64)
