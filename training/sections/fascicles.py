"""Pennation angle and fascicle length, out of the orientation of what lies between aponeuroses."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...datasets.images.scale import PixelScale
from .aponeuroses import Aponeuroses, CentreLine, common_columns
from .orientation import Direction, line_direction
from .thickness import Thickness

MARGIN = 0.12
"""What is left out beside each aponeurosis, as a share of the thickness: its own echo."""

FLATTEST = 2.0
"""Fascicles that are flatter against the deep aponeurosis have no length [degrees]."""

CLEAR = 2.0
"""Clearness below which lines are no fascicles: speckle alone has 1.0 to 1.6."""

UNCLEAR, FLAT = "no clear direction of fascicles", "fascicles along the deep aponeurosis"
"""Why there is no angle or length."""


@dataclass(frozen=True)
class Fascicles:
    """What fascicles are like, or why that is not known.

    Parameters
    ----------
    pennation_deg : float
        Angle between fascicles and the deep aponeurosis [degrees], 0 to 90; NaN where not known.
    angle_deg : float
        Angle of fascicles against the image's rows [degrees], more than 0 where they fall to the
        right.
    clearness : float
        Power of lines in that direction over that in others; speckle alone has 1.0 to 1.6.
    length_pixels, length_mm : float
        Of a fascicle through the middle of the muscle from aponeurosis to aponeurosis, which are
        taken to go on straight beyond the image [pixels of depth, mm]; NaN where not known.
    seen : float
        Which share of that fascicle lies over columns that both aponeuroses were drawn in.
    fascicle : (2, 2) array of float64
        Its superficial and deep end, as row and column [px].
    reason : str
        Why there is no angle, or no length; empty if there are both.
    """

    pennation_deg: float = math.nan
    angle_deg: float = math.nan
    clearness: float = math.nan
    length_pixels: float = math.nan
    length_mm: float = math.nan
    seen: float = math.nan
    fascicle: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 2)))
    reason: str = ""


def fascicles_of(
    image: NDArray[np.uint8],
    found: Aponeuroses,
    thickness: Thickness,
    scale: PixelScale | None = None,
) -> Fascicles:
    """Return how fascicles lie between two aponeuroses.

    Their direction is that of bright lines between the aponeuroses
    (:func:`~.orientation.line_direction`), one for the whole muscle: of bent fascicles the mean.
    Three experts differ by 0.7 to 1.5 degrees in such angles (compare Pohle-Fröhlich et al. 2020,
    arXiv:1912.04134); what comes out of an image is known no better.

    Parameters
    ----------
    image : (depth, width) array of uint8
    found : Aponeuroses
    thickness : Thickness
        Between them.
    scale : PixelScale, optional
        Square pixels of unknown size by default.
    """
    scale = scale or PixelScale()
    upper, lower = found.superficial, found.deep
    if thickness.reason or upper is None or lower is None:
        return Fascicles(reason=thickness.reason or found.reason)
    along = math.degrees(math.atan(_straight(thickness.centre.T[::-1])[0] / scale.shape))
    box = (upper.depth.min(), lower.depth.max(), *common_columns(upper, lower)[[0, -1]])
    lines = line_direction(
        image,
        lambda rows, columns: between(rows, columns, upper, lower),
        box, thickness.pixels, shape=scale.shape, about=along,
    )  # fmt: skip
    if lines.clearness < CLEAR:
        return Fascicles(clearness=lines.clearness, reason=UNCLEAR)
    return _drawn(lines, (upper, lower), thickness, scale)


def between(
    rows: NDArray[np.float64], columns: NDArray[np.float64], upper: CentreLine, lower: CentreLine
) -> NDArray[np.bool_]:
    """Return which places lie between two lines, but for a margin beside each.

    Parameters
    ----------
    rows, columns : arrays of float64
        Places [px], which broadcast together.
    upper, lower : CentreLine
    """
    first, last = upper.at(columns), lower.at(columns)
    left = MARGIN * (last - first)
    # Beyond the lines' ends they are NaN, and so is every comparison with them False.
    return (rows > first + left + upper.height / 2) & (rows < last - left - lower.height / 2)


def _straight(points: NDArray[np.float64]) -> tuple[float, float]:
    """Return slope and intercept of the straight line through some columns and rows."""
    slope, intercept = np.polyfit(points[0], points[1], 1)
    return float(slope), float(intercept)


def _drawn(
    found: Direction,
    lines: tuple[CentreLine, CentreLine],
    thickness: Thickness,
    scale: PixelScale,
) -> Fascicles:
    """Return the fascicle of some angle through the middle of the muscle."""
    columns = common_columns(*lines)
    middle = thickness.centre[len(thickness.centre) // 2] * (1, scale.shape)
    angle = found.angle_deg
    ends, slope = [], 0.0
    for line in lines:
        slope, intercept = _straight(np.stack([columns * scale.shape, line.at(columns)]))
        rise = math.tan(math.radians(angle))
        # Where the straight aponeurosis has the fascicle's row.
        column = (intercept - middle[0] + rise * middle[1]) / (rise - slope)
        ends.append((middle[0] + rise * (column - middle[1]), column))
    away = (angle - math.degrees(math.atan(slope)) + 90) % 180 - 90
    (top, left), (bottom, right) = ends
    if abs(away) < FLATTEST or bottom <= top:
        return Fascicles(abs(away), angle, found.clearness, reason=FLAT)
    length = math.hypot(bottom - top, right - left)
    low, high = columns[0] * scale.shape, columns[-1] * scale.shape
    across = max(abs(right - left), 1e-9)
    seen = (min(max(left, right), high) - max(min(left, right), low)) / across
    return Fascicles(
        abs(away), angle, found.clearness, length, length * scale.depth_mm,
        float(np.clip(seen, 0, 1)), np.array(ends) / (1, scale.shape),
    )  # fmt: skip
