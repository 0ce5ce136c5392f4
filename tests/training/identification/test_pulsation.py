"""Arteries are told from units by their course."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, gaussian_filter1d
from scipy.signal import butter, sosfiltfilt

from musim.simulator import Parameters, Range, draw
from musim.training.identification.methods.pulsation import is_pulse

RATE = 400.0


def _artery(rate, seconds, phase=0.3, sd=0.01):
    """Return the velocity of a vessel's wall: a fast rise with every beat and a slow fall."""
    times = np.arange(round(seconds * RATE)) / RATE
    turn = (times * rate + phase) % 1.0
    course = np.where(turn < 0.12, turn / 0.12, np.exp(-(turn - 0.12) / 0.25))
    return np.gradient(gaussian_filter1d(course, sd * RATE, mode="nearest")) * RATE


def _twitches_band(course):
    sos = butter(3, (5.0, 50.0), "bandpass", fs=RATE, output="sos")
    return sosfiltfilt(sos, course)


@pytest.mark.parametrize("seconds", [2.0, 3.0])
@pytest.mark.parametrize("rate", [0.9, 1.0, 1.2, 1.4])
def test_an_arterys_course_is_a_pulse(rate, seconds):
    for phase in (0.1, 0.4, 0.8):
        course = _artery(rate, seconds, phase)
        noise = 0.1 * course.std() * np.random.default_rng(0).standard_normal(len(course))
        for one in (course, -course, 100 * course + 3, course + noise):
            assert is_pulse(one, RATE)
        assert is_pulse(_twitches_band(course + noise), RATE)


@pytest.mark.parametrize("variation", [0.05, 0.1, 0.2])
def test_units_are_no_pulses(variation):
    parameters = Parameters(
        units=Range(40, 40), frames=800, frame_rate=RATE, firing_rate=Range(6, 13),
        interval_variation=Range(variation, variation), synchrony=Range(0, 0),
    )  # fmt: skip
    for seed in range(3):
        for train in draw(parameters, seed=seed).twitch_train.astype(np.float64):
            assert not is_pulse(train, RATE)
            assert not is_pulse(_twitches_band(train), RATE)


def test_a_short_recording_tells_no_pulse():
    assert not is_pulse(_artery(1.2, 1.0), RATE)
    assert not is_pulse(_artery(1.2, 0.02), RATE)


def test_neither_noise_nor_nothing_is_a_pulse():
    random = np.random.default_rng(4)
    for _ in range(20):
        assert not is_pulse(gaussian_filter(random.standard_normal(800), 4), RATE)
    assert not is_pulse(np.zeros(800), RATE)
