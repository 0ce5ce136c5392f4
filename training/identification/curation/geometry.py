"""Outlines and lines in millimetres, on the pixels of an image."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ....simulator.errors import InputError

Point = tuple[float, float]
"""Depth and width, mm, from the image's upper left corner."""

FINENESS = 8
"""A pixel's share of a polygon is counted on so many points along each of its sides."""

MOST_POINTS = 1000
"""Corners that a polygon may have."""

FARTHEST = 1e6
"""mm from the image's corner that a point may lie: products of larger numbers may overflow."""


def check_point(point: Point, what: str) -> None:
    """Raise InputError unless a point's depth and width are finite, and of some sense."""
    if not all(abs(value) <= FARTHEST for value in point):  # nor NaN
        raise InputError(
            f"{what}: found a point at {point}, wanted finite depth and width in mm, "
            f"{FARTHEST:g} at most"
        )


def check_polygon(polygon: Sequence[Point], what: str) -> None:
    """Raise InputError unless a polygon has corners enough to hold something."""
    if not 3 <= len(polygon) <= MOST_POINTS:
        raise InputError(
            f"{what}: found a polygon of {len(polygon)} points, wanted 3 to {MOST_POINTS}"
        )
    for point in polygon:
        check_point(point, what)


def coverage(
    polygon: Sequence[Point], shape: tuple[int, int], pixel_size: tuple[float, float]
) -> NDArray[np.float32]:
    """Return how much of each pixel lies in a polygon, float32 (depth, width), 0..1.

    Where the polygon's sides cross, what they go round twice is outside: the even-odd rule.

    Parameters
    ----------
    polygon : sequence of (float, float)
        Depth and width of its corners, mm; the last is joined to the first.
    shape : (int, int)
        Depth and width of the image, px.
    pixel_size : (float, float)
        Depth and width of a pixel, mm.
    """
    corners = np.asarray(polygon, np.float64)
    z, x = (
        (np.arange(n * FINENESS) + 0.5) * size / FINENESS
        for n, size in zip(shape, pixel_size, strict=True)
    )
    inside = np.zeros((len(z), len(x)), np.bool_)
    following = np.roll(corners, -1, axis=0)
    for (z0, x0), (z1, x1) in zip(corners, following, strict=True):
        crosses = (z0 > z) != (z1 > z)  # rows of points that the side reaches across
        if crosses.any():
            at = x0 + (z[crosses] - z0) / (z1 - z0) * (x1 - x0)
            inside[crosses] ^= x < at[:, None]
    shares = inside.reshape(shape[0], FINENESS, shape[1], FINENESS).mean(axis=(1, 3))
    return shares.astype(np.float32)


def sides_of(
    line: tuple[Point, Point], shape: tuple[int, int], pixel_size: tuple[float, float]
) -> NDArray[np.bool_]:
    """Return on which side of a line each pixel's centre lies, bool (depth, width).

    Parameters
    ----------
    line : two points
        mm; the line goes on beyond them.
    shape : (int, int)
        px.
    pixel_size : (float, float)
        mm.

    Raises
    ------
    InputError
        If both points are the same.
    """
    (z0, x0), (z1, x1) = line
    if (z0, x0) == (z1, x1):
        raise InputError(f"line: found the same point twice ({z0:g}, {x0:g}), wanted two")
    z, x = ((np.arange(n) + 0.5) * size for n, size in zip(shape, pixel_size, strict=True))
    return (z[:, None] - z0) * (x1 - x0) - (x[None, :] - x0) * (z1 - z0) > 0
