"""What thermal noise leaves in a recording: its strength at each pixel, and its colour.

The noise of an IQ image turns the phase of R(0, 1) in two ways. In first order by Im(S* n) of each
of two images: what one image adds the next takes off, so its power grows with frequency squared.
In second order by Im(n* n') of both images' noise: white. Both, over the speckle's power |S|^2 in
the gate, are largest where the speckle fades. Noise is as strong at the ends of a recording as
within: what the band-pass takes to lie beyond them has next to none (:mod:`..imaging.filter_ends`).
"""

import functools
import math
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from ..imaging.chain import Imaging
from ..imaging.resampling import Resampler
from .doses import quantised
from .maps import Still, resampled, resamplers

GRID_RATE = 2.5
"""Points a second of the grid in time that noise is drawn on, over the band's upper corner: what a
Butterworth filter of order 4, run twice, lets through beyond half of it is 1 % of the power."""

NEGLIGIBLE = (1e-3, 1e-2)
"""Responses are cut where this share of their energy is left, which they get back as a factor. That
to noise of velocity, a quarter of the noise at most, has a long tail for the lower corner."""

CHOICE = (1.1, 0.07, 10.0)
"""Variance of noise after the median over that of its weighted mean. The first where nothing moves:
a median is less of a mean. The second is added for each e-fold by which the motion's power exceeds
the third times that of the noise: among pixels that move unlike, the median takes the one in the
middle, with its noise. Fitted to ten recordings of the full experiment (seeds 9000-9005, and
9010-9011 with 3 and 10 times the noise), whose ratios of 1.0 to 1.8 over six decades it gives
within 5 %, but for where echoes are hardly above the noise (1.1 for 1.0)."""

UNLIKE = 0.11
"""Share of the noise that the median makes unlike that of neighbouring pixels: 0.07 where nothing
moves, 0.15 among pixels that do in quiet recordings, 0.11 in those of more noise (``python -m
benchmarks.quick agreement``)."""

FINE = 4096
"""Frequencies at which responses are evaluated."""


@dataclass(frozen=True)
class Colour:
    """How the chain colours noise: the same for all recordings of a scanner.

    Noise in time is ``sum_j (first_sd response_1(t - j step) + second_sd response_2(t - j step))
    n_j`` of white noise n_j on a coarser grid. The two responses are odd and even, so their powers
    add up.

    Parameters
    ----------
    step : int
        Distance of the grid's points, frames.
    responses : float32 array of shape (2, 2 reach + 1)
        For noise of displacement and of velocity, at -reach..reach frames.
    brief : int
        Frames after which the first one is over.
    depth, width : float32 arrays of odd lengths
        What makes noise at neighbouring pixels alike, of unit energy.
    resampling : float
        Variance after the resampling of images over that before.
    """

    step: int
    responses: NDArray[np.float32]
    brief: int
    depth: NDArray[np.float32]
    width: NDArray[np.float32]
    resampling: float

    @property
    def reach(self) -> int:
        """Frames after which a response is over."""
        return self.responses.shape[1] // 2

    @property
    def power(self) -> NDArray[np.float64]:
        """Variance in the result of noise of SD 1 in displacement and in velocity, float64 (2,)."""
        return (self.responses.astype(np.float64) ** 2).sum(axis=1) / self.step


