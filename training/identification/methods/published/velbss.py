"""Fast separation of velocity by a fixed-point algorithm (Rohlen et al. 2023)."""

import math

import numpy as np
from numpy.typing import NDArray

from ...units import Recording, Units
from ..fast_ica import fast_ica
from .descriptions import VelBssSettings
from .noise_edge import FLOOR, MARGIN, independent_samples, needed
from .pooling import Component, pooled, upright
from .preparing import band_passed, check_recording, windows

CONTRASTS = {"logcosh": "logcosh", "kurtosis": "cube", "skewness": "square"}
"""Derivatives of contrasts, by what they look for."""


def velbss(recording: Recording, settings: VelBssSettings) -> Units:
    """Find units by a fixed-point separation of velocity.

    Raises
    ------
    InputError
        If units cannot be sought in the recording, or it is smaller than a window.
    """
    check_recording(recording)
    size = recording.tvi.shape[1:]
    places = windows((size[0], size[1]), settings.window, max(settings.window // 2, 1))
    velocity = band_passed(recording, settings.lowest, settings.highest)
    samples = independent_samples(recording, settings.lowest, settings.highest)
    found: list[Component] = []
    for window in places:
        raw = recording.tvi[:, *window]
        part = velocity[:, *window].reshape(len(raw), -1)
        white, least = whitened(part, settings.components, samples)
        if not white.shape[1]:
            continue
        images = white @ fast_ica(white, CONTRASTS[settings.contrast]).T
        weights = images / len(images)
        courses = part @ weights
        whole = raw.reshape(len(raw), -1)
        velocities = (whole - whole.mean(axis=0)) @ weights
        strength = np.linalg.norm(images, axis=0) * np.linalg.norm(courses, axis=0)
        for one in np.flatnonzero(strength > least):
            image, course, own = upright(
                images[:, one].reshape(raw.shape[1:]), courses[:, one], velocities[:, one]
            )
            certainty = 1 - (least / strength[one]) ** 2
            found.append(Component(window, image, course, own, float(certainty)))
    return pooled(recording, found, settings.agreement, settings.repeats, places)


def whitened(
    velocity: NDArray[np.float32], most: int, samples: float
) -> tuple[NDArray[np.float32], float]:
    """Return the strongest directions of velocity (time, pixel), white over pixels.

    They come from the products of the fewer of frames and pixels, which is what takes less time
    than singular values.

    Returns
    -------
    white : float32 array of shape (pixel, component)
        Of mean square 1.
    least : float
        How strong a component has to be to count.
    """
    frames, pixels = velocity.shape
    if frames <= pixels:
        energy, directions = np.linalg.eigh((velocity @ velocity.T).astype(np.float64))
    else:
        energy, directions = np.linalg.eigh((velocity.T @ velocity).astype(np.float64))
    size = np.sqrt(np.maximum(energy[::-1], 0))
    # White, directions of noise would weigh as much as those of units.
    least = needed(size, pixels, samples)
    kept = min(most, int((size > max(least / MARGIN, FLOOR * size[0])).sum()))
    if frames <= pixels:
        strongest = directions[:, ::-1][:, :kept] / np.maximum(size[:kept], 1e-30)
        white = velocity.T @ strongest.astype(np.float32)
    else:
        white = directions[:, ::-1][:, :kept].astype(np.float32)
    return white * np.float32(math.sqrt(pixels)), least
