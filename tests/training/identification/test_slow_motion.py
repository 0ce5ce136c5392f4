"""Slow motion that is taken off where it dominates, and only there."""

import numpy as np
import pytest

from musim.simulator import Parameters, Range, draw, render
from musim.training.identification.methods import identify
from musim.training.identification.slow_motion import slow_waves, without_slow_motion
from musim.training.identification.units import Recording

PARAMETERS = Parameters(units=Range(4, 4), snr=Range(20, 20), pixels=(40, 40), size=(25.0, 25.0))
RATE = PARAMETERS.frame_rate
PIXEL = PARAMETERS.pixel_size
TIME = np.arange(PARAMETERS.frames) / RATE


@pytest.fixture(scope="module")
def sequence():
    truth = draw(PARAMETERS, seed=2)
    return truth, render(truth)


def _drift(frequency, phase):
    return np.sin(2 * np.pi * frequency * TIME + phase)


DRIFTS = {
    **{
        f"{frequency} Hz, {phase:.1f}": _drift(frequency, phase)
        for frequency in (0.3, 1.0)
        for phase in (0.0, 0.7, 1.6, 2.9, 4.0)
    },
    "ramp": 2 * TIME / TIME[-1] - 1,
    "other ramp": 3.0 - 4 * TIME,
    "3.3 Hz": 2 * _drift(3.3, 0.4),
}


@pytest.mark.parametrize("drift", DRIFTS.values(), ids=DRIFTS.keys())
def test_a_drift_is_taken_off_and_the_rest_is_left(sequence, drift):
    _, tvi = sequence
    drift = drift[:, None, None] * np.ones(tvi.shape[1:])
    given = Recording((tvi + drift).astype(np.float32), RATE, PIXEL)
    before = given.tvi.copy()
    found, taken = without_slow_motion(given)
    assert taken
    np.testing.assert_array_equal(given.tvi, before)
    assert found.tvi.dtype == np.float32
    assert (found.tvi.shape, found.frame_rate, found.pixel_size) == (tvi.shape, RATE, PIXEL)
    # What is taken is the drift and what twitches have of its band themselves: they alone lose
    # the same.
    waves = slow_waves(len(tvi), RATE)
    flat = tvi.reshape(len(tvi), -1).astype(float)
    flat -= flat.mean(axis=0)
    alone = flat - waves.T @ (waves @ flat)
    left = found.tvi.reshape(len(tvi), -1) - alone
    energy = np.square(drift - drift.mean(axis=0)).sum()
    assert np.square(left).sum() < 0.01 * energy
    assert np.square(left).sum() < 0.02 * np.square(alone).sum()
    # And it is most of what they are.
    assert np.square(alone).sum() > 0.6 * np.square(flat).sum()


def test_a_drift_of_each_pixels_own_is_taken_off_too(sequence):
    _, tvi = sequence
    random = np.random.default_rng(0)
    size, phase = random.uniform(-2, 2, tvi.shape[1:]), random.uniform(0, 6, tvi.shape[1:])
    drift = size * np.sin(2 * np.pi * 0.8 * TIME[:, None, None] + phase)
    found, taken = without_slow_motion(Recording((tvi + drift).astype(np.float32), RATE, PIXEL))
    assert taken
    waves = slow_waves(len(tvi), RATE)
    slow = waves @ found.tvi.reshape(len(tvi), -1)
    assert np.square(slow).sum() < 1e-4 * np.square(drift).sum()


