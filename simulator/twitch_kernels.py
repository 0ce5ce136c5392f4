"""Loops of :mod:`musim.simulator.twitch`: sums of twitches over firings."""

import math

import numpy as np

from .acceleration import bits_of_float64, float64_of_bits, inline, kernel

LOG_TWO = math.log(2.0)
INVERSE_LOG_TWO = 1.0 / LOG_TWO
SQRT_HALF_BITS = np.int64(0x3FE6A09E667F3BCD)
MANTISSA_BITS = np.int64(0x000FFFFFFFFFFFFF)
EXPONENT_SHIFT = np.int64(52)
EXPONENT_BIAS = np.int64(1023)
WHOLE = 16
"""Values of a twitch are computed in multiples of this many: the few that no vector holds would
take a tenth of the time."""


@inline
def logarithm(x):
    """Natural logarithm of a positive normal number, relative error below 1e-12.

    With x = 2^e (1 + s) / (1 - s): log x = e log 2 + 2 s (1 + s^2/3 + s^4/5 + ...), |s| < 0.172.
    Written out, as is :func:`exponential`, because only so can the loop be vectorised.
    """
    bits = bits_of_float64(x) - SQRT_HALF_BITS
    exponent = float(bits >> EXPONENT_SHIFT)
    mantissa = float64_of_bits((bits & MANTISSA_BITS) + SQRT_HALF_BITS)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    q = s * s
    series = 1.0 / 15.0
    series = series * q + 1.0 / 13.0
    series = series * q + 1.0 / 11.0
    series = series * q + 1.0 / 9.0
    series = series * q + 1.0 / 7.0
    series = series * q + 1.0 / 5.0
    series = series * q + 1.0 / 3.0
    series = series * q + 1.0
    return exponent * LOG_TWO + 2.0 * s * series


@inline
def exponential(x):
    """Exponential of x < 700, relative error below 1e-12: 2^n times the series of e^r.

    Below -700 it stays at e^-700, some 1e-304, instead of leaving the range of normal numbers.
    """
    x = max(x, -700.0)
    n = np.floor(x * INVERSE_LOG_TWO + 0.5)
    r = x - n * LOG_TWO
    series = 1.0 / 39916800.0
    series = series * r + 1.0 / 3628800.0
    series = series * r + 1.0 / 362880.0
    series = series * r + 1.0 / 40320.0
    series = series * r + 1.0 / 5040.0
    series = series * r + 1.0 / 720.0
    series = series * r + 1.0 / 120.0
    series = series * r + 1.0 / 24.0
    series = series * r + 1.0 / 6.0
    series = series * r + 0.5
    series = series * r + 1.0
    series = series * r + 1.0
    return series * float64_of_bits((np.int64(n) + EXPONENT_BIAS) << EXPONENT_SHIFT)


@kernel
def _write_twitch(pulse, power, first_time, step, exponent, scale):
    """Write scale x^(m-1) (1-x) e^(m (1-x)) to `pulse`; x is first_time, first_time + step, ...

    In two loops: the processor works on several values at once, and sees as many again of them in
    half the way to each. `power`, of the same length, is where the first one leaves its own.
    """
    for i in range(pulse.size):
        x = first_time + i * step
        power[i] = (exponent - 1.0) * logarithm(x) + exponent * (1.0 - x)
    for i in range(pulse.size):
        x = first_time + i * step
        pulse[i] = scale * (1.0 - x) * exponential(power[i])


@kernel
def sum_twitches(
    times, amplitudes, durations, contraction, exponent, scale, length, frame_rate, trains
):
    """Fill each unit's train with one twitch for every firing.

    Parameters
    ----------
    times : float64 array of shape (unit, firing)
        Firing instants, s; NaN is none.
    amplitudes, durations : float64 arrays of shape (unit, firing)
        Displacement and times of each twitch over its unit's.
    contraction, exponent, scale, length : float64 arrays of shape (unit,)
        Contraction time (s), m, D m / Tc (mm/s), end of the twitch (s).
    frame_rate : float
        Hz.
    trains : float32 array of shape (unit, time), changed in place
    """
    units, frames = trains.shape
    train = np.empty(frames)
    pulse = np.empty(-(-frames // WHOLE) * WHOLE)
    power = np.empty_like(pulse)
    for unit in range(units):
        train[:] = 0.0
        for firing in range(times.shape[1]):
            instant = times[unit, firing]
            end = instant + length[unit] * durations[unit, firing]
            if not end > 0.0:
                continue
            # The first frame strictly after the firing: at onset the velocity is 0.
            first = max(0, math.floor(instant * frame_rate) + 1)
            last = min(frames, math.ceil(end * frame_rate))
            if first < last:
                rise = contraction[unit] * durations[unit, firing]
                # Rounding can put the first frame a billionth before the onset.
                first_time = max((first / frame_rate - instant) / rise, 1e-12)
                # The same displacement in less time is a greater velocity.
                height = scale[unit] * amplitudes[unit, firing] / durations[unit, firing]
                step = 1.0 / (frame_rate * rise)
                whole = -((first - last) // WHOLE) * WHOLE
                _write_twitch(
                    pulse[:whole], power[:whole], first_time, step, exponent[unit], height
                )
                for frame in range(first, last):
                    train[frame] += pulse[frame - first]
        for frame in range(frames):
            trains[unit, frame] = np.float32(train[frame])


@kernel
def sum_sampled_waveforms(
    times, amplitudes, durations, sample_times, velocities, scale, frame_rate, trains
):
    """Fill each unit's train with one sampled waveform, linearly interpolated, for every firing.

    Parameters
    ----------
    times, amplitudes, durations : float64 arrays of shape (unit, firing)
        As for :func:`sum_twitches`.
    sample_times, velocities : float64 arrays of shape (sample,)
        The waveform: s, rising from 0, and 1/s.
    scale : float64 array of shape (unit,)
        Peak displacement, mm.
    frame_rate : float
        Hz.
    trains : float32 array of shape (unit, time), changed in place
    """
    units, frames = trains.shape
    train = np.empty(frames)
    length = sample_times[-1]
    for unit in range(units):
        train[:] = 0.0
        for firing in range(times.shape[1]):
            instant = times[unit, firing]
            stretch = durations[unit, firing]
            end = instant + length * stretch
            if not end > 0.0:
                continue
            first = max(0, math.ceil(instant * frame_rate))
            last = min(frames, math.floor(end * frame_rate) + 1)
            height = scale[unit] * amplitudes[unit, firing] / stretch
            sample = 0
            for frame in range(first, last):
                time = min(max((frame / frame_rate - instant) / stretch, 0.0), length)
                while sample < sample_times.size - 2 and sample_times[sample + 1] <= time:
                    sample += 1
                share = (time - sample_times[sample]) / (
                    sample_times[sample + 1] - sample_times[sample]
                )
                velocity = velocities[sample] + share * (
                    velocities[sample + 1] - velocities[sample]
                )
                train[frame] += height * velocity
        for frame in range(frames):
            trains[unit, frame] = np.float32(train[frame])
