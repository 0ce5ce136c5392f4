"""Lags, delays and slow motion."""

import numpy as np
import pytest

from musim.simulator.calf.courses import delayed, lag, wander

TIMES = np.arange(20000) / 1000


def test_a_step_is_followed_critically_damped():
    angular = 2 * np.pi * 0.7
    wanted = 3 - 2 * (1 + angular * TIMES) * np.exp(-angular * TIMES)
    np.testing.assert_allclose(lag(np.full(20000, 3.0), 0.7, 1000, first=1), wanted, atol=1e-9)


@pytest.mark.parametrize("frequency", [0.2, 0.7, 1.5])
def test_sines_are_followed_with_the_gain_that_is_said(frequency):
    followed = lag(np.sin(2 * np.pi * frequency * TIMES), 0.7, 1000)[10000:]
    assert np.ptp(followed) / 2 == pytest.approx(1 / (1 + (frequency / 0.7) ** 2), rel=0.01)


@pytest.mark.parametrize("delay", [0, 0.0113, 0.2])
def test_delays_need_not_be_whole_samples(delay):
    course = TIMES**2
    moved = delayed(course, delay, 1000)
    np.testing.assert_allclose(moved, np.maximum(TIMES - delay, 0) ** 2, atol=1e-6)


def test_slow_motion_has_its_band_and_an_sd_of_one():
    times = np.arange(0, 2000, 0.1)
    course = wander(times, (0.1, 1.0), np.random.default_rng(0))
    assert course.std() == pytest.approx(1, abs=0.02)
    power = np.abs(np.fft.rfft(course)) ** 2
    frequency = np.fft.rfftfreq(len(times), 0.1)
    assert power[(frequency > 0.09) & (frequency < 1.01)].sum() > 0.99 * power.sum()


def test_longer_motion_begins_as_shorter_does():
    long, short = (wander(TIMES[:n], (0.1, 1), np.random.default_rng(5)) for n in (20000, 50))
    np.testing.assert_array_equal(long[:50], short)
