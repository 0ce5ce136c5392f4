"""Loops of :mod:`musim.simulator.imaging.resampling`."""

import numpy as np

from ..acceleration import kernel

TILE = 1024
"""Pixels whose frames stay in the cache while each output is summed from them."""


@kernel
def resample(values, starts, weights, low, high, out):
    """Sum weighted inputs along the first axis.

    Parameters
    ----------
    values : float32 array of shape (input, pixel)
    starts : int64 array of shape (output,)
        First input of each output.
    weights : float32 array of shape (output, tap)
    low, high : int
        First and last input that there is: those beyond are replaced by them. Inputs that are
        there but not in `values` must not be asked for.
    out : float32 array of shape (output, pixel), filled
    """
    pixels = values.shape[1]
    for first in range(0, pixels, TILE):
        last = min(first + TILE, pixels)
        for i in range(len(starts)):
            total = out[i, first:last]
            total[:] = np.float32(0)
            for tap in range(weights.shape[1]):
                weight = weights[i, tap]
                if weight == 0:
                    continue
                source = values[min(max(starts[i] + tap, low), high), first:last]
                for x in range(total.size):
                    total[x] += weight * source[x]


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
    depths, widths = frames.shape[1:]
    new_depths, new_widths = out.shape[1:]
    columns = np.empty((widths, new_depths), np.float32)
    rows = np.empty((new_depths, widths), np.float32)
    turned = np.empty((new_widths, new_depths), np.float32)
    for frame in range(len(frames)):
        resample(frames[frame], depth_starts, depth_weights, 0, depths - 1, rows)
        for z in range(new_depths):
            for x in range(widths):
                columns[x, z] = rows[z, x]
        resample(columns, width_starts, width_weights, 0, widths - 1, turned)
        for z in range(new_depths):
            for x in range(new_widths):
                out[frame, z, x] = turned[x, z]
