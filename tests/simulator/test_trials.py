"""Sequences of one subject share its anatomy and nothing that happens."""

import dataclasses

import numpy as np
import pytest

from musim.simulator import PRESETS, Parameters, Range, draw
from musim.simulator.experiment.doses import Doses
from musim.simulator.experiment.quick import draw_recording
from musim.simulator.experiment.recording import simulate

PARAMETERS = Parameters(**{
    **PRESETS["experiment"], "units": Range(2, 3), "pixels": (12, 10), "size": (12.0, 10.0),
    "frames": 100, "fat": Range(1, 2), "diameter": Range(2.5, 5), "trials": 3,
})  # fmt: skip
DOSES = Doses(image=(80, 40))
SHARED = ("territory", "displacement", "contraction_time", "centre_depth", "fat", "doses")
OWN = ("firing_rate", "noise_key", "twitch_train")


def _truths(parameters, doses=DOSES):
    return [draw(parameters, doses=doses, seed=7, index=index) for index in range(6)]


def _equal(a, b):
    return a.keys() == b.keys() and a == b if isinstance(a, dict) else np.array_equal(a, b)


def test_trials_share_the_subject_and_nothing_else():
    truths = _truths(PARAMETERS)
    for name in SHARED:
        values = [getattr(truth, name) for truth in truths]
        assert _equal(values[0], values[1])
        assert _equal(values[0], values[2])
        assert not _equal(values[2], values[3])
        assert _equal(values[3], values[5])
    for name in OWN:
        assert not _equal(getattr(truths[0], name), getattr(truths[1], name))


def test_a_subject_of_one_trial_is_a_sequence():
    alone = dataclasses.replace(PARAMETERS, trials=1)
    first, second = _truths(alone)[:2]
    np.testing.assert_array_equal(first.territory, _truths(PARAMETERS)[0].territory)
    np.testing.assert_array_equal(second.territory, _truths(PARAMETERS)[3].territory)
    with pytest.raises(Exception, match="trials: found 0"):
        dataclasses.replace(PARAMETERS, trials=0)


def test_a_subject_that_is_kept_gives_the_same_recordings():
    truths = _truths(PARAMETERS)
    kept = [draw_recording(PARAMETERS, DOSES, truths[i], seed=7, index=i) for i in (0, 1, 4, 2)]
    assert kept[0].motion_map is kept[1].motion_map is kept[3].motion_map
    assert kept[0].motion_map is not kept[2].motion_map
    assert not np.array_equal(kept[0].motion_course, kept[1].motion_course)
    assert not np.array_equal(kept[0].noise_key, kept[1].noise_key)
    alone = dataclasses.replace(PARAMETERS, trials=1)
    first = draw(alone, doses=DOSES, seed=7, index=0)
    wanted = draw_recording(alone, DOSES, first, seed=7, index=0)
    np.testing.assert_array_equal(wanted.motion_map, kept[0].motion_map)
    np.testing.assert_array_equal(wanted.motion_course, kept[0].motion_course)


def test_the_whole_experiment_shows_the_same_trial():
    quiet = dataclasses.replace(DOSES, thermal_noise=Range(0, 0))
    for index, truth in enumerate(_truths(PARAMETERS, quiet)[:2]):
        recorded = simulate(PARAMETERS, quiet, truth, seed=7, index=index)
        recording = draw_recording(PARAMETERS, quiet, truth, seed=7, index=index)
        predicted = np.einsum("mt,mzx->tzx", recording.motion_course, recording.motion_map)
        assert ((recorded - predicted) ** 2).sum() < 0.02 * (recorded**2).sum()
