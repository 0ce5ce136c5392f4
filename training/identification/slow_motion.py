"""Slow motion - breathing, a drifting probe - that would hide the twitches beside it."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from .units import Recording

HIGHEST = 5.0
"""Motion below this frequency is slow, Hz: the corner of the band-pass with which recordings are
usually made (Ali et al. 2022)."""

DOMINATES = 0.5
"""Share of a recording's energy from which slow motion is taken off. Of twitches at 8-13 Hz, the
waves span a quarter in recordings of a second, and less than half in all of 100 draws."""

COVERS = 0.45
"""Part of the image over which slow motion has to be spread: (mean of its power)^2 / mean of its
power^2 over pixels. What fused twitches leave dominates too, but lies where units are: of 1 to 40
units at 25-35 Hz it covered 0.37 at most, and of drifts, of which some were each pixel's own or
grew from nothing at one side, 0.55 and more."""

SHORTEST = 1.0
"""A shorter recording tells slow motion from no other, s."""

STEP = 0.5
"""Waves that are taken off lie this part of the resolution, 1 / duration, apart."""

DISTINCT = 1e-3
"""Waves are left out that others span to within this."""


def slow_waves(frames: int, frame_rate: float) -> NDArray[np.float64]:
    """Return orthonormal courses that span slow motion, float64 (wave, time).

    Cosines and sines up to 5 Hz, closer than the resolution, and a straight line: what lies between
    whole periods, or has not come back at the end, is spanned as well.

    Parameters
    ----------
    frames : int
    frame_rate : float
        Hz.
    """
    time = np.arange(frames) / frame_rate
    frequencies = np.arange(0.0, HIGHEST, STEP * frame_rate / frames)
    phase = 2 * np.pi * frequencies[:, None] * time
    waves = np.concatenate([np.cos(phase), np.sin(phase[1:]), np.linspace(-1, 1, frames)[None]])
    _, size, directions = np.linalg.svd(waves, full_matrices=False)
    return directions[size > DISTINCT * size[0]]


def without_slow_motion(recording: Recording) -> tuple[Recording, bool]:
    """Take motion below 5 Hz off a recording where it dominates and is not units' own.

    Parameters
    ----------
    recording : Recording

    Returns
    -------
    recording : Recording
        The same, if slow motion does not dominate or lies in places alone, as units do.
    taken : bool
        Whether it did.
    """
    if not isinstance(recording.tvi, np.ndarray) or recording.tvi.ndim != 3:
        return recording, False  # methods say what is wrong with it
    frames = len(recording.tvi)
    if not frames >= SHORTEST * recording.frame_rate > 0:
        return recording, False
    flat = recording.tvi.reshape(frames, -1)
    waves = slow_waves(frames, recording.frame_rate).astype(np.float32)
    if 2 * len(waves) >= frames:  # at such a low frame rate all motion is slow
        return recording, False
    centred = flat - flat.mean(axis=0)
    slow = waves @ centred
    # By rows: in float32 within one, in float64 over all of them.
    whole = float(np.einsum("tp,tp->t", centred, centred).sum(dtype=np.float64))
    power = np.square(slow, dtype=np.float64).sum(axis=0)
    if not float(power.sum()) > DOMINATES * whole:
        return recording, False
    if not float(power.mean()) ** 2 > COVERS * float(np.square(power).mean()):
        return recording, False
    fast = (centred - waves.T @ slow).reshape(recording.tvi.shape)
    return dataclasses.replace(recording, tvi=np.ascontiguousarray(fast, np.float32)), True
