"""Outlines of masks as paths, and places for the labels that stand in them."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy
from contourpy import LineType, contour_generator
from numpy.typing import NDArray

SMOOTHING = 0.7
"""SD of the Gaussian that takes the stairs off an outline, px."""


def outline(mask: NDArray[np.bool_], scale: float, size: tuple[float, float]) -> str:
    """Return the path of a mask's outline, closed along the image's border.

    Parameters
    ----------
    mask : bool array of shape (depth, width)
    scale : float
        The drawing's units to the mm.
    size : (float, float)
        Depth and width of the image, mm.
    """
    if not mask.any():
        return ""
    smooth = np.pad(
        scipy.ndimage.gaussian_filter(mask.astype(np.float64), SMOOTHING, mode="nearest"), 1
    )
    rows, columns = (
        (np.arange(n) - 0.5) * length * scale / (n - 2)
        for n, length in zip(smooth.shape, size, strict=True)
    )
    # A unit of a few pixels is smoothed to less than a half.
    level = 0.5 * min(float(smooth.max()), 1.0)
    lines: Any = contour_generator(columns, rows, smooth, line_type=LineType.Separate).lines(level)
    edge = np.array([size[1], size[0]]) * scale
    return "".join(
        "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in np.clip(line[:-1], 0, edge)) + "Z"
        for line in lines
    )


def label_places(
    masks: Sequence[NDArray[np.bool_]], size: tuple[float, float]
) -> list[tuple[float, float] | None]:
    """Choose where the label of each mask stands.

    One after the other, small masks first, each takes the pixel of its mask that lies deepest in it
    and, at the same time, farthest from the labels that stand already.

    Parameters
    ----------
    masks : sequence of bool arrays of shape (depth, width)
    size : (float, float)
        Depth and width of the image, mm.

    Returns
    -------
    list of (float, float) or None
        Depth and width, mm; None for an empty mask.
    """
    places: list[tuple[float, float] | None] = [None] * len(masks)
    enough = 0.07 * math.hypot(*size)
    taken: list[tuple[float, float]] = []
    for number in sorted(range(len(masks)), key=lambda n: int(masks[n].sum())):
        mask = masks[number]
        if not mask.any():
            continue
        pixel = [length / n for length, n in zip(size, mask.shape, strict=True)]
        inside = scipy.ndimage.distance_transform_edt(np.pad(mask, 1), sampling=pixel)[1:-1, 1:-1]  # type: ignore[index]
        rows, columns = np.nonzero(mask)
        depths, widths = (rows + 0.5) * pixel[0], (columns + 0.5) * pixel[1]
        merit = np.minimum(inside[rows, columns], enough)
        for depth, width in taken:
            merit = merit + 2 * np.minimum(np.hypot(depths - depth, widths - width) - enough, 0)
        best = int(np.argmax(merit))
        taken.append((float(depths[best]), float(widths[best])))
        places[number] = taken[-1]
    return places
