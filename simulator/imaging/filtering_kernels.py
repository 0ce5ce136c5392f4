"""Loops of :mod:`musim.simulator.imaging.filtering`."""

import numpy as np

from ..acceleration import kernel

TILE = 512
"""Pixels that are filtered together: their states stay in the nearest cache."""


@kernel
def filter_frames(frames, sections, state, reverse):
    """Filter each pixel along time in place, in float64, by second-order sections.

    Parameters
    ----------
    frames : float32 array of shape (frame, pixel), changed
    sections : float64 array of shape (section, 6)
        b0, b1, b2, 1, a1, a2 of each.
    state : float64 array of shape (section, 2, pixel), changed
        Transposed direct form II: what the filter remembers.
    reverse : bool
        Whether time runs backwards.
    """
    count, pixels = frames.shape
    signal = np.empty(TILE)
    memory = np.empty((len(sections), 2, TILE))
    for first in range(0, pixels, TILE):
        size = min(TILE, pixels - first)
        memory[:, :, :size] = state[:, :, first : first + size]
        for step in range(count):
            frame = frames[count - 1 - step if reverse else step, first : first + size]
            for i in range(size):
                signal[i] = frame[i]
            for section in range(len(sections)):
                b0, b1, b2, _, a1, a2 = sections[section]
                one = memory[section, 0]
                two = memory[section, 1]
                for i in range(size):
                    x = signal[i]
                    y = b0 * x + one[i]
                    one[i] = b1 * x - a1 * y + two[i]
                    two[i] = b2 * x - a2 * y
                    signal[i] = y
            for i in range(size):
                frame[i] = signal[i]
        state[:, :, first : first + size] = memory[:, :, :size]


@kernel
def median_frames(frames, rows, columns, sorting, merging, middle, out):
    """Take the median of the window about each pixel, rows of pixels at a time.

    Parameters
    ----------
    frames : float32 array of shape (frame, depth, width)
    rows, columns : int
        Size of the window, odd.
    sorting, merging, middle
        See ``median_network``.
    out : float32 array of shape (frame, depth, width), filled
    """
    count, depths, widths = frames.shape
    above = rows // 2
    left = columns // 2
    padded = np.empty((rows, widths + columns - 1), np.float32)
    wires = np.empty((rows * columns, widths), np.float32)
    for frame in range(count):
        for z in range(depths):
            for row in range(rows):
                source = frames[frame, min(max(z + row - above, 0), depths - 1)]
                target = padded[row]
                for x in range(left):
                    target[x] = source[0]
                    target[left + widths + x] = source[widths - 1]
                for x in range(widths):
                    target[left + x] = source[x]
            for step in range(len(sorting)):
                low = padded[sorting[step, 0]]
                high = padded[sorting[step, 1]]
                for x in range(low.size):
                    a = low[x]
                    b = high[x]
                    low[x] = a if a < b else b
                    high[x] = b if a < b else a
            for column in range(columns):
                for row in range(rows):
                    target = wires[column * rows + row]
                    source = padded[row]
                    for x in range(widths):
                        target[x] = source[x + column]
            for step in range(len(merging)):
                low = wires[merging[step, 0]]
                high = wires[merging[step, 1]]
                for x in range(widths):
                    a = low[x]
                    b = high[x]
                    low[x] = a if a < b else b
                    high[x] = b if a < b else a
            out[frame, z] = wires[middle]
