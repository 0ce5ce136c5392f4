"""Loops of :mod:`.assignment`: the assignment of least cost, by shortest augmenting paths."""

import numpy as np

from ....simulator.acceleration import kernel


@kernel
def augment(row, cost, row_price, column_price, row_of, path, reached, in_rows, in_columns):
    """Find the cheapest path from a row to a column that has none; return the column and its cost.

    `path` is filled with the row before each column, `reached` with what it costs to get there,
    `in_rows` and `in_columns` with what the search has been through.
    """
    columns = cost.shape[1]
    # From the last on, so that of equal costs the first columns go to the first rows.
    remaining = np.arange(columns)[::-1].copy()
    left = columns
    reached[:] = np.inf
    in_rows[:] = False
    in_columns[:] = False
    so_far = 0.0
    while True:
        in_rows[row] = True
        least, chosen = np.inf, -1
        for place in range(left):
            column = remaining[place]
            price = so_far + cost[row, column] - row_price[row] - column_price[column]
            if price < reached[column]:
                path[column] = row
                reached[column] = price
            # Of equals one that ends the path.
            if reached[column] < least or (reached[column] == least and row_of[column] == -1):
                least, chosen = reached[column], place
        so_far = least
        column = remaining[chosen]
        in_columns[column] = True
        if row_of[column] == -1:
            return column, so_far
        row = row_of[column]
        left -= 1
        remaining[chosen] = remaining[left]


@kernel
def columns_of_least_cost(cost):
    """Return the column of each row in the assignment of least cost.

    D. F. Crouse, "On implementing 2D rectangular assignment algorithms", IEEE Transactions on
    Aerospace and Electronic Systems 52 (2016), doi:10.1109/TAES.2016.140952; equals are broken as
    ``scipy.optimize.linear_sum_assignment`` breaks them, whose import takes longer than all else
    that scores a recording.

    Parameters
    ----------
    cost : float64 array of shape (row, column)
        Finite; no more rows than columns.

    Returns
    -------
    int64 array of shape (row,)
    """
    rows, columns = cost.shape
    row_price, column_price = np.zeros(rows), np.zeros(columns)
    column_of, row_of = np.full(rows, -1), np.full(columns, -1)
    path, reached = np.full(columns, -1), np.empty(columns)
    in_rows, in_columns = np.empty(rows, np.bool_), np.empty(columns, np.bool_)
    for new in range(rows):
        column, total = augment(
            new, cost, row_price, column_price, row_of, path, reached, in_rows, in_columns
        )
        row_price[new] += total
        for row in range(rows):
            if in_rows[row] and row != new:
                row_price[row] += total - reached[column_of[row]]
        for each in range(columns):
            if in_columns[each]:
                column_price[each] -= total - reached[each]
        while True:
            row = path[column]
            row_of[column] = row
            column_of[row], column = column, column_of[row]
            if row == new:
                break
    return column_of
