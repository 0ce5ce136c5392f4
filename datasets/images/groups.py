"""Which images belong together, and splits that never part them.

Images of one subject, or frames of one video, are nearly the same: with one of them in the training
share and another in the test share, what is measured is memory.
"""

import itertools
from collections.abc import Sequence

import numpy as np
import scipy
from numpy.typing import NDArray

from ...simulator.errors import InputError

SMALL = 48
"""Depth and width at which images are compared [px]: anatomy, not speckle."""

ALIKE = 0.9
"""Correlation of grey levels above which two images are nearly the same."""

SPLIT = 0x5911
"""Stands before the seed of a split, so that no other draw is like it."""


def near_twins(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the group of each image: of those that are nearly the same, or linked by such.

    Parameters
    ----------
    images : (images, depth, width) array of uint8

    Returns
    -------
    (images,) array of int64
        Groups are numbered in the order of their first images.
    """
    return linked(thumbnails(images))


def linked(thumbnails: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the group of each image by :func:`thumbnails`, as :func:`near_twins` does."""
    alike = scipy.sparse.csr_matrix(thumbnails @ thumbnails.T > ALIKE)
    _, labels = scipy.sparse.csgraph.connected_components(alike, directed=False)
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)


def thumbnails(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return small images of mean 0 and length 1, whose products are correlations of grey levels.

    Parameters
    ----------
    images : (images, depth, width) array of uint8

    Returns
    -------
    (images, SMALL * SMALL) array of float64
        0 of an image that is constant.
    """
    from PIL import Image

    small = np.stack(
        [np.asarray(Image.fromarray(image).resize((SMALL, SMALL), Image.Resampling.BOX), float)
         for image in images]
    ).reshape(len(images), -1)  # fmt: skip
    small -= small.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(small, axis=1, keepdims=True)
    return small / np.where(norms > 0, norms, 1)


def split_groups(
    groups: NDArray[np.int64], shares: Sequence[float], seed: int
) -> list[NDArray[np.int64]]:
    """Split images into shares that no group lies across.

    Groups are put into an order drawn from the seed; the shares follow one another in it, so that
    the first 10 % are among the first 30 %.

    Parameters
    ----------
    groups : (images,) array of int64
    shares : sequence of float
        Of the images, each above 0, with a sum of 1 at most; what is beyond is left out.
    seed : int

    Returns
    -------
    list of (n,) arrays of int64
        Indices of the images of each share, in their order.

    Raises
    ------
    InputError
        If a share would have no image, or they are more than all.
    """
    if min(shares) <= 0 or sum(shares) > 1 + 1e-9:
        raise InputError(
            f"shares: found {list(shares)}, wanted each above 0 and a sum of 1 at most"
        )
    numbers, counts = np.unique(groups, return_counts=True)
    order = np.random.default_rng([SPLIT, seed]).permutation(len(numbers))
    # The middle of each group decides, on the line of all images one after the other.
    ends = np.cumsum(counts[order])
    middle = (ends - counts[order] / 2) / len(groups)
    edges = np.concatenate([[0.0], np.cumsum(shares)])
    found = []
    for low, high in itertools.pairwise(edges):
        within = numbers[order[(middle >= low) & (middle < high)]]
        found.append(np.flatnonzero(np.isin(groups, within)))
    if not all(share.size for share in found):
        sizes = ", ".join(str(share.size) for share in found)
        raise InputError(
            f"found {len(groups)} images in {len(numbers)} groups that belong together, which "
            f"splits into {sizes}; wanted one or more in each share: add images"
        )
    return found
