"""Cross-correlation of input and output: against SciPy's, shifts, stillness, and the window."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import correlate, correlation_lags

from musim.training.translation.metrics import cross_correlate, features
from musim.training.translation.metrics.consistency import lag_frames

RATE = 500.0


def sequence(seed, shape=(50, 4, 5)):
    return np.random.default_rng(seed).normal(1, 2, shape).astype(np.float32)


def slowly(before, after, most):
    """Greatest normalised correlation of two signals, its lag in frames, and that at lag 0."""
    before, after = (signal.astype(float) - signal.mean(dtype=float) for signal in (before, after))
    # SciPy's lag is by how much the first signal comes later.
    values = correlate(after, before, mode="full", method="direct")
    values /= np.sqrt((before**2).sum() * (after**2).sum())
    lags = correlation_lags(len(after), len(before))
    inside = np.abs(lags) <= most
    best = values[inside].argmax()
    return values[inside][best], lags[inside][best], values[lags == 0][0]


@given(st.integers(0, 10**6), st.integers(0, 60))
def test_it_is_scipys_correlation(seed, most):
    before, after = sequence(seed), sequence(seed + 1)
    found = cross_correlate(before, after, RATE, max(most, 0.5) / RATE)
    for z in range(4):
        for x in range(5):
            best, lag, at_once = slowly(before[:, z, x], after[:, z, x], min(most, 49))
            assert found.maximum[z, x] == pytest.approx(best, abs=1e-9)
            assert found.lag[z, x] == pytest.approx(lag * 1000 / RATE)
            assert found.at_once[z, x] == pytest.approx(at_once, abs=1e-9)


@pytest.mark.parametrize("shift", [-4, 0, 1, 4])
def test_a_late_output_has_a_positive_lag(shift):
    before = np.zeros((60, 2, 3))
    before[20:40] = sequence(1, (20, 2, 3))
    before[20:40] -= before[20:40].mean(axis=0)
    found = cross_correlate(before, 5 * np.roll(before, shift, axis=0) + 3, RATE, 0.01)
    np.testing.assert_allclose(found.maximum, 1, atol=1e-12)
    np.testing.assert_allclose(found.lag, 2 * shift, atol=1e-12)  # ms: a frame is 2 ms


def test_lags_beyond_the_window_do_not_count():
    before = np.zeros((60, 2, 2))
    before[25], before[26] = 1, -1
    late = np.roll(before, 6, axis=0)
    assert (cross_correlate(before, late, RATE, 0.012).lag == 12).all()
    found = cross_correlate(before, late, RATE, 0.0119)
    assert (np.abs(found.lag) <= 10).all()
    assert (found.maximum < 1e-9).all()


def test_of_equals_the_shortest_lag_counts():
    wave = np.zeros((61, 2, 2))
    wave[30] = 1
    twice = np.zeros((61, 2, 2))
    twice[[28, 32]] = 1  # equally near before and after
    assert (cross_correlate(wave, twice, RATE, 0.02).lag == -4).all()


def test_an_inverted_output_is_negative_at_once():
    before = sequence(3)
    found = cross_correlate(before, -0.1 * before, RATE, 0.02)
    np.testing.assert_allclose(found.at_once, -1)
    assert (found.maximum < 0.9).all()


def test_still_pixels_are_not_known():
    before, after = sequence(1), sequence(2)
    before[:, 0, 0] = 0.25
    after[:, 1, 1] = 0.0
    before[:, 2, 2] = 1 + 1e-8 * before[:, 2, 2]
    after[:, 3, 3] *= 1e-7
    found = cross_correlate(before, after, RATE, 0.02)
    still = np.zeros((4, 5), bool)
    still[range(4), range(4)] = True
    for values in (found.maximum, found.lag, found.at_once):
        np.testing.assert_array_equal(np.isnan(values), still)
    variance = before.astype(float).var(axis=0)
    np.testing.assert_allclose(found.variance, variance / variance.mean(), atol=1e-12)


def test_nothing_is_made_of_stillness():
    found = cross_correlate(np.zeros((20, 3, 3)), sequence(1, (20, 3, 3)), RATE, 0.02)
    assert np.isnan(found.maximum).all()
    assert (found.variance == 0).all()


def test_blocks_are_the_whole(monkeypatch):
    whole = cross_correlate(sequence(1), sequence(2), RATE, 0.02)
    monkeypatch.setattr(features, "BLOCK_VALUES", 1)
    parts = cross_correlate(sequence(1), sequence(2), RATE, 0.02)
    for name, values in vars(whole).items():
        np.testing.assert_allclose(getattr(parts, name), values, rtol=1e-12)


def test_lags_are_whole_frames_inside_the_window():
    assert lag_frames(1024, 512.0, 0.125) == 64
    assert lag_frames(1024, 400.0, 0.0275) == 11  # not 10, which rounding would make of it
    assert lag_frames(10, 400.0, 0.125) == 9


def test_what_does_not_fit_is_refused(refused):
    with refused("found shape (49, 4, 5), wanted (50, 4, 5)"):
        cross_correlate(sequence(1), sequence(1)[1:], RATE, 0.02)
    with refused("frame rate: found 0"):
        cross_correlate(sequence(1), sequence(1), 0.0, 0.02)
