"""Runs put to the test: tables hold what scoring gives, predictions are kept, doses are told."""

import csv
import json
import math
from dataclasses import replace

import numpy as np
import pytest

from musim.datasets.origin import SimulatedTrials
from musim.datasets.videos.generation import generate_trials
from musim.datasets.videos.trials import trials_of
from musim.simulator.calf.study import Study
from musim.training.evaluations import EvaluationFolder
from musim.training.runs.folder import BEST, RunFolder
from musim.training.state.coherence import coherence_of
from musim.training.state.drift import drift_of, integrated
from musim.training.state.protocol import evaluation, figures, paper
from musim.training.state.protocol.evaluation import evaluate_state
from musim.training.state.protocol.files import FILES
from musim.training.state.protocol.predictions import runs_of
from musim.training.state.protocol.tables import overall_row, state_rows
from musim.training.state.scoring import TORQUE, PredictedTrial, scores_of

STUDY = Study().changed({
    "pixels": "64x48", "size": "40x50", "region_rows": 24, "rest": 0.2, "duration": 3, "looks": 1,
})  # fmt: skip
SCALE = np.array([2e-4, 0.5, 0.2])


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Three participants; the same with another dose; two participants; other images."""
    folder = tmp_path_factory.mktemp("videos")
    for name, study, count in (
        ("videos", STUDY, 9),
        ("dose", STUDY.changed({"out_of_plane_drift": "2"}), 3),
        ("few", STUDY, 3),
        ("large", STUDY.changed({"region_rows": 32}), 3),
    ):
        generate_trials(study, folder / f"{name}.zarr", sequences=count, seed=1, workers=1,
                        pool="threads")  # fmt: skip
    return folder


@pytest.fixture
def run(stores, tmp_path):
    """Return a function that makes the folder of a run, without its network."""

    def make(name, method="cnn", target="changes", test=0, store="videos", task="state"):
        folder = RunFolder(tmp_path / "runs" / name)
        folder.path.mkdir(parents=True)
        grid = trials_of(stores / f"{store}.zarr")[0].store.layout.grid
        folder.create({
            "task": task, "model": "small", "settings": {"method": method, "target": target},
            "source": {"store": str(stores / f"{store}.zarr"), "test": test, "validation": 1},
            "grid": grid.to_json(),
        })  # fmt: skip
        (folder.path / BEST).write_bytes(name.encode())
        return str(folder.path)

    return make


def predicted(name, store, index):
    """Return what a run with this name predicts: true changes, too small and with a bias."""
    trial = next(each for each in trials_of(store) if each.index == index)
    true = trial.states()
    share = {"good": 0.9, "poor": 0.4}[name] - 0.2 * ("dose" in store)
    changes = share * np.diff(true, axis=0) + 0.01 * SCALE
    content = {"true": true, "changes": changes.astype(np.float32), "scale": SCALE}
    return content | ({"states": true + np.float32(0.5)} if name == "good" else {})


@pytest.fixture
def asked(monkeypatch):
    """Predict without networks; returns the runs and trials that were predicted."""
    found = []

    def predict_part(folder, run, store, index, name):
        found.append((run.rpartition("/")[2], index))
        content = predicted(run.rpartition("/")[2], store, index)
        EvaluationFolder(folder, FILES).write_part(name, content)

    monkeypatch.setattr(evaluation, "predict_part", predict_part)
    return found


@pytest.fixture(autouse=True)
def _undrawn(request, monkeypatch):
    """Draw nothing where figures are not what is tested: it takes longer than all else."""
    if "drawn" not in request.fixturenames:
        monkeypatch.setattr(figures, "charts", lambda found: [])


@pytest.fixture
def drawn():
    """Let figures be drawn; returns their names."""
    return [f"state-{name}" for name in ("r2", "series", "zoom", "coherence", "drift", "doses")]


def rows_of(folder, name):
    with (folder / name).open() as file:
        return list(csv.DictReader(file))


def test_tables_hold_what_scoring_gives(run, asked, stores, tmp_path):
    done = []
    found = evaluate_state(
        [run("good", target="absolute"), run("poor", method="klt")], tmp_path / "out",
        doses={"drifting": str(stores / "dose.zarr")}, workers=1,
        on_progress=lambda *numbers: done.append(numbers),
    )  # fmt: skip
    # Of the participant held out, all tasks of both stores, and nobody else.
    assert set(asked) == {(name, index) for name in ("good", "poor") for index in range(3)}
    assert len(asked) == 12
    assert (done[0], done[-1]) == ((0, 12 * 80), (12 * 80, 12 * 80))
    store = str(stores / "videos.zarr")
    tasks = [trial.task for trial in trials_of(store)[:3]]
    for name in ("good", "poor"):
        parts = {task: predicted(name, store, index) for index, task in enumerate(tasks)}
        for row in rows_of(tmp_path / "out", "changes.csv"):
            if (row["run"], row["signal"]) != (name, "torque"):
                continue
            some = parts.values() if row["task"] == "all" else [parts[row["task"]]]
            expected = scores_of(
                np.concatenate([np.diff(each["true"], axis=0)[:, TORQUE] for each in some]),
                np.concatenate([each["changes"][:, TORQUE] for each in some]), SCALE[TORQUE],
            )  # fmt: skip
            for measure in ("mse", "nrmse", "rmse", "r2", "samples"):
                assert float(row[measure]) == pytest.approx(getattr(expected, measure), rel=1e-4)
            published = paper.reported({"good": "cnn", "poor": "klt"}[name], row["task"], "torque")
            assert row["paper_r2"] == ("" if row["task"] == "all" else f"{published['r2']:.6g}")
    changes = {(row["run"], row["task"], row["signal"]): row for row in found.changes}
    assert math.isnan(changes["good", "passive", "emg"]["r2"])
    assert math.isnan(changes["good", "isometric", "angle"]["r2"])
    errors = [row["mse"] for key, row in changes.items() if key[0] == "good" and key[1] != "all"]
    assert len(errors) == 9
    test = rows_of(tmp_path / "out", "test.csv")[0]
    assert float(test["test_mse"]) == pytest.approx(np.mean(errors), rel=1e-4)
    assert float(test["paper_test_mse"]) == 0.403
    summary = json.loads((tmp_path / "out" / "state.json").read_text())["found"]
    assert summary["tests"][0]["test_mse"] == pytest.approx(np.mean(errors))
    assert summary["changes"][2]["r2"] is None  # EMG where nobody contracts


def test_the_error_of_table_1_is_a_mean_over_tasks_however_long_they_are(run):
    chosen = runs_of([run("good")])[0]
    rows = [{"task": task, "mse": mse}
            for task, mse in (("a", 1.0), ("b", 3.0), ("c", math.nan), ("all", 90.0))]  # fmt: skip
    assert overall_row(chosen, rows)["test_mse"] == 2


def test_opposite_drifts_of_two_trials_of_a_task_do_not_cancel(run):
    true = np.sin(np.arange(500)[:, None] / np.array([20.0, 30, 40]))
    trials = [
        PredictedTrial("good", "combined", 25.0, true, np.diff(true, axis=0) + bias)
        for bias in (0.01, -0.01)
    ]
    for row in state_rows(runs_of([run("good")])[0], trials):
        assert row["samples"] == 1000
        assert row["slope"] == pytest.approx(0.25)
    alone = state_rows(runs_of([run("other")])[0], trials[1:])
    assert [row["slope"] for row in alone] == pytest.approx([-0.25] * 3)


def test_states_series_and_coherence_are_those_of_the_predictions(run, asked, stores, tmp_path):
    evaluate_state([run("poor"), run("good", target="absolute")], tmp_path / "out", workers=1)
    store = str(stores / "videos.zarr")
    index = [trial.task for trial in trials_of(store)].index("combined")
    part = predicted("poor", store, index)
    true, changes = part["true"][:, TORQUE], part["changes"][:, TORQUE]
    expected = drift_of(true, integrated(true, changes), 25)
    rows = {(row["run"], row["how"], row["signal"], row["task"]): row
            for row in rows_of(tmp_path / "out", "states.csv")}  # fmt: skip
    row = rows["poor", "integrated", "torque", "combined"]
    assert float(row["slope"]) == pytest.approx(expected.slope, rel=1e-4)
    assert float(row["end"]) == pytest.approx(expected.end, rel=1e-4)
    assert ("poor", "absolute", "torque", "combined") not in rows
    absolute = rows["good", "absolute", "torque", "combined"]
    assert float(absolute["rmse"]) == pytest.approx(0.5, rel=1e-4)
    assert float(absolute["slope"]) == pytest.approx(0, abs=1e-5)
    assert float(absolute["r2"]) == pytest.approx(1 - 0.25 / true.var(), rel=1e-3)
    series = [row for row in rows_of(tmp_path / "out", "series.csv") if row["task"] == "combined"]
    assert [float(row["time"]) for row in series[:2]] == pytest.approx([0.04, 0.08])
    assert [float(row["torque_poor"]) for row in series] == pytest.approx(changes, rel=1e-4)
    assert [float(row["torque_true"]) for row in series] == pytest.approx(np.diff(true), abs=1e-4)
    spectrum = [row for row in rows_of(tmp_path / "out", "coherence.csv")
                if (row["run"], row["signal"]) == ("poor", "torque")]  # fmt: skip
    parts = [predicted("poor", store, number) for number in range(3)]
    expected = coherence_of(
        [(np.diff(each["true"], axis=0)[:, 1], each["changes"][:, 1]) for each in parts], 25
    )
    assert [float(row["coherence"]) for row in spectrum] == pytest.approx(expected.coherence)
    assert float(spectrum[0]["significance"]) == pytest.approx(expected.significance, rel=1e-4)


def test_figures_are_there_and_doses_are_told(run, asked, stores, tmp_path, drawn):
    runs, doses = [run("good", target="absolute"), run("poor")], {"$x_": stores / "dose.zarr"}
    found = evaluate_state(runs, tmp_path / "out", doses=doses, workers=1)
    captions = json.loads((tmp_path / "out" / "figures.json").read_text())
    assert [each["name"] for each in captions] == drawn
    for name in drawn:
        picture = (tmp_path / "out" / f"{name}.png").read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert len(picture) > 10_000
    alone = replace(found, stores={"data": found.stores["data"]})
    assert [chart.name for chart in figures.charts(alone)] == drawn[:-1]
    wanted = ("poor", "angle", "combined")
    rows = [row for row in rows_of(tmp_path / "out", "doses.csv")
            if (row["run"], row["signal"], row["task"]) == wanted]  # fmt: skip
    assert [row["dose"] for row in rows] == ["data", "$x_"]
    assert float(rows[0]["r2"]) > float(rows[1]["r2"])  # 0.4 and 0.2 of all changes
    assert rows[0]["integrated_r2"]
    assert not rows[0]["absolute_r2"]


def test_what_was_predicted_is_not_predicted_anew(run, asked, stores, tmp_path, refused):
    good, poor = run("good"), run("poor")
    evaluate_state([good], tmp_path / "out", workers=1)
    assert len(asked) == 3
    with refused("found an evaluation there", "`resume=True`"):
        evaluate_state([good], tmp_path / "out", workers=1)
    asked.clear()
    evaluate_state([good, poor], tmp_path / "out", workers=1, resume=True)
    assert {name for name, _ in asked} == {"poor"}
    assert len(asked) == 3
    (tmp_path / "runs" / "poor" / BEST).write_bytes(b"trained on")
    asked.clear()
    evaluate_state([poor, good], tmp_path / "out", workers=1, resume=True)
    assert asked == [("poor", index) for index in range(3)]
    assert len(list((tmp_path / "out" / "parts").iterdir())) == 6
    asked.clear()
    evaluate_state([good], tmp_path / "out", workers=1, overwrite=True)
    assert len(asked) == 3
    other = str(stores / "dose.zarr")
    with refused("other settings (participant 0 of ", "`overwrite=True`"):
        evaluate_state([good], tmp_path / "out", data=other, workers=1, resume=True)


def test_what_breaks_off_goes_on(run, monkeypatch, asked, tmp_path):
    predict = evaluation.predict_part

    def broken(*arguments):
        if len(asked) == 2:
            raise KeyboardInterrupt
        predict(*arguments)

    monkeypatch.setattr(evaluation, "predict_part", broken)
    good = run("good")
    with pytest.raises(KeyboardInterrupt):
        evaluate_state([good], tmp_path / "out", workers=1)
    assert not (tmp_path / "out" / "test.csv").exists()
    monkeypatch.setattr(evaluation, "predict_part", predict)
    evaluate_state([good], tmp_path / "out", workers=1, resume=True)
    assert sorted(asked) == [("good", index) for index in range(3)]


def test_the_participant_of_a_store_is_predicted_wherever_it_lies(run, asked, stores, tmp_path):
    """One with another dose, and one of nobody else, are predicted for the same participant."""
    found = evaluate_state([run("poor")], tmp_path / "out", data=str(stores / "few.zarr"),
                           workers=1)  # fmt: skip
    assert found.held_out == 0
    origin = trials_of(stores / "dose.zarr")[0].store.origin
    assert isinstance(origin, SimulatedTrials)
    assert [trial.participant for trial in trials_of(stores / "few.zarr")] == [0, 0, 0]


def test_what_does_not_fit_is_refused_in_one_line(run, asked, stores, tmp_path, refused):
    good, other, elsewhere = run("good"), run("other", test=2), run("elsewhere", store="few")
    thick, damaged = run("thick", task="segment"), run("damaged")
    place = tmp_path / "runs" / "damaged" / "run.json"
    place.write_text(place.read_text().replace('"method"', '"methods"'))
    out = tmp_path / "out"
    with refused("found none", "one or more folders of musim train state"):
        evaluate_state([], out)
    with refused("participant 2 held out for test, wanted participant 0", "evaluate them apart"):
        evaluate_state([good, other], out)
    with refused("found this run twice"):
        evaluate_state([good, good + "/"], out)
    with refused("found a run of musim train segment, wanted one of musim train state"):
        evaluate_state([good, thick], out)
    with refused("run.json damaged"):
        evaluate_state([damaged], out)
    with refused("some trained on", "few.zarr", "`data`"):
        evaluate_state([good, elsewhere], out)
    with refused("found no participant 2, who was held out", "there are 0"):
        evaluate_state([other], out, data=str(stores / "few.zarr"))
    with refused("found videos of 32 x 48 px", "wanted 24 x 48 px", "as good was trained on"):
        evaluate_state([good], out, doses={"large": str(stores / "large.zarr")})
    with refused("the name data, which `data` has"):
        evaluate_state([good], out, doses={"data": str(stores / "dose.zarr")})
    with refused("found no run there"):
        evaluate_state([tmp_path / "none"], out)
    with refused("nothing"):
        evaluate_state([good], out, data=str(tmp_path / "nothing.zarr"))
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    with refused("found something that is not an evaluation, wanted a new or empty folder"):
        evaluate_state([good], out, workers=1)
    (tmp_path / "runs" / "good" / BEST).unlink()
    with refused("found no checkpoint"):
        evaluate_state([good], tmp_path / "new", workers=1)
    assert not asked


def test_names_of_runs_are_their_folders_or_what_was_asked_for(run, asked, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluation, "predict_part", lambda folder, run, store, index, name: (
        EvaluationFolder(folder, FILES).write_part(name, predicted("poor", store, index))
    ))  # fmt: skip
    one, other = run("a/run"), run("b/run", method="klt")
    found = evaluate_state([one, other], tmp_path / "out", workers=1)
    assert [each.name for each in found.runs] == [one, other]
    assert {row["run"] for row in found.changes} == {one, other}
    assert replace(found.runs[0], name="x") != found.runs[0]
