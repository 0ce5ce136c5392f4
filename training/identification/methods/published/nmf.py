"""Non-negative factors of velocity, made independent with a skewed density (Yin et al. 2025)."""

import math

import numpy as np
import scipy
from numpy.typing import NDArray

from ...units import Recording, Units, none
from .descriptions import NmfSettings
from .noise_edge import independent_samples, needed
from .pooling import Component, pooled, upright
from .preparing import band_passed, check_recording
from .stica import SEED

SKEW, WIDTH = 15.0, 16.5431
"""Of the density exp(SKEW y - WIDTH sqrt(y^2 + 1)): published code's for sources that are one kind.
It falls 20 times as fast below its mode as above: tissue without the unit lies at the mode."""

MODE = SKEW / math.sqrt(WIDTH**2 - SKEW**2)

ROUNDS = 60
"""Of the factors."""

ITERATIONS = 200
"""Of the optimiser, at most."""

Floats = NDArray[np.float64]


def nmf(recording: Recording, settings: NmfSettings) -> Units:
    """Find units as independent combinations of non-negative factors.

    Raises
    ------
    InputError
        If units cannot be sought in the recording.
    """
    check_recording(recording)
    velocity = band_passed(recording, settings.lowest, settings.highest)
    flat = velocity.reshape(len(velocity), -1).T
    low, high = float(flat.min()), float(flat.max())
    if not high > low:
        return none(recording)
    images, _ = factors((flat - low) / (high - low), min(settings.components, *flat.shape))
    images = images.astype(np.float64)
    # What all pixels share is no unit; there is much of it, for velocity was lifted above 0.
    images -= np.median(images, axis=0)
    images, size, _ = np.linalg.svd(images, full_matrices=False)
    if not size[0] > 0:
        return none(recording)
    images = images[:, size > 1e-6 * size[0]] * math.sqrt(len(images))
    images = images @ skewed(images)
    turn = np.linalg.pinv(images).T
    raw = recording.tvi.reshape(len(velocity), -1)
    courses = flat.T.astype(np.float64) @ turn
    velocities = (raw - raw.mean(axis=0)).astype(np.float64) @ turn
    singular = np.sqrt(np.maximum(np.linalg.eigvalsh(_products(flat))[::-1], 0))
    samples = independent_samples(recording, settings.lowest, settings.highest)
    least = needed(singular, len(flat), samples)
    strength = np.linalg.norm(images, axis=0) * np.linalg.norm(courses, axis=0)
    window = (slice(0, velocity.shape[1]), slice(0, velocity.shape[2]))
    found = []
    for one in np.flatnonzero(strength > least):
        image, course, own = upright(
            images[:, one].reshape(velocity.shape[1:]), courses[:, one], velocities[:, one]
        )
        certainty = 1 - (least / float(strength[one])) ** 2
        found.append(Component(window, image, course, own, certainty))
    return pooled(recording, found, settings.agreement, 1, [window])


def _products(flat: NDArray[np.float32]) -> Floats:
    """Return products of the fewer of pixels and frames."""
    fewer = flat if flat.shape[0] <= flat.shape[1] else flat.T
    return (fewer @ fewer.T).astype(np.float64)


def factors(
    values: NDArray[np.float32], count: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return non-negative factors of values that are not negative, by least squares in turn.

    One factor at a time is fitted with the others held (Cichocki and Phan 2009,
    doi:10.1587/transfun.E92.A.708).

    Parameters
    ----------
    values : float32 array of shape (pixel, time)
    count : int

    Returns
    -------
    images : float32 array of shape (pixel, factor)
    courses : float32 array of shape (time, factor)
    """
    random = np.random.RandomState(SEED)
    scale = math.sqrt(float(values.mean()) / count)
    images = (scale * random.uniform(0.5, 1.5, (values.shape[0], count))).astype(np.float32)
    courses = (scale * random.uniform(0.5, 1.5, (values.shape[1], count))).astype(np.float32)
    for _ in range(ROUNDS):
        _fit(images, values @ courses, courses.T @ courses)
        _fit(courses, values.T @ images, images.T @ images)
    return images, courses


def _fit(factor: NDArray[np.float32], products: NDArray[np.float32],
         gram: NDArray[np.float32]) -> None:  # fmt: skip
    for one in range(factor.shape[1]):
        change = (products[:, one] - factor @ gram[:, one]) / max(float(gram[one, one]), 1e-12)
        np.maximum(factor[:, one] + change, 1e-9, out=factor[:, one])


def skewed(images: Floats) -> Floats:
    """Return what makes images (pixel, component) likeliest under the skewed density."""
    count = images.shape[1]
    start = np.linalg.qr(np.random.RandomState(SEED).normal(size=(count, count)))[0]
    start *= np.where(((images @ start) ** 3).sum(axis=0) < 0, -1.0, 1.0)

    def contrast(values: Floats) -> tuple[float, Floats]:
        unmixing = values.reshape(count, count)
        volume = float(np.linalg.slogdet(unmixing)[1])
        if not math.isfinite(volume):  # a step too far: the optimiser takes a smaller one
            return math.inf, np.zeros(values.size)
        energy, slope = _entropy(images @ unmixing)
        energy -= volume
        return energy, (images.T @ slope / len(images) - np.linalg.inv(unmixing).T).ravel()

    best = scipy.optimize.minimize(
        contrast, start.ravel(), method="L-BFGS-B", jac=True,
        options={"maxiter": ITERATIONS, "maxcor": 20},
    ).x  # fmt: skip
    return best.reshape(count, count)


def _entropy(sources: Floats) -> tuple[float, Floats]:
    """Return the mean of the density's -log, summed over sources (sample, source), and its slope.

    The mode lies at 0.
    """
    moved = sources + MODE
    root = np.sqrt(np.square(moved) + 1)
    energy = WIDTH * root - SKEW * moved
    return float(energy.mean(axis=0).sum()), WIDTH * moved / root - SKEW
