"""``musim train``: options become settings; breaks, kills and refusals, as a user meets them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from musim.cli import train as command
from musim.cli import training
from musim.datasets import generate
from musim.simulator.experiment.doses import PRESETS as DOSE_PRESETS
from musim.simulator.experiment.doses import Doses
from musim.simulator.parameters import PRESETS, Parameters
from musim.simulator.ranges import Range
from musim.training.identification.networks import detection_task
from musim.training.identification.networks.detection_task import DetectTask
from musim.training.runs.folder import LAST, RunFolder
from musim.training.runs.sources import Source

TOYS = Path(__file__).parents[1] / "training" / "runs"
sys.path.insert(0, str(TOYS))

import musim_toy  # noqa: E402

CPU = ("--accelerator", "cpu")


@pytest.fixture
def toy(monkeypatch):
    """Let a small task stand for ``detect``."""
    monkeypatch.setattr(detection_task, "DetectTask", musim_toy.ToyDetectTask)
    monkeypatch.setattr(
        command, "run_training",
        lambda task, options, more, source: TRAIN(task, options, {}, _toy_source),
    )  # fmt: skip


TRAIN = command.run_training


def _toy_source(options):
    return musim_toy.ToySource() if options["endless"] else None


def one_line(done, *words):
    lines = done.err.strip().splitlines()
    assert len(lines) == 1, done.err
    assert lines[0].startswith("Error: ")
    assert all(word in lines[0] for word in words), lines[0]


def test_every_option_reaches_the_library(musim, tiny, monkeypatch):
    asked = {}
    monkeypatch.setattr(
        training, "train_task", lambda *a, **k: asked.update(arguments=a, **k) or {}
    )
    done = musim(
        "train", "detect", "--endless", *tiny, "-o", "run", "--model", "paper", "--steps", 5,
        "--batch-size", 6, "--precision", "bf16-mixed", "--seed", 7, "--set", "patience=3",
        "--set", "save-every = 9", "--pretrained", "none", "--accelerator", "cpu", "--devices", 2,
        "--overwrite",
    )  # fmt: skip
    assert done.code == 0, done.err
    asked.pop("on_progress")
    assert asked == {
        "arguments": (DetectTask, "run"),
        "model": "paper",
        "texts": {"steps": "5", "batch_size": "6", "precision": "bf16-mixed", "seed": "7",
                  "patience": "3", "save_every": "9", "pretrained": "none"},
        "source": Source(parameters=Parameters(
            units=Range(2, 3), pixels=(16, 16), frames=20, frame_rate=200.0)),
        "resume": False, "overwrite": True, "accelerator": "cpu", "devices": 2,
    }  # fmt: skip
    quick = ("train", "detect", "--endless", "--domain", "quick", "-o", "run", "--units", "4")
    assert musim(*quick, "--spread", "2").code == 0
    grid = {"pixels": (64, 64), "frames": 400, "frame_rate": 400.0, "trials": 10}
    wanted = Parameters(**{**PRESETS["easy"], **grid, "units": 4})
    assert asked["source"] == Source(parameters=wanted, doses=Doses(spread=Range(2, 2)))
    musim(*quick, "--preset", "hard")
    wanted = Parameters(**{**PRESETS["hard"], **grid, "units": 4})
    assert asked["source"] == Source(parameters=wanted, doses=Doses(**DOSE_PRESETS["hard"]))
    musim(*quick, "--trials", 1, "--snr", 20)
    assert asked["source"].parameters.trials == 1
    assert asked["source"].parameters.snr == Range(20, 20)
    musim("train", "twitch", "--data", "a.zarr", "-o", "run", "--set", "steps=8")
    assert asked["texts"] == {"steps": "8"}
    assert asked["source"] == Source(store="a.zarr")
    assert asked["model"] == ""


def test_a_run_is_trained_shown_and_left_alone(musim, toy, tmp_path):
    done = musim("train", "detect", "--endless", "-o", "run", *CPU)
    assert done.code == 0, done.err
    assert done.out.startswith("run: best validation: step ")
    lines = done.err.splitlines()
    assert lines[-1] == "training detect: 12/12 steps"
    assert all(line.startswith("training detect: ") for line in lines)
    again = musim("train", "detect", "-o", "run", "--resume", *CPU)
    assert again.code == 0
    assert "finished before, nothing was done" in again.out
    longer = musim("train", "detect", "-o", "run", "--resume", "--steps", 15, *CPU)
    assert longer.code == 0
    assert RunFolder(tmp_path / "run").load(LAST)["step"] == 15


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["neither --data nor --endless"]),
        (["--endless", "--data", "x"], ["both --data and --endless"]),
        (["--data", "nowhere.zarr"], ["nowhere.zarr", "found nothing"]),
        (["--data", "x", "--units", "3"], ["--units", "--endless"]),
        (["--data", "x", "--domain", "quick"], ["--domain", "--endless"]),
        (["--data", "x", "--spread", "3"], ["--spread", "--domain quick"]),
        (["--endless", "--preset", "hard"], ["--preset", "--domain quick"]),
        (["--endless", "--spread", "3"], ["--spread", "--domain quick"]),
        (["--endless", "--domain", "quick", "--image", "8"], ["coarser", "more pixels"]),
        (["--resume", "--overwrite"], ["both --resume and --overwrite"]),
        (["--resume"], ["run", "no run"]),
        (["--endless", "--set", "x"], ["--set", "NAME=VALUE"]),
        (["--endless", "--set", "=1"], ["--set", "NAME=VALUE"]),
        (["--endless", "--steps", "5", "--set", "steps=6"], ["steps", "leave one out"]),
        (["--endless", "--set", "bogus=6"], ["bogus", "wanted one of steps"]),
        (["--endless", "--steps", "0"], ["steps", "found 0"]),
        (["--endless", "--model", "huge"], ["model", "huge", "small"]),
        (["--endless", "--accelerator", "abacus"], ["abacus", "cuda"]),
        (["--endless", "--devices", "3", "--accelerator", "cpu"], ["batch_size", "multiple of 3"]),
        (["--endless", "--precision", "16-mixed", "--accelerator", "cpu"], ["precision", "CPU"]),
    ],
)
def test_wrong_use_is_one_line_and_leaves_nothing(musim, monkeypatch, tmp_path, arguments, words):
    monkeypatch.setattr(detection_task, "DetectTask", musim_toy.StoredTask)
    done = musim("train", "detect", "-o", "run", *arguments)
    assert done.code == 2
    one_line(done, *words)
    assert not (tmp_path / "run").exists()


def test_a_dry_run_tells_and_writes_nothing(musim, toy, tmp_path):
    done = musim("train", "detect", "--endless", "-o", "run", "--dry-run", "--set",
                 "learning_rate=0.125", *CPU)  # fmt: skip
    assert done.code == 0, done.err
    for words in ("learning_rate", "0.125", "first: 148 parameters", "together: 153 parameters",
                  "memory: ", "a step: ", "12 steps"):  # fmt: skip
        assert words in done.out, words
    assert list(tmp_path.iterdir()) == []
    assert musim("train", "detect", "--endless", "-o", "run", *CPU).code == 0
    before = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*")}
    done = musim("train", "detect", "-o", "run", "--resume", "--dry-run", *CPU)
    assert done.code == 0, done.err
    assert "together: 153 parameters" in done.out
    assert before == {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*")}


def test_programs_read_a_trial_and_a_result_as_json(musim, toy, tmp_path):
    done = musim("train", "detect", "--endless", "-o", "run", "--dry-run", "--json", *CPU)
    trial = json.loads(done.out)
    assert sum(trial["parameters"].values()) == 153
    assert trial["memory"] == trial["weights"] + trial["optimisers"] + trial["activations"] > 0
    assert list(tmp_path.iterdir()) == []
    result = json.loads(musim("train", "detect", "--endless", "-o", "run", "--json", *CPU).out)
    assert (result["run"], result["trained"]) == ("run", True)
    assert result["best_validation"]["step"] > 0


def test_a_loss_that_is_not_finite_is_one_line_and_code_1(musim, toy):
    done = musim("train", "detect", "--endless", "-o", "run", "--set", "nan_at=7", *CPU)
    assert done.code == 1
    last = done.err.strip().splitlines()[-1]
    assert last.startswith("Error: step 7: ")
    assert "last.ckpt holds step 6" in last


def test_too_little_memory_says_which_batch_fits(musim, toy, tmp_path):
    done = musim("train", "detect", "--endless", "-o", "run", "--set", "room=2", *CPU)
    assert done.code == 1
    assert "--batch-size 2" in done.err.strip().splitlines()[-1]
    assert not (tmp_path / "run").exists()


def program(*arguments):
    """Return a program that is ``musim`` with the small task for its ``detect``."""
    return (
        f"import sys; sys.path.insert(0, {str(TOYS)!r})\n"
        "import functools, musim_toy\n"
        "from musim.cli import main, train\n"
        "from musim.training.identification.networks import detection_task\n"
        "detection_task.DetectTask = musim_toy.ToyDetectTask\n"
        "real = train.run_training\n"
        "source = lambda options: musim_toy.ToySource() if options['endless'] else None\n"
        "train.run_training = lambda task, options, more, _: real(task, options, {}, source)\n"
        f"if __name__ == '__main__': main({[str(each) for each in arguments]!r})\n"
    )


def start(folder, *arguments):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", program("train", "detect", *arguments, *CPU)], cwd=folder,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip


def wait_for(run, step, process):
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        rows = RunFolder(run).history("training.csv")
        if rows and rows[-1]["step"] >= step:
            return
        time.sleep(0.02)
    raise AssertionError(process.communicate())


def finish(process):
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def message(err):
    """Return the one line that is shown besides the progress; click breaks the line of ``^C``."""
    lines = [line for line in err.splitlines() if line and not line.startswith("training detect:")]
    assert len(lines) == 1, err
    return lines[0]


SLOWLY = ("--steps", "40", "--set", "pause=0.02", "--set", "save_every=7")


@pytest.mark.slow
def test_a_run_that_is_stopped_goes_on_as_if_it_were_not(musim, toy, tmp_path):
    done = musim("train", "detect", "--endless", "-o", "whole", *SLOWLY, *CPU)
    assert done.code == 0, done.err
    whole = RunFolder(tmp_path / "whole")
    assert whole.load(LAST)["step"] == 40
    for number in (signal.SIGINT, signal.SIGKILL):
        parts = RunFolder(tmp_path / number.name)
        process = start(tmp_path, "--endless", "-o", number.name, *SLOWLY)
        wait_for(parts.path, 16, process)
        process.send_signal(number)
        code, out, err = finish(process)
        if number != signal.SIGKILL:
            assert code == 130
            assert out == ""
            assert "--resume" in message(err)
            rows = parts.history("training.csv")
            assert parts.load(LAST)["step"] == rows[-1]["step"] < 40
        done = musim("train", "detect", "-o", number.name, "--resume", *CPU)
        assert done.code == 0, done.err
        assert parts.load(LAST)["step"] == 40
        for key, value in whole.load(LAST)["networks"].items():
            assert torch.equal(value, parts.load(LAST)["networks"][key])
        for table in ("training.csv", "validation.csv"):
            found = [[{**row, "seconds": 0} for row in run.history(table)]
                     for run in (whole, parts)]  # fmt: skip
            assert found[0] == found[1]
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.slow
def test_several_processes_train_and_stop_from_the_command_line(tmp_path):
    process = start(tmp_path, "--endless", "-o", "run", *SLOWLY, "--steps", "4000",
                    "--devices", "2")  # fmt: skip
    wait_for(tmp_path / "run", 3, process)
    process.send_signal(signal.SIGINT)
    code, _, err = finish(process)
    assert code == 130, err
    assert "--resume" in message(err)
    assert RunFolder(tmp_path / "run").load(LAST)["step"] >= 3


@pytest.mark.parametrize(
    "missing",
    [
        "torch",
        pytest.param("lightning", marks=pytest.mark.slow),
        pytest.param("tensorboard", marks=pytest.mark.slow),
    ],
)
def test_without_the_libraries_it_says_what_to_install(tmp_path, missing):
    blocker = (
        "import sys\n"
        "class Block:\n"
        "    def find_spec(self, name, *rest):\n"
        f"        if name.split('.')[0] == {missing!r}:\n"
        f"            raise ModuleNotFoundError('no ' + name, name={missing!r})\n"
        "sys.meta_path.insert(0, Block())\n"
    )
    if missing == "torch":  # Before the small task can be imported.
        code = "from musim.cli import main\nmain(['train', 'detect', '--endless', '-o', 'run'])"
    else:
        code = program("train", "detect", "--endless", "-o", "run", *CPU)
    done = subprocess.run(
        [sys.executable, "-c", blocker + code], cwd=tmp_path, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert done.stderr.strip().splitlines() == [
        f"Error: found {missing} missing, wanted the libraries for training; pip install "
        '"musim[train]"'
    ]
    assert list(tmp_path.iterdir()) == []


def test_help_needs_no_torch():
    code = (
        "import sys\nfrom musim.cli import main\n"
        "try: main(['train', 'detect', '--help'])\nexcept SystemExit: pass\n"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--dry-run" in done.stdout


def test_a_store_is_found_again_from_another_folder(musim, tmp_path, monkeypatch):
    """With a source of musim's own, by a relative path."""
    parameters = Parameters(units=Range(2, 3), pixels=(8, 8), frames=16, frame_rate=100.0)
    generate(parameters, tmp_path / "a.zarr", sequences=12, workers=1, pool="threads")
    monkeypatch.setattr(detection_task, "DetectTask", musim_toy.StoredTask)
    done = musim("train", "detect", "--data", "a.zarr", "-o", "run", "--steps", 2, *CPU)
    assert done.code == 0, done.err
    described = json.loads((tmp_path / "run" / "run.json").read_text())
    assert described["source"]["store"] == str(tmp_path / "a.zarr")
    monkeypatch.chdir("/")
    run = tmp_path / "run"
    assert musim("train", "detect", "-o", run, "--resume", "--steps", 4, *CPU).code == 0
    (tmp_path / "a.zarr").rename(tmp_path / "b.zarr")
    done = musim("train", "detect", "-o", run, "--resume", "--steps", 6, *CPU)
    assert done.code == 2
    one_line(done, "a.zarr", "found nothing")
    assert RunFolder(run).load(LAST)["step"] == 4
