"""Coherence of signals of which it is known, and its line of significance."""

import math

import numpy as np
import pytest
import scipy.signal

from musim.training.state.coherence import coherence_of

RATE = 25.0


def test_one_pair_has_the_coherence_of_scipy():
    random = np.random.default_rng(0)
    true = random.standard_normal(4749)
    predicted = true + random.standard_normal(4749)
    found = coherence_of([(true, predicted)], RATE)
    frequency, expected = scipy.signal.coherence(true, predicted, RATE, nperseg=256)
    assert found.frequency == pytest.approx(frequency)
    assert found.coherence == pytest.approx(expected)
    assert found.segments == 36
    assert found.frequency[[0, -1]] == pytest.approx([0, RATE / 2])


def test_a_filter_and_noise_have_the_coherence_of_the_closed_form():
    """Of y = h * x + n it is |H|^2 / (|H|^2 + N) where x is white and n has the power N."""
    random = np.random.default_rng(3)
    taps, power = np.array([0.25, 0.5, 0.25]), 0.2
    pairs = []
    for _ in range(3):
        true = random.standard_normal(40_000)
        predicted = scipy.signal.lfilter(taps, 1, true)
        pairs.append((true, predicted + math.sqrt(power) * random.standard_normal(40_000)))
    found = coherence_of(pairs, RATE)
    gain = np.cos(np.pi * found.frequency / RATE) ** 4  # of (1, 2, 1) / 4, squared
    assert found.coherence[1:-1] == pytest.approx((gain / (gain + power))[1:-1], abs=0.06)
    assert abs(np.mean(found.coherence - gain / (gain + power))) < 0.003


def test_trials_are_not_joined_at_their_ends():
    """A jump from one trial to the next is no change, and segments are counted by trial."""
    random = np.random.default_rng(4)
    one, other = random.standard_normal((2, 1500)), random.standard_normal((2, 1000)) + 1000
    found = coherence_of([tuple(one), tuple(other)], RATE)
    assert found.segments == (1500 - 250) // 125 + 1 + (1000 - 250) // 125 + 1
    assert found.coherence.max() < 0.75


def test_the_line_is_exceeded_by_chance_as_often_as_it_says():
    random = np.random.default_rng(5)
    above = [
        (found.coherence[2:-2] > found.significance).mean()
        for found in (coherence_of([tuple(random.standard_normal((2, 2000)))], RATE)
                      for _ in range(150))
    ]  # fmt: skip
    assert np.mean(above) == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize(("samples", "segments"), [(1000, 7), (500_000, 3905)])
def test_the_line_is_that_of_independent_segments(samples, segments):
    """Neighbours of Hann segments that overlap by half have a correlation of 1/36 in power."""
    random = np.random.default_rng(6)
    found = coherence_of([tuple(random.standard_normal((2, samples)))], RATE)
    assert found.segments == segments
    independent = segments / (1 + 2 / 36 * (1 - 1 / segments))
    assert found.significance == pytest.approx(1 - 0.05 ** (1 / (independent - 1)), rel=1e-3)


def test_what_is_constant_has_no_coherence():
    random = np.random.default_rng(7)
    found = coherence_of([(random.standard_normal(1000), np.full(1000, 0.1))], RATE)
    assert np.isnan(found.coherence).all()


def test_gaps_and_ends_that_are_not_known_are_left_out():
    random = np.random.default_rng(8)
    true = random.standard_normal(1200)
    wide = np.concatenate([[math.nan] * 30, true, [math.nan] * 3])
    padded = np.concatenate([np.zeros(30), true + 1, np.zeros(3)])
    assert coherence_of([(wide, padded)], RATE).coherence == pytest.approx(1.0)
    wide[600] = math.nan
    assert coherence_of([(wide, padded)], RATE).coherence == pytest.approx(1.0, abs=1e-6)
    assert coherence_of([(np.full(9, math.nan), np.zeros(9))], RATE).segments == 0
    assert math.isnan(coherence_of([(true[:20], true[:20])], RATE).significance)
