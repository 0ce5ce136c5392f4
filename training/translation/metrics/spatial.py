"""Spatial likeness of sequences, for all pairs at once: histograms and K-spaces of their maps."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....simulator.errors import InputError

LUMINANCE, CONTRAST = 0.01, 0.03
"""Constants K1 and K2 of structural similarity (Wang et al. 2004, doi:10.1109/TIP.2003.819861)."""


def bhattacharyya(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distances sqrt(1 - sum sqrt(p q)) of all pairs of histograms: 0 alike, 1 apart.

    The form in which OpenCV's ``compareHist`` has it (HISTCMP_BHATTACHARYYA), which others call
    Hellinger's distance.

    Parameters
    ----------
    first, second : float64 arrays of shape (first, bin) and (second, bin)
        Shares, which add up to 1.

    Returns
    -------
    float64 array of shape (first, second)
    """
    return np.sqrt(np.maximum(1 - np.sqrt(first) @ np.sqrt(second).T, 0.0))


def correlations(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Pearson's correlation of all pairs of rows; 0 where one of them is constant.

    Of histograms it is OpenCV's HISTCMP_CORREL.

    Parameters
    ----------
    first, second : float64 arrays of shape (first, value) and (second, value)

    Returns
    -------
    float64 array of shape (first, second)
    """
    return np.clip(_unit_rows(first) @ _unit_rows(second).T, -1.0, 1.0)


def _unit_rows(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = rows - rows.mean(axis=1, keepdims=True)
    centred[np.ptp(rows, axis=1) == 0] = 0  # exactly: the mean's rounding would leave a pattern
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    return centred / np.where(length > 0, length, 1.0)


def structural_similarities(
    first: NDArray[np.float64], second: NDArray[np.float64], window: int
) -> NDArray[np.float64]:
    """Return the mean structural similarity of all pairs of images with values from 0 to 1.

    Means, variances and covariances are those of whole windows, each of whose points counts the
    same (n, not n - 1); the mean runs over all windows inside the image (Wang et al. 2004,
    doi:10.1109/TIP.2003.819861, with a square window in the place of their Gaussian one).

    Parameters
    ----------
    first, second : float64 arrays of shape (first, depth, width) and (second, depth, width)
    window : int
        Side of the windows, points, odd.

    Returns
    -------
    float64 array of shape (first, second)

    Raises
    ------
    InputError
        If images are smaller than a window.
    """
    if min(*first.shape[1:], *second.shape[1:]) < window:
        raise InputError(
            f"K-space: found {first.shape[1]} x {first.shape[2]} points, wanted windows of "
            f"{window} x {window} to fit in; take images of {2 * window + 2} px or more"
        )
    (mean_a, power_a), (mean_b, power_b) = (
        (window_mean(images, window), window_mean(images**2, window)) for images in (first, second)
    )
    variance_a, variance_b = power_a - mean_a**2, power_b - mean_b**2
    found = np.empty((len(first), len(second)))
    for row, (image, mean, variance) in enumerate(zip(first, mean_a, variance_a, strict=True)):
        product = mean * mean_b
        covariance = window_mean(image * second, window) - product
        luminance = (2 * product + LUMINANCE**2) / (mean**2 + mean_b**2 + LUMINANCE**2)
        rest = (2 * covariance + CONTRAST**2) / (variance + variance_b + CONTRAST**2)
        found[row] = (luminance * rest).mean(axis=(1, 2))
    return found


def window_mean(images: NDArray[Any], window: int) -> NDArray[np.float64]:
    """Return the means of all windows that lie inside images.

    Parameters
    ----------
    images : array of shape (..., depth, width)
    window : int
        Side, points.

    Returns
    -------
    float64 array of shape (..., depth - window + 1, width - window + 1)
    """
    # Added up in the same order everywhere, not as a running total, whose rounding grows.
    rows, columns = (side - window + 1 for side in images.shape[-2:])
    total = images[..., :rows, :].astype(np.float64)
    for shift in range(1, window):
        total += images[..., shift : shift + rows, :]
    found = total[..., :columns].copy()
    for shift in range(1, window):
        found += total[..., shift : shift + columns]
    return found / window**2
