"""How near a generated image comes to the actual one.

The errors of Grant-Jacob et al. 2021 (doi:10.1088/2399-6528/ac24d8) as they are defined there, and
beside them what the same names usually mean.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError

LEVELS = 255.0
"""Dynamic range of images of 8 bits, in which all errors are told."""

LUMINANCE, CONTRAST = 0.01, 0.03
"""Constants K1 and K2 of structural similarity (Wang et al. 2004, doi:10.1109/TIP.2003.819861)."""

SIGMA, RADIUS = 1.5, 5
"""SD of the Gaussian window of structural similarity, and where it ends, px: 11 x 11 (ibid.)."""


def root_mean_square_error(actual: NDArray[Any], generated: NDArray[Any]) -> float:
    """Return the root of the mean squared difference of all pixels.

    Parameters
    ----------
    actual, generated : arrays of one shape

    Raises
    ------
    InputError
        If the shapes differ, or there are no pixels.
    """
    actual, generated = _checked(actual, generated)
    return math.sqrt(float(((generated - actual) ** 2).mean()))


def normalised_error(actual: NDArray[Any], generated: NDArray[Any]) -> float:
    """Return the NRMSE of Grant-Jacob et al. 2021: over the range of the actual image.

    The same as scikit-image's with ``normalization="min-max"``.

    Parameters
    ----------
    actual, generated : arrays of one shape

    Returns
    -------
    float
        0 where they are alike; NaN where the actual image is constant.

    Raises
    ------
    InputError
        If the shapes differ, or there are no pixels.
    """
    error = root_mean_square_error(actual, generated)
    extent = float(np.max(actual)) - float(np.min(actual))
    return error / extent if extent > 0 else math.nan


def relative_error(actual: NDArray[Any], generated: NDArray[Any]) -> float:
    """Return the NRMSE as it is usually meant: over the root mean square of the actual image.

    scikit-image's with ``normalization="euclidean"``.

    Parameters
    ----------
    actual, generated : arrays of one shape

    Returns
    -------
    float
        NaN where the actual image is 0 everywhere.

    Raises
    ------
    InputError
        If the shapes differ, or there are no pixels.
    """
    error = root_mean_square_error(actual, generated)
    size = math.sqrt(float((np.asarray(actual, np.float64) ** 2).mean()))
    return error / size if size > 0 else math.nan


def peak_ratio(actual: NDArray[Any], generated: NDArray[Any]) -> float:
    """Return the PSNR of Grant-Jacob et al. 2021: of the greatest value of both images.

    Parameters
    ----------
    actual, generated : arrays of one shape
        Of values of 0 and more.

    Returns
    -------
    float
        dB; infinite where they are alike.

    Raises
    ------
    InputError
        If the shapes differ, or there are no pixels.
    """
    return peak_ratio_of_range(
        actual, generated, max(float(np.max(actual)), float(np.max(generated)))
    )


def peak_ratio_of_range(
    actual: NDArray[Any], generated: NDArray[Any], extent: float = LEVELS
) -> float:
    """Return the PSNR as it is usually meant: of the range that values may have.

    Parameters
    ----------
    actual, generated : arrays of one shape
    extent : float
        Of what is between the lowest and the highest value that there can be.

    Returns
    -------
    float
        dB; infinite where they are alike.

    Raises
    ------
    InputError
        If the shapes differ, or there are no pixels.
    """
    error = root_mean_square_error(actual, generated)
    if error == 0:
        return math.inf
    return 20 * math.log10(extent / error) if extent > 0 else -math.inf


def global_similarity(
    actual: NDArray[Any], generated: NDArray[Any], extent: float = LEVELS
) -> float:
    """Return the SSIM of Grant-Jacob et al. 2021: of one window, which is the whole image.

    Variances and the covariance are of all pixels (n, not n - 1).

    Parameters
    ----------
    actual, generated : arrays of one shape
    extent : float
        L, the dynamic range of values.

    Returns
    -------
    float
        1 where they are alike.

    Raises
    ------
    InputError
        If the shapes differ, or there are no pixels.
    """
    actual, generated = _checked(actual, generated)
    mean_a, mean_g = float(actual.mean()), float(generated.mean())
    covariance = float(((actual - mean_a) * (generated - mean_g)).mean())
    first, second = (LUMINANCE * extent) ** 2, (CONTRAST * extent) ** 2
    luminance = (2 * mean_a * mean_g + first) / (mean_a**2 + mean_g**2 + first)
    variances = float(actual.var()) + float(generated.var())
    return luminance * (2 * covariance + second) / (variances + second)


def windowed_similarity(
    actual: NDArray[Any], generated: NDArray[Any], extent: float = LEVELS
) -> float:
    """Return the SSIM as it is usually meant: the mean over Gaussian windows of 11 x 11 px.

    As Wang et al. 2004 (doi:10.1109/TIP.2003.819861) define it, over all windows that lie inside
    the image; scikit-image's with ``gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False``.

    Parameters
    ----------
    actual, generated : arrays of shape (depth, width)
    extent : float
        L, the dynamic range of values.

    Returns
    -------
    float
        NaN where the image is smaller than a window.

    Raises
    ------
    InputError
        If the shapes differ, or there are no pixels.
    """
    from scipy.ndimage import gaussian_filter

    actual, generated = _checked(actual, generated)
    if min(actual.shape) <= 2 * RADIUS:
        return math.nan
    inside = (slice(RADIUS, -RADIUS),) * 2

    def smooth(image: NDArray[np.float64]) -> NDArray[np.float64]:
        return gaussian_filter(image, SIGMA, truncate=RADIUS / SIGMA)[inside]

    mean_a, mean_g = smooth(actual), smooth(generated)
    variance_a = smooth(actual**2) - mean_a**2
    variance_g = smooth(generated**2) - mean_g**2
    covariance = smooth(actual * generated) - mean_a * mean_g
    first, second = (LUMINANCE * extent) ** 2, (CONTRAST * extent) ** 2
    found = (2 * mean_a * mean_g + first) * (2 * covariance + second)
    found /= (mean_a**2 + mean_g**2 + first) * (variance_a + variance_g + second)
    return float(found.mean())


def _checked(
    actual: NDArray[Any], generated: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    actual, generated = (np.asarray(image, np.float64) for image in (actual, generated))
    if actual.shape != generated.shape or not actual.size:
        raise InputError(
            f"generated image: found shape {generated.shape}, wanted {actual.shape} as the actual "
            "one, with one pixel or more"
        )
    return actual, generated
