"""Loops over points of a grid, about solids of :mod:`.solids`."""

import math

import numpy as np

from ...acceleration import kernel

FAR = 1e3
"""Distance, mm, of what is not looked at."""


@kernel
def distance(segment, x, y, z):
    """Return about how far a point lies outside a segment, mm (below 0 inside), and how far along.

    The first order of the distance to an ellipsoid: (k - 1) over the gradient of k, where k is the
    point's size in half-axes.
    """
    dx, dy, dz = x - segment[0], y - segment[1], z - segment[2]
    u = dx * segment[3] + dy * segment[4] + dz * segment[5]
    v = dx * segment[6] + dy * segment[7] + dz * segment[8]
    w = dx * segment[9] + dy * segment[10] + dz * segment[11]
    length = segment[12]
    s = min(max(w / length, 0.0), 1.0)
    a = segment[13] + s * (segment[15] - segment[13])
    b = segment[14] + s * (segment[16] - segment[14])
    w -= s * length
    c = segment[19] * min(a, b)
    u, v, w = u / a, v / b, w / c
    k = math.sqrt(u * u + v * v + w * w)
    if k < 1e-6:
        return -min(a, b), s
    slope = math.sqrt((u / a) ** 2 + (v / b) ** 2 + (w / c) ** 2) / k
    return max((k - 1.0) / slope, -min(a, b)), s


@kernel
def nearest(segments, first, last, reach, x, y, z):
    """Return the distance to the nearest of some segments, and the crust there.

    Those whose ends are farther than `reach` along their line are passed over.
    """
    best, crust = FAR, 0.0
    for number in range(first, last):
        one = segments[number]
        w = (x - one[0]) * one[9] + (y - one[1]) * one[10] + (z - one[2]) * one[11]
        over = max(-w, w - one[12]) - reach
        if over > 0 and over > one[19] * max(one[13], one[14], one[15], one[16]):
            continue
        found, s = distance(one, x, y, z)
        if found < best:
            best = found
            crust = segments[number, 17] + s * (segments[number, 18] - segments[number, 17])
    return best, crust


@kernel
def box_of(one, low, high):
    """Widen a box, its lowest and highest corner, so that it holds a segment."""
    for axis in range(3):
        for end in range(2):
            a, b = one[13 + 2 * end], one[14 + 2 * end]
            c = one[19] * min(a, b)
            wide = math.sqrt(
                (a * one[3 + axis]) ** 2 + (b * one[6 + axis]) ** 2 + (c * one[9 + axis]) ** 2
            )
            middle = one[axis] + end * one[12] * one[9 + axis]
            low[axis] = min(low[axis], middle - wide)
            high[axis] = max(high[axis], middle + wide)


@kernel
def bounds(one, reach, origin, step, shape):
    """Return the box of grid points within reach of a segment: (z, y, x) from and to."""
    low, high = np.full(3, FAR), np.full(3, -FAR)
    box_of(one, low, high)
    box = np.zeros((3, 2), np.int64)
    for axis in range(3):
        place = 2 - axis
        box[place, 0] = max(math.ceil((low[axis] - reach - origin[axis]) / step), 0)
        box[place, 1] = min(
            math.floor((high[axis] + reach - origin[axis]) / step) + 1, shape[place]
        )
    return box


@kernel
def blended(one, other, width):
    """Return a smooth minimum of two distances."""
    share = max(width - abs(one - other), 0.0) / width
    return min(one, other) - share * share * width * 0.25


@kernel
def divide(first_of, second_of, which, crusts, segments, starts, reach, origin, step):
    """Keep at each point the distances to the nearest chain and to the next, and the crust."""
    for chain in range(len(starts) - 1):
        for number in range(starts[chain], starts[chain + 1]):
            one = segments[number]
            box = bounds(one, reach, origin, step, first_of.shape)
            for i in range(box[0, 0], box[0, 1]):
                for j in range(box[1, 0], box[1, 1]):
                    for k in range(box[2, 0], box[2, 1]):
                        found, s = distance(
                            one, origin[0] + k * step, origin[1] + j * step, origin[2] + i * step
                        )
                        best = first_of[i, j, k]
                        if found < best:
                            if which[i, j, k] != chain:
                                second_of[i, j, k] = best
                            first_of[i, j, k] = found
                            which[i, j, k] = chain
                            crusts[i, j, k] = one[17] + s * (one[18] - one[17])
                        elif which[i, j, k] != chain and found < second_of[i, j, k]:
                            second_of[i, j, k] = found


@kernel
def paint(labels, surface, segments, starts, colours, within, origin, step):
    """Give the points inside chains their labels, the last ones over the first, below the skin."""
    for chain in range(len(starts) - 1):
        for number in range(starts[chain], starts[chain + 1]):
            box = bounds(segments[number], 0.0, origin, step, labels.shape)
            for i in range(box[0, 0], box[0, 1]):
                for j in range(box[1, 0], box[1, 1]):
                    for k in range(box[2, 0], box[2, 1]):
                        if surface[i, j, k] > -within:
                            continue
                        found, _ = distance(
                            segments[number],
                            origin[0] + k * step, origin[1] + j * step, origin[2] + i * step,
                        )  # fmt: skip
                        if found < 0:
                            labels[i, j, k] = colours[chain]
