"""Velocities beyond what a recording can hold: they stand at its largest and smallest value.

Where units overlap, cutting off the sum of their velocities leaves products of them, which look
like units of their own. What was cut off is put back from what else is known: few motions move all
pixels, and what was beyond the limit is no less than it.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .units import Recording

SATURATED = 1e-3
"""A recording is saturated if this share of its values, or more, stands at a limit."""

PILED = 2.0
"""So many times more values stand at a limit than at the value next to it. Coarse values that no
limit cuts off grow fewer towards their largest."""

PROBED = 8
"""One frame of so many is looked at first."""

MOST_MOTIONS = 15
"""Motions from which pixels are made up, the strongest."""

ROUNDS = 20
"""Times that values are put back and motions are sought in turn."""

SEED = 22
"""Of the courses from which the search for motions starts."""


def saturated(tvi: NDArray[np.float32]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the values that stand at the upper and at the lower limit, bool (time, depth, width).

    Parameters
    ----------
    tvi : float32 array of shape (time, depth, width)
        Finite.
    """
    return _at(tvi, tvi.max(), np.max), _at(tvi, tvi.min(), np.min)


def _at(
    tvi: NDArray[np.float32], limit: np.float32, outermost: Callable[..., np.float32]
) -> NDArray[np.bool_]:
    """Return the values at a limit; none, unless so many are there that it cuts them off."""
    some = tvi[::PROBED] == limit
    if some.mean() > SATURATED / 2:
        at = tvi == limit
        others = tvi[~at]
        beside = np.count_nonzero(others == outermost(others)) if others.size else 0
        if at.mean() > SATURATED and np.count_nonzero(at) > PILED * beside > 0:
            return at
    return np.zeros(tvi.shape, bool)


def unsaturated(recording: Recording) -> tuple[Recording, bool]:
    """Put back velocities that were cut off.

    Parameters
    ----------
    recording : Recording
        Finite, and noise in place of pixels that show no tissue.

    Returns
    -------
    recording : Recording
        The same, if it is not saturated.
    cut : bool
        Whether it is.
    """
    above, below = (each.reshape(len(each), -1) for each in saturated(recording.tvi))
    if not (above.any() or below.any()):
        return recording, False
    flat = recording.tvi.reshape(len(recording.tvi), -1)
    mean = flat.mean(axis=0)
    high, low = flat.max() - mean, flat.min() - mean
    values = flat - mean
    motions = _motions(values)
    limit, at = np.where(above, high, low), np.nonzero(above | below)
    limit, sign = limit[at], np.where(above[at], 1, -1).astype(np.float32)
    before = values[at]
    for step in range(ROUNDS):
        motions, _ = np.linalg.qr(values @ (values.T @ motions))
        maps = motions.T @ values
        # The strongest first, one more a round: the weakest are what the limit itself makes.
        turn, _, _ = np.linalg.svd(maps @ maps.T)
        strongest = turn[:, : step + 1]
        made = (motions @ strongest @ (strongest.T @ maps))[at]
        now = sign * np.maximum(sign * made, sign * limit)
        # Further in the direction of the last step, or it takes hundreds of them.
        ahead = now + step / (step + 3) * (now - before)
        values[at] = sign * np.maximum(sign * ahead, sign * limit)
        before = now
    return replace(recording, tvi=(values + mean).reshape(recording.tvi.shape)), True


def _motions(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return orthonormal courses, float32 (time, motion), of those that are more than noise.

    Notes
    -----
    The number is that of singular values above the optimal threshold for noise of unknown size
    (Gavish and Donoho 2014, doi:10.1109/TIT.2014.2323359, whose polynomial this is).
    """
    frames, pixels = values.shape
    gram = values @ values.T if frames <= pixels else values.T @ values
    energy, vectors = np.linalg.eigh(gram.astype(np.float64))
    size = np.sqrt(np.maximum(energy[::-1], 0))
    ratio = min(frames, pixels) / max(frames, pixels)
    least = (0.56 * ratio**3 - 0.95 * ratio**2 + 1.82 * ratio + 1.43) * float(np.median(size))
    count = min(max(int((size > least).sum()), 1), MOST_MOTIONS)
    strongest = vectors[:, ::-1][:, :count].astype(np.float32)
    return strongest if frames <= pixels else np.linalg.qr(values @ strongest)[0]
