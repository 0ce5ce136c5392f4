"""Scores of predicted states: by hand, against scikit-learn, and that they are the paper's."""

import math

import numpy as np
import pytest
from sklearn.metrics import mean_squared_error, r2_score

from musim.training.state.protocol import paper
from musim.training.state.scoring import (
    ANGLE,
    EMG,
    TORQUE,
    PredictedTrial,
    change_scores,
    is_changed,
    scores_of,
    tasks_of,
)


def trial(task, true, changes):
    """Return a trial whose signals are all the same."""
    true, changes = (np.repeat(np.array(each, float)[:, None], 3, 1) for each in (true, changes))
    return PredictedTrial("run", task, 25.0, true, changes)


def test_scores_by_hand():
    found = scores_of([1, 2, 3, 4], [1, 2, 3, 2], scale=2)  # one of four is off by 2
    assert (found.samples, found.rmse, found.mse) == (4, 1, 1 / 4)
    assert found.r2 == pytest.approx(1 - 4 / 5)
    assert found.nrmse == pytest.approx(1 - math.sqrt(4 / 5))


def test_scores_are_those_of_scikit_learn():
    random = np.random.default_rng(1)
    true = 1e-4 * random.standard_normal(500) + 3e-5
    predicted = 0.7 * true + 5e-5 * random.standard_normal(500)
    found = scores_of(true, predicted, scale=2e-4)
    assert found.r2 == pytest.approx(r2_score(true, predicted), rel=1e-9)
    assert found.mse == pytest.approx(mean_squared_error(true / 2e-4, predicted / 2e-4), rel=1e-9)
    assert found.nrmse == pytest.approx(1 - math.sqrt(1 - found.r2), rel=1e-9)


def test_what_is_perfect_has_one_and_the_mean_nothing():
    true = np.random.default_rng(2).standard_normal(50)
    perfect = scores_of(true, true, 1)
    assert (perfect.r2, perfect.nrmse, perfect.rmse, perfect.mse) == (1, 1, 0, 0)
    mean = scores_of(true, np.full(50, true.mean()), 1)
    assert (mean.r2, mean.nrmse) == pytest.approx((0, 0))
    assert scores_of(true, -true, 1).r2 < 0


def test_what_does_not_change_has_an_error_alone():
    constant = np.full(7, np.float32(0.1))
    found = scores_of(constant, constant + 1, 2)
    assert found.rmse == pytest.approx(1)
    assert found.mse == pytest.approx(1 / 4)
    assert math.isnan(found.r2)
    assert math.isnan(found.nrmse)
    still = scores_of([1, 2, 3], [1, 2, 4], 1, changes=False)
    assert still.mse == pytest.approx(1 / 3)
    assert math.isnan(still.r2)
    assert math.isnan(still.nrmse)


def test_what_was_not_measured_is_left_out():
    true = [1, math.nan, 3, 5]
    assert scores_of(true, [1, 7, 4, math.nan], 1) == scores_of([1, 3], [1, 4], 1)
    nothing = scores_of([math.nan], [1.0], 1)
    assert nothing.samples == 0
    assert math.isnan(nothing.rmse)
    with pytest.raises(ValueError, match="wanted"):
        scores_of([1, 2], [1, 2, 3], 1)


def test_trials_of_a_task_are_scored_together():
    trials = [
        trial("combined", [0, 1, 3], [1, 2]),
        trial("combined", [0, 4], [0]),
        trial("passive", [0, 1], [3]),
    ]
    found = change_scores(trials, TORQUE, scale=2, task="combined")
    assert found == scores_of([1, 2, 4], [1, 2, 0], 2)
    everything = change_scores(trials, EMG, scale=2)
    assert everything == scores_of([1, 2, 4, 1], [1, 2, 0, 3], 2)
    assert change_scores(trials, EMG, 2, task="isometric").samples == 0
    assert tasks_of([trial(name, [0, 1], [1]) for name in ("walk", "passive", "", "combined")]) == [
        "combined", "passive", "walk", "",
    ]  # fmt: skip


def test_nothing_is_said_of_how_well_noise_is_predicted():
    rows = [trial("passive", [0, 1, 3], [1, 2]), trial("isometric", [0, 1, 3], [1, 2])]
    stated = {
        (task, signal): not math.isnan(change_scores(rows, signal, 1, task=task).r2)
        for task in ("passive", "isometric")
        for signal in (EMG, TORQUE, ANGLE)
    }
    assert [each for each, known in stated.items() if not known] == [
        ("passive", EMG), ("isometric", ANGLE),
    ]  # fmt: skip
    assert all(is_changed(task, signal) for task in ("combined", "walk", "") for signal in range(3))


def test_nrmse_is_what_the_paper_means_by_it():
    """Its NRMSE is 1 - sqrt(1 - R2) in all rows, and dashes stand where tasks change nothing."""
    signals = {"emg": EMG, "torque": TORQUE, "angle": ANGLE}
    for (_, task, signal), row in paper.REPORTED.items():
        changed = is_changed(task, signals[signal])
        assert math.isnan(row["r2"]) == math.isnan(row["nrmse"]) == (not changed)
        if changed:
            assert row["nrmse"] == pytest.approx(1 - math.sqrt(1 - row["r2"]), abs=1.01e-3)
    assert len(paper.REPORTED) == 18


def test_mse_is_what_the_paper_means_by_it():
    """One standard deviation joins MSE and RMSE of a signal, and Table 1 has their mean."""
    for signal, scale in (("torque", 1.095), ("angle", 0.2043)):
        rows = [row for key, row in paper.REPORTED.items() if key[2] == signal]
        assert len(rows) == 6
        for row in rows:
            rounding = 5.1e-4 / math.sqrt(row["mse"])  # of an MSE with three decimals
            assert row["rmse"] == pytest.approx(
                scale * math.sqrt(row["mse"]), abs=scale * rounding / 2 + 5.1e-4
            )
    means = {
        method: np.mean([row["mse"] for key, row in paper.REPORTED.items() if key[0] == method])
        for method in (paper.CNN, paper.KLT)
    }
    assert means[paper.CNN] == pytest.approx(paper.TEST_MSE[paper.CNN], abs=1e-3)
    assert means[paper.KLT] == pytest.approx(0.409, abs=1e-3)
    assert paper.reported("klt", "passive", "angle")["r2"] == 0.911
    assert paper.reported("cnn", "walk", "angle") == {}
