"""One-to-one assignment: as many pairs as can be, and of those the worthiest."""

import numpy as np
from numpy.typing import NDArray


def assign(
    worth: NDArray[np.float64], allowed: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pair rows with columns, each at most once: most pairs, then the largest sum of worth.

    Parameters
    ----------
    worth : float64 array of shape (row, column)
        0..1, such as IoU or the size of a correlation.
    allowed : bool array of shape (row, column)
        Which may be pairs.

    Returns
    -------
    rows, columns : int64 arrays of shape (pair,)
        By rising row.
    """
    from .assignment_kernels import columns_of_least_cost

    if not worth.size:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    # One more pair outweighs any sum of worth, which is at most the number of pairs.
    weight = np.where(allowed, worth + min(worth.shape) + 1.0, 0.0)
    is_tall = weight.shape[0] > weight.shape[1]
    few = np.ascontiguousarray(-weight.T if is_tall else -weight, np.float64)
    columns = columns_of_least_cost(few)
    rows = np.arange(len(few))
    if is_tall:
        order = np.argsort(columns)
        rows, columns = columns[order], order
    paired = allowed[rows, columns]
    return rows[paired].astype(np.int64), columns[paired].astype(np.int64)
