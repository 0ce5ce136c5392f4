"""Spatio-temporal independent component analysis of windows of the image (Rohlen et al. 2020)."""

import numpy as np
import scipy
from numpy.typing import NDArray

from ...units import Recording, Units
from .descriptions import StIcaSettings
from .noise_edge import independent_samples, needed
from .pooling import Component, pooled, upright
from .preparing import band_passed, check_recording, windows

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
    check_recording(recording)
    size = recording.tvi.shape[1:]
    step = max(settings.window // 2, 1)
    places = windows((size[0], size[1]), settings.window, step)
    velocity = band_passed(recording, settings.lowest, settings.highest)
    samples = independent_samples(recording, settings.lowest, settings.highest)
    found: list[Component] = []
    for window in places:
        raw = recording.tvi[:, *window]
        part = velocity[:, *window].reshape(len(raw), -1).T.astype(np.float64)
        part -= part.mean(axis=0)  # over space too, as stICA does (doi:10.1006/nimg.2001.0986)
        spatial, size_, temporal, least = reduced(part, settings.components, samples)
        if not len(size_):
            continue
        unmixing = independent(
            spatial * np.sqrt(size_), temporal * np.sqrt(size_), settings.spatial_weight
        )
        images = (spatial * np.sqrt(size_)) @ unmixing
        turn = np.linalg.inv(unmixing).T
        courses = (temporal * np.sqrt(size_)) @ turn
        # The course is the window's pixels times these weights, so the recording's is too.
        weights = (spatial / np.sqrt(size_)) @ turn
        whole = raw.reshape(len(raw), -1).astype(np.float64)
        velocities = (whole - whole.mean(axis=0)) @ weights
        strength = np.linalg.norm(images, axis=0) * np.linalg.norm(courses, axis=0)
        for one in np.flatnonzero(strength > least):
            image, course, own = upright(
                images[:, one].reshape(raw.shape[1:]), courses[:, one], velocities[:, one]
            )
            certainty = 1 - (least / strength[one]) ** 2
            found.append(Component(window, image, course, own, float(certainty)))
    return pooled(recording, found, settings.agreement, settings.repeats, places)


def reduced(velocity: Floats, most: int, samples: float) -> tuple[Floats, Floats, Floats, float]:
    """Return the strongest directions of velocity (pixel, time) by their singular values.

    Returns
    -------
    spatial : array of shape (pixel, component)
    size : array of shape (component,)
        Singular values, falling.
    temporal : array of shape (time, component)
    least : float
        How strong a component has to be to count.
    """
    spatial, size, temporal = np.linalg.svd(velocity, full_matrices=False)
    rank = int((size > 1e-9 * max(size[0], 1e-300)).sum())
    kept = min(most, rank)
    least = needed(size, len(velocity), samples)
    return spatial[:, :kept], size[:kept], temporal[:kept].T, least


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