@pytest.mark.parametrize(("frames", "rate"), [(400, 400.0), (801, 400.0), (300, 1000.0)])
def test_waves_are_orthonormal_and_span_what_is_slow(frames, rate):
    waves = slow_waves(frames, rate)
    np.testing.assert_allclose(waves @ waves.T, np.eye(len(waves)), atol=1e-9)
    time = np.arange(frames) / rate

    def share(course):
        course = course - course.mean()
        return np.square(waves @ course).sum() / np.square(course).sum()

    for phase in (0.0, 1.0, 2.0):
        for frequency in np.arange(0.2, 4.5, 0.37):
            assert share(np.sin(2 * np.pi * frequency * time + phase)) > 0.99
        for frequency in (5 + 4 * rate / frames, 5 + 9 * rate / frames):
            assert share(np.sin(2 * np.pi * frequency * time + phase)) < 0.25
        assert share(np.sin(2 * np.pi * 60.0 * time + phase)) < 0.05


def test_a_sequence_without_drift_is_returned_as_it_is():
    for seed in range(4):
        recording = Recording(render(draw(PARAMETERS, seed=seed)), RATE, PIXEL)
        found, taken = without_slow_motion(recording)
        assert found is recording
        assert not taken
    # Nor one with a drift that is less than twitches, or with one that does not move.
    weak = recording.tvi + 0.3 * recording.tvi.std() * _drift(1.0, 0.3)[:, None, None]
    for tvi in (weak, recording.tvi + 100.0):
        given = Recording(tvi.astype(np.float32), RATE, PIXEL)
        assert without_slow_motion(given)[0] is given


@pytest.mark.parametrize("units", [1, 15])
def test_what_fused_twitches_leave_is_the_units_own(units):
    parameters = Parameters(units=Range(units, units), snr=Range(10, 10), firing_rate=Range(25, 35))
    waves = slow_waves(parameters.frames, RATE)
    for seed in range(3):
        tvi = render(draw(parameters, seed=seed))
        flat = tvi.reshape(len(tvi), -1) - tvi.reshape(len(tvi), -1).mean(axis=0)
        assert np.square(waves @ flat).sum() > 0.5 * np.square(flat).sum()  # it dominates
        given = Recording(tvi, RATE, parameters.pixel_size)
        assert without_slow_motion(given)[0] is given
        drift = np.linspace(0, 1, tvi.shape[2]) * _drift(0.7, 1.0)[:, None, None]
        given = Recording((tvi + drift).astype(np.float32), RATE, parameters.pixel_size)
        assert without_slow_motion(given)[1]


def test_recordings_too_short_or_too_slow_are_returned_as_they_are():
    for frames, rate in ((399, 400.0), (400, 10.0), (1, 400.0), (8, 400.0)):
        drift = np.sin(np.arange(frames) / frames)[:, None, None] * np.ones((1, 4, 4))
        given = Recording(drift.astype(np.float32), rate, PIXEL)
        found, taken = without_slow_motion(given)
        assert found is given
        assert not taken
    ramp = np.linspace(-1, 1, 401, dtype=np.float32)[:, None, None] * np.ones((1, 4, 4), "f4")
    assert without_slow_motion(Recording(ramp, 400.0, PIXEL))[1]


def test_what_is_no_recording_is_left_for_methods_to_refuse():
    for tvi, rate in ((np.zeros((4, 4), np.float32), 400.0), ([1.0], 400.0),
                      (np.ones((40, 4, 4), np.float32), float("nan")),
                      (np.ones((40, 4, 4), np.float32), -1.0)):  # fmt: skip
        given = Recording(tvi, rate, PIXEL)
        assert without_slow_motion(given) == (given, False)


def test_units_are_found_beside_a_drift_and_it_is_said(sequence):
    truth, tvi = sequence
    plain = identify(Recording(tvi, RATE, PIXEL))
    assert "slow-motion-removed" not in plain.remarks
    drift = _drift(1.0, 0.6)[:, None, None].astype(np.float32)
    found = identify(Recording(tvi + drift, RATE, PIXEL))
    assert "slow-motion-removed" in found.remarks
    assert found.count == plain.count == 4
    for true in truth.territory > 0.5:
        iou = [(mask & true).sum() / (mask | true).sum() for mask in found.masks]
        assert max(iou) > 0.8
