"""How a train's twitches stand out."""

import math

import numpy as np
import pytest

from musim.training.identification.confidence.pulses import MOST, pulse_to_noise
from tests.training.identification.confidence.made import FRAMES, RATE, instants, train_of


def test_twitches_in_white_noise_stand_out_by_the_signal_to_noise_ratio():
    firing = instants(9, 1, 2000)
    train = train_of(firing, 2000)
    random = np.random.default_rng(2)
    for level in (6.0, 0.0, -6.0):
        noise = random.standard_normal(2000) * 10 ** (-level / 20)
        assert pulse_to_noise(train + noise, firing, RATE) == pytest.approx(level, abs=1)
        # At twice the rate two frames are one, and half the noise is left.
        fine = np.repeat(train, 2) + random.standard_normal(4000) * 10 ** (-level / 20)
        assert pulse_to_noise(fine, firing, 2 * RATE) == pytest.approx(level + 4.8, abs=2)


def test_a_train_of_one_twitch_form_is_explained_whole():
    firing = instants(8, 4)
    assert pulse_to_noise(train_of(firing), firing, RATE) > 12


def test_firings_at_wrong_times_explain_little():
    firing = instants(8, 4)
    train = train_of(firing)
    assert pulse_to_noise(train, firing + 0.03, RATE) < 0
    assert pulse_to_noise(train, instants(13, 77), RATE) < -3


def test_scale_sign_and_padding_change_nothing():
    firing = instants(10, 3)
    train = train_of(firing) + 0.3 * np.random.default_rng(1).standard_normal(FRAMES)
    found = pulse_to_noise(train, firing, RATE)
    assert pulse_to_noise(-1000 * train, firing, RATE) == pytest.approx(found)
    assert pulse_to_noise(train + 5, firing, RATE) == pytest.approx(found)
    assert pulse_to_noise(train, np.r_[firing, np.nan, np.nan], RATE) == pytest.approx(found)


def test_what_cannot_be_told_is_not_known():
    firing = instants(10, 3)
    assert math.isnan(pulse_to_noise(train_of(firing), firing[:2], RATE))
    assert math.isnan(pulse_to_noise(np.zeros(FRAMES), firing, RATE))
    assert math.isnan(pulse_to_noise(train_of(firing), np.zeros(0), RATE))


def test_a_train_that_shows_nothing_of_its_firings_has_the_least_ratio():
    train = np.zeros(FRAMES)
    train[250:] = np.random.default_rng(0).standard_normal(50)
    assert pulse_to_noise(train, np.array([0.0, 0.1, 0.2]), RATE) == pytest.approx(-MOST, abs=15)
