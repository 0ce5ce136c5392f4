"""``musim train translate`` and ``musim translate``: from two stores to one, or one line."""

import csv
import json
import math
import shutil

import numpy as np
import pytest
import torch

from musim.datasets import generate, open_store, verify
from musim.datasets.layout import Layout
from musim.simulator import Parameters, Range
from musim.training.runs.folder import BEST, LAST, RUN, RunFolder
from musim.training.translation import translating
from musim.training.translation.domains import Domains
from musim.training.translation.translation_task import TranslateTask
from tests.makers import store_of

SCENES = Parameters(
    units=Range(2, 3), pixels=(32, 32), size=(32.0, 32.0), diameter=Range(5, 9), frames=48,
    frame_rate=200.0,
)  # fmt: skip

TINY = ["maps=2", "blocks=1", "discriminator_maps=2", "discriminator_layers=2", "frames=8",
        "validate_every=2", "validation_batches=1", "save_every=1", "log_every=1"]  # fmt: skip
SETTINGS = ["--accelerator", "cpu", *(word for text in TINY for word in ("--set", text))]
PAIR = ["--a", "a.zarr", "--b", "b.zarr"]
TRAIN = ["train", "translate", "-o", "run"]
NEW = [*TRAIN, *PAIR, "--steps", 2, *SETTINGS]
TRANSLATE = ["translate", "a.zarr", "--run", "run", "-o", "t.zarr", "--workers", 1]


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def without_labels(path, shape, sequences=3, frame_rate=200.0, pixel=1.0):
    """Store noise as though it had been recorded."""
    sizes = dict(zip(("time", "depth", "width"), shape, strict=True))
    layout = Layout(
        kind="dense", variables=("tvi",), sizes={"sequence": sequences, **sizes}, part_size=1,
        dtypes={}, frame_rate=frame_rate, pixel_size=(pixel, pixel), attributes={},
    )  # fmt: skip

    def given(part):
        return {}, [np.random.default_rng(part).normal(size=shape).astype(np.float32)]

    store_of(path, layout, given)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with two domains that fit one another, and stores that do not fit them."""
    folder = tmp_path_factory.mktemp("stores")
    for name, seed in (("a", 1), ("b", 2)):
        generate(SCENES, folder / f"{name}.zarr", sequences=4, seed=seed, workers=1, pool="threads")
    for name, shape, options in (
        ("rate", (48, 32, 32), {"frame_rate": 250.0}),
        ("pixel", (48, 32, 32), {"pixel": 0.5}),
        ("size", (48, 36, 32), {}),
        ("odd", (48, 34, 32), {}),
        ("short", (7, 32, 32), {}),
        ("few", (48, 32, 32), {"sequences": 2}),
        ("recorded", (48, 32, 32), {}),
    ):
        without_labels(folder / f"{name}.zarr", shape, **options)
    plan = shutil.copytree(folder / "a.zarr", folder / "units.zarr") / ".musim" / "plan.json"
    plan.write_text(json.dumps({**json.loads(plan.read_text()), "kind": "identified"}))
    (folder / "empty.zarr").mkdir()
    return folder


@pytest.fixture
def stores(made, tmp_path):
    """Let the stores lie where musim runs."""
    for path in made.iterdir():
        (tmp_path / path.name).symlink_to(path)


@pytest.fixture(scope="module")
def trained(made, tmp_path_factory):
    """A run of two steps that is not to be changed."""
    from musim.training.tasks import train

    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("trained") / "run"
    texts = dict(text.split("=") for text in [*TINY, "steps=2"])
    domains = Domains(str(made / "a.zarr"), str(made / "b.zarr"))
    train(TranslateTask, path, texts=texts, source=domains, accelerator="cpu")
    return path


@pytest.fixture
def run(stores, trained, tmp_path):
    """Let a copy of that run lie there too."""
    return shutil.copytree(trained, tmp_path / "run")


@pytest.fixture
def refused(musim, tmp_path, made):
    """Assert that a command ends with one line that says certain words, and changes nothing."""

    def files():
        paths = [*tmp_path.rglob("*"), *made.rglob("*")]
        return {path: path.is_file() and path.read_bytes() for path in paths}

    def call(words, *arguments, code=2):
        before = files()
        done = musim(*arguments)
        lines = [line for line in done.err.splitlines() if line.startswith("Error: ")]
        assert done.code == code, done.err
        assert len(lines) == 1
        assert done.err.strip().endswith(lines[0])
        assert "Traceback" not in done.err
        assert [word for word in words if word not in lines[0]] == [], lines[0]
        assert files() == before

    return call


# Training


def test_training_goes_on_and_translates(musim, stores, tmp_path):
    done = musim(*NEW)
    assert done.code == 0, done.err
    assert done.out.startswith("run: best validation: step 2, ")
    assert "score " in done.out
    assert done.err.splitlines()[-1] == "training translate: 2/2 steps"
    described = json.loads((tmp_path / "run" / RUN).read_text())
    assert described["task"] == "translate"
    assert described["source"] == {name: str(tmp_path / f"{name}.zarr") for name in "ab"}
    done = musim(*TRAIN, "--resume", "--accelerator", "cpu")
    assert done.code == 0, done.err
    assert "finished before, nothing was done" in done.out
    done = musim(*TRAIN, "--resume", "--steps", 4, "--accelerator", "cpu")
    assert done.code == 0, done.err
    assert RunFolder(tmp_path / "run").load(LAST)["step"] == 4
    rows = list(csv.DictReader((tmp_path / "run" / "validation.csv").read_text().splitlines()))
    assert [row["step"] for row in rows] == ["2", "4"]
    assert all(math.isfinite(float(row["score"])) for row in rows)
    done = musim(*TRANSLATE)
    assert done.code == 0, done.err
    assert verify(tmp_path / "t.zarr").has_truth


def test_a_dry_run_tells_and_writes_nothing(musim, stores, tmp_path):
    before = sorted(path.name for path in tmp_path.iterdir())
    done = musim(*NEW, "--dry-run", "--set", "cycle_weight=12.5")
    assert done.code == 0, done.err
    for words in ("cycle_weight", "12.5", "generator", "discriminator", "parameters", "memory: ",
                  "a step: ", "2 steps"):  # fmt: skip
        assert words in done.out, words
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["no --a and no --b"]),
        (["--a", "a.zarr"], ["found no --b", "name them"]),
        (["--b", "b.zarr"], ["found no --a", "name them"]),
        (["--resume", "--a", "a.zarr"], ["--a and --b", "neither"]),
        (["--resume"], ["run: found no run there"]),
        (["--resume", *PAIR], ["run: found data given with --resume"]),
        ([*PAIR, "--resume", "--overwrite"], ["--resume and --overwrite"]),
        ([*PAIR, "--model", "paper"], ["'paper'", "small", "cyclegan-3d-noise"]),
        ([*PAIR, "--set", "maps=x"], ["maps", "'x'"]),
        (["--a", "a.zarr", "--b", "none.zarr"], ["none.zarr: found nothing there"]),
        (["--a", "a.zarr", "--b", "empty.zarr"], ["empty.zarr"]),
        (["--a", "a.zarr", "--b", "a.zarr"], ["a.zarr: found one store for both"]),
        (["--a", "units.zarr", "--b", "b.zarr"], ["units.zarr", "identified"]),
        (["--a", "a.zarr", "--b", "rate.zarr"], ["rate.zarr: found", "250 Hz", "200 Hz"]),
        (["--a", "a.zarr", "--b", "pixel.zarr"], ["pixel.zarr: found", "0.5 x 0.5 mm"]),
        (["--a", "a.zarr", "--b", "size.zarr"], ["size.zarr: found", "36 x 32 px", "32 x 32 px"]),
        (["--a", "odd.zarr", "--b", "b.zarr"], ["34 x 32 px"]),
        (["--a", "a.zarr", "--b", "few.zarr"], ["few.zarr", "3 or more sequences"]),
        (["--a", "few.zarr", "--b", "b.zarr"], ["few.zarr", "3 or more sequences"]),
        (["--a", "short.zarr", "--b", "b.zarr"], ["short.zarr: found sequences of 7 frames", "8"]),
        ([*PAIR, "--set", "frames=49"], ["sequences of 48 frames", "wanted 49"]),
        ([*PAIR, "--set", "discriminator_layers=4"], ["a.zarr", "32"]),
        ([*PAIR, "--batch-size", "3", "--devices", "2"], ["batch_size"]),
        (["--data", "a.zarr"], ["--data"]),
        (["--endless"], ["--endless"]),
    ],
)
def test_what_cannot_be_trained_on_is_one_line(stores, refused, arguments, words):
    names = [word.partition("=")[0] for word in arguments if "=" in str(word)]
    settings = [] if "--resume" in arguments else [
        word for text in TINY if text.partition("=")[0] not in names for word in ("--set", text)
    ]  # fmt: skip
    refused(words, *TRAIN, *arguments, *settings, "--accelerator", "cpu")


def test_sizes_that_networks_cannot_take_are_one_line(stores, refused, tmp_path, made):
    shutil.copytree(made / "odd.zarr", tmp_path / "other.zarr")
    refused(["odd.zarr", "34", "multiple of 4"], *TRAIN, "--a", "odd.zarr", "--b", "other.zarr",
            *SETTINGS)  # fmt: skip


def test_a_run_that_is_there_stays(run, refused):
    refused(["run: found a run there", "--resume", "--overwrite"], *NEW)


def of_another_task(run, task="detect"):
    described = json.loads((run / RUN).read_text())
    (run / RUN).write_text(json.dumps({**described, "task": task}))


def test_a_run_of_another_task_is_not_gone_on_with(run, refused):
    of_another_task(run)
    refused(["run: found a run of musim train detect"], *TRAIN, "--resume")


def test_the_run_of_a_translator_is_of_no_use_to_others(run, refused):
    for task in ("detect", "twitch"):
        refused(["run: found a run of musim train translate"], "train", task, "-o", "run",
                "--resume")  # fmt: skip


def test_a_loss_that_is_no_number_is_one_line(musim, stores, tmp_path, monkeypatch):
    batches = TranslateTask.batches

    def spoil(self, *arguments, **options):
        for number, pair in enumerate(batches(self, *arguments, **options)):
            if number == 1:
                pair["a"]["tvi"][0, 0, 0, 0] = math.nan
            yield pair

    monkeypatch.setattr(TranslateTask, "batches", spoil)
    done = musim(*NEW)
    assert done.code == 1
    errors = [line for line in done.err.splitlines() if not line.startswith("training translate:")]
    assert len(errors) == 1
    assert errors[0].startswith("Error: step 1: ")
    assert "last.ckpt holds step 1" in errors[0]
    assert RunFolder(tmp_path / "run").load(LAST)["step"] == 1


# Translating


def test_every_option_reaches_the_library(musim, stores, monkeypatch):
    asked = {}

    def note(*arguments, **options):
        asked.update(arguments=arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(translating, "translate_store", note)
    done = musim("translate", "a.zarr", "--run", "r")
    assert done.code == 130
    asked.pop("on_progress")
    usual = {"arguments": ("a.zarr", "r", "translated.zarr"), "workers": None, "resume": False,
             "overwrite": False}  # fmt: skip
    assert asked == usual
    musim("translate", "a.zarr", "--run", "r", "-o", "s3://y", "--workers", 3, "--resume",
          "--overwrite")  # fmt: skip
    asked.pop("on_progress")
    assert asked == {"arguments": ("a.zarr", "r", "s3://y"), "workers": 3, "resume": True,
                     "overwrite": True}  # fmt: skip


def test_a_store_is_translated_with_its_labels(musim, run, tmp_path):
    done = musim(*TRANSLATE)
    assert done.code == 0, done.err
    assert done.out.startswith("t.zarr: 4 sequences translated, with their labels (")
    assert done.out.strip().endswith("musim view t.zarr")
    assert "\n" not in done.out.strip()
    assert done.err.splitlines()[-1] == "translating: 4/4 sequences"
    source, found = open_store(tmp_path / "a.zarr"), open_store(tmp_path / "t.zarr")
    for index in range(4):
        assert np.array_equal(source.truth(index).twitch_train, found.truth(index).twitch_train)
        assert not np.allclose(source.tvi(index), found.tvi(index))
    assert musim("verify", "t.zarr").code == 0
    shown = musim("info", "t.zarr")
    assert shown.code == 0, shown.err
    told = json.loads(musim("info", "t.zarr", "--json").out)
    assert told["origin"] == "translated"
    # The path is long, and may be folded anywhere.
    assert "translated from" in " ".join(shown.out.split())
    again = musim(*TRANSLATE, "--resume")
    assert again.code == 0, again.err
    one = found.tvi(0)
    assert musim(*TRANSLATE, "--overwrite").code == 0
    assert np.array_equal(open_store(tmp_path / "t.zarr").tvi(0), one)


def test_a_translation_has_nothing_to_be_made_again_from(musim, run, refused):
    assert musim(*TRANSLATE).code == 0
    refused(["t.zarr", "translated from", "without --remake"], "verify", "t.zarr", "--remake", 1)


def test_recordings_come_out_without_labels(musim, run, refused):
    done = musim("translate", "recorded.zarr", *TRANSLATE[2:])
    assert done.code == 0, done.err
    assert "3 sequences translated, without labels" in done.out
    # Where labels are needed, one line says so.
    refused(["t.zarr: found a recording without truth"], "evaluate", "identify", "t.zarr")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.zarr"], ["none.zarr: found nothing there"]),
        (["empty.zarr"], ["empty.zarr"]),
        (["units.zarr"], ["units.zarr", "identified"]),
        (["rate.zarr"], ["rate.zarr: found 250 Hz", "wanted 200 Hz"]),
        (["pixel.zarr"], ["pixel.zarr", "0.5 x 0.5 mm"]),
        (["odd.zarr"], ["odd.zarr", "34", "multiple of 4"]),
        (["a.zarr", "--run", "other"], ["other: found no run there"]),
        (["a.zarr", "--run", "a.zarr"], ["a.zarr: found no run there"]),
        (["a.zarr", "--workers", "0"], ["workers: found 0"]),
        (["a.zarr", "-o", "a.zarr", "--overwrite"], ["a.zarr: found the source"]),
        (["a.zarr", "-o", "run", "--overwrite"], ["run: found the run"]),
        (["a.zarr", "-o", "b.zarr"], ["b.zarr: found a store there", "--overwrite"]),
        (["a.zarr", "-o", "b.zarr", "--resume"], ["b.zarr", "found a store of simulated"]),
        (["a.zarr", "-o", "x:y://z"], ["x:y://z"]),
    ],
)
def test_what_cannot_be_translated_is_one_line(run, refused, arguments, words):
    refused(words, "translate", "--run", "run", "-o", "t.zarr", "--workers", 1, *arguments)


def test_a_run_of_another_task_does_not_translate(run, refused):
    of_another_task(run, "twitch")
    refused(["run: found a run of musim train twitch", "train translate"], *TRANSLATE)


def test_a_damaged_checkpoint_is_one_line(run, refused):
    for name in (BEST, LAST):
        (run / name).write_bytes(b"nothing of the kind")
    refused(["damaged"], *TRANSLATE)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["translate"], ["STORE"]), (["translate", "a.zarr"], ["--run"]),
     (["translate", "a.zarr", "b.zarr", "--run", "run"], ["b.zarr"])],
)  # fmt: skip
def test_what_is_missing_is_named(refused, arguments, words):
    refused([*words, "--help"], *arguments)


def test_help_tells_what_comes_out(musim):
    shown = " ".join(musim("translate", "--help").out.split())
    assert all(word in shown for word in ("labels", "--run", "--resume", "--overwrite"))
    shown = " ".join(musim("train", "translate", "--help").out.split())
    assert all(word in shown for word in ("--a STORE", "--b STORE", "--dry-run", "cyclegan-2d"))
