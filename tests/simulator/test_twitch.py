import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from musim.simulator import Parameters, Range
from musim.simulator.twitch import (
    NEGLIGIBLE,
    Twitches,
    Variation,
    draw_twitches,
    draw_variation,
    shape_exponent,
    twitch_length,
    twitch_trains,
    twitch_velocity,
)
from musim.simulator.twitch_kernels import (
    exponential,
    logarithm,
    sum_sampled_waveforms,
    sum_twitches,
)

RATIOS = [1.05, 1.3, 5 / 3, 2.08, 2.6]
# Three straight pieces: up, down through zero, and back.
WAVEFORM = ((0.0, 0.0), (0.03, 2.0), (0.1, -1.0), (0.2, 0.0))


@njit
def _logarithms(x, out):
    for i in range(x.size):
        out[i] = logarithm(x[i])


@njit
def _exponentials(x, out):
    for i in range(x.size):
        out[i] = exponential(x[i])


def _relative_error(found, exact):
    return np.abs((found - exact) / np.where(exact == 0, 1, exact)).max()


def test_the_logarithm_is_exact_to_1e_12():
    random = np.random.default_rng(0)
    wide = np.exp2(random.uniform(-1021, 1023, 100_000))
    near_one = 1 + random.uniform(-1, 1, 100_000) * 2.0 ** random.integers(-50, -1, 100_000)
    x = np.concatenate([wide, near_one, [1, 2, 0.5, math.sqrt(0.5), math.sqrt(2), 2.0**-1022]])
    out = np.empty_like(x)
    _logarithms(x, out)
    assert _relative_error(out, np.log(x)) < 1e-12


def test_the_exponential_is_exact_to_1e_12():
    x = np.concatenate(
        [np.linspace(-700, 699, 200_001), np.linspace(-1e-3, 1e-3, 1001), [0, -1e-300]]
    )
    out = np.empty_like(x)
    _exponentials(x, out)
    assert _relative_error(out, np.exp(x)) < 1e-12


def test_the_exponential_of_very_negative_numbers_is_next_to_nothing():
    x = np.array([-701.0, -1e5, -1e300])
    out = np.empty_like(x)
    _exponentials(x, out)
    np.testing.assert_allclose(out, math.exp(-700))


def _displacement(x, ratio):
    return np.exp(shape_exponent(ratio) * (np.log(x) + 1 - x))


def _velocity(time, displacement, contraction, ratio):
    """Return dF/dt in mm/s with times in s and displacements in mm, without overflow."""
    m = shape_exponent(ratio)
    x = np.maximum(time / contraction, 1e-300)
    rise = np.exp((m - 1) * np.log(x) + m * (1 - x))
    return np.where(time > 0, displacement * m / contraction * rise * (1 - x), 0.0)


@pytest.mark.parametrize("ratio", RATIOS)
def test_the_displacement_falls_to_half_at_the_half_relaxation_time(ratio):
    assert _displacement(ratio, ratio) == pytest.approx(0.5)
    assert _displacement(1.0, ratio) == 1


def test_the_exponent_of_the_published_twitch():
    assert shape_exponent(5 / 3) == pytest.approx(4.45, abs=0.005)
    assert shape_exponent(2.08) == pytest.approx(2, abs=0.01)
    assert shape_exponent(2.68) == pytest.approx(1, abs=0.005)


@pytest.mark.parametrize("ratio", RATIOS)
def test_the_velocity_is_the_derivative_of_the_displacement(ratio):
    time = np.linspace(0, 0.4, 4001)[1:]
    step = 1e-7
    ahead, behind = (_displacement((time + s) / 0.08, ratio) for s in (step, -step))
    slope = 0.01 * (ahead - behind) / (2 * step)
    found = twitch_velocity(time, 10.0, 80.0, ratio)
    np.testing.assert_allclose(found, slope, atol=1e-5 * np.abs(found).max())


@pytest.mark.parametrize("ratio", RATIOS)
def test_a_twitch_integrates_to_its_peak_displacement_and_then_to_zero(ratio):
    # A quadratic grid is fine where the velocity is steep, at the onset.
    time = np.linspace(0, 1, 400_001) ** 2 * 1.6
    velocity = twitch_velocity(time, 10.0, 80.0, ratio)
    steps = (velocity[1:] + velocity[:-1]) / 2 * np.diff(time)
    displacement = 1000 * np.cumsum(steps)
    assert displacement.max() == pytest.approx(10, rel=1e-4)
    assert time[displacement.argmax()] == pytest.approx(0.08, rel=1e-3)
    assert displacement[-1] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("ratio", RATIOS)
