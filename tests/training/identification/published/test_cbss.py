"""Convolutive separation: its steps, what it must undo, and what it cannot."""

import numpy as np
import pytest

from musim.training.identification.methods import identify
from musim.training.identification.methods.published.convolutive import (
    extended,
    of_train,
    pulses,
    separate,
    white,
)
from tests.training.identification.published.cases import RATE, boxes, matched, recorded, trains


def agreement(found, true, tolerance=0.01):
    """Return matched firings over all, after the best constant lag."""
    best = 0.0
    for lag in np.arange(-0.15, 0.15, 0.0025):
        gaps = np.abs((found - lag)[:, None] - true)
        both = min((gaps.min(axis=1) <= tolerance).sum(), (gaps.min(axis=0) <= tolerance).sum())
        best = max(best, both / (len(found) + len(true) - both))
    return best


def test_copies_are_delayed_and_begin_where_all_are():
    channels = np.arange(10.0).reshape(2, 5)
    np.testing.assert_array_equal(
        extended(channels, 3), [[2, 3, 4], [7, 8, 9], [1, 2, 3], [6, 7, 8], [0, 1, 2], [5, 6, 7]]
    )


def test_what_is_white_has_no_correlation():
    random = np.random.default_rng(3)
    values = random.normal(size=(6, 6)) @ random.normal(size=(6, 900))
    whole = white(values, 1e-6)
    np.testing.assert_allclose(whole @ whole.T / 900, np.eye(6), atol=1e-8)
    assert len(white(values)) < 6  # the weakest are taken for noise


def test_pulses_are_the_higher_of_two_classes():
    source = 0.1 * np.random.default_rng(1).standard_normal(1000)
    source[50::100] = 3
    found = pulses(-source, RATE)  # of any sign
    np.testing.assert_array_equal(found.frames, np.arange(50, 1000, 100))
    assert found.silhouette > 0.95
    assert pulses(np.zeros(100), RATE) is None


@pytest.mark.parametrize("rate", [8.0, 12.0])
def test_a_train_is_undone(rate):
    train, firing = trains((rate,), 3.0)
    noisy = train[0] + 0.01 * np.random.default_rng(2).standard_normal(train.shape[1])
    found = of_train(noisy, RATE, 10)
    assert agreement(found.frames / RATE, firing[0]) > 0.85
    assert found.silhouette > 0.8


def test_a_train_that_noise_hides_cannot_be_undone():
    train, firing = trains((10.0,), 3.0)
    noisy = train[0] + 2 * np.random.default_rng(2).standard_normal(train.shape[1])
    found = of_train(noisy, RATE, 10)
    assert found is None or agreement(found.frames / RATE, firing[0]) < 0.7


@pytest.mark.parametrize("peel_off", [False, True])
def test_sources_of_channels_are_found_one_after_another(peel_off):
    random = np.random.default_rng(8)
    firing = [np.cumsum(random.integers(15, 25, 180)), np.cumsum(random.integers(18, 30, 150))]
    responses = random.normal(size=(2, 6, 8))
    channels = 0.05 * random.standard_normal((6, 4000))
    for unit, onsets in enumerate(firing):
        for onset in onsets[onsets < 3990]:
            channels[:, onset : onset + 8] += responses[unit]
    found = [pulses(one, RATE) for one in separate(channels, RATE, 8, 12, peel_off)]
    for onsets in firing:
        assert max(agreement(one.frames / RATE, onsets / RATE) for one in found) > 0.9


def test_firings_of_units_in_a_recording():
    train, firing = trains((8.0, 10.0), 3.0)
    territory = boxes((16, 18), [(2, 2, 6, 6), (9, 10, 6, 6)])
    units = identify(recorded(territory, train, noise=0.02), "cbss")
    assert units.count == 2
    for course, onsets in zip(train, firing, strict=True):
        unit = int(np.argmax([abs(np.corrcoef(course, one)[0, 1]) for one in units.train]))
        found = units.firing[unit][~np.isnan(units.firing[unit])]
        assert agreement(found, onsets) > 0.8


def test_units_in_velocity():
    train, firing = trains((8.0, 10.0), 3.0)
    territory = boxes((20, 24), [(2, 2, 6, 6), (9, 14, 7, 7)])
    recording = recorded(territory, train, noise=0.05)
    units = identify(recording, "cbss", settings={"source": "velocity", "window": 12})
    assert units.count == 2
    for likeness, iou in matched(units, territory, train):
        assert likeness > 0.95
        assert iou > 0.8
    for course, onsets in zip(train, firing, strict=True):
        unit = int(np.argmax([abs(np.corrcoef(course, one)[0, 1]) for one in units.train]))
        found = units.firing[unit][~np.isnan(units.firing[unit])]
        assert agreement(found, onsets) > 0.7


def test_units_in_velocity_that_fire_at_random_are_left_out():
    train, _ = trains((8.0,), 3.0, variation=0.7)
    recording = recorded(boxes((16, 18), [(2, 2, 6, 6)]), train, noise=0.02)
    assert identify(recording, "cbss", settings={"source": "velocity"}).count == 0


def test_noise_of_velocity_has_no_units():
    still = recorded(np.zeros((1, 24, 24)), np.zeros((1, 400)))
    assert identify(still, "cbss", settings={"source": "velocity"}).count == 0


def test_what_cannot_be_extended_is_refused(refused):
    train, _ = trains((8.0,), 1.0)
    recording = recorded(boxes((12, 12), [(2, 2, 6, 6)]), train)
    with refused("found 600 ms of a recording of 1 s", "`settings.extension`"):
        identify(recording, "cbss", settings={"extension": 600})
    with refused("source: found 'emg', wanted one of trains, velocity"):
        identify(recording, "cbss", settings={"source": "emg"})
