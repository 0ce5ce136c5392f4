"""``musim train judge`` as a user meets it: options, what is printed, and what is refused."""

import json
import sys

import pytest
from rich.console import Console

from musim.cli import console as consoles
from musim.cli.train_judge import _stage
from musim.training.identification.learning import run as runs
from musim.training.identification.learning.run import Judged
from musim.training.runs.folder import JUDGEMENT

SMALL = ("--set", "kinds=easy,noise", "--set", "apart-every=2", "--set", "pixels=24", "--set",
         "frames=120", "--set", "networks=1", "--set", "hidden=4", "--set", "outline-channels=2",
         "--set", "outline-epochs=1", "--set", "patience=1",
         "--set", "learning-rate=0.5", "-n", 3)  # fmt: skip

FOUND = {
    "learned": {"trains": 3000, "true": 0.25},
    "apart": {"trains": 700, "true": 0.2},
    "networks": {"area_under_curve": 0.91, "calibration_error": 0.012, "log_loss": 0.294},
    "outlines": {"units": 1200, "overlap": 0.634, "right": 0.81, "calibration_error": 0.02},
    "logistic_regression": {"area_under_curve": 0.88, "calibration_error": 0.02, "log_loss": 0.33},
}


def test_every_option_reaches_the_library(musim, monkeypatch):
    asked = {}

    def train(*arguments, **options):
        asked.update(arguments=arguments, **options)
        return Judged(FOUND, trained=True)

    monkeypatch.setattr(runs, "train_judge", train)
    done = musim("train", "judge", "-o", "run", "-n", 70, "--seed", 7, "--set", "networks=2",
                 "--set", "apart-every = 3", "--workers", 3, "--overwrite")  # fmt: skip
    assert done.code == 0, done.err
    assert callable(asked.pop("on_example"))
    assert callable(asked.pop("on_network"))
    assert asked == {
        "arguments": ("run",),
        "texts": {"examples": "70", "seed": "7", "networks": "2", "apart_every": "3"},
        "workers": 3, "resume": False, "overwrite": True,
    }  # fmt: skip
    words = " ".join(done.out.split())
    assert "networks 0.910 0.012 0.294" in words
    assert "logistic regression 0.880 0.020 0.330" in words
    assert (
        "outlines of 1,200 units: intersection over union 0.63 in the mean, above 0.5 in 81%"
        in words
    )
    assert "run: learned from 3,000 trains, 25% units'; measured on 700 others" in words
    assert "musim identify STORE --run run" in words


def test_a_run_is_trained_shown_used_and_left_alone(musim, tmp_path):
    done = musim("train", "judge", "-o", "run", *SMALL, "--workers", 1)
    assert done.code == 0, done.err
    lines = done.err.splitlines()
    assert lines[-3:] == ["drawing: 3/3 examples", "fitting: 1/2 networks", "fitting: 2/2 networks"]
    before = (tmp_path / "run" / JUDGEMENT).read_bytes()
    again = musim("train", "judge", "-o", "run", "--resume", "--json")
    told = json.loads(again.out)
    assert told["run"] == "run"
    assert not told["trained"]
    assert 0 <= told["networks"]["area_under_curve"] <= 1
    shown = musim("train", "judge", "-o", "run", "--resume")
    assert "finished before, nothing was done" in shown.out
    assert (tmp_path / "run" / JUDGEMENT).read_bytes() == before
    musim("generate", "-n", 1, "-o", "a.zarr", "--units", 3, "--pixels", "24x24", "--frames", 200)
    used = musim("identify", "a.zarr", "--run", "run", "-o", "units.zarr", "--workers", 1)
    assert used.code == 0, used.err
    mixed = musim("identify", "a.zarr", "--method", "network", "--run", "run", "-o", "b.zarr")
    assert mixed.code == 2
    assert "found a run of musim train judge, wanted one of musim train detect" in mixed.err


def test_a_trial_tells_settings_and_time_and_trains_nothing(musim, tmp_path):
    done = musim("train", "judge", "-o", "run", *SMALL, "--workers", 2, "--dry-run")
    assert done.code == 0, done.err
    words = " ".join(done.out.split())
    assert "kinds easy,noise Kinds of examples, in turn." in words
    # 19 traits to 4 units to 1 number, and 7 views to 6 times 2 channels to 1 number, with biases.
    outlines = 7 * 9 * 2 + 2 + 5 * (2 * 9 * 2 + 2) + 9 + 1
    assert f"2 networks: {85 + outlines} parameters" in words
    assert "for 3 of 2 workers" in words
    told = json.loads(musim("train", "judge", "-o", "run", *SMALL, "--dry-run", "--json").out)
    assert told["settings"]["kinds"] == "easy,noise"
    assert told["seconds"] > 0
    assert told["disk"] > 1000
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--resume", "--overwrite"], ["both --resume and --overwrite"]),
        (["--resume"], ["run", "no run"]),
        (["--resume", "--dry-run"], ["run", "no run"]),
        (["--set", "x"], ["--set", "NAME=VALUE"]),
        (["-n", 40, "--set", "examples=50"], ["examples", "leave one out"]),
        (["--set", "bogus=6"], ["bogus", "wanted one of examples"]),
        (["-n", 14], ["examples", "found 14", "wanted 33 or more"]),
        (["-n", "many"], ["examples", "many"]),
        (["--seed", "-1"], ["seed", "-1"]),
        (["--set", "kinds=easy,faint"], ["'faint'", "easy,many"]),
        (["--workers", 0], ["workers", "found 0"]),
    ],
)
def test_wrong_use_is_one_line_and_leaves_nothing(musim, tmp_path, arguments, words):
    done = musim("train", "judge", "-o", "run", *arguments)
    assert done.code == 2
    lines = done.err.strip().splitlines()
    assert len(lines) == 1, done.err
    assert lines[0].startswith("Error: ")
    assert all(word in lines[0] for word in words), lines[0]
    assert list(tmp_path.iterdir()) == []


def test_without_torch_it_is_told_before_all_the_work(musim, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    done = musim("train", "judge", "-o", "run", *SMALL, "--workers", 1)
    assert done.code != 0
    assert "torch" in done.err
    assert "drawing" not in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_terminal_shows_one_bar_after_another(monkeypatch, capsys):
    from contextlib import ExitStack

    monkeypatch.setattr(consoles, "err", lambda: Console(force_terminal=True, width=80))
    with ExitStack() as bar:
        first, second = _stage(bar, "drawing", "examples"), _stage(bar, "fitting", "networks")
        first(0, 2)
        first(2, 2)
        second(1, 3)
    shown = capsys.readouterr().out
    assert shown.index("drawing") < shown.index("fitting")
