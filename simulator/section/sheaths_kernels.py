"""Loops of :mod:`musim.simulator.section.sheaths`."""

import numpy as np

from ..acceleration import kernel


@kernel
def lay_sheaths(first, course, echo, width, table):
    """Add sheaths to a table of echoes over fascicle number and length.

    Parameters
    ----------
    first : float64 array of shape (sheath,)
        Number of each sheath, in rows of the table.
    course : float64 array of shape (sheath, step)
        What is added to it along its length, in rows.
    echo : float64 array of shape (2, sheath, step)
        Real and imaginary part.
    width : float
        SD of a sheath's profile, in rows.
    table : float32 array of shape (2, row, step), changed
    """
    rows = table.shape[1]
    reach = int(np.ceil(3 * width))
    for sheath in range(len(first)):
        for step in range(table.shape[2]):
            place = first[sheath] + course[sheath, step]
            middle = int(np.floor(place + 0.5))
            for row in range(max(middle - reach, 0), min(middle + reach + 1, rows)):
                weight = np.exp(-(((row - place) / width) ** 2) / 2)
                table[0, row, step] += weight * echo[0, sheath, step]
                table[1, row, step] += weight * echo[1, sheath, step]


@kernel
def look_up(table, row, step, out):
    """Read a table between its points, linearly.

    Parameters
    ----------
    table : float32 array of shape (2, row, step)
    row, step : float64 arrays of shape (place,)
    out : float32 array of shape (2, place), filled
        Zero beyond the table.
    """
    rows, steps = table.shape[1:]
    for place in range(len(row)):
        low, first = int(np.floor(row[place])), int(np.floor(step[place]))
        if low < 0 or first < 0 or low + 1 >= rows or first + 1 >= steps:
            out[0, place] = 0
            out[1, place] = 0
            continue
        down, along = row[place] - low, step[place] - first
        for part in range(2):
            upper = table[part, low, first] * (1 - along) + table[part, low, first + 1] * along
            lower = (
                table[part, low + 1, first] * (1 - along) + table[part, low + 1, first + 1] * along
            )
            out[part, place] = upper * (1 - down) + lower * down
