"""From IQ images to axial tissue velocity, by autocorrelation over slow time and over depth."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

Estimator = Literal["2d-autocorrelation", "one-lag"]
ESTIMATORS = ("2d-autocorrelation", "one-lag")


@dataclass(frozen=True, kw_only=True)
class Velocimetry:
    r"""How velocity is estimated from a sequence of IQ images.

    Parameters
    ----------
    frame_rate : float
        Pulse repetition frequency of the images, Hz.
    centre_frequency : float
        Centre frequency of the echoes, Hz.
    depth_step : float
        Distance of two samples in depth, mm.
    sound_speed : float
        m/s.
    demodulation_frequency : float, optional
        The carrier that is already removed along depth, Hz; 0 if the images still carry it. The
        centre frequency, if not given.
    gate : float
        Depth over which the correlations are summed, mm; at least one sample.
    ensemble : int
        Frames over which the correlations are summed, an even number: an odd number of pairs, whose
        centre lies midway between two frames.
    estimator : {"2d-autocorrelation", "one-lag"}
        Whether the echoes' mean frequency is measured, at each pixel, or taken as the centre
        frequency.

    Raises
    ------
    InputError
        If a value is out of bounds.

    Notes
    -----
    With :math:`R(m, n)` the autocorrelation of the IQ signal :math:`s(z, t)` at lag m in depth and
    n in slow time, summed over gate and ensemble, the velocity is [1]_

    .. math:: v = \frac{c}{2} \frac{f_D}{f_c}, \quad
              f_D = \frac{F}{2 \pi} \arg R(0, 1), \quad
              f_c = f_{dem} + \frac{f_s}{2 \pi} \arg R(1, 0),

    with frame rate F and depth sampling rate :math:`f_s = c / 2 \Delta z`. Echoes are taken to
    have the phase :math:`-2 \pi f \tau` of their delay, as demodulation by
    :math:`e^{-2 \pi i f t}` leaves them: so **velocity is positive towards the transducer**. The
    one-lag estimate [2]_ sets :math:`f_c` to the nominal centre frequency; attenuation and the
    probe's spectrum shift the true one, and its velocities by the same ratio. The measured
    :math:`f_c` is kept within half and one and a half of the nominal one.

    References
    ----------
    .. [1] Loupas, Powers, Gill 1995, doi:10.1109/58.393110, equations 17 and 18.
    .. [2] Kasai, Namekawa, Koyano, Omoto 1985, doi:10.1109/T-SU.1985.31615.
    """

    frame_rate: float
    centre_frequency: float
    depth_step: float
    sound_speed: float = 1540.0
    demodulation_frequency: float | None = None
    gate: float = 1.0
    ensemble: int = 4
    estimator: Estimator = "2d-autocorrelation"

    def __post_init__(self) -> None:
        for name in ("frame_rate", "centre_frequency", "depth_step", "sound_speed", "gate"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"{name}: found {value}, wanted a number above 0")
        carrier = self.demodulation_frequency
        if carrier is not None and not (math.isfinite(carrier) and carrier >= 0):
            raise InputError(f"demodulation_frequency: found {carrier}, wanted 0 Hz or more")
        if self.ensemble < 2 or self.ensemble % 2 or self.ensemble != int(self.ensemble):
            raise InputError(f"ensemble: found {self.ensemble}, wanted an even number of frames")
        if self.estimator not in ESTIMATORS:
            raise InputError(
                f"estimator: found {self.estimator!r}, wanted one of {', '.join(ESTIMATORS)}"
            )

    @property
    def nyquist_velocity(self) -> float:
        """Velocity whose phase turns by half a cycle from frame to frame, mm/s."""
        return 1e3 * self.sound_speed * self.frame_rate / (4 * self.centre_frequency)

    @property
    def gate_samples(self) -> int:
        """Samples in the gate: the odd number nearest to its length."""
        return 2 * int(self.gate / self.depth_step / 2) + 1

    @property
    def depth_rate(self) -> float:
        """Sampling rate of the depth axis, Hz."""
        return self.sound_speed / (2e-3 * self.depth_step)


def estimate_velocity(iq: NDArray[Any], settings: Velocimetry) -> NDArray[np.float32]:
    """Estimate the axial velocity of each pixel between each two frames.

    Parameters
    ----------
    iq : complex64 array of shape (frame, depth, width)
    settings : Velocimetry

    Returns
    -------
    float32 array of shape (frame - 1, depth, width)
        Velocity, mm/s, positive towards the transducer; frame i stands for the time midway between
        images i and i + 1. Gate and ensemble are cut at the edges.

    Raises
    ------
    InputError
        If the images are too few or too small.
    """
    return np.concatenate(list(velocity_blocks([iq], settings)))


def velocity_blocks(
    blocks: Iterable[NDArray[Any]], settings: Velocimetry
) -> Iterator[NDArray[np.float32]]:
    """Estimate velocity from consecutive blocks of frames, in memory of a few blocks.

    Parameters
    ----------
    blocks : iterable of complex64 arrays of shape (frame, depth, width)
    settings : Velocimetry

    Yields
    ------
    float32 array of shape (frame, depth, width)
        Velocity, mm/s, as :func:`estimate_velocity` returns it, bit for bit, however the frames are
        cut into blocks.
    """
    from .velocimetry_kernels import LANES, follow

    # An output at pair k wants the pairs k - half .. k + half.
    half = settings.ensemble // 2 - 1
    planes = 4 if settings.estimator == "2d-autocorrelation" else 2
    constants = _constants(settings)
    kept = np.empty(0, np.float32)  # correlations of the last pairs
    before: NDArray[np.complex64] | None = None  # the last frame
    known = done = 0  # pairs, and velocities yielded

    def estimate(
        before: NDArray[np.complex64], frames: NDArray[np.complex64], count: int
    ) -> NDArray[np.float32]:
        velocity = np.empty((count, *before.shape), np.float32)
        numbers = known, done, half, settings.gate_samples // 2
        follow(_parts(before), _parts(frames), kept, *numbers, constants, velocity)
        return velocity

    for block in blocks:
        frames = np.ascontiguousarray(block, np.complex64)
        if frames.ndim != 3 or frames.shape[1] < 2 or frames.shape[2] < 1:
            raise InputError(f"iq: found shape {frames.shape}, wanted (frames, depth > 1, width)")
        if before is None and len(frames):
            _, depth, width = frames.shape
            kept = np.empty((2 * half + 1, -(-width // LANES), depth, planes, LANES), np.float32)
            before, frames = frames[0].copy(), frames[1:]
        if before is None or not len(frames):
            continue
        count = max(known + len(frames) - half - done, 0)
        velocity = estimate(before, frames, count)
        before = frames[-1].copy()
        known, done = known + len(frames), done + count
        if count:
            yield velocity
    if before is None or known < settings.ensemble - 1:
        found = 0 if before is None else known + 1
        raise InputError(
            f"iq: found {found} frames, wanted {settings.ensemble} or more (the ensemble)"
        )
    if known > done:
        nothing = np.empty((0, *before.shape), np.complex64)
        yield estimate(before, nothing, known - done)


def _parts(frames: NDArray[np.complex64]) -> NDArray[np.float32]:
    """Return real and imaginary parts as one float32 view of shape (..., 2)."""
    return frames.view(np.float32).reshape(*frames.shape, 2)


def _constants(settings: Velocimetry) -> NDArray[np.float32]:
    """Return what turns phases into velocity: see ``turn`` of the kernels."""
    removed = settings.demodulation_frequency
    if removed is None:
        removed = settings.centre_frequency
    # The depth axis may be too coarse to carry the frequency itself, but not its offset from the
    # nominal one: that offset is what is measured.
    expected = 2 * math.pi * (settings.centre_frequency - removed) / settings.depth_rate
    scale = 1e3 * settings.sound_speed * settings.frame_rate / (4 * math.pi)
    per_radian = settings.depth_rate / (2 * math.pi)
    return np.array(
        [scale / settings.centre_frequency, math.cos(expected), math.sin(expected),
         per_radian / settings.centre_frequency], np.float32,
    )  # fmt: skip