def test_the_velocity_is_extreme_one_over_the_root_of_m_from_the_peak(ratio):
    time = np.linspace(0, 0.8, 800_001)
    velocity = twitch_velocity(time, 10.0, 80.0, ratio)
    distance = 1 / math.sqrt(shape_exponent(ratio))
    assert time[velocity.argmax()] / 0.08 == pytest.approx(1 - distance, abs=2e-5)
    assert time[velocity.argmin()] / 0.08 == pytest.approx(1 + distance, abs=2e-5)


def test_the_velocity_of_the_default_twitch():
    velocity = twitch_velocity(np.linspace(0, 0.5, 5001))
    assert velocity.max() == pytest.approx(0.23, abs=0.005)
    assert velocity.min() == pytest.approx(-0.12, abs=0.005)


@pytest.mark.parametrize("ratio", RATIOS)
def test_until_its_onset_a_twitch_has_no_velocity(ratio):
    velocity = twitch_velocity(np.array([-1.0, -1e-9, 0.0]), 10.0, 80.0, ratio)
    assert (velocity == 0).all()


@pytest.mark.parametrize("ratio", [1.3, 5 / 3, 2.0])
def test_the_velocity_is_continuous(ratio):
    steepest = []
    for step in (1e-4, 1e-5, 1e-6):
        velocity = twitch_velocity(np.arange(-0.01, 0.12, step), 10.0, 80.0, ratio)
        steepest.append(np.abs(np.diff(velocity)).max() / step)
    assert steepest[2] == pytest.approx(steepest[1], rel=0.05)
    assert steepest[1] == pytest.approx(steepest[0], rel=0.05)


@pytest.mark.parametrize("ratio", RATIOS)
def test_long_after_its_onset_a_twitch_is_over(ratio):
    velocity = twitch_velocity(np.array([2.0, 10.0, 1000.0]), 10.0, 80.0, ratio)
    np.testing.assert_allclose(velocity, 0, atol=1e-6)


@pytest.mark.parametrize("ratio", RATIOS)
def test_a_twitch_ends_where_nothing_is_left_of_it(ratio):
    parameters = Parameters(contraction_time=Range(60, 80), relaxation_ratio=Range(1.05, ratio))
    end = twitch_length(parameters) / 0.08
    assert end > 1
    assert _displacement(end, ratio) <= NEGLIGIBLE * (1 + 1e-6)
    # The end may be rounded up to a whole millisecond.
    assert _displacement(end - 0.001 / 0.08, ratio) >= NEGLIGIBLE * (1 - 1e-6)


def test_no_twitch_that_can_be_drawn_outlasts_the_longest():
    parameters = Parameters(contraction_time=Range(20, 120), relaxation_ratio=Range(1.05, 2.6))
    longest = twitch_length(parameters)
    twitches = draw_twitches(parameters, 1000, 0, 0)
    x = longest / (twitches.contraction_time / 1000)
    assert (_displacement(x, twitches.relaxation_ratio) <= NEGLIGIBLE * (1 + 1e-6)).all()


def test_twitches_are_drawn_in_their_ranges():
    parameters = Parameters(displacement=Range(5, 15), relaxation_ratio=Range(1.5, 2))
    twitches = draw_twitches(parameters, 1000, 0, 0)
    for values, low, high in [
        (twitches.displacement, 5, 15),
        (twitches.contraction_time, 75, 90),
        (twitches.relaxation_ratio, 1.5, 2),
    ]:
        assert values.shape == (1000,)
        assert low <= values.min() < values.max() < high
        assert np.ptp(values) > 0.98 * (high - low)


def _ends(exponent):
    """Return the end of a twitch in contraction times by bisection."""
    low, high = np.ones_like(exponent), np.full_like(exponent, 1000.0)
    for _ in range(200):
        middle = (low + high) / 2
        above = exponent * (np.log(middle) + 1 - middle) > math.log(NEGLIGIBLE)
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return low


