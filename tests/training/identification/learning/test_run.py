"""A run goes on from wherever it was stopped, to the same weights; they are used, or refused."""

import json
import shutil

import numpy as np
import pytest

from musim.datasets.location import Location
from musim.training.identification.learning import run as runs
from musim.training.identification.learning.run import plan, train_judge
from musim.training.identification.learning.traits import name_of
from musim.training.identification.methods import identify, usual_method
from musim.training.identification.methods.learned.outlines import SIDE, VIEWS
from musim.training.identification.methods.learned.traits import NAMES
from musim.training.identification.methods.learned.weights import OURS, learned_of, resolve
from musim.training.runs.folder import JUDGEMENT, MEASURES, OUTLINES, TRAINING, RunFolder
from tests import moments
from tests.training.identification.learned.scene import recording, trains
from tests.training.identification.learning.tiny import tiny

TINY = tiny().to_json()
TEXTS = {name: TINY[name] for name in TINY if TINY[name] != runs.JudgeSettings().to_json()[name]}


@pytest.fixture
def quick(monkeypatch):
    """Let examples be drawn in no time: of traits that tell by the third whether they are true."""

    def write(folder, index, settings):
        random = np.random.default_rng([settings.seed, index])
        traits = random.standard_normal((40, len(NAMES)))
        arrays = {
            "traits": traits, "likeness": 1.0 * (traits[:, 2:3] > 0),
            "views": random.standard_normal((2, len(VIEWS), SIDE, SIDE)).astype(np.float16),
            "territory": np.full((2, SIDE, SIDE), 255, np.uint8),
        }  # fmt: skip
        path = Location(folder).path / name_of(index)
        path.parent.mkdir(exist_ok=True)
        aside = path.with_name(f"{path.name}.1.partial")
        with aside.open("wb") as file:
            np.savez(file, **arrays)
        aside.replace(path)

    monkeypatch.setattr(runs, "write_example", write)


def weights(folder):
    """Return the bytes of what a run came to."""
    return [(folder / name).read_bytes() for name in (JUDGEMENT, OUTLINES, MEASURES, TRAINING)]


def test_weights_are_the_same_of_one_worker_and_of_two(tmp_path):
    seen = []
    found = train_judge(tmp_path / "one", texts=TEXTS, workers=1,
                        on_example=lambda *numbers: seen.append(numbers))  # fmt: skip
    assert seen == [(n, 4) for n in range(5)]
    assert found.trained
    assert found.measures["apart"]["trains"] > 10
    train_judge(tmp_path / "two", texts=TEXTS, workers=2)
    assert weights(tmp_path / "one") == weights(tmp_path / "two")
    assert not train_judge(tmp_path / "one", resume=True).trained


def test_stopped_at_any_moment_it_goes_on_to_the_same(tmp_path, quick):
    whole = tmp_path / "whole"
    train_judge(whole, texts=TEXTS, workers=1)
    place = tmp_path / "place"
    place.mkdir()

    def train():
        train_judge(place / "run", texts=TEXTS, workers=1)

    ended = moments.run(train, place)
    assert ended.done, ended.error
    assert len(ended.changes) > 20
    for moment in range(len(ended.changes)):
        moments.empty(place)
        assert moments.run(train, place, moment).killed
        begun = (place / "run" / "run.json").exists()
        train_judge(place / "run", texts={} if begun else TEXTS, workers=1, resume=begun)
        assert weights(place / "run") == weights(whole), ended.changes[moment]
        assert not list(place.rglob("*.partial"))
        assert moments.files(place / "run").keys() == moments.files(whole).keys()


def test_more_examples_are_what_a_new_run_of_as_many_gives(tmp_path, quick):
    train_judge(tmp_path / "few", texts=TEXTS, workers=1)
    few = weights(tmp_path / "few")
    train_judge(tmp_path / "few", texts={"examples": "7"}, workers=1, resume=True)
    train_judge(tmp_path / "many", texts={**TEXTS, "examples": 7}, workers=1)
    assert weights(tmp_path / "few") == weights(tmp_path / "many") != few
    assert plan(tmp_path / "few", resume=True).examples == 7
    other = train_judge(tmp_path / "other", texts={**TEXTS, "seed": 32}, workers=1)
    assert weights(tmp_path / "other") != few
    assert other.measures["networks"]["area_under_curve"] > 0.5


def test_the_history_tells_every_epoch(tmp_path, quick):
    train_judge(tmp_path / "run", texts=TEXTS, workers=1)
    rows = RunFolder(tmp_path / "run").history(TRAINING)
    assert [row["step"] for row in rows] == list(range(1, len(rows) + 1))
    assert {row["network"] for row in rows} == {0, 1, 2}
    assert all(row["loss"] > 0 and row["loss_apart"] > 0 for row in rows)


