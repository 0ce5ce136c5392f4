import math

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr

from musim.simulator import Parameters, draw
from musim.training.identification.metrics.agreement import (
    RateOfAgreement,
    _maxima,
    lagged_correlation,
    peak_instants,
    rate_of_agreement,
    running_mean,
    smoothing_frames,
    train_correlation,
)

TRAINS = st.lists(st.integers(-3, 3), min_size=1, max_size=40).map(lambda v: np.array(v, float))


def _train(peaks, frames=400):
    """Make a train of single frames; the running mean makes plateaus of them."""
    train = np.zeros(frames)
    train[list(peaks)] = 1.0
    return train


def _mean_slowly(train, frames):
    half = frames // 2
    return [np.mean(train[max(i - half, 0) : i + half + 1]) for i in range(len(train))]


def _peaks_slowly(values):
    """Frames of maxima above 0: the middle of stretches higher than what is on either side."""
    peaks, first = [], 0
    while first < len(values):
        last = first
        while last + 1 < len(values) and values[last + 1] == values[first]:
            last += 1
        inside = first > 0 and last < len(values) - 1
        if inside and values[first - 1] < values[first] > values[last + 1] and values[first] > 0:
            peaks.append((first + last) // 2)
        first = last + 1
    return peaks


def test_figure_11_of_ali_2020():
    # Slots of 30 frames, farther apart than the running mean's 11. The seven in common differ by
    # up to 6 frames, 15 ms, either way; 3 are the prediction's alone, and 2 the truth's.
    both = {20: 0, 50: 6, 80: -6, 110: 1, 140: -3, 170: 4, 200: 0}
    predicted = _train([*(true + shift for true, shift in both.items()), 230, 260, 290])
    true = _train([*both, 320, 350])
    result = rate_of_agreement(predicted, true, 400)
    assert result == RateOfAgreement(common=7, only_predicted=3, only_true=2)
    assert result.value == pytest.approx(0.583, abs=5e-4)
    assert result.value == 7 / 12


def test_a_frame_more_than_the_tolerance_is_too_far():
    assert rate_of_agreement(_train([100]), _train([106]), 400).value == 1
    assert rate_of_agreement(_train([100]), _train([107]), 400) == RateOfAgreement(0, 1, 1)
    assert rate_of_agreement(_train([100]), _train([107]), 400, tolerance=0.0175).value == 1


@pytest.mark.parametrize(
    ("rate", "frames"), [(400, 11), (512, 15), (1000, 27), (2000, 55), (100, 3), (30, 1), (800, 23)]
)
def test_the_running_mean_is_odd_and_nearest(rate, frames):
    assert smoothing_frames(rate) == frames
    others = [abs(odd - 0.0275 * rate) for odd in range(1, 101, 2)]
    assert abs(frames - 0.0275 * rate) == pytest.approx(min(others))
    assert smoothing_frames(rate, 0.0) == 1


@given(st.integers(1, 30), st.integers(0, 8), st.integers(0, 2**32))
def test_the_running_mean_is_that_of_the_frames_there_are(size, half, seed):
    train = np.random.default_rng(seed).standard_normal(size)
    frames = 2 * half + 1
    result = running_mean(train, frames)
    np.testing.assert_allclose(result, _mean_slowly(train, frames), atol=1e-12)
    middle = result[half : size - half]
    expected = np.convolve(train, np.ones(frames) / frames, "valid") if size >= frames else []
    np.testing.assert_allclose(middle, expected, atol=1e-12)


@given(TRAINS)
def test_peaks_are_the_maxima_above_0(train):
    found = peak_instants(train, 400, smoothing=0) * 400
    np.testing.assert_allclose(found, _peaks_slowly(train.tolist()), atol=1e-9)


def test_plateaus_count_once_at_their_middle():
    # Smoothed over three frames.
    train = np.array([0, 0, 0, 3, 0, 0, 0, 3, 3, 0, 0, 0], float)
    assert running_mean(train, 3).tolist() == [0, 0, 1, 1, 1, 0, 1, 2, 2, 1, 0, 0]
    assert peak_instants(train, 1, smoothing=3).tolist() == [3, 7]


def test_maxima_of_0_or_less_and_at_the_ends_do_not_count():
    for train in ([-2, -1, -2], [-1, 0, -1], [2, 1, 2], [1, 1, 0], [0, 1, 1], [5], [1, 2]):
        assert peak_instants(train, 400, smoothing=0).size == 0
    assert peak_instants([-1, 1e-6, -1], 400, smoothing=0).size == 1


@given(TRAINS, st.integers(0, 6), st.sampled_from([1e-9, 0.5, 2.0]))
def test_maxima_are_those_of_scipy(train, zeros, least):
    # Plateaus, ends, and maxima that stand out by little.
    values = np.concatenate([train, np.zeros(zeros), train[::-1] + least / 2])
    wanted, _ = scipy.signal.find_peaks(values, prominence=least)
    np.testing.assert_array_equal(_maxima(values, least), wanted)


@pytest.mark.parametrize("value", [0.1, 0.3, -0.7, 1e-12, 1e9])
def test_rounding_makes_no_peaks(value):
    assert peak_instants(np.full(100, value), 400).size == 0
    # The twitches' own scale has no influence, and the quiet between them has no peaks.
    train = np.zeros(200)
    train[50:53], train[120:124] = np.array([0.1, 0.7, 0.3]) * abs(value), abs(value) / 3
    np.testing.assert_allclose(peak_instants(train, 400) * 400, [51, 121])
    assert peak_instants(train.astype(np.float32), 400).size == 2


def test_trains_of_simulated_twitches_peak_once_a_firing():
    parameters = Parameters()
    truth = draw(parameters, seed=1)
    peaks = firings = 0
    for train, instants in zip(truth.twitch_train, truth.firing, strict=True):
        found = peak_instants(train, parameters.frame_rate)
        inside = instants[(instants > 0.01) & (instants < 0.9)]
        peaks += len(found)
        firings += len(inside)
        assert rate_of_agreement(train, train, parameters.frame_rate).value == 1
    assert 0.7 * firings < peaks < 1.3 * firings


@pytest.mark.parametrize(
    ("predicted", "true", "value"), [([], [], 1), ([200], [], 0), ([], [200], 0)]
)
def test_agreement_of_trains_without_peaks(predicted, true, value):
    assert rate_of_agreement(_train(predicted), _train(true), 400).value == value


@given(st.integers(1, 200), st.sampled_from([100.0, 400.0, 512.0]), st.integers(0, 2**32))
def test_agreement_is_symmetric_and_blind_to_scale(size, rate, seed):
    random = np.random.default_rng(seed)
    one, other = random.standard_normal((2, size))
    there, back = rate_of_agreement(one, other, rate), rate_of_agreement(other, one, rate)
    assert there.value == back.value
    assert there == RateOfAgreement(back.common, back.only_true, back.only_predicted)
    assert 0 <= there.value <= 1
    assert rate_of_agreement(one * 4, other / 8, rate) == there
    assert rate_of_agreement(one, one, rate).value == 1


def test_correlation_by_hand():
    assert train_correlation([1, 2, 3], [1, 3, 2]) == pytest.approx(0.5)
    assert train_correlation([1, 2, 3], [-2, -4, -6]) == -1


@given(st.integers(2, 50), st.integers(0, 2**32))
def test_correlation_is_pearsons(size, seed):
    one, other = np.random.default_rng(seed).standard_normal((2, size))
    result = train_correlation(one, other)
    assert result == pytest.approx(pearsonr(one, other).statistic)
    assert result == pytest.approx(train_correlation(other, one))
    assert train_correlation(one, 3 * one + 5) == pytest.approx(1)
    assert train_correlation(1e-180 * one, 1e170 * other) == pytest.approx(result)


def test_the_correlation_of_a_constant_train_is_0():
    noise = np.random.default_rng(0).standard_normal(100)
    for constant in (0.0, 0.1, 1e-30):
        assert train_correlation(np.full(100, constant), noise) == 0
        assert train_correlation(noise, np.full(100, constant)) == 0
        assert lagged_correlation(np.full(100, constant), noise, 400, 0.02) == (0, 0)
    assert train_correlation([1], [2]) == 0


@pytest.mark.parametrize("lag", [-8, -1, 0, 3, 8])
def test_the_lag_of_trains_is_found(lag):
    noise = np.random.default_rng(0).standard_normal(200)
    true, predicted = noise[20:180], noise[20 - lag : 180 - lag]  # positive: later
    correlation, found = lagged_correlation(predicted, true, 400, 0.02)
    assert correlation == pytest.approx(1)
    assert found == lag / 400
    narrow, narrow_lag = lagged_correlation(predicted, true, 400, 0)
    assert (narrow, narrow_lag) == (train_correlation(predicted, true), 0)


@given(st.integers(1, 15), st.integers(0, 20), st.integers(0, 2**32))
def test_the_lagged_correlation_is_the_largest(size, steps, seed):
    one, other = np.random.default_rng(seed).standard_normal((2, size))
    correlation, lag = lagged_correlation(one, other, 400, steps / 400)
    expected = {0: train_correlation(one, other)}
    for step in range(1, min(steps, size - 3) + 1):
        expected[step] = train_correlation(one[step:], other[:-step])
        expected[-step] = train_correlation(one[:-step], other[step:])
    assert correlation == pytest.approx(max(expected.values()))
    assert expected[round(lag * 400)] == pytest.approx(correlation)
    back, back_lag = lagged_correlation(other, one, 400, steps / 400)
    assert (back, back_lag) == (pytest.approx(correlation), pytest.approx(-lag))


def test_what_is_no_train_is_refused(refused):
    good = np.zeros(4)
    for wrong in (np.zeros((2, 4)), np.array([0, math.nan, 1, 2]), np.zeros(0)):
        for call in (train_correlation, lambda a, b: rate_of_agreement(a, b, 400)):
            with refused("train: found shape ", " wanted one row"):
                call(wrong, good)
            with refused("train: found shape ", " wanted one row"):
                call(good, wrong)
    with refused("predicted train: found 3 frames, wanted ", " 4"):
        train_correlation(good[:3], good)
    with refused("frame rate: found 0 Hz, wanted"):
        rate_of_agreement(good, good, 0)
    with refused("frame rate: found nan Hz, wanted"):
        lagged_correlation(good, good, math.nan, 0)
    with refused("lag bound: found -1 s, wanted"):
        lagged_correlation(good, good, 400, -1)
    with refused("smoothing: found -1 s, wanted"):
        peak_instants(good, 400, smoothing=-1)
