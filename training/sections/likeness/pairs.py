"""Pairs of images: peak signal-to-noise ratio and structural similarity, rightly and as published.

Both measure how much is left of an image in a changed copy of it. Between images of different
subjects, as Katakis et al. 2023 (doi:10.3390/biomedinformatics3020027, Tables 2 and 3) use them,
they tell how alike any two such images are.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....simulator.errors import InputError
from ...translation.metrics.spatial import structural_similarities
from .perceptual import PerceptualDistance

WINDOW = 7
"""Side of the windows of structural similarity [px], scikit-image's usual one."""

PAIRS = 300
"""Pairs that are compared, if there are more."""

HIGHEST = 255
"""The highest grey level: what peak signal-to-noise ratio and structural similarity relate to."""

PUBLISHED_EXCESS = 20 * math.log10(HIGHEST)
"""By how much a peak signal-to-noise ratio is too high [dB], if images have values from 0 to 1 and
it relates to 255."""

STREAM = 0x9A125
"""Stands before the seed of a draw of pairs, so that no other draw is like it."""

PAIR_SCORES = {
    "psnr": "PSNR, dB",
    "ssim": "SSIM",
    "lpips": "LPIPS",
    "psnr_published": "PSNR as published, dB",
    "ssim_published": "SSIM as published",
}
"""Scores of a pair, and headings."""

PUBLISHED_SCALE = (
    "Scores as published take images with values from 0 to 1 for images with values up to 255. "
    f"That adds {PUBLISHED_EXCESS:.2f} dB to any peak signal-to-noise ratio: the published 60.5 to "
    "61.9 dB are 12.3 to 13.8 dB. Structural similarity becomes 1 less the squared difference of "
    "local means over 6.5 (0.01² x 255²), less the variance of the local difference over 58.5 "
    "(0.03² x 255²): 0.99 or more for any two images."
)


@dataclass(frozen=True)
class PairScores:
    """Scores of some pairs of images.

    Parameters
    ----------
    first, second : (pairs,) arrays of int64
        Which image of the first and of the second set.
    psnr : (pairs,) array of float64
        Peak signal-to-noise ratio [dB]; NaN of two images that are the same, which have no noise.
    ssim : (pairs,) array of float64
        Mean structural similarity, -1..1.
    lpips : (pairs,) array of float64
        Learned perceptual image patch similarity, 0 of what is the same; NaN where it is not
        available (:mod:`.perceptual`).
    psnr_published, ssim_published : (pairs,) arrays of float64
        Those of images with values from 0 to 1 that are taken for images with values up to 255.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    psnr: NDArray[np.float64]
    ssim: NDArray[np.float64]
    lpips: NDArray[np.float64]
    psnr_published: NDArray[np.float64]
    ssim_published: NDArray[np.float64]


def draw_pairs(
    first: NDArray[np.int64], second: NDArray[np.int64] | None, seed: int, most: int = PAIRS
) -> NDArray[np.int64]:
    """Draw pairs of images without repetition, never of one group.

    Parameters
    ----------
    first : (images,) array of int64
        Group of each image of a set.
    second : (images,) array of int64 or None
        Of another set, whose groups are others; None for pairs within the first.
    seed : int
    most : int
        All pairs are taken if they are no more.

    Returns
    -------
    (pairs, 2) array of int64
        Places in the first and in the second set; within a set each pair once.
    """
    if second is None:
        every = np.argwhere(np.triu(first[:, None] != first[None, :], 1))
    else:
        every = np.argwhere(np.ones((len(first), len(second)), bool))
    if len(every) > most:
        chosen = np.random.default_rng([STREAM, seed]).choice(len(every), most, replace=False)
        every = every[np.sort(chosen)]
    return every.astype(np.int64)


def compare_pairs(
    first: NDArray[np.uint8],
    second: NDArray[np.uint8],
    pairs: NDArray[np.int64],
    perceptual: PerceptualDistance | None = None,
) -> PairScores:
    """Score pairs of images.

    Parameters
    ----------
    first, second : (images, depth, width) arrays of uint8
        Of one size.
    pairs : (pairs, 2) array of int64
    perceptual : callable, optional
        See :func:`.perceptual.perceptual_distance`.

    Returns
    -------
    PairScores

    Raises
    ------
    InputError
        If images are smaller than a window.
    """
    if min(first.shape[1:]) < WINDOW:
        raise InputError(
            f"found images of {first.shape[1]} x {first.shape[2]} px, wanted {WINDOW} x {WINDOW} "
            "or more, windows of structural similarity; take larger images"
        )
    psnr, right, published, learned = (np.full(len(pairs), math.nan) for _ in range(4))
    for place, (one, other) in enumerate(pairs):
        ours, theirs = (image.astype(np.float64) / HIGHEST for image in (first[one], second[other]))
        error = float(((ours - theirs) ** 2).mean())
        if error > 0:
            psnr[place] = -10 * math.log10(error)
        if perceptual is not None:
            learned[place] = perceptual(first[one], second[other])
        right[place] = structural_similarities(ours[None], theirs[None], WINDOW)[0, 0]
        # As a share of 255 in the place of 1: the same as a range of 255 for values up to 1.
        published[place] = structural_similarities(
            ours[None] / HIGHEST, theirs[None] / HIGHEST, WINDOW
        )[0, 0]
    return PairScores(
        pairs[:, 0], pairs[:, 1], psnr, right, learned, psnr + PUBLISHED_EXCESS, published
    )
