"""How much of a recording's motion its units explain, and what they leave.

Every pixel's velocity is regressed on the units' trains by least squares, with whatever map fits:
outlines have no part in it. Energies are of velocity in mm/s, in the band of frequencies that holds
more than noise and without the mean over time; that of the noise, which is known with its colour
(:mod:`.noise`), is taken off each. Least squares in mm/s, not in whitened components: only there do
what is explained and what is left add up to the energy of the velocity.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .noise import Features, features
from .remarks import UNEXPLAINED_BELOW, joined
from .units import Recording, Units

SURE = 5.0
"""Energy above noise counts from this many of its standard errors under noise alone."""

NOISE_ERROR = 0.15
"""The energy of noise is known to this share: it was estimated from the recording. Noise alone,
white or coloured in time or space, of 32 x 32 px and 200 frames or more comes out at 0.94 to 1.12
times its estimate; of fewer, the standard error is larger than this."""

DEPENDENT = 1e-6
"""A train counts if this share of it, or more, is no mixture of the others."""


@dataclass(frozen=True)
class Explanation:
    """What trains explain of a recording, and what they leave.

    Parameters
    ----------
    share : float
        Of the velocity's energy above noise, 0..1; NaN where there is none to speak of.
    residual_sd : float32 array of shape (depth, width)
        SD over time of what is left above noise, mm/s.
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
    answer = explain(features(recording), units.train)
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


def explain(known: Features, trains: NDArray[np.float32]) -> Explanation:
    """Regress a recording on trains.

    Parameters
    ----------
    known : Features
        The recording and its noise.
    trains : float32 array of shape (unit, time)
        mm/s; their scale does not matter.

    Notes
    -----
    Under noise alone the energy in mm/s is a weighted sum of chi-squared variables, with as many
    independent pixels as there are areas of correlation. Energy counts as motion where it exceeds
    that of the noise by :data:`SURE` of its standard errors and :data:`NOISE_ERROR` of itself: less
    says nothing, and no share of it is stated.
    """
    frames, depth, width = known.shape
    # From whitened components back to coefficients in mm/s, whose noise has this covariance.
    back = np.linalg.inv(known.noise.whitening)  # (component, frequency)
    covariance = back.T @ back  # (frequency, frequency)
    velocity = known.values @ back.astype(np.float32)  # (pixel, frequency), mm/s
    basis = _basis(known.values_of(trains) @ back)  # (train, frequency), orthonormal
    power = np.square(known.noise.sd.reshape(-1))  # (pixel,)

    energy = _energy(velocity)
    fitted = _energy(velocity @ basis.T.astype(np.float32))
    noise_in_all = float(covariance.trace())
    noise_in_fit = float(np.einsum("uf,fg,ug->", basis, covariance, basis))
    left = energy - fitted - power * (noise_in_all - noise_in_fit)
    residual_sd = np.sqrt(np.maximum(left, 0.0) / frames).reshape(depth, width).astype(np.float32)

    noise = noise_in_all * float(power.sum())
    above = float(energy.sum()) - noise
    spread = math.sqrt(
        2 * float(np.square(covariance).sum()) * float(np.square(power).sum()) * known.noise.area
    )
    moving = above > max(SURE * spread, NOISE_ERROR * noise)
    share = math.nan
    if moving:
        ours = float(fitted.sum()) - noise_in_fit * float(power.sum())
        share = min(max(ours / above, 0.0), 1.0)
    return Explanation(share, residual_sd, moving)


def _basis(trains: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return orthonormal rows that span those of `trains`."""
    size = np.linalg.norm(trains, axis=1, keepdims=True)
    shapes = trains[size[:, 0] > 0] / size[size[:, 0] > 0]
    if not len(shapes):
        return np.zeros((0, trains.shape[1]))
    _, strength, directions = np.linalg.svd(shapes, full_matrices=False)
    return directions[strength > DEPENDENT * strength[0]]


def _energy(coefficients: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return each pixel's sum of squares, (mm/s)^2."""
    return np.asarray(np.square(coefficients).sum(axis=1, dtype=np.float64))