def test_a_run_is_replaced_whole_and_by_whatever_kind(tmp_path, quick, refused):
    folder = tmp_path / "run"
    train_judge(folder, texts=TEXTS, workers=1)
    before = weights(folder)
    (folder / "notes.txt").write_text("mine")
    with refused("found a run there", "`overwrite=True`"):
        train_judge(folder, texts=TEXTS)
    with refused("examples: found 1"):
        train_judge(folder, texts={"examples": 1}, overwrite=True)
    assert weights(folder) == before
    train_judge(folder, texts={**TEXTS, "seed": 5}, workers=1, overwrite=True)
    assert weights(folder) != before
    assert (folder / "notes.txt").read_text() == "mine"
    RunFolder(folder).remove()
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"texts": {"bogus": 1}}, ["'bogus'", "wanted one of examples"]),
        ({"texts": {"examples": 2, **{k: TEXTS[k] for k in ("kinds", "apart_every")}}},
         ["examples: found 2, wanted 3 or more"]),
        ({"texts": {"kinds": "noise"}}, ["found noise alone"]),
        ({"texts": {"pixels": "many"}}, ["pixels", "many"]),
        ({"workers": 0}, ["workers: found 0"]),
        ({"resume": True}, ["found no run there"]),
        ({"resume": True, "overwrite": True}, ["both"]),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_leaves_nothing(tmp_path, refused, given, words):
    with refused(*words):
        train_judge(tmp_path / "run", **given)
    assert list(tmp_path.iterdir()) == []


def test_what_a_resumed_run_cannot_be_is_refused(tmp_path, quick, refused):
    folder = tmp_path / "run"
    train_judge(folder, texts=TEXTS, workers=1)
    with refused("found seed changed", "only examples may be"):
        train_judge(folder, texts={"seed": 4}, resume=True)
    (folder / JUDGEMENT).unlink()
    (folder / "examples" / name_of(1)).write_bytes(b"nothing")
    with refused("00001.npz: found an example missing or damaged"):
        train_judge(folder, resume=True, workers=1)
    (folder / "examples" / name_of(1)).unlink()
    train_judge(folder, resume=True, workers=1)
    (folder / JUDGEMENT).unlink()
    for content in (b"nothing", b"{}", b'{"epochs": 1, "layers": [{"weight": [["a"]]}]}'):
        (folder / "network-0.json").write_bytes(content)
        with refused("network-0.json: found it missing or damaged", "remove it"):
            train_judge(folder, resume=True, workers=1)
    described = json.loads((folder / "run.json").read_bytes())
    for settings, words in ((5, "damaged at settings"), ({"seed": 1}, "found run.json changed")):
        (folder / "run.json").write_text(json.dumps({**described, "settings": settings}))
        with refused(words, "restore it"):
            train_judge(folder, resume=True)
    with refused("found a run of musim train judge, wanted one of musim train detect"):
        RunFolder(folder).describe("detect")


def test_the_judgement_of_a_run_is_used(tmp_path, quick):
    given = recording(trains(3, frames=600))
    folder = tmp_path / "run"
    train_judge(folder, texts=TEXTS, workers=1)
    assert usual_method([str(folder)]) == "learned"
    assert resolve([folder]) == [str(folder)]
    ours = identify(given, "learned")
    own = identify(given, "learned", runs=[str(folder)])
    assert not np.array_equal(ours.confidence, own.confidence)
    # With the weights that come with musim in it, the run gives what musim does.
    for name in (JUDGEMENT, OUTLINES):
        shutil.copy(OURS / name, folder / name)
    same = identify(given, "learned", runs=[str(folder)])
    np.testing.assert_array_equal(ours.confidence, same.confidence)
    np.testing.assert_array_equal(ours.train, same.train)


def test_runs_that_cannot_be_used_are_refused(tmp_path, quick, refused):
    folder = tmp_path / "run"
    train_judge(folder, texts=TEXTS, workers=1)
    with refused("found 2 runs, wanted one of musim train judge"):
        resolve([folder, folder])
    with refused("nowhere: found no run there"):
        resolve([tmp_path / "nowhere"])
    whole = json.loads((folder / JUDGEMENT).read_bytes())
    spoilt = {**whole, "mean": [float("nan")] * len(NAMES)}
    for content, words in (
        (b"", "not JSON"), (b"\x80\x04K\x01.", "not JSON"), (b"[" * 100_000, "not JSON"),
        (b"[]", "found weights for the traits None"),
        (json.dumps({**whole, "traits": ["a"]}).encode(), "found weights for the traits"),
        (json.dumps(spoilt).encode(), "damaged or of another version"),
        (json.dumps({**whole, "layers": whole["layers"][1:]}).encode(), "that are damaged"),
    ):  # fmt: skip
        (folder / JUDGEMENT).write_bytes(content)
        with refused(f"{folder / JUDGEMENT}: ", words):
            resolve([folder])
    (folder / JUDGEMENT).unlink()
    with refused("found no judgement.json", "came to its end"):
        resolve([folder])
    assert learned_of().judgement is learned_of().judgement
