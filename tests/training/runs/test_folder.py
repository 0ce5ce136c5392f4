"""Run folders: what is there is told apart, and no checkpoint can do harm."""

import json
import math
import os
import pickle
import zipfile

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from musim.simulator.errors import InputError
from musim.training.runs import history
from musim.training.runs.folder import BEST, CURVES, LAST, RUN, TRAINING, VALIDATION, RunFolder
from musim.training.runs.loop import fit

PARTS = {"task": "toy", "model": "small", "settings": {}, "source": {}, "grid": {}}


class Harm:
    def __reduce__(self):
        return os.mkdir, ("harmed",)


def spoil(path, whole, how):
    if how == "pickle":
        path.write_bytes(pickle.dumps(Harm()))
    elif how == "torch":
        torch.save({"format": 1, "networks": Harm()}, path)
    elif how == "legacy":
        torch.save({"networks": Harm()}, path, _use_new_zipfile_serialization=False)
    elif how == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("notes.txt", "of another kind")
    elif how == "script":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x/constants.pkl", pickle.dumps(Harm()))
            archive.writestr("x/data.pkl", pickle.dumps(Harm()))
            archive.writestr("x/version", "3\n")
    elif how == "foreign":
        torch.save({"state_dict": {"weight": torch.zeros(2)}}, path)
    elif how == "list":
        torch.save([1, 2], path)
    elif how == "folder":
        path.unlink()
        path.mkdir()


@pytest.fixture
def trained(tmp_path, toy, endless, folder_at, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = folder_at(tmp_path / "run")
    fit(toy(steps=3, validate_every=3), endless, folder, accelerator="cpu")
    return folder


@pytest.mark.parametrize("name", [LAST, BEST])
@pytest.mark.parametrize(
    "how",
    ["pickle", "torch", "legacy", "cut", "empty", "zip", "script", "foreign", "list", "folder"],
)
def test_no_other_file_is_taken_for_a_checkpoint_nor_run(trained, tmp_path, name, how, refused):
    path = trained.path / name
    spoil(path, path.read_bytes(), how)
    with refused() as caught:
        trained.load(name)
    assert str(caught.value).startswith(f"{path}: found ")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "harmed").exists()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_anywhere_is_found_or_harmless(trained, data):
    whole = trained.path / "whole.ckpt"
    if not whole.exists():
        whole.write_bytes((trained.path / LAST).read_bytes())
    content = bytearray(whole.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (trained.path / LAST).write_bytes(content)
    try:
        assert trained.load(LAST)["format"] == 1
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"learning_rate": 0.2}, "learning_rate = 0.05"),
        ({"width": 5}, "width = 4"),
        ({"optimiser": "adam"}, "optimiser = sgd"),
        ({"warm": (1, 3)}, r"warm = \[1, 2\]"),
    ],
)
def test_a_checkpoint_of_other_settings_is_refused(trained, toy, endless, values, words):
    with pytest.raises(InputError, match=words):
        fit(toy(validate_every=3, **values), endless, trained, resume=True, accelerator="cpu")


def test_a_checkpoint_without_its_optimisers_is_refused(trained, toy, endless, refused):
    state = trained.load(LAST)
    del state["optimisers"]["second"]
    trained.save(LAST, state)
    with refused("other optimisers"):
        fit(toy(validate_every=3), endless, trained, resume=True, accelerator="cpu")
    state = trained.load(LAST) | {"optimisers": toy().optimisers()}
    state["optimisers"] = {key: one.state_dict() for key, one in state["optimisers"].items()}
    del state["networks"]["first.bias"]
    trained.save(LAST, state)
    with refused("other networks"):
        fit(toy(validate_every=3), endless, trained, resume=True, accelerator="cpu")


def test_a_folder_is_taken_only_if_it_is_free(tmp_path, refused):
    folder = RunFolder(tmp_path / "run")
    folder.create(PARTS)
    with refused("`overwrite=True`"):
        folder.create(PARTS)
    folder.create(PARTS, overwrite=True)
    other = RunFolder(tmp_path / "other")
    other.path.mkdir()
    (other.path / "last.ckpt").write_text("mine")
    for overwrite in (False, True):
        with refused("not a run"):
            other.create(PARTS, overwrite=overwrite)
    assert (other.path / "last.ckpt").read_text() == "mine"
    file = tmp_path / "file"
    file.write_text("mine")
    with refused("not a run"):
        RunFolder(file).create(PARTS, overwrite=True)


def test_what_a_kill_leaves_of_a_beginning_is_no_obstacle(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / f"{RUN}.0123abcd.partial").write_text("{")
    folder = RunFolder(tmp_path / "run")
    folder.create(PARTS)
    assert [file.name for file in folder.path.iterdir()] == [RUN]


def test_what_a_kill_leaves_half_written_goes_when_the_run_goes_on(trained, toy, endless):
    for name in (LAST, BEST, TRAINING):
        (trained.path / f"{name}.0123abcd.partial").write_text("half")
    (trained.path / "mine.partial").write_text("mine")
    fit(toy(validate_every=3, steps=4), endless, trained, resume=True, accelerator="cpu")
    assert [file.name for file in trained.path.glob("*.partial")] == ["mine.partial"]


