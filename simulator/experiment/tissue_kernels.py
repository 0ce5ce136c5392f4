"""Loops of :mod:`musim.simulator.experiment.tissue`."""

import numpy as np

from ..acceleration import kernel

NEIGHBOURS = 2
"""Rows and columns each way in which a place's nearest point is looked for. A place of a hexagonal
grid has a point within 0.58 of its side; moved by up to 0.35 each way, the nearest one lies within
1.1, and belongs on the grid at most 1.6 away: less than two rows and a half, or columns."""


@kernel
def nearest_points(points, height, side, depth, width, cells):
    """Find the nearest point to each place of a grid.

    Parameters
    ----------
    points : float64 array of shape (row, column, 2)
        Depth and width of each, mm: a hexagonal grid that is shaken, its rows from -1 on, odd rows
        half a side to the right.
    height, side : float
        Distance of its rows, and of two points of a row, mm.
    depth, width : float64 arrays
        Places, mm.
    cells : int64 array of shape (depth, width), filled
        Number of the nearest point, counted along rows.
    """
    rows, columns = points.shape[:2]
    for i in range(len(depth)):
        row = int(np.floor(depth[i] / height + 0.5)) + 1
        for j in range(len(width)):
            best = np.inf
            for r in range(max(row - NEIGHBOURS, 0), min(row + NEIGHBOURS + 1, rows)):
                offset = 0.5 if (r - 1) % 2 else 0.0
                column = int(np.floor(width[j] / side - offset + 0.5)) + 1
                first = max(column - NEIGHBOURS, 0)
                for c in range(first, min(column + NEIGHBOURS + 1, columns)):
                    dz = points[r, c, 0] - depth[i]
                    dx = points[r, c, 1] - width[j]
                    square = dz * dz + dx * dx
                    if square < best:
                        best = square
                        cells[i, j] = r * columns + c
