"""Non-negative factors of velocity, made independent with a skewed density (Yin et al. 2025)."""

import math

import numpy as np
import scipy
from numpy.typing import NDArray

from ...units import Recording, Units
from .descriptions import NmfSettings
from .parts import Part, Separated, units_of_parts
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

    def separate(part: Part, least: float) -> Separated | None:
        flat = part.flat.T
        low, high = float(flat.min()), float(flat.max())
        if not high > low:
            return None
        images, _ = factors((flat - low) / (high - low), min(settings.components, *flat.shape))
        images = images.astype(np.float64)
        # What all pixels share is no unit; there is much of it, for velocity was lifted above 0.
        images -= np.median(images, axis=0)
        images, size, _ = np.linalg.svd(images, full_matrices=False)
        if not size[0] > 0:
            return None
        images = images[:, size > 1e-6 * size[0]] * math.sqrt(len(images))
        images = images @ skewed(images)
        weights = np.linalg.pinv(images).T
        return Separated(images, part.flat @ weights, weights)

    return units_of_parts(recording, settings, 0, separate, settings.agreement)


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
