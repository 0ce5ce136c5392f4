"""Linear interpolation of images, one axis after the other."""

import numpy as np
from numpy.typing import NDArray


def linear_weights(places: NDArray[np.floating], count: int) -> NDArray[np.float64]:
    """Return the weights of values for places between them, float64 (place, value).

    Parameters
    ----------
    places : float array of shape (place,)
        0 at the first value's, ``count - 1`` at the last one's; beyond, these are all there is.
    count : int
        Of values.
    """
    held = np.clip(places, 0, count - 1)
    low = np.minimum(held.astype(int), max(count - 2, 0))
    weights = np.zeros((len(held), count))
    rows = np.arange(len(held))
    weights[rows, low] += 1 - (held - low)
    weights[rows, np.minimum(low + 1, count - 1)] += held - low
    return weights
