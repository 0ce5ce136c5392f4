"""Pixels that show no tissue: outside a sector or a mask, dead, or far out of those about them.

Methods estimate noise from all pixels, and take each for one that could have moved. Where a pixel
has shown nothing, noise like that of the others stands in for it, and no unit keeps it.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from .units import Recording, Units

HOT = 1e4
"""A pixel is none of tissue whose variance is this many times the largest of those about it. Across
the edge of a territory, at an SNR of 40 dB in a single pixel, it is less."""

NOISELESS = 1e-9
"""Neighbours that differ by no more than this share of the energy of others have no noise."""

SEED = 21
"""Of the places from which noise is taken."""

_ABOUT = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool)


def is_still(recording: Recording) -> bool:
    """Return whether all frames are the same, so that nothing was recorded."""
    return not (recording.tvi != recording.tvi[0]).any()


def blind_pixels(tvi: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return the pixels that show no tissue.

    Parameters
    ----------
    tvi : float32 array of shape (time, depth, width)
        Finite.

    Returns
    -------
    bool array of shape (depth, width)
        Whether a pixel never changes, or stands far out of those about it.
    """
    variance = tvi.var(axis=0, dtype=np.float64)
    variance[~(tvi != tvi[0]).any(axis=0)] = 0  # rounding leaves a trace
    about = maximum_filter(variance, footprint=_ABOUT, mode="constant")
    # Alone among pixels that never change, a pixel is what there is.
    return (variance == 0) | ((variance > HOT * about) & (about > 0))


def with_noise(
    recording: Recording,
) -> tuple[Recording, NDArray[np.bool_]]:
    """Let noise like that of the other pixels stand in for those that show no tissue.

    The noise is that of differences of neighbours which lie together in the quieter half of the
    image, each from a place and with a delay drawn at random: so it has the other pixels' spectrum,
    and next to nothing of the units'.

    Parameters
    ----------
    recording : Recording
        Finite, and not still.

    Returns
    -------
    recording : Recording
        The same, if no pixel is blind, or there is no noise: then pixels that never change are
        those that no unit moves.
    blind : bool array of shape (depth, width)
        Pixels that noise stands in for.
    """
    tvi, frames = recording.tvi, len(recording.tvi)
    blind = blind_pixels(tvi)
    pairs = np.argwhere(~blind[:, :-1] & ~blind[:, 1:])
    if not blind.any() or not len(pairs):
        return recording, np.zeros_like(blind)
    differences = tvi[:, pairs[:, 0], pairs[:, 1] + 1] - tvi[:, pairs[:, 0], pairs[:, 1]]
    energy = np.square(differences, dtype=np.float64).sum(axis=0)
    if energy.min() <= NOISELESS * energy.max():
        return recording, np.zeros_like(blind)
    quieter = np.flatnonzero(energy <= np.median(energy))
    random = np.random.default_rng(SEED)
    filled = tvi.copy()
    for depth, width in np.argwhere(blind):
        noise = differences[:, quieter[random.integers(len(quieter))]]
        filled[:, depth, width] = np.roll(noise, random.integers(frames)) / np.sqrt(2)
    return dataclasses.replace(recording, tvi=filled), blind


def unseen(units: Units, blind: NDArray[np.bool_]) -> Units:
    """Return units that keep no pixel which shows no tissue; without any they are none.

    Parameters
    ----------
    units : Units
        As found with :func:`with_noise`.
    blind : bool array of shape (depth, width)
    """
    territory = np.where(blind, np.float32(0), units.territory)
    kept = (territory > 0.5).any(axis=(1, 2)) | ~units.masks.any(axis=(1, 2))
    residual = None if units.residual_sd is None else np.where(blind, 0, units.residual_sd)
    return dataclasses.replace(
        units,
        territory=territory[kept],
        train=units.train[kept],
        firing=units.firing[kept],
        confidence=units.confidence[kept],
        outline_confidence=units.outline_confidence[kept],
        residual_sd=None if residual is None else residual.astype(np.float32),
        remarks=("blind-pixels", *units.remarks),
    )
