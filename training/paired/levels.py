"""Intensities as levels from 0 to 255: one map for all slices of a store, never one a slice.

What an intensity means is told by it alone, so Grant-Jacob et al. 2021
(doi:10.1088/2399-6528/ac24d8) do not normalise images one by one; neither is that done here.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .metrics import LEVELS

BODY = 0.1
"""Level, over the range, from which a pixel belongs to the body, where tissues are not known."""


@dataclass(frozen=True)
class Levels:
    """How the intensities of a store's images of one kind become levels.

    Parameters
    ----------
    low, high : float
        Intensities that become 0 and 255: 0, or less where there is less, and the greatest.
    """

    low: float
    high: float

    def of(self, image: NDArray[Any]) -> NDArray[np.float64]:
        """Return an image in levels, not rounded; what is beyond the range is cut off.

        As in images of 8 bits, which hold nothing below 0 or above 255.
        """
        values = (np.asarray(image, np.float64) - self.low) * (LEVELS / self.extent)
        return np.clip(values, 0.0, LEVELS)

    @property
    def extent(self) -> float:
        """Range of intensities."""
        return self.high - self.low

    def bins(self, image: NDArray[Any]) -> NDArray[np.intp]:
        """Return an image in whole levels, as numbers of bins."""
        return np.rint(self.of(image)).astype(np.intp)


def body_of(
    first: NDArray[np.float64], second: NDArray[np.float64], tissue: NDArray[Any] | None
) -> NDArray[np.bool_]:
    """Return which pixels are of the body, not of the air around it.

    Parameters
    ----------
    first, second : float64 arrays of shape (depth, width)
        Both images, in levels.
    tissue : array of shape (depth, width), optional
        Numbers of tissues, where they are known; 0: air.
    """
    if tissue is not None:
        return np.asarray(tissue) > 0
    return np.maximum(first, second) >= BODY * LEVELS
