"""Values a user may give as one number or as a range, and their texts."""

import math
import re
from dataclasses import dataclass
from numbers import Real
from typing import Self

import numpy as np
from numpy.typing import NDArray

from .errors import InputError

_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER})(?:-({_NUMBER}))?(%?)")


@dataclass(frozen=True)
class Range:
    """A uniform distribution from `low` to `high`; one value where they are equal.

    Parameters
    ----------
    low, high : float
        Finite, ``low <= high``; or both ``inf`` where a parameter allows it.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        """Hold floats, so that equal ranges are written alike."""
        for name in ("low", "high"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, Real):
                raise InputError(f"{name}: found {value!r}, wanted a number")
            object.__setattr__(self, name, float(value))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``"5-30"``, ``"10"``, ``"0-10%"`` or ``"inf"``.

        Raises
        ------
        InputError
            If the text is neither a number nor ``low-high`` with low <= high.
        """
        text = text.strip()
        if text.lower() in {"inf", "+inf", "infinity"}:
            return cls(math.inf, math.inf)
        match = _RANGE.fullmatch(text)
        if match is None:
            raise InputError(f"found {text!r}, wanted a number or a range such as 5-30 (low-high)")
        # Divided, not multiplied by 0.01: so 35% is 0.35 to the last bit.
        whole = 100.0 if match[3] else 1.0
        low = float(match[1]) / whole
        high = low if match[2] is None else float(match[2]) / whole
        if not (math.isfinite(low) and math.isfinite(high)):
            raise InputError(f"found {text!r}, wanted finite numbers")
        if low > high:
            raise InputError(
                f"found {text!r}, wanted low-high with low <= high; did you mean {cls(high, low)}?"
            )
        return cls(low, high)

    def __str__(self) -> str:
        """Return the text that :meth:`parse` reads back."""
        low, high = f"{self.low:.12g}", f"{self.high:.12g}"
        return low if self.low == self.high else f"{low}-{high}"

    @property
    def mean(self) -> float:
        """Mean of the distribution."""
        return self.low if self.low == self.high else (self.low + self.high) / 2

    @property
    def is_constant(self) -> bool:
        """Whether the range is one value."""
        return self.low == self.high

    def draw(self, generator: np.random.Generator, size: int) -> NDArray[np.float64]:
        """Draw `size` values, float64; constants use the generator too, so streams stay aligned."""
        values = generator.random(size)
        if self.low == self.high:
            values.fill(self.low)
        else:
            values *= self.high - self.low
            values += self.low
        return values

    def draw_one(self, generator: np.random.Generator) -> float:
        """Draw one value: the one that :meth:`draw` would."""
        share = generator.random()
        return self.low if self.low == self.high else self.low + (self.high - self.low) * share

    def draw_integer(self, generator: np.random.Generator) -> int:
        """Draw one whole number from low to high, both included."""
        return int(generator.integers(int(self.low), int(self.high), endpoint=True))


def parse_pair(text: str) -> tuple[float, float]:
    """Read ``"64x64"`` (depth x width) or ``"64"`` (both) into two numbers.

    Raises
    ------
    InputError
        If the text is neither.
    """
    parts = [part.strip() for part in text.lower().split("x")]
    if len(parts) == 1:
        parts *= 2
    if len(parts) != 2 or not all(re.fullmatch(_NUMBER, part) for part in parts):
        raise InputError(f"found {text!r}, wanted DEPTHxWIDTH, such as 64x64")
    return float(parts[0]), float(parts[1])


def format_pair(pair: tuple[float, float]) -> str:
    """Return the text that :func:`parse_pair` reads back."""
    return f"{pair[0]:g}x{pair[1]:g}"