@given(
    st.integers(1, 4), st.integers(1, 6), st.sampled_from([1, 2, 50, 333]),
    st.sampled_from([50.0, 400.0, 2000.0]), st.integers(0, 2**32),
)  # fmt: skip
def test_trains_are_sums_of_twitches(units, firings, frames, rate, seed):
    random = np.random.default_rng(seed)
    ratio = random.uniform(1.05, 2.6, units)
    exponent, contraction = shape_exponent(ratio), random.uniform(0.02, 0.2, units)
    times = random.uniform(-0.5, frames / rate + 0.1, (units, firings))
    times[random.random(times.shape) < 0.2] = np.nan
    amplitudes, durations = random.uniform(0.5, 2, (2, *times.shape))
    displacement = random.uniform(0.005, 0.015, units)
    scale = displacement * exponent / contraction
    length = _ends(exponent) * contraction
    trains = np.full((units, frames), np.nan, np.float32)
    sum_twitches(times, amplitudes, durations, contraction, exponent, scale, length, rate, trains)
    for unit in range(units):
        there = ~np.isnan(times[unit])
        since = np.arange(frames) / rate - times[unit][there][:, None]
        larger, longer = amplitudes[unit][there][:, None], durations[unit][there][:, None]
        twitches = _velocity(
            since, displacement[unit] * larger, contraction[unit] * longer, ratio[unit]
        )
        # What is cut off at the end is this share of the twitch.
        missing = 2 * NEGLIGIBLE * scale[unit] * firings * 4
        np.testing.assert_allclose(trains[unit], twitches.sum(axis=0), rtol=1e-6, atol=missing)


def test_twitches_under_way_at_the_start_are_there():
    parameters = Parameters(frames=40, units=Range(1, 1))
    twitches = Twitches(np.array([10.0]), np.array([80.0]), np.array([5 / 3]))
    for onset in (-0.3, -0.081, -0.02):
        train = twitch_trains(parameters, twitches, np.array([[onset]]))
        expected = twitch_velocity(np.arange(40) / 400 - onset, 10.0, 80.0)
        np.testing.assert_allclose(train[0], expected, atol=1e-7)
        assert abs(train[0, 0]) > 1e-4


def test_a_firing_on_a_frame_starts_there_from_zero():
    parameters = Parameters(frames=40, units=Range(1, 1))
    twitches = Twitches(np.array([10.0]), np.array([80.0]), np.array([5 / 3]))
    train = twitch_trains(parameters, twitches, np.array([[10 / 400]]))[0]
    assert (train[:11] == 0).all()
    np.testing.assert_allclose(
        train[10:], twitch_velocity(np.arange(30) / 400, 10.0, 80.0), atol=1e-7
    )


def test_no_firings_give_no_velocity():
    parameters = Parameters(frames=40)
    twitches = draw_twitches(parameters, 3, 0, 0)
    trains = twitch_trains(parameters, twitches, np.full((3, 2), np.nan))
    assert trains.shape == (3, 40)
    assert trains.dtype == np.float32
    assert not trains.any()


@given(st.integers(2, 9), st.sampled_from([1, 7, 200]), st.integers(0, 2**32))
def test_sampled_waveforms_are_interpolated_and_summed(samples, frames, seed):
    random = np.random.default_rng(seed)
    sample_times = np.concatenate([[0], np.cumsum(random.uniform(0.001, 0.1, samples))])
    velocities = random.standard_normal(samples + 1)
    velocities[[0, -1]] = 0
    times = random.uniform(-0.8, frames / 400 + 0.1, (3, 5))
    times[random.random(times.shape) < 0.2] = np.nan
    amplitudes, durations = random.uniform(0.5, 2, (2, *times.shape))
    scale = random.uniform(0.5, 2, 3)
    trains = np.full((3, frames), np.nan, np.float32)
    sum_sampled_waveforms(
        times, amplitudes, durations, sample_times, velocities, scale, 400.0, trains
    )
    for unit in range(3):
        there = ~np.isnan(times[unit])
        since = np.arange(frames) / 400 - times[unit][there][:, None]
        larger, longer = amplitudes[unit][there][:, None], durations[unit][there][:, None]
        each = (
            larger / longer * np.interp(since / longer, sample_times, velocities, left=0, right=0)
        )
        np.testing.assert_allclose(
            trains[unit], scale[unit] * each.sum(axis=0), rtol=1e-6, atol=1e-6
        )


@pytest.mark.parametrize("sign", [1, -1])
def test_a_waveform_of_ones_own_keeps_its_shape_and_gets_the_drawn_displacement(sign):
    waveform = tuple((time, sign * velocity) for time, velocity in WAVEFORM)
    parameters = Parameters(waveform=waveform, frames=2000, frame_rate=10_000.0)
    twitches = Twitches(np.array([10.0]), np.zeros(1), np.zeros(1))
    train = twitch_trains(parameters, twitches, np.array([[0.0]]))[0]
    shape = np.interp(np.arange(2000) / 10_000, *np.transpose(waveform))
    np.testing.assert_allclose(train / np.abs(train).max(), shape / np.abs(shape).max(), atol=1e-6)
    displacement = 1000 * np.cumsum(train.astype(float)) / 10_000
    assert sign * displacement[np.abs(displacement).argmax()] == pytest.approx(10, rel=1e-3)


