"""Networks as a method: the weights that come with musim find units; wrong runs are refused."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest
import torch

from musim.datasets.grid import Grid
from musim.simulator import Parameters, Range, draw, render
from musim.training.identification.firing import firings
from musim.training.identification.methods import identify
from musim.training.identification.methods import network as module
from musim.training.identification.methods.network import WEIGHTS, resolve
from musim.training.identification.rows import score_units
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


def test_another_grid_is_refused_with_both_named(refused):
    parameters = Parameters(pixels=(32, 32), size=(20.0, 20.0), frames=200)
    truth = draw(parameters, seed=1, index=0)
    with refused("found 32 x 32 px ", " wanted 64 x 64 px"):
        identify(recording_of(truth, parameters), "network")


def test_runs_are_told_apart_by_their_task(tmp_path, refused):
    runs = resolve([WEIGHTS / "twitch"])
    assert runs.detect == str(WEIGHTS / "detect")
    assert runs.twitch == str(WEIGHTS / "twitch")
    with refused("second run of musim train twitch"):
        resolve([WEIGHTS / "twitch", WEIGHTS / "twitch"])
    with refused("found no run there"):
        resolve([tmp_path])
    other = json.loads((WEIGHTS / "twitch" / "run.json").read_text()) | {"task": "translate"}
    (tmp_path / "run.json").write_text(json.dumps(other))
    with refused("wanted one of musim train detect or twitch"):
        resolve([tmp_path])


GRID = Grid((80, 6, 4), 100.0, (0.5, 0.25))


class _Detector:
    """Answers what it was given, whatever it sees."""

    def __init__(self, masks, scores):
        self.answer = torch.tensor(masks), torch.tensor(scores)

    def detect(self, tvi):
        assert tvi.shape == GRID.shape
        return self.answer


class _Estimator:
    """Gives each unit a train with a twitch at the frame of its first pixel's row, times ten."""

    def __init__(self):
        self.seen = None

    def estimate(self, tvi, masks):
        assert len(masks) > 0
        self.seen = masks
        frames = torch.arange(80.0)
        rows = torch.stack([mask.gt(0.5).any(1).nonzero()[0, 0] for mask in masks])
        return (frames - 10 - 10 * rows[:, None] == 0).float()


def _recording(seed=0):
    tvi = np.random.default_rng(seed).normal(size=GRID.shape).astype(np.float32)
    return Recording(tvi, GRID.frame_rate, GRID.pixel_size)


def _answered(monkeypatch, masks, scores, recording=None):
    tasks = {"detect": _Detector(masks, scores), "twitch": _Estimator()}
    monkeypatch.setattr(module, "_open", lambda task, run, changed: (tasks[task], GRID))
    return module.network(recording or _recording(), module.Runs("a", "b"))


def test_units_come_surest_first_each_with_its_own_train(monkeypatch):
    masks = np.zeros((4, 6, 4), np.float32)
    masks[0, 3:, :2], masks[1, 1:3, 2:], masks[2, 0, 0], masks[3, 4:, 3] = 0.7, 1.5, 0.5, 0.9
    masks[0, 0, 3] = -0.25
    found = _answered(monkeypatch, masks, [0.25, 0.5, 0.75, 1.5])
    # No more than half of any pixel belongs to the third.
    assert found.confidence.tolist() == [1.0, 0.5, 0.25]
    assert found.confidence.dtype == np.float64
    np.testing.assert_array_equal(found.territory, masks[[3, 1, 0]].clip(0, 1))
    assert found.train.argmax(1).tolist() == [50, 20, 40]
    np.testing.assert_array_equal(found.firing, firings(found.train, 100.0))


@pytest.mark.parametrize("masks", [np.zeros((0, 6, 4)), np.full((2, 6, 4), 0.5)])
def test_where_nothing_is_found_there_is_no_unit(monkeypatch, masks):
    found = _answered(monkeypatch, masks.astype(np.float32), np.ones(len(masks)))
    assert found.territory.shape == (0, 6, 4)
    assert found.train.shape == (0, 80)
    assert found.firing.shape == (0, 0)
    assert found.confidence.shape == (0,)


@pytest.mark.parametrize(
    "change",
    [{"pixel_size": (0.25, 0.5)}, {"frame_rate": 101.0}, {"tvi": _recording().tvi.swapaxes(1, 2)}],
)
def test_depth_and_width_are_told_apart_in_recordings(monkeypatch, change, refused):
    wrong = replace(_recording(), **change)
    with refused("found ", ", wanted 6 x 4 px of 0.5 x 0.25 mm and 80"):
        _answered(monkeypatch, np.zeros((0, 6, 4), np.float32), [], wrong)


def test_a_run_that_was_trained_on_is_opened_again(monkeypatch, tmp_path):
    opened = []

    def open_run(run, task):
        opened.append(task.name)
        masks = np.zeros((0, 6, 4), np.float32)
        return (_Detector(masks, []) if task.name == "detect" else _Estimator()), GRID

    monkeypatch.setattr(module, "open_run", open_run)
    runs = module.Runs(str(tmp_path / "a"), str(tmp_path / "b"))
    for number, name in enumerate("ab"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "best.ckpt").write_text(str(number))
    for _ in range(2):
        module.network(_recording(), runs)
    assert opened == ["detect", "twitch"]
    os.utime(tmp_path / "b" / "best.ckpt", (1e9, 2e9))
    module.network(_recording(), runs)
    assert opened == ["detect", "twitch", "twitch"]