def test_replacing_and_removing_leave_what_is_not_the_runs(trained):
    (trained.path / "notes.txt").write_text("mine")
    (trained.path / f"{LAST}.0123abcd.partial").write_text("half")
    trained.create(PARTS, overwrite=True)
    assert {file.name for file in trained.path.iterdir()} == {RUN, "notes.txt"}
    trained.remove()
    assert [file.name for file in trained.path.iterdir()] == ["notes.txt"]


def test_removing_a_run_removes_its_folder(trained):
    assert (trained.path / CURVES).is_dir()
    trained.remove()
    assert not trained.path.exists()


def test_a_description_is_read_back_with_versions(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.create(PARTS)
    found = folder.describe("toy")
    assert {key: found[key] for key in PARTS} == PARTS
    assert {"musim", "torch", "lightning"} <= found["software"].keys()
    folder.change_settings({"steps": 5})
    assert folder.describe() == {**found, "settings": {"steps": 5}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "damaged"),
        ("[]", "damaged"),
        ('{"task": "toy"}', "damaged"),
        (json.dumps({**PARTS, "format": 99, "software": {}}), "format 99"),
        (json.dumps({**PARTS, "task": "twitch", "format": 1, "software": {}}), "train twitch"),
        (b"\xff\xfe", "damaged"),
        ("[" * 100000, "damaged"),
    ],
)
def test_a_description_of_something_else_is_refused(tmp_path, text, words, refused):
    (tmp_path / RUN).write_bytes(text if isinstance(text, bytes) else text.encode())
    with refused(words):
        RunFolder(tmp_path).describe("toy")


def test_no_run_is_told(tmp_path, refused):
    with refused("no run"):
        RunFolder(tmp_path / "nowhere").describe()


numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(rows=st.lists(st.tuples(numbers, numbers), max_size=5), cut=st.integers(0, 400))
def test_histories_are_read_back_and_survive_a_cut(tmp_path_factory, rows, cut):
    path = tmp_path_factory.mktemp("history") / TRAINING
    for step, (one, other) in enumerate(rows, 1234567):
        history.append(path, {"step": step, "one": one, "other": other})
    wanted = [
        {"step": step, "one": one, "other": other}
        for step, (one, other) in enumerate(rows, 1234567)
    ]
    close = [{key: pytest.approx(value, rel=1e-8) for key, value in row.items()} for row in wanted]
    assert history.rows(path) == close
    if rows:
        content = path.read_bytes()
        path.write_bytes(content[: -min(cut, len(content))] if cut else content)
        whole = path.read_bytes().count(b"\n") - 1
        assert history.rows(path) == close[: max(whole, 0)]


def test_columns_keep_their_order_and_later_rows_are_forgotten(tmp_path):
    folder = RunFolder(tmp_path)
    for step in range(1, 7):
        folder.append(TRAINING, {"step": step, "a": step / 8, "b": 1})
    folder.append(VALIDATION, {"step": 4, "score": math.nan})
    with (folder.path / TRAINING).open("a") as file:
        file.write("7,0.8")
    folder.forget(3)
    assert not (folder.path / VALIDATION).exists()
    folder.append(TRAINING, {"b": 2, "step": 4, "a": 0.5})
    folder.append(TRAINING, {"step": 5, "a": 1e-30})
    folder.append(TRAINING, {"step": 6, "c": math.inf})
    assert (folder.path / TRAINING).read_text() == (
        "step,a,b,c\n1,0.125,1,\n2,0.25,1,\n3,0.375,1,\n4,0.5,2,\n5,1e-30,,\n6,,,inf\n"
    )


def test_a_table_of_something_else_is_one_line(tmp_path, refused):
    (tmp_path / TRAINING).write_text("name,step\nx,y\n")
    with refused("did not write"):
        RunFolder(tmp_path).forget(3)
    with refused("did not write"):
        RunFolder(tmp_path).history(TRAINING)
    (tmp_path / TRAINING).write_bytes(b"\xff\xfe\n\x00\n")
    with refused("did not write"):
        RunFolder(tmp_path).forget(3)


@pytest.mark.parametrize("name", [LAST, BEST])
def test_a_checkpoint_of_another_version_or_kind_is_refused(trained, name, refused):
    state = trained.load(name)
    trained.save(name, {**state, "format": 2})
    with refused("another program or version"):
        trained.load(name)
    trained.save(name, {**state, "step": "3"})
    with refused("another program or version"):
        trained.load(name)
    (trained.path / LAST).write_bytes((trained.path / BEST).read_bytes())
    with refused("another program or version"):
        trained.load(LAST)


@pytest.mark.parametrize("change", ["task", "shape", "list"])
def test_weights_of_other_networks_are_refused(trained, toy, endless, change, refused):
    state = trained.load(LAST)
    if change == "task":
        state["task"] = "other"
    elif change == "shape":
        state["networks"]["first.weight"] = state["networks"]["first.weight"].T.contiguous()
    else:
        state["networks"]["first.weight"] = state["networks"]["first.weight"].tolist()
    trained.save(LAST, state)
    with refused("weights of other networks"):
        fit(toy(validate_every=3), endless, trained, resume=True, accelerator="cpu")


@pytest.mark.parametrize("text", ["{", "", "3", "[" * 100000])
def test_damaged_settings_in_a_checkpoint_are_told(trained, toy, endless, text, refused):
    trained.save(LAST, {**trained.load(LAST), "settings": text})
    with refused("last.ckpt: found damaged settings") as caught:
        fit(toy(validate_every=3), endless, trained, resume=True, accelerator="cpu")
    assert "\n" not in str(caught.value)
