"""Networks as a method: the weights that come with musim find units; wrong runs are refused."""

import json

import numpy as np
import pytest

from musim.simulator import Parameters, Range, draw, render
from musim.simulator.errors import InputError
from musim.training.identification.evaluation import score_units
from musim.training.identification.methods import identify
from musim.training.identification.methods.network import WEIGHTS, resolve
from musim.training.identification.units import Recording


def recording_of(truth, parameters):
    return Recording(render(truth), parameters.frame_rate, parameters.pixel_size)


def test_the_weights_that_come_with_musim_find_units():
    parameters = Parameters(units=Range(8, 8), snr=Range(15, 15))
    truth = draw(parameters, seed=31337, index=0)
    found = identify(recording_of(truth, parameters), "network")
    row = score_units(found, truth, parameters.frame_rate).to_row()
    assert row["detection_recall"] >= 0.75
    assert row["detection_precision"] >= 0.75
    assert row["rate_of_agreement"] >= 0.9
    assert np.all(np.diff(found.confidence) <= 0)


def test_another_grid_is_refused_with_both_named():
    parameters = Parameters(pixels=(32, 32), size=(20.0, 20.0), frames=200)
    truth = draw(parameters, seed=1, index=0)
    with pytest.raises(InputError, match=r"found 32 x 32 px .* wanted 64 x 64 px"):
        identify(recording_of(truth, parameters), "network")


def test_runs_are_told_apart_by_their_task(tmp_path):
    runs = resolve([WEIGHTS / "twitch"])
    assert runs.detect == str(WEIGHTS / "detect")
    assert runs.twitch == str(WEIGHTS / "twitch")
    with pytest.raises(InputError, match="second run of musim train twitch"):
        resolve([WEIGHTS / "twitch", WEIGHTS / "twitch"])
    with pytest.raises(InputError, match="found no run there"):
        resolve([tmp_path])
    other = json.loads((WEIGHTS / "twitch" / "run.json").read_text()) | {"task": "translate"}
    (tmp_path / "run.json").write_text(json.dumps(other))
    with pytest.raises(InputError, match="wanted one of musim train detect or twitch"):
        resolve([tmp_path])
