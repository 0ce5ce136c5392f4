"""The oracle of firings: the true trains with the true noise, and no other."""

import dataclasses
import math

import numpy as np

from musim.simulator import Parameters, Range, draw, render
from musim.simulator.experiment.doses import Doses
from musim.training.identification.firing_oracle import oracle_agreement, oracle_units
from musim.training.identification.metrics.firing import score_all_at_best_lag
from musim.training.identification.units import Recording


def case(snr, seed=3):
    parameters = Parameters(
        units=Range(4, 4), pixels=(16, 16), size=(16.0, 16.0), diameter=Range(4, 6), frames=400,
        snr=Range(snr, snr),
    )  # fmt: skip
    truth = draw(parameters, seed=seed)
    return Recording(render(truth), parameters.frame_rate, parameters.pixel_size), truth


def test_its_trains_are_the_true_ones_and_what_the_noise_adds():
    recording, truth = case(10.0)
    noise = recording.tvi - render(truth, noise=False)
    flat = truth.territory.reshape(4, -1).astype(np.float64)
    added = np.linalg.solve(flat @ flat.T, flat @ noise.reshape(len(noise), -1).T)
    found = oracle_units(recording, truth)
    assert added.std() > 0.001
    np.testing.assert_allclose(found.train, truth.twitch_train + added, atol=1e-4)


def test_without_noise_its_trains_are_the_true_ones_and_agree_best():
    recording, truth = case(math.inf)
    np.testing.assert_allclose(oracle_units(recording, truth).train, truth.twitch_train, atol=1e-4)
    assert oracle_agreement(recording, truth).mean() > 0.95


def test_each_unit_is_compared_with_itself_alone_the_way_that_is_asked_for():
    recording, truth = case(10.0)
    for way in ("grid", None):
        found = oracle_units(recording, truth, way)
        scores = score_all_at_best_lag(found.firing, truth.firing, (0.0, 1.0), bound=0.05)
        wanted = [scores[unit][unit].agreement for unit in range(4)]
        np.testing.assert_array_equal(oracle_agreement(recording, truth, way), wanted)


def test_recordings_of_the_virtual_experiment_have_none():
    recording, truth = case(10.0)
    doses = dict.fromkeys(Doses().to_json(), 0.0)
    assert np.isnan(oracle_agreement(recording, dataclasses.replace(truth, doses=doses))).all()
