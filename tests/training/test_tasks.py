"""Runs are begun, resumed, replaced and used; nothing is lost to a wrong input."""

import errno
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent / "runs"))

import musim_toy
from musim_toy import ToySettings, ToySource, ToyTask, TwinTask

from musim.simulator.errors import FailureError, InputError
from musim.simulator.parameters import Parameters
from musim.training import catalogue
from musim.training.runs import trial
from musim.training.runs.folder import BEST, LAST, RUN, TRAINING, RunFolder
from musim.training.runs.sources import Source
from musim.training.runs.task import TASKS, register
from musim.training.tasks import open_run, plan, train, try_out
from tests import moments
from tests.threads import assert_no_reader_stays

CPU = {"accelerator": "cpu"}


@pytest.fixture(autouse=True)
def _threads():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
    assert_no_reader_stays()


def contents(path):
    return {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}


@pytest.fixture
def run(tmp_path):
    """A finished run."""
    train(ToyTask, tmp_path / "run", source=ToySource(), **CPU)
    return tmp_path / "run"


def test_a_run_is_described_and_can_be_used(run):
    described = json.loads((run / RUN).read_text())
    assert described["task"] == "toy"
    assert described["model"] == "small"
    assert described["settings"]["steps"] == 12
    assert described["source"] == {"broken": -1}
    assert described["grid"]["shape"] == [3, 6, 6]
    task, grid = open_run(run, ToyTask)
    assert grid == ToySource.grid
    assert not task.networks.training
    for name, value in RunFolder(run).load(BEST)["networks"].items():
        assert torch.equal(task.networks.state_dict()[name], value)


def test_without_a_validation_the_last_weights_are_used(run):
    (run / BEST).unlink()
    task, _ = open_run(run, ToyTask)
    last = RunFolder(run).load(LAST)["networks"]
    assert all(torch.equal(task.networks.state_dict()[name], last[name]) for name in last)


