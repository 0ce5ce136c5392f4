"""Pixels that show no tissue: outside a sector or a mask, dead, or far out of those about them.

Methods estimate noise from all pixels, and take each for one that could have moved. Where a pixel
has shown nothing, noise like that of the others stands in for it, and no unit keeps it.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from .hot_pixels import hot_pixels
from .units import Recording, Units

NOISELESS = 1e-9
"""Neighbours that differ by no more than this share of the energy of others have no noise."""

SEED = 21
"""Of the places from which noise is taken."""

PROBED = 16
"""Frames that are compared first."""


def constant_pixels(tvi: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return the pixels that never change, bool (depth, width)."""
    some = tvi[:: max(len(tvi) // PROBED, 1)]
    constant = ~(some != tvi[0]).any(axis=0)
    constant[constant] = ~(tvi[:, constant] != tvi[0, constant]).any(axis=0)
    return constant


def blind_pixels(tvi: NDArray[np.float32], pixel_size: tuple[float, float]) -> NDArray[np.bool_]:
    """Return the pixels that show no tissue.

    Parameters
    ----------
    tvi : float32 array of shape (time, depth, width)
        Finite.
    pixel_size : (float, float)
        mm.

    Returns
    -------
    bool array of shape (depth, width)
        Whether a pixel never changes, or stands far out of those about it.
    """
    constant = constant_pixels(tvi)
    variance = np.where(constant, 0.0, _variance(tvi))
    return constant | hot_pixels(tvi, variance, pixel_size)


def _variance(tvi: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return each pixel's variance over time, float64 (depth, width)."""
    total = np.zeros(tvi.shape[1:])
    mean = tvi.mean(axis=0, dtype=np.float64).astype(np.float32)
    for frame in tvi:
        away = (frame - mean).astype(np.float64)
        total += away * away
    return total / len(tvi)


def noise_of(tvi: NDArray[np.float32], seen: NDArray[np.bool_]) -> NDArray[np.float32] | None:
    """Return differences of neighbours which lie together in the quieter half of the image.

    Parameters
    ----------
    tvi : float32 array of shape (time, depth, width)
    seen : bool array of shape (depth, width)
        Pixels that show tissue.

    Returns
    -------
    float32 array of shape (time, pair), or None
        None where there is no noise: some neighbours do not differ at all.
    """
    pairs = np.argwhere(seen[:, :-1] & seen[:, 1:])
    if not len(pairs):
        return None
    differences = tvi[:, pairs[:, 0], pairs[:, 1] + 1] - tvi[:, pairs[:, 0], pairs[:, 1]]
    energy = np.square(differences, dtype=np.float64).sum(axis=0)
    if energy.min() <= NOISELESS * energy.max():
        return None
    return differences[:, energy <= np.median(energy)]


def with_noise(
    recording: Recording, recorded: NDArray[np.bool_] | None = None
) -> tuple[Recording, NDArray[np.bool_]]:
    """Let noise like that of the other pixels stand in for those that show no tissue.

    The noise is that of :func:`noise_of`, for each pixel from a place and with a delay drawn at
    random: so it has the other pixels' spectrum, and next to nothing of the units'.

    Parameters
    ----------
    recording : Recording
        Finite, and not still.
    recorded : bool array of shape (time,), optional
        Frames that hold an image of their own, from which pixels are judged; all, if left out.

    Returns
    -------
    recording : Recording
        The same, if no pixel is blind, or there is no noise: then pixels that never change are
        those that no unit moves.
    blind : bool array of shape (depth, width)
        Pixels that noise stands in for.
    """
    tvi, frames = recording.tvi, len(recording.tvi)
    whole = recorded is None or recorded.all()
    blind = blind_pixels(tvi if whole else tvi[recorded], recording.pixel_size)
    noise = noise_of(tvi, ~blind) if blind.any() else None
    if noise is None:
        return recording, np.zeros_like(blind)
    random = np.random.default_rng(SEED)
    filled = tvi.copy()
    for depth, width in np.argwhere(blind):
        course = noise[:, random.integers(noise.shape[1])]
        filled[:, depth, width] = np.roll(course, random.integers(frames)) / np.sqrt(2)
    return dataclasses.replace(recording, tvi=filled), blind


def unseen(units: Units, blind: NDArray[np.bool_]) -> Units:
    """Return units that keep no pixel which shows no tissue; without any they are none.

    What is left there of the velocity is not known: NaN.

    Parameters
    ----------
    units : Units
        As found with :func:`with_noise`.
    blind : bool array of shape (depth, width)
    """
    territory = np.where(blind, np.float32(0), units.territory)
    kept = np.logical_or(np.any(territory > 0.5, axis=(1, 2)), ~np.any(units.masks, axis=(1, 2)))
    residual = None if units.residual_sd is None else np.where(blind, np.nan, units.residual_sd)
    return dataclasses.replace(
        dataclasses.replace(units, territory=territory).taken(kept),
        residual_sd=None if residual is None else residual.astype(np.float32),
        remarks=("blind-pixels", *units.remarks),
    )
