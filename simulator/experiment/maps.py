"""What a scanner shows of each field of motion: a recording's maps, without a recording.

A recording of tissue that moves by little is a sum of fixed maps times courses. With S the still IQ
image and D its derivative by a uniform displacement, a field of motion F turns the phase of the
autocorrelation R(0, 1), summed over the gate, by the sum of Im(S* D F) over that of |S|^2: the mean
of F, weighted by the speckle's power. Division by the measured frequency, the median over the image
and its resampling are those of the imaging chain, done once for each map instead of once for each
image. It is exact to first order in the displacement over the wavelength.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..imaging.chain import Axis, Imaging
from ..imaging.filtering import band_pass, median_filter
from ..imaging.resampling import Resampler, resample_images
from .doses import quantised
from .speckle import CELLS, Scanner, Speckle


@dataclass(frozen=True)
class Still:
    """A still IQ image, and what the chain measures in it.

    Parameters
    ----------
    weight : float32 array of shape (depth, width)
        Im(S* D) in mm of displacement a unit of the field: what a sample adds to its gate.
    power : float32 array of shape (depth, width)
        |S|^2.
    divisor : float32 array of shape (depth, width)
        |S|^2 summed over the gate, times the measured frequency over the nominal one.
    """

    weight: NDArray[np.float32]
    power: NDArray[np.float32]
    divisor: NDArray[np.float32]


def still_image(
    scanner: Scanner,
    imaging: Imaging,
    speckle: Speckle,
    displacement: NDArray[np.float64],
    step: tuple[float, float],
) -> Still:
    """Look at tissue that stands still.

    Parameters
    ----------
    scanner : Scanner
    imaging : Imaging
        The chain, fitted to the scanner's images.
    speckle : Speckle
    displacement : float64 array of shape (depth, width)
        Axial displacement on the tissue's grid, mm: maps are exact for small motion about it.
    step : (float, float)
        Depth and width of a point of that grid, mm.

    Returns
    -------
    Still
    """
    from .maps_kernels import look, point_spread, turn_echoes

    settings = imaging.velocimetry
    assert settings is not None
    shape = speckle.scatterers.shape[1], speckle.scatterers.shape[3]
    still, moved = (np.empty((4, *shape), np.float32) for _ in range(2))
    cells = [
        (np.arange(n * parts) + 0.5) / parts * pixel
        for n, parts, pixel in zip(shape, CELLS, scanner.pixel_size, strict=True)
    ]
    turn_echoes(
        displacement.astype(np.float32),
        *_between(displacement.shape, step, cells),
        scanner.turns.astype(np.float32),
        speckle.scatterers,
        speckle.exchange,
        speckle.shift,
        still,
        moved,
    )
    axial = speckle.axial.view(np.float32).reshape(2, len(speckle.axial[0]), -1, 2)
    images = np.empty((2, *shape, 2), np.float32)
    for echoes, image in zip((still, moved), images, strict=True):
        point_spread(np.ascontiguousarray(echoes, np.float32), axial, speckle.lateral, image)
    if speckle.clutter is not None:  # it is seen, and does not move
        images[0] += speckle.clutter.view(np.float32).reshape(images[0].shape)
    # mm of displacement for a radian at the centre frequency.
    radian = settings.sound_speed * 1e3 / (4 * np.pi * settings.centre_frequency)
    share = settings.depth_rate / (2 * np.pi * settings.centre_frequency)
    weight, power, divisor = (np.empty(shape, np.float32) for _ in range(3))
    look(
        *images,
        (scanner.turns * radian).astype(np.float32),
        settings.gate_samples // 2,
        np.float32(share),
        weight,
        power,
        divisor,
    )
    return Still(weight, power, divisor)


def recorded_maps(
    fields: NDArray[np.float64], step: tuple[float, float], still: Still, imaging: Imaging
) -> NDArray[np.float32]:
    """Return what the chain shows of fields of motion.

    Parameters
    ----------
    fields : float64 array of shape (field, depth, width)
        Axial displacement for a course of 1, on the tissue's grid.
    step : (float, float)
        Depth and width of a point of that grid, mm.
    still : Still
    imaging : Imaging

    Returns
    -------
    float32 array of shape (field, depth, width)
        Velocity for a course whose velocity is 1, on the grid of the chain's result.
    """
    from .maps_kernels import gate_fields

    settings = imaging.velocimetry
    assert settings is not None
    places = _between(fields.shape[1:], step, (imaging.depth.positions, imaging.width.positions))
    raw = np.empty((len(fields), *still.weight.shape), np.float32)
    half = settings.gate_samples // 2
    gate_fields(fields, *places, still.weight, still.divisor, half, raw)
    return quantised(resampled(median_filter(raw, imaging.median), imaging))


def _between(
    shape: tuple[int, ...], step: tuple[float, float], positions: Sequence[NDArray[np.float64]]
) -> list[NDArray[Any]]:
    """Return, for each axis, the points before positions, and how far these are beyond."""
    found: list[NDArray[Any]] = []
    for count, pixel, places in zip(shape, step, positions, strict=True):
        position = np.clip(places / pixel - 0.5, 0, count - 1)
        low = np.minimum(position.astype(np.int64), max(count - 2, 0))
        found += [low, (position - low).astype(np.float32)]
    return found


def resampled(images: NDArray[np.float32], imaging: Imaging) -> NDArray[np.float32]:
    """Resample images to the grid of the chain's result."""
    wanted = imaging.output_axes
    if wanted == (imaging.depth, imaging.width):
        return images
    return resample_images(images, *resamplers(imaging))


