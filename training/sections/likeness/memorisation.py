"""Whether images were learned by heart: how near they lie to images that a model was trained on.

Images of other subjects are somewhat alike too. So the nearest training image of each sampled one
is compared with the nearest training image of real images that were held out.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....datasets.images.groups import ALIKE, SMALL, thumbnails

CLOSEST = 0.95
"""Share of the held-out images that are less alike to training images than the rest."""


@dataclass(frozen=True)
class Nearest:
    """The nearest image of a set to each of some images.

    Parameters
    ----------
    index : (images,) array of int64
        Which image of the set it is.
    correlation : (images,) array of float64
        Of the grey levels of both made 48 x 48 px, with the set's image or its mirror image.
    mirrored : (images,) array of bool
        Whether it is the mirror image that is nearest.
    """

    index: NDArray[np.int64]
    correlation: NDArray[np.float64]
    mirrored: NDArray[np.bool_]


def nearest(
    images: NDArray[np.uint8],
    known: NDArray[np.uint8],
    *,
    apart: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None,
) -> Nearest:
    """Return the image of a set that each image is most alike, as it is or mirrored.

    Training turns images about too, so a mirror image is a copy as well.

    Parameters
    ----------
    images, known : (images, depth, width) arrays of uint8
    apart : tuple of two arrays of int64, optional
        Groups of both: those of the same one are no neighbours.

    Returns
    -------
    Nearest
        The correlation is NaN where there is no neighbour.
    """
    ours, theirs = thumbnails(images), thumbnails(known)
    turned = theirs.reshape(-1, SMALL, SMALL)[:, :, ::-1].reshape(theirs.shape)
    straight, mirror = ours @ theirs.T, ours @ turned.T
    best = np.maximum(straight, mirror)
    if apart is not None:
        best = np.where(apart[0][:, None] == apart[1][None, :], -np.inf, best)
    index = best.argmax(axis=1)
    rows = np.arange(len(ours))
    correlation = best[rows, index]
    return Nearest(
        index,
        np.where(np.isfinite(correlation), np.minimum(correlation, 1.0), np.nan),
        mirror[rows, index] > straight[rows, index],
    )


@dataclass(frozen=True)
class Memorisation:
    """How near images lie to training images, beside held-out real ones.

    Parameters
    ----------
    other, held_out : Nearest
        The nearest training image of each of the other, and of each held-out real image.
    held_out_images : (held-out images,) array of int64
        Which of the real images these are.
    nearer : float
        Probability that one of the other images is nearer to a training image than a held-out one
        is, ties half (Meehan et al. 2020, arXiv:2004.05675, before it is made a z-score): 0.5 of a
        model that learned the distribution, 1 of copies.
    copies, held_out_copies : float
        Shares of both that are nearly the same as a training image.
    beyond : float
        Share of the other images that are more alike to a training image than 95 % of the held-out
        ones are; 0.05 is expected.
    left_out : int
        Real images that were not held out: nearly the same as a training image.
    by_group : bool
        Whether real images are training and held-out images at once, each against those of other
        groups: no held-out images are known.
    """

    other: Nearest
    held_out: Nearest
    held_out_images: NDArray[np.int64]
    nearer: float
    copies: float
    held_out_copies: float
    beyond: float
    left_out: int
    by_group: bool

    def describe(self) -> str:
        """Say in a sentence what was compared with what."""
        against = (
            f"{len(self.held_out_images)} real images, each against those of other groups, for no "
            "held-out ones are known"
            if self.by_group
            else f"{len(self.held_out_images)} held-out real images"
        )
        dropped = (
            f" ({self.left_out} real images that are nearly the same as a training image are left "
            "out)"
            if self.left_out
            else ""
        )
        return (
            f"Nearest training image of {len(self.other.index)} images, beside that of "
            f"{against}{dropped}: correlation of grey levels at {SMALL} x {SMALL} px, mirrored or "
            f"not; above {ALIKE:g} two images are nearly the same."
        )


def memorisation(
    real: NDArray[np.uint8],
    groups: NDArray[np.int64],
    other: NDArray[np.uint8],
    train: NDArray[np.uint8] | None = None,
) -> Memorisation:
    """Compare the nearest training images of other and of held-out real images.

    Parameters
    ----------
    real, other : (images, depth, width) arrays of uint8
    groups : (real images,) array of int64
    train : (images, depth, width) array of uint8, optional
        What the model was trained on. Real images of a group of which any is nearly the same as one
        of these are not held out, and left out. Without it, or if that leaves fewer than 2, the
        real images are taken for the training images, and each of them is compared with those of
        other groups.

    Returns
    -------
    Memorisation
    """
    held = np.arange(len(real))
    if train is not None:
        seen = nearest(real, train).correlation > ALIKE
        held = np.flatnonzero(~np.isin(groups, groups[seen]))
    by_group = train is None or len(held) < 2
    if by_group:
        held = np.arange(len(real))
        reference = nearest(real, real, apart=(groups, groups))
    else:
        assert train is not None
        reference = nearest(real[held], train)
    known = real if train is None else train
    ours = nearest(other, known)
    theirs = reference.correlation[np.isfinite(reference.correlation)]
    most = float(np.quantile(theirs, CLOSEST)) if theirs.size else math.nan
    return Memorisation(
        ours, reference, held,
        _probability_above(ours.correlation, theirs),
        float((ours.correlation > ALIKE).mean()),
        float((theirs > ALIKE).mean()) if theirs.size else math.nan,
        float((ours.correlation > most).mean()) if theirs.size else math.nan,
        len(real) - len(held), by_group,
    )  # fmt: skip


def _probability_above(values: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """Return the probability that a value is above another, ties half (Mann and Whitney 1947)."""
    if not (values.size and others.size):
        return math.nan
    ordered = np.sort(others)
    below = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    return float(below.mean() / 2 / len(others))
