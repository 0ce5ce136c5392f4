"""Loops of :mod:`musim.simulator.territory`: how much of each pixel a territory covers."""

import math

import numpy as np

from .acceleration import bits_of_float32, kernel

SUBSAMPLES = 8
"""A pixel that an outline crosses is sampled at this many points a side."""

WITHOUT_SIGN = np.int32(0x7FFFFFFF)


@kernel
def _square_samples(squares, first, last, step, centre, axis, low, high):
    """Fill the squares of samples' distances from the centre along one axis of an upright ellipse.

    They are in units of the semi-axis; those of samples outside the muscle are infinite.
    """
    for pixel in range(first, last):
        for i in range(SUBSAMPLES):
            place = (pixel + (i + 0.5) / SUBSAMPLES) * step
            distance = (place - centre) / axis
            inside = low <= place <= high
            squares[pixel * SUBSAMPLES + i] = distance * distance if inside else math.inf


@kernel
def _samples_in_upright(squares_z, squares_x, row, column):
    """Return how many samples of a pixel lie in an ellipse whose axes are the image's."""
    count = 0
    for i in range(row * SUBSAMPLES, (row + 1) * SUBSAMPLES):
        for j in range(column * SUBSAMPLES, (column + 1) * SUBSAMPLES):
            count += squares_z[i] + squares_x[j] <= 1.0
    return count


@kernel
def _samples_in_turned(outline, pixel_size, muscle, row, column):
    """Return how many samples of a pixel lie in an ellipse of any direction, and in the muscle."""
    cz, cx, a, b, cosine, sine = outline
    dz, dx = pixel_size
    count = 0
    for i in range(SUBSAMPLES):
        sz = (row + (i + 0.5) / SUBSAMPLES) * dz
        if sz < muscle[0] or sz > muscle[1]:
            continue
        for j in range(SUBSAMPLES):
            sx = (column + (j + 0.5) / SUBSAMPLES) * dx
            if sx < muscle[2] or sx > muscle[3]:
                continue
            u = ((sz - cz) * cosine + (sx - cx) * sine) / a
            v = ((sx - cx) * cosine - (sz - cz) * sine) / b
            if u * u + v * v <= 1.0:
                count += 1
    return count


@kernel
def _measure(distances, columns, outline, z, dx):
    """Fill the distances of a row's pixels from an outline's centre, in units of its semi-axes."""
    cz, cx, a, b, cosine, sine = outline
    for column in range(columns[0], columns[1]):
        x = (column + 0.5) * dx
        u = ((z - cz) * cosine + (x - cx) * sine) / a
        v = ((x - cx) * cosine - (z - cz) * sine) / b
        distances[column] = math.sqrt(u * u + v * v)


@kernel
def _fill_hard(territory, row, distances, columns, dx, muscle):
    """Fill a row of a hard mask: 1 where a pixel's centre lies in outline and muscle."""
    for column in range(columns[0], columns[1]):
        x = (column + 0.5) * dx
        belongs = (distances[column] <= 1.0) & (muscle[2] <= x) & (x <= muscle[3])
        territory[row, column] = np.float32(belongs)


