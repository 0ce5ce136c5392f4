"""What one firing does: the velocity waveform of a twitch, and trains of them.

The displacement is ``F(x) = D x^m e^(m (1 - x))`` with ``x = t / Tc`` (Raikova's function: D peak
displacement, Tc contraction time), so that m = 1 is the twitch of Fuglevand, Winter and Patla 1993
(doi:10.1152/jn.1993.70.6.2470). The velocity is its time derivative. For m > 1 it starts from zero;
it integrates to zero for any m.
"""

import math
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from .parameters import Parameters
from .seeds import Stream, generator

NEGLIGIBLE = 2.0**-24
"""A twitch ends where its displacement is this share of its peak: float32 cannot show it."""

_logarithm = np.frompyfunc(math.log, 1, 1)

MICROMETRES_PER_MILLIMETRE = 1000.0


@dataclass(frozen=True)
class Twitches:
    """Twitch parameters of one sequence's units.

    Parameters
    ----------
    displacement : float64 array of shape (unit,)
        Peak displacement, um.
    contraction_time : float64 array of shape (unit,)
        Time from onset to peak displacement, ms.
    relaxation_ratio : float64 array of shape (unit,)
        Half-relaxation time over contraction time, both from onset.
    strength_ratio : float
        Of the strongest unit that could be drawn over the weakest.
    """

    displacement: NDArray[np.float64]
    contraction_time: NDArray[np.float64]
    relaxation_ratio: NDArray[np.float64]
    strength_ratio: float = 1.0


@dataclass(frozen=True)
class Variation:
    """How the twitches of one sequence differ from firing to firing.

    Parameters
    ----------
    amplitude, duration : float64 arrays of shape (unit, firing)
        Each twitch's displacement and times over its unit's, 1 in the mean; NaN is no firing.
    amplitude_sd, duration_sd : float
        Their SD, as it was drawn for the sequence.
    """

    amplitude: NDArray[np.float64]
    duration: NDArray[np.float64]
    amplitude_sd: float = 0.0
    duration_sd: float = 0.0


def shape_exponent(relaxation_ratio):
    """Return m of a twitch that falls to half its peak at `relaxation_ratio` contraction times.

    From F(r) = D / 2: m = ln 2 / (r - 1 - ln r). Float, or float64 array of any shape.
    """
    # NumPy's logarithm differs in its last bit between processors with and without AVX-512, which
    # the difference below magnifies; the C library's is the same on both.
    logarithm = _logarithm(relaxation_ratio)
    return math.log(2) / (relaxation_ratio - 1 - np.asarray(logarithm, float)[()])


def twitch_length(parameters: Parameters) -> float:
    """Return the time, in s, after which every twitch that can be drawn is over."""
    if parameters.waveform is not None:
        return parameters.waveform[-1][0]
    exponent = shape_exponent(parameters.relaxation_ratio.high)
    # Rounded up to whole ms: a last bit of Lambert's W must not move all firings.
    return math.ceil(float(_end(exponent)) * parameters.contraction_time.high) / 1000


def _end(exponent):
    """Return x > 1 with x^m e^(m (1 - x)) = NEGLIGIBLE, by the lower branch of Lambert's W."""
    return -np.real(scipy.special.lambertw(-(NEGLIGIBLE ** (1 / exponent)) / math.e, k=-1))


def draw_twitches(parameters: Parameters, units: int, seed: int, index: int) -> Twitches:
    """Draw the twitch parameters of `units` units of sequence `index`."""
    random = generator(seed, index, Stream.TWITCH)
    displacement = parameters.displacement.draw(random, units)
    strength_ratio = 1.0
    if parameters.strength_ratio.high > 1:
        strength_ratio, strengths = _draw_strengths(parameters, units, seed, index)
        displacement = displacement * strengths
    contraction_time = parameters.contraction_time.draw(random, units)
    relaxation_ratio = parameters.relaxation_ratio.draw(random, units)
    if parameters.waveform is not None:
        peak, half = _landmarks(parameters.waveform)
        contraction_time = np.full(units, 1000 * peak)
        relaxation_ratio = np.full(units, half / peak)
    return Twitches(displacement, contraction_time, relaxation_ratio, strength_ratio)


def _draw_strengths(
    parameters: Parameters, units: int, seed: int, index: int
) -> tuple[float, NDArray[np.float64]]:
    """Return the ratio of strengths, and how much stronger than their middle units are.

    Strengths are uniform in their logarithm, as Fuglevand, Winter and Patla 1993 have twitch forces
    (doi:10.1152/jn.1993.70.6.2470, equation 13: exponential in a unit's rank).
    """
    random = generator(seed, index, Stream.STRENGTH)
    ratio = parameters.strength_ratio.draw_one(random)
    return ratio, _exponential((random.random(units) - 0.5) * math.log(ratio))


def draw_variation(
    parameters: Parameters, times: NDArray[np.float64], seed: int, index: int
) -> Variation | None:
    """Draw how each firing's twitch differs from its unit's; none where parameters let none.

    Amplitudes and durations are log-normal with a mean of 1: successive contractions of a unit
    differ in both (Raikova et al. 2008, doi:10.1016/j.jelekin.2007.02.010); how much, and that they
    do so independently, is an assumption. Firings stay where they are without: of twitches that
    last longer than :func:`twitch_length`, and began as long before the sequence, the last
    thousandth is missing.

    Parameters
    ----------
    parameters : Parameters
    times : float64 array of shape (unit, firing)
        Firing instants, s; NaN is none.
    seed, index : int
    """
    if parameters.amplitude_variation.high == parameters.duration_variation.high == 0:
        return None
    random = generator(seed, index, Stream.VARIATION)
    amplitude_sd = parameters.amplitude_variation.draw_one(random)
    duration_sd = parameters.duration_variation.draw_one(random)
    # Firings come first, so that a longer sequence goes on with what a shorter one has.
    numbers = random.standard_normal((*times.T.shape, 2)).transpose(2, 1, 0)
    numbers = np.where(np.isnan(times), np.nan, numbers)
    return Variation(
        _log_normal(numbers[0], amplitude_sd),
        _log_normal(numbers[1], duration_sd),
        amplitude_sd,
        duration_sd,
    )


