"""Loops of :mod:`musim.simulator.imaging.resampling`."""

import numpy as np

from ..acceleration import kernel
from ..vectors import LANES, load, store

ZERO = np.float32(0)

GROUP = 4 * LANES
"""Pixels whose sums are in registers together."""

TILE = 8 * GROUP
"""Pixels whose inputs are laid side by side: read from memory in runs, and kept in the cache."""


@kernel
def add_taps(tile, column, start, weights, begin, end, out, place):
    """Add weighted rows of a tile to a group of pixels.

    Parameters
    ----------
    tile : float32 array of shape (input, pixel)
    column : int
        The group's first pixel.
    start : int
        Input of the first tap.
    weights : float32 array of shape (tap,)
    begin, end : int
        The first tap, and that after the last one.
    out : float32 array of any shape, changed
    place : int
        Where in it the group begins.
    """
    inputs, stride = tile.shape
    a, b = load(out, place), load(out, place + LANES)
    c, d = load(out, place + 2 * LANES), load(out, place + 3 * LANES)
    for tap in range(begin, end):
        weight = weights[tap]
        if weight == 0:
            continue
        row = min(max(start + tap, 0), inputs - 1) * stride + column
        a = a + weight * load(tile, row)
        b = b + weight * load(tile, row + LANES)
        c = c + weight * load(tile, row + 2 * LANES)
        d = d + weight * load(tile, row + 3 * LANES)
    store(out, place, a)
    store(out, place + LANES, b)
    store(out, place + 2 * LANES, c)
    store(out, place + 3 * LANES, d)


@kernel
def add_resampled(values, starts, weights, begins, ends, out):
    """Add weighted inputs along the first axis, each output's in the order of its taps.

    Parameters
    ----------
    values : float32 array of shape (input, pixel)
        What lies before the first input is it, and what lies after the last one that.
    starts : int64 array of shape (output,)
        First input of each output.
    weights : float32 array of shape (output, tap)
    begins, ends : int64 arrays of shape (output,)
        First tap of each output, and that after the last one.
    out : float32 array of shape (output, pixel), changed
    """
    inputs, pixels = values.shape
    # Inputs may be a power of two apart, and would push one another out of the cache; here they
    # are not. What is beyond the last pixel is whatever was there, and is not used.
    stride = min(TILE, (pixels + GROUP - 1) // GROUP * GROUP) + LANES
    tile = np.empty((inputs, stride), np.float32)
    sums = np.zeros(GROUP, np.float32)
    for left in range(0, pixels, TILE):
        size = min(TILE, pixels - left)
        for row in range(inputs):
            for x in range(size):
                tile[row, x] = values[row, left + x]
        for i in range(len(starts)):
            start, begin, end = starts[i], begins[i], ends[i]
            if begin >= end:
                continue
            whole = size // GROUP * GROUP
            for x in range(0, whole, GROUP):
                add_taps(tile, x, start, weights[i], begin, end, out, i * pixels + left + x)
            for x in range(whole, size):
                sums[x - whole] = out[i, left + x]
            if whole < size:
                add_taps(tile, whole, start, weights[i], begin, end, sums, 0)
            for x in range(whole, size):
                out[i, left + x] = sums[x - whole]


@kernel
def resample(values, starts, weights, out):
    """Sum weighted inputs along the first axis.

    Parameters
    ----------
    values, starts, weights
        See :func:`add_resampled`.
    out : float32 array of shape (output, pixel), filled
    """
    begins = np.zeros(len(starts), np.int64)
    out[:] = ZERO
    add_resampled(values, starts, weights, begins, begins + weights.shape[1], out)


@kernel
def resample_planes(frames, depth_starts, depth_weights, width_starts, width_weights, out):
    """Resample each frame along depth, then along width.

    Parameters
    ----------
    frames : float32 array of shape (frame, depth, width)
    depth_starts, width_starts : int64 arrays of shape (output,)
    depth_weights, width_weights : float32 arrays of shape (output, tap)
    out : float32 array of shape (frame, new depth, new width), filled
    """
    widths = frames.shape[2]
    new_depths, new_widths = out.shape[1:]
    columns = np.empty((widths, new_depths), np.float32)
    rows = np.empty((new_depths, widths), np.float32)
    turned = np.empty((new_widths, new_depths), np.float32)
    for frame in range(len(frames)):
        resample(frames[frame], depth_starts, depth_weights, rows)
        for z in range(new_depths):
            for x in range(widths):
                columns[x, z] = rows[z, x]
        resample(columns, width_starts, width_weights, turned)
        for z in range(new_depths):
            for x in range(new_widths):
                out[frame, z, x] = turned[x, z]
