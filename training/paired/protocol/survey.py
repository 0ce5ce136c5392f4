"""What is to be known of all slices of a store before any of them is scored."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....datasets.volumes.slices import PLANES, Slice, StoredSlices, slices_of
from ....simulator.errors import InputError
from ..levels import Levels, body_of
from ..metrics import LEVELS

BINS = int(LEVELS) + 1


@dataclass(frozen=True)
class Survey:
    """What is known of a store's slices together.

    Parameters
    ----------
    first, second : Levels
        Of the images that are given, and of those to be made.
    planes : tuple of str
    positions : tuple of float
        Of each slice; mm.
    body : tuple of int
        Pixels of the body in each slice.
    examples : tuple of int
        The slice of each plane, coronal ones first, that shows most of the body.
    joint : int64 array of shape (256, 256)
        Pixels by levels of the image given and of the actual one, over all slices.
    """

    first: Levels
    second: Levels
    planes: tuple[str, ...]
    positions: tuple[float, ...]
    body: tuple[int, ...]
    examples: tuple[int, ...]
    joint: NDArray[np.int64]


def survey_of(store: Any) -> Survey:
    """Look through the slices of a store.

    Parameters
    ----------
    store : Store, str or path

    Raises
    ------
    InputError
        If it holds something else, or all images of a kind are constant.
    FailureError
        If it is damaged.
    """
    slices = slices_of(store)
    first, second = _levels(slices)
    joint = np.zeros((BINS, BINS), np.int64)
    planes, positions, sizes = [], [], []
    for one in slices:
        joint += joint_levels(first.of(one.image), second.of(one.image_b))
        planes.append(one.plane)
        positions.append(one.position)
        sizes.append(int(body_in(one, first, second).sum()))
    return Survey(
        first,
        second,
        tuple(planes),
        tuple(positions),
        tuple(sizes),
        _examples(planes, sizes),
        joint,
    )


def body_in(one: Slice, first: Levels, second: Levels) -> NDArray[np.bool_]:
    """Return which pixels of a slice are of the body."""
    return body_of(first.of(one.image), second.of(one.image_b), one.tissue)


def joint_levels(given: NDArray[np.float64], answered: NDArray[np.float64]) -> NDArray[np.int64]:
    """Count the pixels of two images by their levels.

    Parameters
    ----------
    given, answered : float64 arrays of one shape
        In levels, 0 to 255.

    Returns
    -------
    int64 array of shape (256, 256)
        By the first image's level and the second one's.
    """
    places = np.rint(given).astype(np.intp) * BINS + np.rint(answered).astype(np.intp)
    return np.bincount(places.ravel(), minlength=BINS**2).reshape(BINS, BINS)


def likeliest_levels(joint: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the one-to-one map of Grant-Jacob et al. 2021, Fig. 12(d): the likeliest level.

    Parameters
    ----------
    joint : int64 array of shape (256, 256)
        See :func:`joint_levels`.

    Returns
    -------
    float64 array of shape (256,)
        Of each level given; of those that there are none of, between its neighbours.
    """
    return _filled(joint.argmax(axis=1).astype(np.float64), joint)


def mean_levels(joint: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the one-to-one map of least squared error: the mean level.

    Parameters and result are those of :func:`likeliest_levels`.
    """
    count = np.maximum(joint.sum(axis=1), 1)
    return _filled(joint @ np.arange(BINS) / count, joint)


def _filled(found: NDArray[np.float64], joint: NDArray[np.int64]) -> NDArray[np.float64]:
    known = np.flatnonzero(joint.sum(axis=1))
    return np.interp(np.arange(len(found)), known, found[known])


def _levels(slices: StoredSlices) -> tuple[Levels, Levels]:
    """Return the levels of both images, which are those of all slices."""
    ends = {"image": [0.0, -np.inf], "image_b": [0.0, -np.inf]}
    for one in slices:
        for name, (low, high) in ends.items():
            image = getattr(one, name)
            ends[name] = [min(low, float(image.min())), max(high, float(image.max()))]
    for name, (low, high) in ends.items():
        if not high > low:
            raise InputError(
                f"{slices.store.location}: found {name} of {high:g} and no more in all slices, "
                "wanted intensities above 0; import other volumes"
            )
    first, second = (Levels(low, high) for low, high in ends.values())
    return first, second


def _examples(planes: Sequence[str], sizes: Sequence[int]) -> tuple[int, ...]:
    """Return the slice with the most of the body of each plane, in the paper's order."""
    order = sorted(PLANES, key=("coronal", "sagittal", "axial").index)
    found = []
    for plane in order:
        here = [index for index, one in enumerate(planes) if one == plane]
        if here:
            found.append(max(here, key=lambda index: (sizes[index], -index)))
    return tuple(found)