def _log_normal(numbers: NDArray[np.float64], sd: float) -> NDArray[np.float64]:
    """Return exp of normal numbers, with a mean of 1 and this SD."""
    variance = math.log1p(sd**2)
    return _exponential(math.sqrt(variance) * numbers - variance / 2)


def _exponential(exponents: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return e to some powers by the C library, the same on every processor (as logarithms)."""
    return np.asarray(np.frompyfunc(math.exp, 1, 1)(exponents), np.float64)


def twitch_velocity(
    time: NDArray[np.float64],
    displacement: float = 10.0,
    contraction_time: float = 82.5,
    relaxation_ratio: float = 5 / 3,
) -> NDArray[np.float64]:
    """Return the velocity of one twitch that starts at time 0.

    Parameters
    ----------
    time : float64 array of any shape
        Time since onset, s; the velocity is 0 before.
    displacement : float
        Peak displacement, um.
    contraction_time : float
        Time from onset to peak displacement, ms.
    relaxation_ratio : float
        Half-relaxation time over contraction time, both from onset; below 2.68.

    Returns
    -------
    float64 array of the same shape
        Velocity, mm/s, positive towards the transducer.
    """
    exponent = shape_exponent(relaxation_ratio)
    contraction = contraction_time / 1000
    x = np.maximum(np.asarray(time, float), 0.0) / contraction
    scale = displacement / MICROMETRES_PER_MILLIMETRE * exponent / contraction
    # Powers as logarithms: x^(m - 1) alone overflows where the exponential vanishes.
    with np.errstate(divide="ignore", under="ignore"):
        power = (exponent - 1) * np.log(x) + exponent * (1 - x)
        return scale * (1 - x) * np.exp(power)


def twitch_trains(
    parameters: Parameters,
    twitches: Twitches,
    times: NDArray[np.float64],
    variation: Variation | None = None,
) -> NDArray[np.float32]:
    """Return each unit's velocity signal: the sum of one twitch for every firing.

    Parameters
    ----------
    parameters : Parameters
    twitches : Twitches
    times : float64 array of shape (unit, firing)
        Firing instants, s; NaN is none.
    variation : Variation, optional
        Of the same firings; without it, a unit's twitches are alike.

    Returns
    -------
    float32 array of shape (unit, time)
        Velocity, mm/s.
    """
    from .twitch_kernels import sum_sampled_waveforms, sum_twitches

    trains = np.zeros((len(times), parameters.frames), np.float32)
    if variation is None:
        variation = Variation(np.ones(times.shape), np.ones(times.shape))
    varied = variation.amplitude, variation.duration
    if parameters.waveform is not None:
        samples = np.array(parameters.waveform)
        samples[:, 1] /= np.abs(_displacement(_with_turns(samples))[:, 1]).max()
        scale = twitches.displacement / MICROMETRES_PER_MILLIMETRE
        sum_sampled_waveforms(
            times, *varied, samples[:, 0].copy(), samples[:, 1].copy(), scale,
            parameters.frame_rate, trains,
        )  # fmt: skip
        return trains
    exponent = shape_exponent(twitches.relaxation_ratio)
    contraction = twitches.contraction_time / 1000
    scale = twitches.displacement / MICROMETRES_PER_MILLIMETRE * exponent / contraction
    length = _end(exponent) * contraction
    sum_twitches(
        times, *varied, contraction, exponent, scale, length, parameters.frame_rate, trains
    )
    return trains


def _with_turns(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add the instants at which the interpolated velocity is 0: there the displacement turns."""
    (times, velocities), before = samples.T, samples[:-1]
    crossing = velocities[:-1] * velocities[1:] < 0
    share = before[crossing, 1] / (before[crossing, 1] - velocities[1:][crossing])
    turns = before[crossing, 0] + share * np.diff(times)[crossing]
    added = np.concatenate([samples, np.column_stack([turns, np.zeros_like(turns)])])
    return added[np.argsort(added[:, 0], kind="stable")]


def _displacement(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (time, displacement): the running integral of a sampled velocity, by trapezoids."""
    from scipy.integrate import cumulative_trapezoid

    times, velocities = samples.T
    return np.column_stack([times, cumulative_trapezoid(velocities, times, initial=0)])


def _landmarks(waveform: tuple[tuple[float, float], ...]) -> tuple[float, float]:
    """Return a sampled waveform's times of peak and of half-relaxed displacement, s."""
    times, displacement = _displacement(_with_turns(np.array(waveform))).T
    displacement = np.abs(displacement)
    peak = int(displacement.argmax())
    falling = displacement[peak:]
    relaxed = np.flatnonzero(falling <= falling[0] / 2)
    half = times[-1]
    if relaxed.size:
        sides = slice(peak + relaxed[0] - 1, peak + relaxed[0] + 1)
        half = np.interp(-falling[0] / 2, -displacement[sides], times[sides])
    return float(times[peak]), float(half)