def test_a_waveform_of_ones_own_sets_length_and_times():
    parameters = Parameters(waveform=((0.0, 0.0), (0.1, 1.0), (0.2, 0.0), (0.3, -1.0), (0.4, 0.0)))
    assert twitch_length(parameters) == 0.4
    twitches = draw_twitches(parameters, 4, 0, 0)
    np.testing.assert_allclose(twitches.contraction_time, 200)
    np.testing.assert_allclose(twitches.relaxation_ratio, 1.5)
    plain = draw_twitches(dataclasses.replace(parameters, waveform=None), 4, 0, 0)
    np.testing.assert_array_equal(twitches.displacement, plain.displacement)


VARIED = Parameters(
    amplitude_variation=Range(0.2, 0.2), duration_variation=Range(0.3, 0.3), units=Range(1, 1)
)


def test_twitches_vary_from_firing_to_firing_by_what_is_asked_for():
    variation = draw_variation(VARIED, np.zeros((20, 1000)), 3, 0)
    for values, sd in ((variation.amplitude, 0.2), (variation.duration, 0.3)):
        assert values.min() > 0
        # 20,000 firings tell the mean to sd / 141, and the SD of a log-normal to some 1 %.
        assert values.mean() == pytest.approx(1, abs=5 * sd / math.sqrt(20_000))
        assert values.std() == pytest.approx(sd, rel=0.04)
        # Neither one firing's nor one unit's neighbours are alike.
        assert abs(np.corrcoef(values[:, 1:].ravel(), values[:, :-1].ravel())[0, 1]) < 0.036
        assert abs(np.corrcoef(values[1:].ravel(), values[:-1].ravel())[0, 1]) < 0.036
    both = np.corrcoef(variation.amplitude.ravel(), variation.duration.ravel())[0, 1]
    assert abs(both) < 5 / math.sqrt(20_000)
    assert (variation.amplitude_sd, variation.duration_sd) == (0.2, 0.3)


def test_variation_of_one_kind_leaves_the_other_and_a_longer_train_its_beginning():
    times = np.zeros((3, 20))
    both = draw_variation(VARIED, times, 3, 0)
    one = draw_variation(dataclasses.replace(VARIED, amplitude_variation=Range(0, 0)), times, 3, 0)
    np.testing.assert_array_equal(one.duration, both.duration)
    np.testing.assert_array_equal(one.amplitude, 1)
    longer = draw_variation(VARIED, np.zeros((3, 30)), 3, 0)
    np.testing.assert_array_equal(longer.amplitude[:, :20], both.amplitude)
    assert draw_variation(Parameters(), times, 3, 0) is None


def test_a_varied_twitch_peaks_as_high_and_as_late_as_it_was_drawn():
    parameters = dataclasses.replace(VARIED, frames=4000, frame_rate=10_000.0)
    twitches = Twitches(np.array([10.0]), np.array([80.0]), np.array([5 / 3]))
    variation = Variation(np.array([[1.3]]), np.array([[0.7]]))
    train = twitch_trains(parameters, twitches, np.array([[0.0]]), variation)[0]
    displacement = 1000 * np.cumsum(train.astype(float)) / 10_000
    assert displacement.max() == pytest.approx(13, rel=1e-3)
    assert displacement.argmax() / 10 == pytest.approx(56, abs=0.2)
    half = np.flatnonzero(displacement > 6.5)[-1] / 10
    assert half == pytest.approx(56 * 5 / 3, abs=0.3)


def test_strengths_are_uniform_in_their_logarithm():
    parameters = Parameters(strength_ratio=Range(100, 100), displacement=Range(10, 10))
    twitches = draw_twitches(parameters, 2000, 3, 0)
    ranks = np.sort(np.log(twitches.displacement / 10) / math.log(100) + 0.5)
    assert twitches.strength_ratio == 100
    assert ranks[0] > 0
    assert ranks[-1] < 1
    # Kolmogorov's distance, which chance exceeds once in 10,000 times.
    assert np.abs(ranks - (np.arange(2000) + 0.5) / 2000).max() < 2.2 / math.sqrt(2000)
    plain = draw_twitches(Parameters(displacement=Range(10, 10)), 2000, 3, 0)
    np.testing.assert_array_equal(twitches.contraction_time, plain.contraction_time)
    np.testing.assert_array_equal(plain.displacement, 10)
