"""Two sets of features as samples of two distributions: how far apart these are, and how they lie.

Each measure is biased by how many images there are; so it is compared with the same of two halves
of the real images, at the same numbers (:mod:`.comparison`).
"""

import math

import numpy as np
import scipy
from numpy.typing import NDArray

NEIGHBOURS = 3
"""Neighbour whose distance is a ball's radius in precision and recall (Kynkäänniemi 2019)."""

DENSE_NEIGHBOURS = 5
"""Neighbour whose distance is a ball's radius in density and coverage (Naeem 2020)."""

DISTRIBUTIONS = {
    "frechet": "Fréchet distance ↓",
    "kernel": "Kernel distance ↓",
    "precision": "Precision ↑",
    "recall": "Recall ↑",
    "density": "Density ↑",
    "coverage": "Coverage ↑",
    "neighbour_accuracy": "Told apart by neighbour (0.5: not)",
}
"""Measures of two sets of features, and headings."""


def compare_distributions(
    real: NDArray[np.float64], other: NDArray[np.float64]
) -> dict[str, float]:
    """Compare two sets of features.

    Parameters
    ----------
    real, other : (images, features) arrays of float64

    Returns
    -------
    dict of str to float
        By the names of :data:`DISTRIBUTIONS`; NaN where there are too few images.
    """
    precision, recall = precision_and_recall(real, other)
    density, coverage = density_and_coverage(real, other)
    return {
        "frechet": frechet_distance(real, other),
        "kernel": kernel_distance(real, other),
        "precision": precision,
        "recall": recall,
        "density": density,
        "coverage": coverage,
        "neighbour_accuracy": neighbour_accuracy(real, other),
    }


def frechet_distance(real: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the squared Fréchet distance of the normal distributions of two samples.

    |m1 - m2|² + tr(S1) + tr(S2) - 2 tr((S1 S2)^½), with sample covariances (n - 1), as Heusel et
    al. 2017 (arXiv:1706.08500) have it with features of Inception. The last trace is the sum of the
    singular values of A1 A2', where S = A' A; so nothing is inverted, and nothing needs to be added
    to covariances of fewer images than features.

    Parameters
    ----------
    real, other : (images, features) arrays of float64

    Returns
    -------
    float
        NaN of fewer than 2 images.
    """
    if min(len(real), len(other)) < 2:
        return math.nan
    first, second = (
        (values - values.mean(axis=0)) / math.sqrt(len(values) - 1) for values in (real, other)
    )
    # Of triangles in the place of many images: the same singular values, of a smaller product.
    tall = max(len(first), len(second)) > first.shape[1]
    if tall:
        first, second = (np.asarray(np.linalg.qr(each, "r")) for each in (first, second))
    shared = np.linalg.svd(first @ second.T, compute_uv=False).sum()
    apart = ((real.mean(axis=0) - other.mean(axis=0)) ** 2).sum()
    return max(float(apart + (first**2).sum() + (second**2).sum() - 2 * shared), 0.0)


def kernel_distance(real: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the squared maximum mean discrepancy with the kernel (x·y / features + 1)³.

    Bińkowski et al. 2018 (arXiv:1801.01401). Its estimate is not biased by the number of images, so
    that it may fall below 0 where distributions are alike.

    Parameters
    ----------
    real, other : (images, features) arrays of float64

    Returns
    -------
    float
        NaN of fewer than 2 images.
    """
    if min(len(real), len(other)) < 2:
        return math.nan

    def kernel(one: NDArray[np.float64], two: NDArray[np.float64]) -> NDArray[np.float64]:
        return (one @ two.T / real.shape[1] + 1) ** 3

    def within(values: NDArray[np.float64]) -> float:
        found, count = kernel(values, values), len(values)
        return float((found.sum() - np.trace(found)) / (count * (count - 1)))

    return within(real) + within(other) - 2 * float(kernel(real, other).mean())


def precision_and_recall(
    real: NDArray[np.float64], other: NDArray[np.float64], neighbours: int = NEIGHBOURS
) -> tuple[float, float]:
    """Return how many other images look real, and how many real ones the others may look like.

    Kynkäänniemi et al. 2019 (arXiv:1904.06991): precision is the share of the other images within
    the ball of any real one, whose radius is the distance to its third neighbour among real ones;
    recall is the same the other way about.

    Parameters
    ----------
    real, other : (images, features) arrays of float64
    neighbours : int

    Returns
    -------
    precision, recall : float
        0..1; NaN where the balls' set has no more images than neighbours.
    """
    between = distances(real, other)
    precision, recall = math.nan, math.nan
    if len(real) > neighbours:
        precision = float((between <= _radii(real, neighbours)[:, None]).any(axis=0).mean())
    if len(other) > neighbours:
        recall = float((between <= _radii(other, neighbours)[None, :]).any(axis=1).mean())
    return precision, recall


def density_and_coverage(
    real: NDArray[np.float64], other: NDArray[np.float64], neighbours: int = DENSE_NEIGHBOURS
) -> tuple[float, float]:
    """Return how densely other images lie among real ones, and how many real ones have one near.

    Naeem et al. 2020 (arXiv:2002.09797): density is the mean number of balls of real images that
    another image lies in, over the number of neighbours, and may exceed 1; coverage is the share of
    real images' balls in which another image lies. Single real images far from all others weigh
    less than in precision.

    Parameters
    ----------
    real, other : (images, features) arrays of float64
    neighbours : int

    Returns
    -------
    density, coverage : float
        NaN where there are no more real images than neighbours.
    """
    if len(real) <= neighbours:
        return math.nan, math.nan
    inside = distances(real, other) <= _radii(real, neighbours)[:, None]
    density = float(inside.sum() / (neighbours * len(other)))
    return density, float(inside.any(axis=1).mean())


def neighbour_accuracy(real: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return how often an image's nearest neighbour tells of which set it is.

    Each set's share counts half, as though there were as many images of both; 0.5 means that
    neighbours do not tell, 1 that they always do, less that images have copies in the other set
    (Xu et al. 2018, arXiv:1806.07755).

    Parameters
    ----------
    real, other : (images, features) arrays of float64
        Of as many images: the more numerous set is the nearer one by that alone.

    Returns
    -------
    float
        0..1; NaN of fewer than 2 images.
    """
    if min(len(real), len(other)) < 2:
        return math.nan
    between = distances(real, other)
    ours = _radii(real, 1) < between.min(axis=1)
    theirs = _radii(other, 1) < between.min(axis=0)
    return float((ours.mean() + theirs.mean()) / 2)


def distances(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Euclidean distances of all pairs of rows, of shape (first, second)."""
    return np.asarray(scipy.spatial.distance.cdist(first, second), np.float64)


def _radii(values: NDArray[np.float64], neighbours: int) -> NDArray[np.float64]:
    """Return each row's distance to its n-th neighbour among the others."""
    apart = distances(values, values)
    np.fill_diagonal(apart, -1.0)  # itself comes first, whatever else is as near
    return np.partition(apart, neighbours, axis=1)[:, neighbours]