@functools.lru_cache(maxsize=16)
def colour_of(imaging: Imaging) -> Colour:
    """Return how a chain colours noise."""
    band = imaging.band_pass
    assert band is not None
    step = max(1, int(imaging.output_rate / (GRID_RATE * band.high)))
    axes = imaging.depth, imaging.width
    settings = imaging.velocimetry
    assert settings is not None
    taps, shares = [], []
    # The gate runs along depth alone; the median's window along both.
    for number, (axis, wanted, maps) in enumerate(
        zip(axes, imaging.output_axes, resamplers(imaging), strict=True)
    ):
        window = np.ones(imaging.median[number]) / imaging.median[number]
        if number == 0:
            gate = np.ones(settings.gate_samples) / settings.gate_samples
            window = np.convolve(window, gate)
        weights = maps.weights[len(maps.weights) // 2].astype(np.float64)
        whole = np.convolve(window, weights) if (axis != wanted) else window
        taps.append(_alike(np.asarray(whole, np.float64), wanted.step / axis.step))
        shares.append((whole**2).sum() / (window**2).sum())
    responses, brief = _responses(imaging, step)
    return Colour(
        step=step,
        responses=responses,
        brief=brief,
        depth=taps[0],
        width=taps[1],
        resampling=shares[0] * shares[1],
    )


def _alike(kernel: NDArray[np.float64], spacing: float) -> NDArray[np.float32]:
    """Return taps for white noise that make it as alike as a kernel's, every `spacing` samples."""
    turns = np.linspace(0, np.pi, FINE)
    spectrum = np.abs(np.exp(-1j * np.outer(turns, np.arange(len(kernel)))) @ kernel) ** 2
    lags = np.arange(math.ceil(len(kernel) / spacing) + 1)
    likeness = np.trapezoid(spectrum * np.cos(np.outer(lags * spacing, turns)), turns)
    likeness[1:] /= likeness[0] * (1 + UNLIKE)
    likeness[0] = 1
    # Symmetric taps of the same spectrum: its root.
    power = 1 + 2 * np.cos(np.outer(turns, lags[1:])) @ likeness[1:]
    root = np.sqrt(np.maximum(power, 0))
    half = np.trapezoid(root * np.cos(np.outer(np.arange(2 * len(lags)), turns)), turns)
    kept = max(int(np.nonzero(np.abs(half) > 0.01 * half[0])[0][-1]), 0)
    taps = np.concatenate([half[kept:0:-1], half[: kept + 1]])
    return (taps / np.sqrt((taps**2).sum())).astype(np.float32)


def _responses(imaging: Imaging, step: int) -> tuple[NDArray[np.float32], int]:
    """Return responses to noise of displacement and of velocity, and the reach of the first."""
    band, settings = imaging.band_pass, imaging.velocimetry
    assert band is not None
    assert settings is not None
    rate, wanted = imaging.frame_rate, imaging.output_rate
    highest = min(wanted * 0.5, rate * 0.5)
    frequency = np.linspace(highest / FINE, highest, FINE)
    _, response = scipy.signal.sosfreqz(band.sections, 2 * np.pi * frequency / rate)
    passed = np.abs(response) ** 2
    if wanted != rate:
        taps = Resampler.windowed_sinc(rate, wanted, np.zeros(1))
        places = (taps.starts[0] + np.arange(taps.weights.shape[1])) / rate
        waves = np.exp(-2j * np.pi * np.outer(frequency, places))
        passed = passed * np.abs(waves @ taps.weights[0].astype(np.float64))
    pairs = settings.ensemble - 1
    difference = 2 * rate * np.sin(np.pi * pairs * frequency / rate) / pairs
    mean = np.sin(np.pi * pairs * frequency / rate) / (pairs * np.sin(np.pi * frequency / rate))
    longest = math.ceil(3 * wanted / band.low)
    angles = 2 * np.pi * np.outer(np.arange(-longest, longest + 1) / wanted, frequency)
    # White noise of the images has 1 / rate of power a hertz, that of the grid step / wanted.
    scale = 2 * (frequency[1] - frequency[0]) * math.sqrt(step / wanted / rate)
    odd = scale * np.sin(angles) @ (passed * np.abs(difference))
    even = scale * np.cos(angles) @ (passed * np.abs(mean))
    reaches = []
    for one, rest in zip((odd, even), NEGLIGIBLE, strict=True):
        energy = np.cumsum((one**2)[longest:])
        reaches.append(int(np.searchsorted(energy, (1 - rest) * energy[-1])))
        np.multiply(one, math.sqrt(1 / (1 - rest)), out=one)
    brief, reach = reaches[0], max(reaches)
    odd[: longest - brief] = odd[longest + brief + 1 :] = 0
    kept = slice(longest - reach, longest + reach + 1)
    return np.stack([odd[kept], even[kept]]).astype(np.float32), brief


def noise_maps(
    still: Still, noise: NDArray[np.float32], imaging: Imaging, colour: Colour
) -> NDArray[np.float32]:
    """Return how strong the noise of a subject's recordings is.

    Parameters
    ----------
    still : Still
    noise : float32 array of shape (depth,)
        SD of the noise in each part of the IQ images.
    imaging : Imaging
    colour : Colour

    Returns
    -------
    float32 array of shape (2, depth, width)
        SD of the displacement's noise in an image (mm) and of a velocity's between two (mm/s), as
        a weighted mean over the median's window and the resampling leave them; colours in time
        apply to these.
    """
    from .maps_kernels import noise_strength

    settings = imaging.velocimetry
    assert settings is not None
    radian = settings.sound_speed * 1e3 / (4 * np.pi * settings.centre_frequency)
    variance = np.empty((2, *still.power.shape), np.float32)
    rows, columns = imaging.median
    noise_strength(
        still.power,
        still.divisor,
        noise,
        settings.gate_samples // 2,
        rows // 2,
        columns // 2,
        variance,
    )
    scale = colour.resampling * radian**2
    variance *= np.float32(scale)
    variance[1] *= np.float32(imaging.frame_rate**2)
    return np.sqrt(np.maximum(resampled(variance, imaging), 0))


def chosen_noise(
    noise: NDArray[np.float32],
    maps: NDArray[np.float32],
    courses: NDArray[np.float32],
    colour: Colour,
) -> NDArray[np.float32]:
    """Return how strong noise is where the median chooses among pixels that move.

    Parameters
    ----------
    noise : float32 array of shape (2, depth, width)
        As :func:`noise_maps` gives it.
    maps : float32 array of shape (component, depth, width)
    courses : float32 array of shape (component, time)
        What moves.
    colour : Colour

    Returns
    -------
    float32 array of shape (2, depth, width)
    """
    moving = np.einsum("mzx,m->zx", maps.astype(np.float64) ** 2, courses.var(axis=1))
    noisy = np.einsum("nzx,n->zx", noise.astype(np.float64) ** 2, colour.power)
    base, slope, least = CHOICE
    more = np.sqrt(base + slope * np.log1p(moving / np.maximum(least * noisy, 1e-30)))
    # Multiples of 2**-30, so that no library's last bit is left.
    return quantised(noise * more * 2.0**10) * np.float32(2.0**-10)
