"""The grid of a sequence: its frames and pixels, and how long and large they are."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MILLIMETRES, PIXELS = "mm", "px"
"""Units of pixels' sizes: in pixels they are counted where millimetres are not known."""

SAME = 5e-4
"""Relative difference up to which rates and pixels are one: that of coordinates in float32 and of
sizes that were rounded for a header. In a sequence of 2 s firings are off by 1 ms at most."""


@dataclass(frozen=True)
class Grid:
    """Frames and pixels of a sequence.

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
        frames, _, _ = self.shape
        return f"{self.image} and {frames} frames at {self.frame_rate:g} Hz"

    @property
    def image(self) -> str:
        """Its image in words."""
        _, depth, width = self.shape
        return f"{depth} x {width} px of {self.pixel}"

    @property
    def pixel(self) -> str:
        """Its pixel in words."""
        dz, dx = self.pixel_size
        return f"{dz:g} x {dx:g} mm"

    def to_json(self) -> dict[str, Any]:
        """Return plain values that :meth:`from_json` reads back."""
        return {
            "shape": list(self.shape),
            "frame_rate": self.frame_rate,
            "pixel_size": list(self.pixel_size),
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Grid":
        """Read what :meth:`to_json` made.

        Raises
        ------
        KeyError, TypeError, ValueError
            If the values are not a grid's.
        """
        frames, depth, width = plain["shape"]
        dz, dx = plain["pixel_size"]
        return cls((frames, depth, width), float(plain["frame_rate"]), (dz, dx))

    def fits(self, other: "Grid", *, frames: bool = True, image: bool = True) -> bool:
        """Return whether another grid is the same but for rounding.

        Parameters
        ----------
        other : Grid
        frames, image : bool
            Whether sequences are to be of one length, and images of one size in px.
        """
        ours = (self.frame_rate, *self.pixel_size)
        theirs = (other.frame_rate, *other.pixel_size)
        close = all(math.isclose(a, b, rel_tol=SAME) for a, b in zip(ours, theirs, strict=True))
        return (
            close
            and (not frames or self.shape[0] == other.shape[0])
            and (not image or self.shape[1:] == other.shape[1:])
        )