def test_a_run_can_be_made_longer_and_stays_so(run, tmp_path, refused):
    told = []
    train(ToyTask, run, resume=True, texts={"steps": "20"}, **CPU,
          on_progress=lambda *a: told.append(a))  # fmt: skip
    assert told == [(n, 20) for n in range(12, 21)]
    assert RunFolder(run).describe()["settings"]["steps"] == 20
    train(ToyTask, run, resume=True, **CPU)
    assert RunFolder(run).load(LAST)["step"] == 20
    with refused("20 that are done"):
        train(ToyTask, run, resume=True, texts={"steps": "5"}, **CPU)
    # Weights are those of a run that was as long from the first.
    train(ToyTask, tmp_path / "long", source=ToySource(), texts={"steps": "20"}, **CPU)
    one, other = (RunFolder(path).load(LAST)["networks"] for path in (run, tmp_path / "long"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_run_that_was_killed_before_its_first_checkpoint_begins_anew(run, tmp_path):
    for name in (LAST, BEST):
        (run / name).unlink()
    train(ToyTask, run, resume=True, **CPU)
    rows = RunFolder(run).history(TRAINING)
    assert [row["step"] for row in rows] == list(range(1, 13))


@pytest.mark.parametrize(
    ("task", "options", "words"),
    [
        (ToyTask, {"source": ToySource()}, "`overwrite=True`"),
        (ToyTask, {"resume": True, "overwrite": True}, "both"),
        (ToyTask, {"resume": True, "source": ToySource()}, "data given"),
        (ToyTask, {"resume": True, "model": "small"}, "model given"),
        (ToyTask, {"resume": True, "texts": {"momentum": "0"}}, "momentum changed"),
        (TwinTask, {"resume": True}, "train toy"),
        (ToyTask, {"overwrite": True}, "source: found none"),
        (ToyTask, {"overwrite": True, "source": ToySource(), "model": "huge"},
         "wanted one of small"),
        (ToyTask, {"overwrite": True, "source": ToySource(), "texts": {"steps": "x"}}, "steps"),
        (ToyTask, {"overwrite": True, "source": ToySource(), "devices": 3}, "multiple of 3"),
        (ToyTask, {"overwrite": True, "source": ToySource(), "accelerator": "x"}, "accelerator"),
        (ToyTask, {"overwrite": True, "source": ToySource(), "texts": {"precision": "16-mixed"}},
         "bf16-mixed"),
    ],
)  # fmt: skip
def test_a_wrong_input_leaves_a_run_as_it_is(run, task, options, words, refused):
    before = contents(run)
    with refused(words) as caught:
        train(task, run, **{**CPU, **options})
    assert "\n" not in str(caught.value)
    assert contents(run) == before


def test_data_that_cannot_be_read_leaves_a_run_as_it_is(run):
    before = contents(run)
    with pytest.raises(OSError, match="broken"):
        train(ToyTask, run, source=ToySource(broken=2), overwrite=True, **CPU)
    assert contents(run) == before


def test_replacing_a_run_begins_anew(run):
    (run / "notes.txt").write_text("mine")
    train(ToyTask, run, source=ToySource(), texts={"steps": "3"}, overwrite=True, **CPU)
    assert RunFolder(run).load(LAST)["step"] == 3
    assert len(RunFolder(run).history(TRAINING)) == 3
    assert (run / "notes.txt").read_text() == "mine"


def stopping(step):
    """Return a progress that interrupts at a step."""

    def progress(done, total):
        if done == step:
            raise KeyboardInterrupt

    return progress


def test_a_run_with_weights_stays_until_the_new_one_is_trained(run, tmp_path):
    before = contents(run)
    new = {"source": ToySource(), "texts": {"seed": "5"}}
    for stop in (2, 7):  # before the first checkpoint, and after it
        with pytest.raises(KeyboardInterrupt):
            train(ToyTask, run, **new, overwrite=True, on_progress=stopping(stop), **CPU)
        assert contents(run) == before
    train(ToyTask, run, resume=True, **CPU)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    train(ToyTask, tmp_path / "whole", **new, **CPU)
    one, other = (RunFolder(path).load(LAST) for path in (run, tmp_path / "whole"))
    assert one["settings"] == other["settings"]
    networks = one["networks"].items()
    assert all(torch.equal(value, other["networks"][name]) for name, value in networks)


def test_a_folder_is_trained_in_by_one_at_a_time(tmp_path, refused):
    seen = []

    def progress(done, total):
        if done == 4:
            for options in ({"resume": True}, {"overwrite": True, "source": ToySource()}):
                with refused("run: found another process writing there (process ", "since"):
                    train(ToyTask, tmp_path / "run", **options, **CPU)
            seen.append(done)

    train(ToyTask, tmp_path / "run", source=ToySource(), on_progress=progress, **CPU)
    assert seen == [4]
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("fault", ["early", "late"])
def test_an_input_error_removes_what_was_begun_but_never_weights(tmp_path, monkeypatch, fault):
    step = {"early": 1, "late": 7}[fault]
    losses = musim_toy.ToyTask.losses

    def lose(self, optimiser, batch, number, rank):
        if number == step:
            raise InputError("store: found it gone, wanted it there")
        return losses(self, optimiser, batch, number, rank)

    monkeypatch.setattr(musim_toy.ToyTask, "losses", lose)
    with pytest.raises(InputError, match="gone"):
        train(ToyTask, tmp_path / "run", source=ToySource(), **CPU)
    if fault == "early":
        assert not (tmp_path / "run").exists()
        return
    monkeypatch.setattr(musim_toy.ToyTask, "losses", losses)
    assert RunFolder(tmp_path / "run").load(LAST)["step"] == 6
    train(ToyTask, tmp_path / "run", resume=True, **CPU)


@pytest.mark.parametrize(("room", "words"), [(5, "batches of 4 fit"), (0, "not even")])
def test_too_little_memory_says_what_fits(tmp_path, room, words):
    texts = {"batch_size": "16", "room": str(room)}
    with pytest.raises(FailureError, match=words) as caught:
        train(ToyTask, tmp_path / "run", source=ToySource(), texts=texts, **CPU)
    assert "batches of 16" in str(caught.value)
    assert not (tmp_path / "run").exists()
    with pytest.raises(FailureError, match=words):
        try_out(ToyTask, *plan(ToyTask, "", source=ToySource(), texts=texts), "cpu")


def test_the_room_of_several_devices_is_that_of_their_shares(tmp_path):
    settings = ToySettings(batch_size=16, room=3)
    with pytest.raises(FailureError, match="batches of 4 fit"):
        try_out(ToyTask, settings, ToySource(), "cpu", devices=2)
    assert try_out(ToyTask, replace(settings, batch_size=6), ToySource(), "cpu", devices=2)


def test_what_a_step_takes_is_measured(tmp_path):
    settings = ToySettings(batch_size=8, width=5, optimiser="adam", pause=0.01)
    found = try_out(ToyTask, settings, ToySource(), "cpu")
    assert found.parameters == {"first": 36 * 5 + 5, "second": 5 + 1}
    values = sum(found.parameters.values())
    assert found.weights == 4 * values
    # Gradients, two moments, and a counter for each of four tensors.
    assert found.optimisers == 4 * (3 * values + 4)
    # Frames, features, and small ones: two losses, of which one is there at a time.
    frames = 8 * 3 * 36 * 4
    assert frames < found.activations < 2 * frames
    assert found.memory == found.weights + found.optimisers + found.activations
    assert 0.02 <= found.seconds < 5
    assert found.device == "cpu"
    assert list(tmp_path.iterdir()) == []


def test_parameters_that_are_shared_or_lie_outside_count_once():
    task = musim_toy.ToyTask(ToySettings(), ToySource.grid)
    task.networks["again"] = task.networks["second"]
    task.networks.register_parameter("scale", torch.nn.Parameter(torch.ones(3)))
    task.networks["first"].bias.requires_grad_(False)
    assert trial.count(task) == {"first": 36 * 4, "second": 5, "rest": 3}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"settings": {"bogus": 1}}, "bogus"),
        ({"settings": 3}, "damaged at settings"),
        ({"source": {}}, "damaged at source"),
        ({"grid": {}}, "damaged at grid"),
        ({"grid": {"shape": [4, 6, 6], "frame_rate": 100.0, "pixel_size": [1.0, 1.0]}}, "others"),
    ],
)
def test_a_description_that_was_changed_is_told(run, change, words, refused):
    described = json.loads((run / RUN).read_text())
    (run / RUN).write_text(json.dumps({**described, **change}))
    with refused(words):
        train(ToyTask, run, resume=True, **CPU)


