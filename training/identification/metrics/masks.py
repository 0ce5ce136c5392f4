"""Pixels that masks share, and the check that masks are masks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....simulator.errors import InputError


def check_masks(
    predicted: NDArray[Any], true: NDArray[Any]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return both if they are masks of one image.

    Parameters
    ----------
    predicted : bool array of shape (prediction, depth, width)
    true : bool array of shape (unit, depth, width)

    Returns
    -------
    predicted, true : bool arrays

    Raises
    ------
    InputError
        If they are not bool, not of three dimensions, or not of the same depth and width.
    """
    for name, masks in (("predicted masks", predicted), ("true masks", true)):
        if not isinstance(masks, np.ndarray) or masks.dtype != np.bool_ or masks.ndim != 3:
            shape, dtype = np.shape(masks), getattr(masks, "dtype", type(masks).__name__)
            raise InputError(
                f"{name}: found {dtype} of shape {shape}, wanted bool of shape (unit, depth, "
                "width); compare memberships with a threshold, such as 0.5"
            )
    if predicted.shape[1:] != true.shape[1:]:
        raise InputError(
            f"predicted masks: found {predicted.shape[1:]} pixels, wanted the true masks' "
            f"{true.shape[1:]}; bring both onto one grid"
        )
    return predicted, true


def shared_pixels(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return how many pixels each mask of one set shares with each of another.

    Parameters
    ----------
    first : bool array of shape (first, depth, width)
    second : bool array of shape (second, depth, width)

    Returns
    -------
    float64 array of shape (first, second)
        Whole numbers: sums of ones are exact in float64, in any order.
    """
    pixels = first.shape[1] * first.shape[2]
    one = first.reshape(len(first), pixels).astype(np.float64)
    other = second.reshape(len(second), pixels).astype(np.float64)
    return one @ other.T


def areas(masks: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the pixels of each mask, float64 of shape (unit,)."""
    return np.count_nonzero(masks, axis=(1, 2)).astype(np.float64)