def resamplers(imaging: Imaging) -> tuple[Resampler, Resampler]:
    """Return what resamples depth and width as the chain does."""
    axes: tuple[Axis, Axis] = imaging.depth, imaging.width
    depth, width = (
        Resampler.cubic(found.first, found.step, wanted.positions)
        for found, wanted in zip(axes, imaging.output_axes, strict=True)
    )
    return depth, width


def recorded_courses(
    courses: NDArray[np.float64], imaging: Imaging, frames: int
) -> NDArray[np.float32]:
    """Return velocities as the chain shows them.

    Parameters
    ----------
    courses : float64 array of shape (field, image)
        Displacement at each of the scanner's images, mm.
    imaging : Imaging
    frames : int
        Of the result.

    Returns
    -------
    float32 array of shape (field, frame)
        mm/s: differences of images, averaged over the ensemble, filtered and resampled in time.
    """
    settings = imaging.velocimetry
    assert settings is not None
    steps = _ensemble(np.diff(courses, axis=1), settings.ensemble) * imaging.frame_rate
    velocity = np.ascontiguousarray(steps.T, np.float32)
    if imaging.band_pass is not None:
        velocity = band_pass(velocity[:, :, None], imaging.band_pass)[:, :, 0]
    if imaging.output_rate != imaging.frame_rate:
        velocity = _in_time(imaging.frame_rate, imaging.output_rate, frames)(velocity)
    return quantised(velocity[:frames].T)


@functools.lru_cache(maxsize=16)
def _in_time(rate: float, output_rate: float, frames: int) -> Resampler:
    """Return what resamples courses as ``resample_time_blocks`` does whole recordings."""
    places = np.arange(frames, dtype=np.float64) * (rate / output_rate)
    return Resampler.windowed_sinc(rate, output_rate, places)


def _ensemble(steps: NDArray[np.float64], ensemble: int) -> NDArray[np.float64]:
    """Average what changes from image to image over an ensemble, cut at the ends."""
    half = ensemble // 2 - 1
    count = steps.shape[1]
    total = np.concatenate([np.zeros((len(steps), 1)), np.cumsum(steps, axis=1)], axis=1)
    low, high = _window(count, half)
    return (total[:, high] - total[:, low]) / (high - low)


@functools.cache
def _window(count: int, half: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    places = np.arange(count)
    return np.maximum(places - half, 0), np.minimum(places + half + 1, count)
