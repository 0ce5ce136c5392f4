"""How much of a recording's motion its units explain, and what they leave.

Every pixel's velocity is regressed on the units' trains by least squares, with whatever map fits:
outlines have no part in it. Energies are of velocity in mm/s, in the band of frequencies that holds
more than noise and without the mean over time. Least squares in mm/s, not in whitened components:
only there do what is explained and what is left add up.

The energy of motion is the product of each pixel's velocity with that of pixels nearby, but further
away than noise is alike: units are wider than that, and noise has no part in it, however uneven and
however well it is known. (Estimates of velocity are worst where speckle is dark; the energy of such
noise exceeds any robust estimate of it.)
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import scipy
from numpy.typing import NDArray

from .noise import Whitened, whiten
from .remarks import UNEXPLAINED_BELOW, joined
from .units import Recording, Units

SURE = 5.0
"""Energy above noise counts from this many of its standard errors under noise alone."""

NOISE_ERROR = 0.15
"""Energy counts from this share of that of the noise: in space, noise is not quite known either."""

APART = (1.75, 4.0)
"""Least and greatest distance of pixels whose velocities are multiplied, mm: within the smallest
units (2.5 mm), and within what is around a unit."""

DEPENDENT = 1e-6
"""A train counts if this share of it, or more, is no mixture of the others."""


@dataclass(frozen=True)
class Explanation:
    """What trains explain of a recording, and what they leave.

    Parameters
    ----------
    share : float
        Of the energy of motion, 0..1; NaN where there is none to speak of.
    residual_sd : float32 array of shape (depth, width)
        SD over time of the motion that is left, mm/s.
    moving : bool
        Whether there is energy above noise to speak of.
    """

    share: float
    residual_sd: NDArray[np.float32]
    moving: bool


def explained(recording: Recording, units: Units) -> Units:
    """Return units with the share of the motion that they explain, and the map of what is left.

    Parameters
    ----------
    recording : Recording
    units : Units
        Found in it.

    Returns
    -------
    Units
        With ``explained_share`` and ``residual_sd``, and with the remarks ``motion-unexplained``
        where the share is below :data:`.remarks.UNEXPLAINED_BELOW` and ``no-motion`` where there
        is neither a unit nor motion above noise.

    Raises
    ------
    InputError
        If nothing can be found in such a recording, see :func:`.units.check`.
    """
    answer = explain(whiten(recording), units.train, recording.pixel_size)
    remarks = list(units.remarks)
    if answer.share < UNEXPLAINED_BELOW:
        remarks.append("motion-unexplained")
    if not answer.moving and not units.count:
        remarks.append("no-motion")
    return replace(
        units,
        explained_share=answer.share,
        residual_sd=answer.residual_sd,
        remarks=joined(*remarks),
    )


def explain(
    known: Whitened, trains: NDArray[np.float32], pixel_size: tuple[float, float]
) -> Explanation:
    """Regress a recording on trains.

    Parameters
    ----------
    known : Whitened
        The recording and its noise.
    trains : float32 array of shape (unit, time)
        mm/s; their scale does not matter.
    pixel_size : (float, float)
        mm.

    Notes
    -----
    Under noise alone the energy of motion is 0 but for chance, with as many independent pixels as
    there are areas of correlation. It counts where it exceeds :data:`SURE` of the standard errors
    of the noise's energy and :data:`NOISE_ERROR` of that: less says nothing, and no share of it is
    stated.
    """
    frames, depth, width = known.shape
    # From whitened components back to coefficients in mm/s, whose noise has this covariance.
    back = np.linalg.inv(known.noise.whitening)  # (component, frequency)
    covariance = back.T @ back  # (frequency, frequency)
    velocity = known.values @ back.astype(np.float32)  # (pixel, frequency), mm/s
    basis = _basis(known.values_of(trains) @ back)  # (train, frequency), orthonormal
    power = np.square(known.noise.sd.reshape(-1))  # (pixel,)

    rest = velocity - (velocity @ basis.T.astype(np.float32)) @ basis.astype(np.float32)
    steps = steps_of(known.noise.area, pixel_size, (depth, width))
    whole = shared_energy(velocity, (depth, width), steps)
    left = shared_energy(rest, (depth, width), steps)
    local = [APART[0] / 2 / size for size in pixel_size]
    motion = np.maximum(scipy.ndimage.gaussian_filter(left, local, mode="nearest"), 0.0)
    residual_sd = np.sqrt(motion / frames).astype(np.float32)

    noise = float(covariance.trace()) * float(power.sum())
    above = float(whole.sum())
    spread = math.sqrt(
        2 * float(np.square(covariance).sum()) * float(np.square(power).sum()) * known.noise.area
    )
    moving = above > max(SURE * spread, NOISE_ERROR * noise)
    share = math.nan
    if moving:
        share = min(max(1 - float(left.sum()) / above, 0.0), 1.0)
    return Explanation(share, residual_sd, moving)


def steps_of(
    area: float, pixel_size: tuple[float, float], shape: tuple[int, int]
) -> tuple[int, int]:
    """Return how many pixels in depth and width lie between those that are multiplied."""
    alike = 2 * math.sqrt(area / math.pi) * math.sqrt(math.prod(pixel_size))
    apart = min(max(alike, APART[0]), APART[1])
    down, right = (
        min(max(round(apart / pixel), 1), max(size // 2, 1))
        for pixel, size in zip(pixel_size, shape, strict=True)
    )
    return down, right


def shared_energy(
    velocity: NDArray[np.floating], shape: tuple[int, int], steps: tuple[int, int]
) -> NDArray[np.float64]:
    """Return the mean product of each pixel's velocity with those some steps away.

    Parameters
    ----------
    velocity : float array of shape (pixel, frequency)
        mm/s.
    shape : (depth, width)
    steps : (int, int)
        Pixels in depth and in width, 1 or more and less than the image has.

    Returns
    -------
    float64 array of shape (depth, width)
        Summed over frequencies, (mm/s)^2; below 0 where neighbours move against each other.
    """
    images = velocity.reshape(*shape, -1)
    total, count = np.zeros(shape), np.zeros(shape)
    for axis, step in enumerate(steps):
        one = tuple(slice(None, -step) if axis == k else slice(None) for k in range(2))
        two = tuple(slice(step, None) if axis == k else slice(None) for k in range(2))
        product = np.einsum("zxf,zxf->zx", images[one], images[two])
        for part in (one, two):
            total[part] += product
            count[part] += 1
    return total / np.maximum(count, 1)


def _basis(trains: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return orthonormal rows that span those of `trains`."""
    size = np.linalg.norm(trains, axis=1, keepdims=True)
    shapes = trains[size[:, 0] > 0] / size[size[:, 0] > 0]
    if not len(shapes):
        return np.zeros((0, trains.shape[1]))
    _, strength, directions = np.linalg.svd(shapes, full_matrices=False)
    return directions[strength > DEPENDENT * strength[0]]
