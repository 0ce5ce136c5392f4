"""Places of an image over whose corners motion is averaged; Cunningham et al. 2017, section III.D.

The paper found a hundred to be the most of which none is without corners.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ....simulator.errors import InputError
from .features import Tracker
from .libraries import clustering

PLACES = 100


def find_places(
    images: Iterable[NDArray[np.uint8]], tracker: Tracker, seed: int, count: int = PLACES
) -> NDArray[np.float32]:
    """Return the centres of clusters of all corners of some images, found by k-means.

    Parameters
    ----------
    images : iterable of uint8 array of shape (depth, width)
    tracker : Tracker
    seed : int
        Of where k-means begins; the same seed and images give the same places.
    count : int

    Returns
    -------
    float32 array of shape (place, 2)
        Depth and width, px, from the upper left on by columns of clusters: in the order of their
        widths, then of their depths.

    Raises
    ------
    InputError
        If there are fewer corners than places, or a library is not installed.
    """
    k_means = clustering().KMeans
    found = [tracker.corners(image) for image in images]
    corners = np.concatenate(found) if found else np.empty((0, 2), np.float32)
    if len(np.unique(corners, axis=0)) < count:
        raise InputError(
            f"found {len(np.unique(corners, axis=0))} corners in {len(found)} images, wanted "
            f"{count} or more, one for each place; train on images that are not even"
        )
    # Threads would add up in another order each time.
    with threadpool_limits(1):
        fitted = k_means(count, n_init=1, random_state=seed).fit(corners)
    centres = fitted.cluster_centers_.astype(np.float32)
    return centres[np.lexsort(centres.T)]


def motion_of_places(
    corners: NDArray[np.float32],
    displacements: NDArray[np.float32],
    places: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return the mean displacement of the corners that are nearest to each place.

    A place without corners moves as the nearest one that has some: muscle is continuous. Without
    any corner nothing moves.

    Parameters
    ----------
    corners, displacements : float32 array of shape (corner, 2)
        px, of corners that were found again.
    places : float32 array of shape (place, 2)
        px.

    Returns
    -------
    float32 array of shape (place, 2)
        Down and to the right, px.
    """
    count = len(places)
    if not len(corners):
        return np.zeros((count, 2), np.float32)
    nearest = _nearest(corners, places)
    number = np.bincount(nearest, minlength=count)
    total = np.stack(
        [np.bincount(nearest, each, minlength=count) for each in displacements.T], axis=1
    )
    held = number > 0
    means = total[held] / number[held, None]
    if held.all():
        return means.astype(np.float32)
    return means[_nearest(places, places[held])].astype(np.float32)


def track(
    images: NDArray[np.uint8], places: NDArray[np.float32], tracker: Tracker
) -> NDArray[np.float32]:
    """Return how places move from each image to the next.

    Parameters
    ----------
    images : uint8 array of shape (frame, depth, width)
    places : float32 array of shape (place, 2)
        px.
    tracker : Tracker

    Returns
    -------
    float32 array of shape (frame - 1, place, 2)
        Down and to the right, px.

    Raises
    ------
    InputError
        If OpenCV is not installed.
    """
    moved = np.empty((max(len(images) - 1, 0), len(places), 2), np.float32)
    for number in range(len(moved)):
        image = images[number]
        corners = tracker.corners(image)
        displacements, found = tracker.follow(image, images[number + 1], corners)
        moved[number] = motion_of_places(corners[found], displacements[found], places)
    return moved


def _nearest(ones: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return for each of some points the number of the nearest of others."""
    wide = others.astype(np.float64)
    # The squared distance, halved, but for what is the same for all others.
    return np.argmin((wide**2).sum(axis=1) / 2 - ones.astype(np.float64) @ wide.T, axis=1)
