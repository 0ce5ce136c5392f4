"""Loops of :mod:`musim.simulator.territory`: how much of each pixel a territory covers."""

import math

import numpy as np

from .acceleration import kernel

SUBSAMPLES = 8
"""A pixel that an outline crosses is sampled at this many points a side."""


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
        total = 0.0
        for row in range(first_row, last_row):
            z = (row + 0.5) * dz
            for column in range(first_column, last_column):
                x = (column + 0.5) * dx
                u = ((z - cz) * cosine + (x - cx) * sine) / a
                v = ((x - cx) * cosine - (z - cz) * sine) / b
                distance = math.sqrt(u * u + v * v)
                inside_muscle = (
                    z - 0.5 * dz >= muscle[0]
                    and z + 0.5 * dz <= muscle[1]
                    and x - 0.5 * dx >= muscle[2]
                    and x + 0.5 * dx <= muscle[3]
                )
                if distance >= 1.0 + margin or (hard and whole):
                    share = 0.0
                elif distance <= 1.0 - margin and inside_muscle:
                    share = 1.0
                else:
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
                    share = count * share_of_subsample
                total += share
                if hard:
                    centre_in_muscle = muscle[0] <= z <= muscle[1] and muscle[2] <= x <= muscle[3]
                    share = 1.0 if distance <= 1.0 and centre_in_muscle else 0.0
                membership[unit, row, column] = np.float32(share)
        area[unit] = math.pi * a * b if whole else total * dz * dx


@kernel
def shared_with_others(membership, overlap):
    """Fill the share of each unit's membership that lies in pixels where other units are too.

    Parameters
    ----------
    membership : float32 array of shape (unit, depth, width)
    overlap : float64 array of shape (unit,), changed in place
    """
    units, rows, columns = membership.shape
    crowd = np.zeros((rows, columns), np.int32)
    for unit in range(units):
        for row in range(rows):
            for column in range(columns):
                if membership[unit, row, column] > 0:
                    crowd[row, column] += 1
    for unit in range(units):
        total = 0.0
        shared = 0.0
        for row in range(rows):
            for column in range(columns):
                weight = membership[unit, row, column]
                if weight > 0:
                    total += weight
                    if crowd[row, column] > 1:
                        shared += weight
        overlap[unit] = shared / total if total > 0 else 0.0
