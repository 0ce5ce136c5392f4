"""Making a store part by part: what goes on, what is undone, and what is kept."""

import dataclasses

import numpy as np
import pytest

from musim.datasets import open_store, production, writer
from musim.datasets.generation import make_part, plan
from musim.datasets.location import Location
from musim.datasets.production import one_by_one, produce
from musim.simulator import FailureError, InputError


@pytest.fixture
def layout(tiny):
    """Seven sequences in parts of two."""
    return plan(tiny, sequences=7, seed=3, part_size=2)


@pytest.fixture
def run(layout, tmp_path):
    """Produce a store with one worker; returns what progress was told."""

    def call(make=make_part, tasks=one_by_one, out="a/b/set.zarr", **options):
        told = []
        produce(
            Location(out if "://" in str(out) else tmp_path / out), layout, make, tasks,
            on_progress=lambda *numbers: told.append(numbers),
            **({"workers": 1, "pool": "threads"} | options),
        )  # fmt: skip
        return told

    return call


def failing(error, after):
    """Return a function that makes some parts, and then raises."""
    made = []

    def make(url, layout, *parts):
        for part in parts:
            if len(made) == after:
                raise error
            make_part(url, layout, part)
            made.append(part)

    return make


def halves(missing):
    """Return two tasks of several parts."""
    return [tuple(missing[::2]), tuple(missing[1::2])]


def several(url, layout, *parts):
    for part in parts:
        make_part(url, layout, part)


# Progress


def test_progress_counts_sequences(run):
    assert run() == [(0, 7), (2, 7), (4, 7), (6, 7), (7, 7)]


def test_progress_of_tasks_of_several_parts(run, tmp_path, layout):
    assert run(several, halves) == [(0, 7), (4, 7), (7, 7)]
    assert len(open_store(tmp_path / "a/b/set.zarr")) == 7


def test_progress_goes_on_from_what_is_there(run, tmp_path):
    with pytest.raises(FailureError):
        run(failing(FailureError("no"), 1))
    told = run(resume=True)
    assert told == [(2, 7), (4, 7), (6, 7), (7, 7)]
    assert run(resume=True) == [(7, 7)]


@pytest.mark.parametrize("tasks", [one_by_one, halves])
def test_tasks_are_those_of_the_missing_parts(run, tasks):
    with pytest.raises(FailureError):
        run(failing(FailureError("no"), 2))
    asked = []

    def make(url, layout, *parts):
        asked.extend(parts)
        several(url, layout, *parts)

    run(make, tasks, resume=True)
    assert len(asked) == len(set(asked)) == 2


def test_tasks_do_not_change_the_bytes(run, tmp_path, assert_same_files):
    run(out="one.zarr")
    run(several, halves, out="two.zarr", workers=2)
    assert_same_files(tmp_path / "two.zarr", tmp_path / "one.zarr")


# Wrong input and failures


@pytest.mark.parametrize("after", [0, 1, 3])
def test_wrong_input_leaves_nothing(run, tmp_path, after):
    with pytest.raises(InputError, match="unfit"):
        run(failing(InputError("unfit"), after))
    assert list(tmp_path.iterdir()) == []


def test_wrong_input_leaves_the_folders_that_were_there(run, tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "other").write_text("mine")
    with pytest.raises(InputError, match="unfit"):
        run(failing(InputError("unfit"), 2), out="a/b/c/set.zarr")
    assert list((tmp_path / "a" / "b").iterdir()) == []
    assert (tmp_path / "a" / "other").read_text() == "mine"


def test_wrong_input_spares_what_others_put_there_meanwhile(run, tmp_path):
    def make(url, layout, part):
        (tmp_path / "a" / "notes.txt").write_text("mine")
        raise InputError("unfit")

    with pytest.raises(InputError, match="unfit"):
        run(make)
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["notes.txt"]


def test_wrong_input_keeps_the_parts_of_an_earlier_run(run, tmp_path, tree):
    with pytest.raises(FailureError, match="full"):
        run(failing(FailureError("full"), 2))
    before = tree(tmp_path)
    with pytest.raises(InputError, match="unfit"):
        run(failing(InputError("unfit"), 0), resume=True)
    assert tree(tmp_path) == before
    run(resume=True)


@pytest.mark.parametrize("error", [FailureError("full"), KeyboardInterrupt()])
def test_failures_keep_what_is_written(run, tmp_path, error, assert_same_files, layout):
    with pytest.raises(type(error)):
        run(failing(error, 3))
    assert len(writer.finished_parts(Location(tmp_path / "a/b/set.zarr"))) == 3
    run(resume=True)
    run(out="whole.zarr")
    assert_same_files(tmp_path / "a/b/set.zarr", tmp_path / "whole.zarr")


def test_wrong_input_leaves_nothing_in_memory(run, memory):
    url = memory("set")
    with pytest.raises(InputError, match="unfit"):
        run(failing(InputError("unfit"), 2), out=url)
    assert not Location(url).exists()
    assert run(out=url)[-1] == (7, 7)


def test_a_worker_that_writes_nothing_is_a_failure(run):
    with pytest.raises(FailureError, match=r"found 0 of 4 parts"):
        run(lambda *arguments: None)


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        (None, "--render on-read"),
        ({}, "--dtype float16"),
        ({"musim_translated_from": "{}"}, "a store of fewer sequences"),
    ],
)
def test_too_little_room_names_what_helps(layout, tmp_path, fails, monkeypatch, attributes, words):
    monkeypatch.setattr(Location, "free_bytes", lambda self: 1e5)
    if attributes is not None:
        layout = dataclasses.replace(layout, attributes=attributes)
    with fails(FailureError, "0.00 GB free", words):
        production.check_room(Location(tmp_path), layout, 1)


def test_room_is_that_of_the_voxels(layout, tmp_path, monkeypatch, fails):
    voxels = 4 * int(np.prod(layout.shape)) * 3  # one part of two sequences, one of one
    for parts, needed in ((4, voxels // 3 * 7), (1, voxels // 3 * 2)):
        free = needed + production.RESERVED_BYTES
        monkeypatch.setattr(Location, "free_bytes", lambda self, free=free: free)
        production.check_room(Location(tmp_path), layout, parts)
        monkeypatch.setattr(Location, "free_bytes", lambda self, free=free: free - 1)
        with fails(FailureError, "GB free"):
            production.check_room(Location(tmp_path), layout, parts)
