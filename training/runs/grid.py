"""The grid of the sequences that a run is made for."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Grid:
    """The sequences that a run is made for.

    Parameters
    ----------
    shape : (int, int, int)
        Frames, depth and width, px.
    frame_rate : float
        Hz.
    pixel_size : (float, float)
        Depth and width of a pixel, mm.
    """

    shape: tuple[int, int, int]
    frame_rate: float
    pixel_size: tuple[float, float]

    def __str__(self) -> str:
        """Return the grid in words."""
        frames, depth, width = self.shape
        dz, dx = self.pixel_size
        return (
            f"{depth} x {width} px of {dz:g} x {dx:g} mm and {frames} frames at "
            f"{self.frame_rate:g} Hz"
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values that :meth:`from_json` reads back."""
        return {
            "shape": list(self.shape),
            "frame_rate": self.frame_rate,
            "pixel_size": list(self.pixel_size),
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Grid":
        """Read what :meth:`to_json` made."""
        frames, depth, width = plain["shape"]
        dz, dx = plain["pixel_size"]
        return cls((frames, depth, width), float(plain["frame_rate"]), (dz, dx))

    def fits(self, other: "Grid") -> bool:
        """Return whether sequences of another grid are the same but for rounding."""
        ours = (self.frame_rate, *self.pixel_size)
        theirs = (other.frame_rate, *other.pixel_size)
        close = all(math.isclose(a, b, rel_tol=1e-3) for a, b in zip(ours, theirs, strict=True))
        return self.shape == other.shape and close
