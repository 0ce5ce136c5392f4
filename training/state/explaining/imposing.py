"""Motion that is imposed on real frames, and what a network makes of it.

A frame is followed by itself, moved: by a translation, as when a relaxed muscle slides, or by a
shear, as when it contracts and parts above and below go in opposite directions. What a network
tells of such pairs shows which motion it takes for activity and which for rotation.
"""

from collections.abc import Callable

import numpy as np
import scipy
from numpy.typing import NDArray

MOTIONS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "translation": np.ones_like,
    "shear": lambda depth: 1 - 2 * depth,
}
"""Displacement to the right over depth, which is 0 at the top of a frame and 1 at its bottom, up to
a factor."""


def moved(image: NDArray[np.uint8], motion: str, amount: float) -> NDArray[np.uint8]:
    """Return an image that is moved along its rows.

    Parameters
    ----------
    image : uint8 array of shape (depth, width)
    motion : str
        One of :data:`MOTIONS`.
    amount : float
        Mean displacement to the right of the upper half, px; the lower half of a shear moves as far
        to the left.

    Returns
    -------
    uint8 array of shape (depth, width)
        Interpolated by cubic splines; beyond its edges the image is taken to go on as in a mirror.
    """
    depth, width = image.shape
    down = (np.arange(depth) + 0.5) / depth
    profile = MOTIONS[motion](down)
    right = amount * profile / profile[: (depth + 1) // 2].mean()
    rows, columns = np.mgrid[:depth, :width]
    found = scipy.ndimage.map_coordinates(
        image.astype(np.float64), [rows, columns - right[:, None]], order=3, mode="mirror"
    )
    return np.clip(np.rint(found), 0, 255).astype(np.uint8)


def tuning(
    tell: Callable[[NDArray[np.uint8]], NDArray[np.floating]],
    images: NDArray[np.uint8],
    amounts: NDArray[np.float64],
) -> dict[str, NDArray[np.float64]]:
    """Return what is told of frames that are followed by themselves, moved.

    Parameters
    ----------
    tell : callable
        Takes two successive frames, uint8 (2, depth, width), returns changes, (output,).
    images : uint8 array of shape (frame, depth, width)
    amounts : float64 array of shape (amount,)
        See :func:`moved`, px.

    Returns
    -------
    dict of float64 array of shape (amount, frame, output)
        By :data:`MOTIONS`.
    """
    found = {}
    for motion in MOTIONS:
        told = [
            [tell(np.stack([image, moved(image, motion, float(amount))])) for image in images]
            for amount in amounts
        ]
        found[motion] = np.array(told, np.float64)
    return found


def slopes(
    amounts: NDArray[np.float64], told: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how much more is told for each px, by least squares for each frame.

    Parameters
    ----------
    amounts : float64 array of shape (amount,)
        px.
    told : float64 array of shape (amount, frame, output)

    Returns
    -------
    mean, SD : float64 array of shape (output,)
        Over frames.
    """
    centred = amounts - amounts.mean()
    found = np.tensordot(centred, told, (0, 0)) / (centred**2).sum()
    return found.mean(axis=0), found.std(axis=0)
