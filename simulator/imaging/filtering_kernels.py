"""Loops of :mod:`musim.simulator.imaging.filtering`."""

import numpy as np

from ..acceleration import kernel
from ..vectors import LANES, load, store, where_less

TILE = 512
"""Pixels that are filtered together: their states stay in the nearest cache."""


CHUNK = 8 * LANES
"""Columns of an image whose medians are looked for together, for the same reason."""


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
def add_moments(frames, time, moments):
    """Add frames to what a line is fitted by, one after the other.

    Parameters
    ----------
    frames : float32 array of shape (frame, pixel)
    time : float
        Of the first of them, frames.
    moments : float64 array of shape (2, pixel), changed
        Sums of the values, and of the values times their time.
    """
    count, pixels = frames.shape
    for number in range(count):
        for pixel in range(pixels):
            value = np.float64(frames[number, pixel])
            moments[0, pixel] += value
            moments[1, pixel] += (time + number) * value


@kernel
def compare(lines, starts, steps, first, last):
    """Take some columns of rows through comparators.

    Parameters
    ----------
    lines : float32 array of any shape, changed
    starts : int64 array of shape (place,)
        Where in `lines` the row of each place begins.
    steps : int64 array of shape (step, 4)
        See ``median_network.MedianSteps``.
    first, last : int
        Columns, whole vectors.
    """
    for step in range(len(steps)):
        a, b = starts[steps[step, 0]], starts[steps[step, 1]]
        lesser, greater = steps[step, 2], steps[step, 3]
        if greater < 0:
            low = starts[lesser]
            for x in range(first, last, LANES):
                one, two = load(lines, a + x), load(lines, b + x)
                store(lines, low + x, where_less(one, two, one, two))
        elif lesser < 0:
            high = starts[greater]
            for x in range(first, last, LANES):
                one, two = load(lines, a + x), load(lines, b + x)
                store(lines, high + x, where_less(one, two, two, one))
        else:
            low, high = starts[lesser], starts[greater]
            for x in range(first, last, LANES):
                one, two = load(lines, a + x), load(lines, b + x)
                store(lines, low + x, where_less(one, two, one, two))
                store(lines, high + x, where_less(one, two, two, one))


@kernel
def median_frames(frames, rows, columns, places, sorting, merging, middle, count, out):
    """Take the median of the window about each pixel, rows of pixels at a time.

    Parameters
    ----------
    frames : float32 array of shape (frame, depth, width)
    rows, columns : int
        Size of the window, odd.
    places, sorting, merging, middle
        See ``median_network.MedianSteps``.
    count : int
        Rows to work in.
    out : float32 array of shape (frame, depth, width), filled
    """
    depths, widths = frames.shape[1:]
    left = columns // 2
    padded = (widths + LANES - 1) // LANES * LANES
    length = (widths + columns - 1 + LANES - 1) // LANES * LANES
    # Whole vectors are read beside the last column too.
    stride = max(length, padded + columns - 1)
    # The image, its edges continued, and after it the rows to work in.
    lines = np.zeros((depths + count, stride), np.float32)
    starts = np.empty(len(places), np.int64)
    for frame in range(len(frames)):
        for z in range(depths):
            for x in range(left):
                lines[z, x] = frames[frame, z, 0]
                lines[z, left + widths + x] = frames[frame, z, widths - 1]
            for x in range(widths):
                lines[z, left + x] = frames[frame, z, x]
        for z in range(depths):
            for place in range(len(places)):
                row, column = places[place]
                if row < rows:
                    line = min(max(z + row - rows // 2, 0), depths - 1)
                else:
                    line = depths + row - rows
                starts[place] = line * stride + column
            for first in range(0, length, CHUNK):
                compare(lines, starts, sorting, first, min(first + CHUNK, length))
            for first in range(0, padded, CHUNK):
                compare(lines, starts, merging, first, min(first + CHUNK, padded))
            row, column = divmod(starts[middle], stride)
            for x in range(widths):
                out[frame, z, x] = lines[row, column + x]