def test_a_loss_that_is_not_finite_keeps_the_run(tmp_path):
    with pytest.raises(FailureError, match=r"last\.ckpt holds step 3"):
        train(ToyTask, tmp_path / "run", source=ToySource(), texts={"nan_at": "5"}, **CPU)
    assert RunFolder(tmp_path / "run").load(LAST)["step"] == 3


def test_a_task_is_registered_by_its_name():
    try:
        assert register(ToyTask) is ToyTask
        assert register(ToyTask) is ToyTask
        assert TASKS["toy"] is ToyTask
        with pytest.raises(ValueError, match="another task named 'toy'"):
            register(type("Other", (ToyTask,), {}))
    finally:
        TASKS.pop("toy", None)
    with pytest.raises(TypeError, match="no settings_class"):
        register(type("Bare", (), {"name": "bare"}))
    with pytest.raises(TypeError, match="no model 'small'"):
        register(type("Sizeless", (ToyTask,), {"name": "sizeless", "models": {}}))


def test_the_tasks_that_come_with_musim_are_known_by_name():
    assert {name: task.__name__ for name, task in catalogue.TASKS.items()} == {
        "detect": "DetectTask", "twitch": "TwitchTask", "translate": "TranslateTask",
        "diffuse": "DiffuseTask", "segment": "SegmentTask", "state": "StateTask",
        "translate-paired": "PairedTask",
    }  # fmt: skip


def test_a_task_says_what_it_takes_and_settings_are_values_too(tmp_path, refused):
    settings, source = plan(
        catalogue.TASKS["twitch"], tmp_path / "run", source=Parameters(), texts={"steps": 7}
    )
    assert settings.steps == 7
    assert source == Source(parameters=Parameters())
    with refused("two stores"):
        plan(catalogue.TASKS["translate"], tmp_path / "run", source="one.zarr")


@pytest.mark.parametrize("failure", [errno.ENOSPC, errno.EACCES])
def test_a_disk_that_fails_is_one_line_and_spares_the_run_before(run, tmp_path, failure, capfd):
    def replace():
        train(ToyTask, run, source=ToySource(), texts={"steps": "3"}, overwrite=True, **CPU)

    before = contents(run)
    made = [change.replace(f"{tmp_path}/", "") for change in moments.run(
        lambda: train(ToyTask, tmp_path / "other", source=ToySource(), texts={"steps": "3"}, **CPU),
        tmp_path,
    ).changes]  # fmt: skip
    wanted = ("tensorboard", "events.out", "training.csv", "last.ckpt.", "best.ckpt.")
    chosen = [next(n for n, change in enumerate(made) if word in change) for word in wanted]
    for moment in chosen:
        ended = moments.run(replace, tmp_path, moment, failure)
        assert ended.error.startswith(("FailureError", "InputError")), (made[moment], ended.error)
        assert "\n" not in ended.error
        assert contents(run) == before
    assert capfd.readouterr().err == ""
    replace()
    assert RunFolder(run).load(LAST)["step"] == 3


@pytest.mark.slow
def test_whenever_training_is_killed_it_goes_on(tmp_path, scaled):
    def make(path, seed="5", **options):
        given = {} if options.get("resume") else {"source": ToySource(), "texts": {"seed": seed}}
        train(ToyTask, path, **given, **options, **CPU)

    def content(path):
        state, folder = RunFolder(path).load(LAST), RunFolder(path)
        networks = {name: value.tolist() for name, value in state["networks"].items()}
        rows = [{**row, "seconds": 0} for row in folder.history(TRAINING)]
        return networks, rows

    moments.kill_at_random(make, lambda path: make(path, "6"), tmp_path, scaled(10), 3, content)