@kernel
def cover(outlines, pixel_size, muscle, hard, membership, area):
    """Fill the membership of elliptical territories and the area of each that the image shows.

    Parameters
    ----------
    outlines : float64 array of shape (unit, 5)
        Centre depth and width, semi-axes, mm, and angle of the first axis to the depth axis, rad.
    pixel_size : float64 array of shape (2,)
        Depth and width of a pixel, mm.
    muscle : float64 array of shape (4,)
        First and last depth, first and last width of the muscle, mm; a territory ends there.
    hard : bool
        Whether a pixel belongs (1) if its centre does, rather than by its share.
    membership : float32 array of shape (unit, depth, width), changed in place
    area : float64 array of shape (unit,), changed in place
        Area inside image and muscle, mm2.
    """
    units, rows, columns = membership.shape
    dz, dx = pixel_size
    half_diagonal = 0.5 * math.sqrt(dz * dz + dx * dx)
    share_of_subsample = 1.0 / (SUBSAMPLES * SUBSAMPLES)
    squares_z = np.empty(rows * SUBSAMPLES)
    squares_x = np.empty(columns * SUBSAMPLES)
    distances = np.empty(columns)
    for unit in range(units):
        cz, cx, a, b, angle = outlines[unit]
        cosine, sine = math.cos(angle), math.sin(angle)
        reach_z = math.sqrt((a * cosine) ** 2 + (b * sine) ** 2)
        reach_x = math.sqrt((a * sine) ** 2 + (b * cosine) ** 2)
        first_row = max(0, math.floor((cz - reach_z) / dz))
        last_row = min(rows, math.floor((cz + reach_z) / dz) + 1)
        first_column = max(0, math.floor((cx - reach_x) / dx))
        last_column = min(columns, math.floor((cx + reach_x) / dx) + 1)
        # A pixel farther from the outline than half its diagonal lies wholly on one side: measured
        # along the shorter axis, normalised distance changes by at most this much.
        margin = half_diagonal / min(a, b)
        whole = (
            cz - reach_z >= max(muscle[0], 0.0)
            and cz + reach_z <= min(muscle[1], rows * dz)
            and cx - reach_x >= max(muscle[2], 0.0)
            and cx + reach_x <= min(muscle[3], columns * dx)
        )
        upright = sine == 0.0
        if upright and not (hard and whole):
            _square_samples(squares_z, first_row, last_row, dz, cz, a, muscle[0], muscle[1])
            _square_samples(squares_x, first_column, last_column, dx, cx, b, muscle[2], muscle[3])
        outline = (cz, cx, a, b, cosine, sine)
        territory, columns_shown = membership[unit], (first_column, last_column)
        total = 0.0
        for row in range(first_row, last_row):
            z = (row + 0.5) * dz
            _measure(distances, columns_shown, outline, z, dx)
            if hard:
                if muscle[0] <= z <= muscle[1]:
                    _fill_hard(territory, row, distances, columns_shown, dx, muscle)
                if whole:  # its area needs no samples
                    continue
            for column in range(first_column, last_column):
                x = (column + 0.5) * dx
                distance = distances[column]
                inside_muscle = (
                    z - 0.5 * dz >= muscle[0]
                    and z + 0.5 * dz <= muscle[1]
                    and x - 0.5 * dx >= muscle[2]
                    and x + 0.5 * dx <= muscle[3]
                )
                if distance >= 1.0 + margin:
                    share = 0.0
                elif distance <= 1.0 - margin and inside_muscle:
                    share = 1.0
                else:
                    count = (
                        _samples_in_upright(squares_z, squares_x, row, column)
                        if upright
                        else _samples_in_turned(outline, pixel_size, muscle, row, column)
                    )
                    share = count * share_of_subsample
                total += share
                if not hard:
                    territory[row, column] = np.float32(share)
        area[unit] = math.pi * a * b if whole else total * dz * dx


@kernel
def _lies_inside(outline, z, x):
    """Return whether a point lies inside an outline that is bent and split."""
    cz, cx, a, b, cosine, sine, bend, gap = outline
    u = abs((z - cz) * cosine + (x - cx) * sine) / a - gap
    v = ((x - cx) * cosine - (z - cz) * sine) / b - bend * (u * u - 0.25)
    return u >= 0.0 and u * u + v * v <= 1.0


