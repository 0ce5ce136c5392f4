"""Paired differences with their standard errors."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Difference:
    """A mean of differences.

    Parameters
    ----------
    mean, error : float
        The mean, and its standard error.
    """

    mean: float
    error: float

    @classmethod
    def of(cls, differences: ArrayLike) -> "Difference":
        """Return the mean of differences, two or more, and its standard error."""
        values = np.asarray(differences, np.float64)
        values = values[np.isfinite(values)]
        return cls(float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values))))

    @property
    def errors(self) -> float:
        """How many standard errors the mean lies from 0: beyond 2 or 3 is no chance."""
        return abs(self.mean) / self.error if self.error > 0 else math.inf * abs(self.mean)

    def __str__(self) -> str:
        """Return mean and standard error, and how many of these it is."""
        return f"{self.mean:+.3f} ± {self.error:.3f} ({self.errors:.1f})"
