"""Grey levels of images: histograms, how skewed they are, and their entropies."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEVELS = 256
"""Grey levels that an image of 8 bit can have."""

GREY_LEVELS = {
    "mean": "Mean grey level",
    "sd": "SD of grey levels",
    "skewness": "Skewness",
    "entropy": "Entropy of grey levels, bit",
    "pixel_entropy": "Entropy over pixels, nat",
}
"""What is measured of each image's grey levels, and headings."""

ENTROPIES = (
    "Two entropies: that of an image's histogram, at most 8 bits for 256 grey levels; and that of "
    "its grey levels taken as a distribution over its pixels (each over their sum, natural "
    "logarithm), at most ln(256 x 256) = 11.09 for 256 x 256 px. The 10.64 to 11.03 of Katakis et "
    "al. 2023 are beyond the first, and are what the second has for any such image: it tells how "
    "evenly brightness is spread, not how much an image informs."
)


@dataclass(frozen=True)
class GreyLevels:
    """Grey levels of some images.

    Parameters
    ----------
    histogram : (images, 256) array of float64
        Share of an image's pixels that have each grey level.
    mean, sd : (images,) arrays of float64
    skewness : (images,) array of float64
        Third central moment over the SD's cube; NaN of a constant image.
    entropy : (images,) array of float64
        Of the histogram [bit], 0..8.
    pixel_entropy : (images,) array of float64
        Of grey levels as a distribution over pixels [nat], at most the logarithm of their number;
        NaN of a black image. It is what ``scipy.stats.entropy`` gives for an image's values.
    """

    histogram: NDArray[np.float64]
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    skewness: NDArray[np.float64]
    entropy: NDArray[np.float64]
    pixel_entropy: NDArray[np.float64]


def measure_grey_levels(images: NDArray[np.uint8]) -> GreyLevels:
    """Measure the grey levels of each image.

    All follow from histograms, for the place of a pixel does not matter to any of them.

    Parameters
    ----------
    images : (images, depth, width) array of uint8

    Returns
    -------
    GreyLevels
    """
    counts = np.stack([np.bincount(image.ravel(), minlength=LEVELS) for image in images])
    shares = counts / counts.sum(axis=1, keepdims=True)
    levels = np.arange(LEVELS, dtype=np.float64)
    mean = shares @ levels
    away = levels - mean[:, None]
    variance = (shares * away**2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        skewness = (shares * away**3).sum(axis=1) / variance**1.5
        total = counts @ levels
        # -sum p ln p over pixels with p = level / total, gathered by level.
        weighted = counts @ (levels * np.log(np.where(levels > 0, levels, 1.0)))
        pixel_entropy = np.log(total) - weighted / total
    bits = -(shares * np.log2(np.where(shares > 0, shares, 1.0))).sum(axis=1)
    return GreyLevels(shares, mean, np.sqrt(variance), skewness, bits, pixel_entropy)