@kernel
def cover_bent(outlines, pixel_size, muscle, hard, membership, area):
    """Fill membership and area of ellipses that are bent and split, as :func:`cover` does.

    With u and v along and across an ellipse, in units of its semi-axes: it is split by moving both
    halves apart, to ``|u| - gap``, and bent by moving each place across, by ``bend (u^2 - 1/4)``.
    Neither changes its area or its centre of mass: 1/4 is the mean of u^2.

    Parameters
    ----------
    outlines : float64 array of shape (unit, 7)
        As for :func:`cover`; bend, in shorter semi-axes, and half the gap, in longer ones.
    pixel_size, muscle, hard, membership, area
        See :func:`cover`.
    """
    units, rows, columns = membership.shape
    dz, dx = pixel_size
    half_diagonal = 0.5 * math.sqrt(dz * dz + dx * dx)
    for unit in range(units):
        cz, cx, a, b, angle, bend, gap = outlines[unit]
        cosine, sine = math.cos(angle), math.sin(angle)
        outline = (cz, cx, a, b, cosine, sine, bend, gap)
        along, across = a * (1.0 + gap), b * (1.0 + abs(bend))  # of a box about it
        reach_z = abs(along * cosine) + abs(across * sine)
        reach_x = abs(along * sine) + abs(across * cosine)
        first_row = max(0, math.floor((cz - reach_z) / dz))
        last_row = min(rows, math.floor((cz + reach_z) / dz) + 1)
        first_column = max(0, math.floor((cx - reach_x) / dx))
        last_column = min(columns, math.floor((cx + reach_x) / dx) + 1)
        # Normalised distance changes by at most this much within half a pixel's diagonal.
        margin = half_diagonal * math.hypot(1.0 / a, 1.0 / b + 4.0 * abs(bend) / a)
        total = 0.0
        for row in range(first_row, last_row):
            z = (row + 0.5) * dz
            for column in range(first_column, last_column):
                x = (column + 0.5) * dx
                u = abs((z - cz) * cosine + (x - cx) * sine) / a - gap
                v = ((x - cx) * cosine - (z - cz) * sine) / b - bend * (u * u - 0.25)
                distance = math.sqrt(u * u + v * v)
                inside_muscle = (
                    z - 0.5 * dz >= muscle[0]
                    and z + 0.5 * dz <= muscle[1]
                    and x - 0.5 * dx >= muscle[2]
                    and x + 0.5 * dx <= muscle[3]
                )
                off_the_gap = gap == 0.0 or u * a > half_diagonal
                if u <= 2.0 and distance >= 1.0 + margin:
                    share = 0.0
                elif distance <= 1.0 - margin and inside_muscle and off_the_gap:
                    share = 1.0
                else:
                    count = 0
                    for i in range(SUBSAMPLES):
                        sz = (row + (i + 0.5) / SUBSAMPLES) * dz
                        for j in range(SUBSAMPLES):
                            sx = (column + (j + 0.5) / SUBSAMPLES) * dx
                            if (
                                muscle[0] <= sz <= muscle[1]
                                and muscle[2] <= sx <= muscle[3]
                                and _lies_inside(outline, sz, sx)
                            ):
                                count += 1
                    share = count / (SUBSAMPLES * SUBSAMPLES)
                total += share
                if hard:
                    belongs = (
                        muscle[0] <= z <= muscle[1]
                        and muscle[2] <= x <= muscle[3]
                        and _lies_inside(outline, z, x)
                    )
                    share = 1.0 if belongs else 0.0
                membership[unit, row, column] = np.float32(share)
        area[unit] = total * dz * dx


@kernel
def boxes_of(membership):
    """Return first row, row after the last, first column, column after the last of each unit.

    Parameters
    ----------
    membership : float32 array of shape (unit, depth, width)

    Returns
    -------
    int64 array of shape (unit, 4)
        Beyond these a unit has no pixels; all are 0 where it has none.
    """
    units, _, columns = membership.shape
    boxes = np.zeros((units, 4), np.int64)
    of_columns = np.empty(columns, np.int32)
    for unit in range(units):
        of_columns[:] = 0
        last = _gather_bits(membership[unit], of_columns, boxes[unit])
        if last == 0:
            continue
        first, last = 0, columns
        while of_columns[first] == 0:
            first += 1
        while of_columns[last - 1] == 0:
            last -= 1
        boxes[unit, 2] = first
        boxes[unit, 3] = last
    return boxes


@kernel
def _gather_bits(territory, of_columns, box):
    """Gather the bits, but for signs, of a territory's columns, and fill first and last row.

    Most rows have nothing, and are passed over as vectors. Returns the row after the last, or 0.
    """
    rows, columns = territory.shape
    for row in range(rows):
        bits = np.int32(0)
        for column in range(columns):
            bits |= bits_of_float32(territory[row, column])
        if bits & WITHOUT_SIGN == 0:
            continue
        if box[1] == 0:
            box[0] = row
        box[1] = row + 1
        for column in range(columns):
            of_columns[column] |= bits_of_float32(territory[row, column]) & WITHOUT_SIGN
    return box[1]


@kernel
def shared_with_others(membership, boxes, overlap):
    """Fill the share of each unit's membership that lies in pixels where other units are too.

    Parameters
    ----------
    membership : float32 array of shape (unit, depth, width)
    boxes : int64 array of shape (unit, 4)
        See :func:`boxes_of`.
    overlap : float64 array of shape (unit,), changed in place
    """
    units, rows, columns = membership.shape
    crowd = np.zeros((rows, columns), np.int32)
    for unit in range(units):
        first_row, last_row, first_column, last_column = boxes[unit]
        for row in range(first_row, last_row):
            for column in range(first_column, last_column):
                crowd[row, column] += membership[unit, row, column] > 0
    for unit in range(units):
        first_row, last_row, first_column, last_column = boxes[unit]
        total = 0.0
        shared = 0.0
        for row in range(first_row, last_row):
            for column in range(first_column, last_column):
                weight = membership[unit, row, column]
                if weight > 0:
                    total += weight
                    if crowd[row, column] > 1:
                        shared += weight
        overlap[unit] = shared / total if total > 0 else 0.0
