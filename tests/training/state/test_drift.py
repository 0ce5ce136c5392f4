"""Drift of added changes: what a bias makes of it, and what absolute states do not have."""

import math

import numpy as np
import pytest

from musim.training.state.drift import (
    ABSOLUTE,
    INTEGRATED,
    drift_of,
    integrated,
    states_by,
    ways_of,
)
from musim.training.state.scoring import PredictedTrial

RATE, FRAMES = 25.0, 1001


def test_added_true_changes_are_the_states():
    true = np.random.default_rng(0).standard_normal(50).astype(np.float32)
    assert integrated(true, np.diff(true)) == pytest.approx(true, abs=1e-5)


def test_a_bias_drifts_by_itself_times_the_time():
    true = np.sin(np.arange(FRAMES) / 10)
    found = drift_of(true, integrated(true, np.diff(true) + 0.01), RATE)
    assert found.error == pytest.approx(0.01 * RATE * found.time, abs=1e-9)
    assert found.slope == pytest.approx(0.01 * RATE)
    last = 0.01 * np.arange(FRAMES)[-250:]  # 10 s
    assert found.end == pytest.approx(math.sqrt((last**2).mean()))
    assert found.time[-1] == 40


def test_slopes_and_ends_are_by_seconds_at_any_rate():
    error = 0.1 * np.arange(1501)
    found = drift_of(np.zeros(1501), error, 50.0)
    assert found.slope == pytest.approx(5)
    assert found.time[-1] == 30
    assert found.end == pytest.approx(math.sqrt((error[-500:] ** 2).mean()))


def test_an_offset_of_states_is_no_drift():
    true = np.sin(np.arange(FRAMES) / 10)
    found = drift_of(true, true + 2, RATE)
    assert found.slope == pytest.approx(0, abs=1e-9)
    assert found.end == pytest.approx(2)


def test_states_that_are_not_known_begin_later_or_not_at_all():
    true = np.array([math.nan, math.nan, 5.0, 6.0, math.nan, 8.0])
    states = integrated(true, np.full(5, 1.0))
    assert np.isnan(states[:2]).all()
    assert states[2:].tolist() == [5, 6, 7, 8]
    found = drift_of(true, states, RATE)
    assert (found.slope, found.end) == (0, 0)
    nothing = drift_of(true * math.nan, integrated(true * math.nan, np.ones(5)), RATE)
    assert math.isnan(nothing.slope)
    assert math.isnan(nothing.end)


def test_runs_that_tell_states_have_both():
    true = np.arange(12.0).reshape(4, 3)
    changes = np.ones((3, 3))
    one = PredictedTrial("a", "combined", RATE, true, changes)
    other = PredictedTrial("b", "combined", RATE, true, changes, true + 1)
    assert (ways_of(one), ways_of(other)) == ((INTEGRATED,), (INTEGRATED, ABSOLUTE))
    assert states_by(other, INTEGRATED, 1).tolist() == [1, 2, 3, 4]
    assert states_by(other, ABSOLUTE, 1).tolist() == [2, 5, 8, 11]
