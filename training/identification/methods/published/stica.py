"""Spatio-temporal independent component analysis of windows of the image (Rohlen et al. 2020)."""

import numpy as np
import scipy
from numpy.typing import NDArray

from ...units import Recording, Units
from .descriptions import StIcaSettings
from .parts import Part, Separated, units_of_parts

ITERATIONS = 200
"""Of the optimiser, at most."""

SEED = 0
"""Of the start."""

Floats = NDArray[np.float64]


def stica(recording: Recording, settings: StIcaSettings) -> Units:
    """Find units by spatio-temporal independent component analysis of windows.

    Raises
    ------
    InputError
        If units cannot be sought in the recording, or it is smaller than a window.
    """

    def separate(part: Part, least: float) -> Separated | None:
        velocity = part.flat.T.astype(np.float64)
        velocity -= velocity.mean(axis=0)  # over space too (doi:10.1006/nimg.2001.0986)
        spatial, size, temporal = reduced(velocity, settings.components)
        if not len(size):
            return None
        root = np.sqrt(size)
        unmixing = independent(spatial * root, temporal * root, settings.spatial_weight)
        turn = np.linalg.inv(unmixing).T
        return Separated(
            (spatial * root) @ unmixing, (temporal * root) @ turn, (spatial / root) @ turn
        )

    return units_of_parts(
        recording, settings, settings.window, separate, settings.agreement, settings.repeats
    )


def reduced(velocity: Floats, most: int) -> tuple[Floats, Floats, Floats]:
    """Return the strongest directions of velocity (pixel, time) by their singular values.

    Returns
    -------
    spatial : array of shape (pixel, component)
    size : array of shape (component,)
        Singular values, falling.
    temporal : array of shape (time, component)
    """
    spatial, size, temporal = np.linalg.svd(velocity, full_matrices=False)
    kept = min(most, int((size > 1e-9 * max(size[0], 1e-300)).sum()))
    return spatial[:, :kept], size[:kept], temporal[:kept].T


def independent(spatial: Floats, temporal: Floats, weight: float) -> Floats:
    """Return what makes images and courses as independent as can be, in the given proportion.

    The entropy of ``weight`` times the images ``spatial W`` and ``1 - weight`` times the courses
    ``temporal W^-T L`` is the largest, with L diagonal, for sources whose distribution is that of
    the infomax algorithm, with sech^2 as its density (Stone et al. 2002,
    doi:10.1006/nimg.2001.0986).

    Parameters
    ----------
    spatial : float64 array of shape (pixel, component)
    temporal : float64 array of shape (time, component)
    weight : float
        0..1.

    Returns
    -------
    float64 array of shape (component, component)
        ``W``; images of mean square 1 in each column.
    """
    count = spatial.shape[1]
    inner = 1 / np.sqrt(np.square(spatial).mean(axis=0))
    white = spatial * inner
    other = temporal / inner / np.sqrt(np.square(temporal / inner).mean(axis=0).mean())
    start = np.linalg.qr(np.random.RandomState(SEED).normal(size=(count, count)))[0]
    first = np.concatenate([start.ravel(), np.zeros(count)])
    best = scipy.optimize.minimize(
        _contrast, first, (white, other, weight), "L-BFGS-B", jac=True,
        options={"maxiter": ITERATIONS, "maxcor": 20},
    ).x  # fmt: skip
    unmixing = inner[:, None] * best[: count * count].reshape(count, count)
    return unmixing / np.sqrt(np.square(spatial @ unmixing).mean(axis=0))


def _contrast(values: Floats, spatial: Floats, temporal: Floats, weight: float):
    """Return the negative entropy and its slope, of an unmixing matrix and scales of courses."""
    count = spatial.shape[1]
    unmixing, scales = values[: count * count].reshape(count, count), values[count * count :]
    inverse = np.linalg.inv(unmixing).T
    size = float(np.linalg.slogdet(unmixing)[1])
    energy, slope = 0.0, np.zeros((count, count))
    of_scales = np.zeros(count)
    if weight > 0:
        value, turned = _entropy(spatial @ unmixing)
        energy += weight * (value - size)
        slope += weight * (spatial.T @ turned / len(spatial) - inverse)
    if weight < 1:
        turn = inverse * np.exp(scales)
        value, turned = _entropy(temporal @ turn)
        energy += (1 - weight) * (value + size - scales.sum())
        of_turn = (temporal.T @ turned / len(temporal)) * np.exp(scales)
        slope += (1 - weight) * (inverse - inverse @ of_turn.T @ inverse)
        of_scales = (1 - weight) * ((of_turn * inverse).sum(axis=0) - 1)
    return energy, np.concatenate([slope.ravel(), of_scales])


def _entropy(sources: Floats) -> tuple[float, Floats]:
    """Return the mean of -log(sech^2) of sources (sample, source), summed, and its slope."""
    size = np.abs(sources)
    value = 2 * (size + np.log1p(np.exp(-2 * size)) - np.log(2))
    return float(value.mean(axis=0).sum()), 2 * np.tanh(sources)
