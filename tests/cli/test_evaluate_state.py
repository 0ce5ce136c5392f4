"""``musim evaluate state``, as a user meets it: from tiny videos and a tiny run to a page."""

import json

import pytest

pytest.importorskip("torch")

from musim.datasets.videos.generation import generate_trials
from musim.simulator.calf.study import Study
from musim.training import evaluations
from musim.training.state.state_source import StateSource
from musim.training.state.state_task import StateTask
from musim.training.tasks import train

STUDY = Study().changed({
    "pixels": "64x48", "size": "40x50", "region_rows": 24, "rest": 0.2, "duration": 2, "looks": 1,
})  # fmt: skip
TINY = {"steps": 2, "batch_size": 4, "binning": "4,8", "filters": "2", "connected": "4",
        "block": 8, "period": 40, "validate_every": 2, "validation_batches": 1}  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs, and stores of whom they were trained on and of whom they held out."""
    folder = tmp_path_factory.mktemp("states")
    place = folder / "videos.zarr"
    generate_trials(STUDY, place, sequences=3, tasks=("combined",), seed=1, written=True,
                    workers=1, pool="threads")  # fmt: skip
    drifting = STUDY.changed({"out_of_plane_drift": "2"})
    generate_trials(drifting, folder / "drifting.zarr", sequences=1, tasks=("combined",), seed=1,
                    written=True, workers=1, pool="threads")  # fmt: skip
    generate_trials(STUDY, folder / "passive.zarr", sequences=1, tasks=("passive",), seed=1,
                    written=True, workers=1, pool="threads")  # fmt: skip
    for name, changes in (("cnn", {}), ("absolute", {"target": "absolute"})):
        train(StateTask, folder / name, texts={**TINY, **changes}, accelerator="cpu",
              source=StateSource(str(place), test=0, validation=1))  # fmt: skip
    return folder


def test_runs_are_scored_and_shown(musim, runs, tmp_path, monkeypatch):
    asked = ("evaluate", "state", runs / "cnn", runs / "absolute", "--protocol",
             "cunningham-2017", "--workers", 1)  # fmt: skip
    dose = ("--dose", f"2 mm<b>={runs / 'drifting.zarr'}",
            "--dose", f"relaxed={runs / 'passive.zarr'}")  # fmt: skip
    done = musim(*asked, *dose)
    assert done.code == 0, done.err
    said = ("Participant 0", "combined", "NRMSE", "paper", "0.537", "integrated", "absolute",
            "R2 by dose, combined task", "musim report states", "(paper 0.403)")  # fmt: skip
    assert [word for word in said if word not in done.out] == []
    assert not any("…" in line for line in done.out.splitlines())
    again = musim(*asked)
    assert again.code == 2
    assert "add --resume to go on with it" in again.err
    monkeypatch.setattr(evaluations, "png", lambda chart: b"drawn before")
    resumed = musim(*asked, *dose, "--resume", "--json")
    assert resumed.code == 0, resumed.err
    told = json.loads(resumed.out)
    assert list(told["stores"]) == ["data", "2 mm<b>", "relaxed"]
    assert told["held_out"] == 0
    assert {row["dose"] for row in told["doses"]} == {"data", "2 mm<b>", "relaxed"}
    r2 = {(row["run"], row["task"], row["signal"]): row["r2"] for row in told["changes"]}
    assert r2["cnn", "combined", "torque"] == r2["cnn", "all", "torque"]
    assert musim("report", "states").code == 0
    page = (tmp_path / "report.html").read_text()
    assert page.count("data:image/png;base64") == 6
    assert "2 mm&lt;b&gt;" in page
    assert "2 mm<b>" not in page
    values = next(row for row in told["changes"] if row["task"] == "combined")
    assert f'<td data-value="{values["mse"]:.9g}">{values["mse"]:.3f}</td>' in page
    # Of stores that have other tasks each has its own row, with what the others lack left out.
    doses = page[page.index("Doses by task") :]
    assert "relaxed" in doses
    assert "passive" in doses
    (tmp_path / "states" / "test.csv").unlink()
    assert "found an unfinished evaluation" in musim("report", "states").err
    (tmp_path / "states" / "test.csv").write_text("run\n")
    (tmp_path / "states" / "figures.json").write_text("[]")
    assert "evaluate again with --overwrite" in musim("report", "states").err


def test_others_than_runs_of_states_are_refused_in_one_line(musim, runs, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    cnn, videos = runs / "cnn", runs / "videos.zarr"
    for options, words in (
        ((cnn, "--dose", "none"), ("--dose: found 'none'", "NAME=STORE")),
        ((cnn, "--dose", f"a={videos}", "--dose", f"a={videos}"), ("found 'a' twice",)),
        ((cnn, "--dose", f"data={videos}"), ("dose: found the name data, which --data has",)),
        ((videos,), ("found no run there", "musim train")),
        ((cnn, "--data", cnn), ("cnn",)),
        ((cnn, "--out", "full"), ("full: found something that is not an evaluation",)),
        ((cnn, "--resume", "--overwrite"), ("found both --resume and --overwrite",)),
        ((cnn, "--workers", 0), ("workers: found 0",)),
        ((), ("RUN",)),
    ):  # fmt: skip
        done = musim("evaluate", "state", *options)
        assert done.code == 2, options
        assert len(done.err.strip().splitlines()) == 1, done.err
        assert [word for word in words if word not in done.err] == [], done.err
        assert not (tmp_path / "states").exists()
