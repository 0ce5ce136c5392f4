"""How large the pixels of an image are: their shape always, millimetres where these are known."""

import math
from dataclasses import dataclass

from ...simulator.errors import InputError


@dataclass(frozen=True)
class PixelScale:
    """The size of a pixel.

    Without a size in millimetres lengths are counted in pixels of depth, so that an image whose
    pixels are not square is measured as the muscle is shaped.

    Parameters
    ----------
    shape : float
        Width of a pixel over its depth.
    depth_mm : float
        Depth of a pixel [mm]; NaN where it is not known.

    Raises
    ------
    InputError
        If either is not positive.
    """

    shape: float = 1.0
    depth_mm: float = math.nan

    def __post_init__(self) -> None:
        for name, value in (("shape", self.shape), ("depth_mm", self.depth_mm)):
            if not (math.isnan(value) and name == "depth_mm") and not (
                math.isfinite(value) and value > 0
            ):
                raise InputError(f"{name} of a pixel: found {value:g}, wanted more than 0")

    @classmethod
    def of_millimetres(cls, depth: float, width: float | None = None) -> "PixelScale":
        """Return the scale of pixels of so many millimetres; they are square without a width."""
        for value in (depth, depth if width is None else width):
            if not (math.isfinite(value) and value > 0):
                raise InputError(
                    f"`pixel_size`: found {value:g} mm, wanted more than 0; write the depth of a "
                    "pixel, or its depth and width"
                )
        return cls(1.0 if width is None else width / depth, depth)

    @classmethod
    def of_resizing(
        cls, now: tuple[int, int], before: tuple[int, int], before_mm: float = math.nan
    ) -> "PixelScale":
        """Return the scale of an image of square pixels that was made another size.

        Parameters
        ----------
        now, before : tuple of int
            Depth and width in pixels.
        before_mm : float
            Size of a pixel before [mm].
        """
        depth, width = (old / new for new, old in zip(now, before, strict=True))
        return cls(width / depth, before_mm * depth)

    @property
    def known(self) -> bool:
        """Whether lengths in millimetres are known."""
        return not math.isnan(self.depth_mm)
