"""Loops over points, about the hand's outer form."""

import math

import numpy as np

from ...acceleration import kernel
from .solids_kernels import FAR, blended, box_of, nearest


@kernel
def _boxes(segments, starts):
    """Return the boxes that hold chains, float64 (chain, corner, 3)."""
    boxes = np.empty((len(starts) - 1, 2, 3))
    boxes[:, 0], boxes[:, 1] = FAR, -FAR
    for chain in range(len(boxes)):
        for number in range(starts[chain], starts[chain + 1]):
            box_of(segments[number], boxes[chain, 0], boxes[chain, 1])
    return boxes


@kernel
def _is_near(box, reach, x, y, z):
    """Return whether a point is within reach of a box."""
    return (
        box[0, 0] - reach < x < box[1, 0] + reach
        and box[0, 1] - reach < y < box[1, 1] + reach
        and box[0, 2] - reach < z < box[1, 2] + reach
    )


@kernel
def distances(points, palm, palm_starts, fingers, finger_starts, palm_width, finger_width):
    """Return how far outside the hand points lie, mm.

    The parts of the palm melt together, and each finger into the palm.
    """
    found = np.empty(len(points))
    palm_boxes, finger_boxes = _boxes(palm, palm_starts), _boxes(fingers, finger_starts)
    for number in range(len(points)):
        x, y, z = points[number]
        inner = FAR
        for chain in range(len(palm_boxes)):
            if _is_near(palm_boxes[chain], palm_width, x, y, z):
                one, _ = nearest(
                    palm, palm_starts[chain], palm_starts[chain + 1], palm_width, x, y, z
                )
                inner = blended(inner, one, palm_width)
        best = inner
        for chain in range(len(finger_boxes)):
            if _is_near(finger_boxes[chain], finger_width, x, y, z):
                one, _ = nearest(
                    fingers, finger_starts[chain], finger_starts[chain + 1], finger_width, x, y, z
                )
                best = min(best, blended(inner, one, finger_width))
        found[number] = best
    return found


@kernel
def interpolate(surface, kept, start, spacing, own, origin, step):
    """Write distances to a grid from those kept on a coarser one in the hand's own place.

    Between its points they run straight in each direction; outside of it is air.
    """
    last = np.array([kept.shape[0] - 1, kept.shape[1] - 1, kept.shape[2] - 1])
    for i in range(surface.shape[0]):
        z = origin[2] + i * step
        for j in range(surface.shape[1]):
            y = origin[1] + j * step
            for k in range(surface.shape[2]):
                x = origin[0] + k * step
                a = (own[2, 0] * x + own[2, 1] * y + own[2, 2] * z + own[2, 3] - start[2]) / spacing
                b = (own[1, 0] * x + own[1, 1] * y + own[1, 2] * z + own[1, 3] - start[1]) / spacing
                c = (own[0, 0] * x + own[0, 1] * y + own[0, 2] * z + own[0, 3] - start[0]) / spacing
                if a < 0 or b < 0 or c < 0 or a >= last[0] or b >= last[1] or c >= last[2]:
                    surface[i, j, k] = FAR
                    continue
                p, q, r = math.floor(a), math.floor(b), math.floor(c)
                a, b, c = a - p, b - q, c - r
                low = (kept[p, q, r] * (1 - c) + kept[p, q, r + 1] * c) * (1 - b) + (
                    kept[p, q + 1, r] * (1 - c) + kept[p, q + 1, r + 1] * c
                ) * b
                high = (kept[p + 1, q, r] * (1 - c) + kept[p + 1, q, r + 1] * c) * (1 - b) + (
                    kept[p + 1, q + 1, r] * (1 - c) + kept[p + 1, q + 1, r + 1] * c
                ) * b
                surface[i, j, k] = low * (1 - a) + high * a
