import math

import numpy as np
import pytest

from musim.simulator import Parameters, Range, draw
from musim.simulator.twitch import twitch_velocity
from musim.training.identification.firing import firings
from musim.training.identification.firing_kernels import fit_amplitudes


def _train(instants, frames=400, frame_rate=400.0, **twitch):
    time = np.arange(frames) / frame_rate
    return sum(twitch_velocity(time - t, **twitch) for t in instants).astype(np.float32)


def _known(row):
    return row[~np.isnan(row)]


@pytest.mark.parametrize("contraction_time", [60.0, 78.0, 95.0])
@pytest.mark.parametrize("displacement", [1e-3, 10.0, 1e3])
def test_firings_of_a_clean_train_are_found(contraction_time, displacement):
    instants = np.array([-0.04, 0.05, 0.17, 0.253, 0.36, 0.47, 0.55, 0.68, 0.79, 0.9])
    twitch = {"contraction_time": contraction_time, "displacement": displacement}
    found = firings(_train(instants, **twitch)[None], 400.0)
    np.testing.assert_allclose(found[0], instants[1:], atol=0.006)


@pytest.mark.parametrize("frame_rate", [100.0, 250.0, 512.0, 2000.0])
def test_firings_are_found_at_any_frame_rate(frame_rate):
    instants = np.arange(0.1, 0.9, 0.1)
    found = firings(_train(instants, int(frame_rate), frame_rate)[None], frame_rate)
    np.testing.assert_allclose(found[0], instants, atol=0.006)


def test_long_trains_are_taken_in_pieces():
    instants = np.arange(0.1, 7.9, 0.11)
    found = firings(_train(instants, 3200)[None], 400.0)
    np.testing.assert_allclose(found[0], instants, atol=0.006)


def test_rows_are_padded_and_silence_has_no_firings():
    trains = np.array([_train([0.2, 0.5]), _train([0.3]), np.zeros(400, np.float32)])
    found = firings(trains, 400.0)
    assert found.shape == (3, 2)
    assert found.dtype == np.float64
    assert [len(_known(row)) for row in found] == [2, 1, 0]
    assert firings(np.zeros((0, 400), np.float32), 400.0).shape == (0, 0)


def test_firings_of_simulated_trains_are_found():
    truth = draw(Parameters(units=Range(30, 30)), seed=4)
    noise = np.random.default_rng(0).standard_normal(truth.twitch_train.shape)
    trains = (truth.twitch_train + 0.02 * truth.twitch_train.std() * noise).astype(np.float32)
    found = firings(trains, 400.0)
    hits = wanted = predicted = 0
    for row, true in zip(found, truth.firing, strict=True):
        # The last twitches have hardly begun when the sequence ends.
        inside, seen = true[(true >= 0) & (true < 0.96)], row[row < 0.96]
        gaps = np.abs(seen[:, None] - inside)
        hits += int((gaps.min(axis=0) < 0.015).sum())
        wanted, predicted = wanted + len(inside), predicted + len(seen)
    assert hits / wanted > 0.98
    assert hits / predicted > 0.98


def test_amplitudes_are_the_best_that_are_not_negative():
    from scipy.optimize import nnls

    random = np.random.default_rng(1)
    twitches, train = random.standard_normal((30, 8)), random.standard_normal(30)
    expected, left = nnls(twitches, train)
    amplitude = np.zeros(8)
    gain = fit_amplitudes(twitches.T @ twitches, twitches.T @ train, 0.0, amplitude)
    np.testing.assert_allclose(amplitude, expected, atol=0.01)
    assert gain == pytest.approx(train @ train - left**2, rel=1e-3)


def test_sparsity_keeps_out_what_gains_little():
    gram, products = np.eye(3), np.array([1.0, 0.2, -1.0])
    amplitude = np.zeros(3)
    fit_amplitudes(gram, products, 0.3, amplitude)
    np.testing.assert_allclose(amplitude, [0.7, 0, 0])
    assert math.isclose(fit_amplitudes(gram, -np.ones(3), 0.1, np.zeros(3)), 0)
