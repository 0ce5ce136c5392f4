"""Loops of :mod:`musim.simulator.experiment.axial`."""

import numpy as np

from ..acceleration import kernel

ROUNDING = 2.0**-53
"""Share of an aponeurosis below which a depth moves as if there were none."""


@kernel
def square_distances(territory, depth_step, width_step, out):
    """Find the squared distance of each point to the nearest point of a territory.

    Parameters
    ----------
    territory : float32 array of shape (depth, width)
        Its points are those above 0.5; there is one at least.
    depth_step, width_step : float
        Of the grid, mm.
    out : float64 array of shape (depth, width), filled
        mm^2.
    """
    rows, columns = territory.shape
    # Along depth first: points to the nearest one above or below, by a pass each way.
    apart = np.full((rows, columns), np.inf)
    for z in range(rows):
        for x in range(columns):
            if territory[z, x] > np.float32(0.5):
                apart[z, x] = 0.0
            elif z > 0:
                apart[z, x] = apart[z - 1, x] + 1
    for z in range(rows - 2, -1, -1):
        for x in range(columns):
            apart[z, x] = min(apart[z, x], apart[z + 1, x] + 1)
    aside = np.empty(2 * columns - 1)
    for x in range(len(aside)):
        aside[x] = ((x - columns + 1) * width_step) ** 2
    out[:] = np.inf
    for source in range(columns):
        if apart[0, source] == np.inf:
            continue
        squares = aside[columns - 1 - source : 2 * columns - 1 - source]
        for z in range(rows):
            along = (apart[z, source] * depth_step) ** 2
            nearest = out[z]
            for x in range(columns):
                square = along + squares[x]
                nearest[x] = square if square < nearest[x] else nearest[x]


@kernel
def fascicle_forces(source, squares, delay, damping, cells, gains, likeness, out):
    """Delay a unit's motion, and make it alike inside fascicles and unlike across their walls.

    Parameters
    ----------
    source : float64 array of shape (depth, width)
        The unit's motion, spread.
    squares : float64 array of shape (depth, width)
        Squared distance from the unit, mm^2; not looked at if there is one field alone.
    delay : float
        s/mm.
    damping : float
        SD of the smoothing in time over the delay.
    cells : int64 array of shape (depth, width)
        The fascicle of each point.
    gains : float64 array of shape (fascicle,)
    likeness : float
        How alike motion is inside a fascicle, 0..1.
    out : float64 array of shape (field, depth, width), filled
        One field, or three: of the motion and of its first two derivatives in time.
    """
    rows, columns = source.shape
    out[0] = source
    if len(out) > 1:
        for z in range(rows):
            for x in range(columns):
                time = delay * np.sqrt(squares[z, x])
                out[1, z, x] = -source[z, x] * time
                blurred = damping * time
                out[2, z, x] = source[z, x] * (time * time + blurred * blurred) / 2
    sizes = np.zeros(len(gains))
    for z in range(rows):
        for x in range(columns):
            sizes[cells[z, x]] += 1
    for field in out:
        sums = np.zeros(len(gains))
        for z in range(rows):
            for x in range(columns):
                sums[cells[z, x]] += field[z, x]
        for cell in range(len(gains)):
            sums[cell] *= likeness / max(sizes[cell], 1.0)
        for z in range(rows):
            for x in range(columns):
                cell = cells[z, x]
                field[z, x] = ((1 - likeness) * field[z, x] + sums[cell]) * gains[cell]


@kernel
def hold(fields, territory, sheet, follows, width):
    """Let the aponeurosis move as a sheet, hold skin and fat back, and scale fields by the first.

    Parameters
    ----------
    fields : float64 array of shape (field, depth, width), changed
    territory : float32 array of shape (depth, width)
    sheet, follows : float64 arrays of shape (depth,)
        How much of an aponeurosis each depth is, and which share of the motion it follows.
    width : int
        Points over which an aponeurosis moves alike.
    """
    rows, columns = territory.shape
    before = width // 2
    alike = np.empty(columns)
    for z in range(rows):
        for field in fields:
            row = field[z]
            if sheet[z] > ROUNDING:
                # A running mean, of the ends' values beyond the ends.
                total = 0.0
                for x in range(-before, width - before):
                    total += row[min(max(x, 0), columns - 1)]
                for x in range(columns):
                    alike[x] = total / width
                    total += row[min(x + width - before, columns - 1)] - row[max(x - before, 0)]
                for x in range(columns):
                    row[x] = (1 - sheet[z]) * row[x] + sheet[z] * alike[x]
            for x in range(columns):
                row[x] *= follows[z]
    total, mean = 0.0, 0.0
    for z in range(rows):
        for x in range(columns):
            total += territory[z, x] * territory[z, x] * follows[z]
            mean += territory[z, x] * fields[0, z, x]
    if total > 0 and mean > 0.05 * total:
        fields *= total / mean
