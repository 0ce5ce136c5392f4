"""Making a store part by part: what goes on, what is undone, and what is kept."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from musim.datasets import open_store, parallel, production, verify, writer
from musim.datasets.generation import Generation, plan
from musim.datasets.importing.stores import RecordingImport
from musim.datasets.location import Location
from musim.datasets.production import Input, Work, produce
from musim.simulator import FailureError, InputError
from musim.training.identification.results import Identification


@pytest.fixture
def layout(tiny):
    """Seven sequences in parts of two."""
    return plan(tiny, sequences=7, seed=3, part_size=2)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Calling(Generation):
    """A generation whose parts and tasks are those of functions."""

    function: Callable
    share_out: Callable

    @property
    def pool(self):
        return "threads"

    def tasks(self, parts):
        return self.share_out(parts)

    def make(self, task):
        for number in task:
            self.function(number)
            yield from super().make(number)


def one_by_one(parts):
    """Return a task for each part."""
    return [(part,) for part in parts]


def halves(parts):
    """Return two tasks of several parts."""
    return [tuple(parts[::2]), tuple(parts[1::2])]


def failing(error, after):
    """Return a function that lets some parts be made, and then raises."""
    made = []

    def function(part):
        if len(made) == after:
            raise error
        made.append(part)

    return function


@pytest.fixture
def run(layout, tmp_path):
    """Produce a store with one worker; returns what progress was told."""

    def call(function=lambda part: None, tasks=one_by_one, out="a/b/set.zarr", **options):
        told = []
        produce(
            Calling(layout=layout, function=function, share_out=tasks),
            out if "://" in str(out) else tmp_path / out,
            Work(on_progress=lambda *numbers: told.append(numbers), **{"workers": 1} | options),
        )
        return told

    return call


# Progress


def test_progress_counts_sequences(run):
    assert run() == [(0, 7), (2, 7), (4, 7), (6, 7), (7, 7)]


def test_progress_of_tasks_of_several_parts(run, tmp_path, layout):
    assert run(tasks=halves) == [(0, 7), (4, 7), (7, 7)]
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

    run(asked.append, tasks, resume=True)
    assert len(asked) == len(set(asked)) == 2


def test_tasks_do_not_change_the_bytes(run, tmp_path, assert_same_files):
    run(out="one.zarr")
    run(tasks=halves, out="two.zarr", workers=2)
    assert_same_files(tmp_path / "two.zarr", tmp_path / "one.zarr")


# Wrong input and failures


@pytest.mark.parametrize("after", [0, 1, 3])
def test_wrong_input_leaves_nothing(run, tmp_path, after, refused):
    with refused("unfit"):
        run(failing(InputError("unfit"), after))
    assert list(tmp_path.iterdir()) == []


def test_wrong_input_leaves_the_folders_that_were_there(run, tmp_path, refused):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "other").write_text("mine")
    with refused("unfit"):
        run(failing(InputError("unfit"), 2), out="a/b/c/set.zarr")
    assert list((tmp_path / "a" / "b").iterdir()) == []
    assert (tmp_path / "a" / "other").read_text() == "mine"


def test_wrong_input_spares_what_others_put_there_meanwhile(run, tmp_path):
    def make(part):
        (tmp_path / "a" / "notes.txt").write_text("mine")
        raise InputError("unfit")

    with pytest.raises(InputError, match="unfit"):
        run(make)
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["notes.txt"]


def test_wrong_input_keeps_the_parts_of_an_earlier_run(run, tmp_path, tree, refused):
    with pytest.raises(FailureError, match="full"):
        run(failing(FailureError("full"), 2))
    before = tree(tmp_path)
    with refused("unfit"):
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


def test_wrong_input_leaves_nothing_in_memory(run, memory, refused):
    url = memory("set")
    with refused("unfit"):
        run(failing(InputError("unfit"), 2), out=url)
    assert not Location(url).exists()
    assert run(out=url)[-1] == (7, 7)


def test_a_maker_that_makes_nothing_is_a_failure(run):
    with pytest.raises(FailureError, match=r"found 0 of 4 parts"):
        run(tasks=lambda parts: [()])


def test_one_of_resuming_and_overwriting_is_asked_for(refused):
    with refused("`resume`", "`overwrite`", "one of them"):
        Work(resume=True, overwrite=True)


# Inputs


@dataclasses.dataclass(frozen=True, kw_only=True)
class Using(Generation):
    """A generation that is made of something, and reads it through."""

    used: str
    seen: list

    @property
    def inputs(self):
        return [Input("the input", Location(self.used))]

    def read_through(self):
        self.seen.append(self.used)
        raise InputError("unfit")


@pytest.mark.parametrize("out", ["a/set.zarr", "a/set.zarr/new.zarr", "a"])
def test_a_store_never_lies_in_its_inputs_nor_they_in_it(layout, tmp_path, refused, tree, out):
    (tmp_path / "a" / "set.zarr").mkdir(parents=True)
    (tmp_path / "a" / "set.zarr" / "data").write_text("mine")
    before = tree(tmp_path)
    maker = Using(layout=layout, used=str(tmp_path / "a" / "set.zarr"), seen=[])
    for options in ({}, {"overwrite": True}, {"resume": True}):
        with refused("found the input", "wanted one apart from it"):
            produce(maker, tmp_path / out, Work(workers=1, **options))
    assert tree(tmp_path) == before


def test_a_link_to_an_input_is_the_input(layout, tmp_path, refused):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    maker = Using(layout=layout, used=str(tmp_path / "real"), seen=[])
    with refused("found the input"):
        produce(maker, tmp_path / "link" / "set.zarr", Work(workers=1))


def test_inputs_are_read_through_before_what_cannot_stay_is_replaced(
    run, layout, tmp_path, memory, refused, tree
):
    # On a disk the old store stays until the new one is whole, and nothing need be read twice.
    maker = Using(layout=layout, used=str(tmp_path / "elsewhere"), seen=[])
    run(out=memory("set"))
    with refused("unfit"):
        produce(maker, memory("set"), Work(workers=1, overwrite=True))
    assert maker.seen == [str(tmp_path / "elsewhere")]
    assert len(open_store(memory("set"))) == 7
    run(out="set.zarr")
    produce(maker, tmp_path / "set.zarr", Work(workers=1, overwrite=True))
    produce(maker, tmp_path / "other.zarr", Work(workers=1))
    assert len(maker.seen) == 1


@pytest.mark.parametrize("after", [1, 6])
def test_where_there_are_no_locks_another_store_is_noticed(run, memory, tiny, after):
    made = []

    def function(part):
        made.append(part)
        if len(made) == after:
            other = plan(tiny, sequences=3, seed=4)
            produce(Generation(layout=other), memory("set"), Work(workers=1, overwrite=True))

    with pytest.raises(FailureError, match="another process began another store"):
        run(function, out=memory("set"), tasks=lambda parts: [(*parts, *parts)])
    assert verify(memory("set")).seed == 4


def test_wrong_input_leaves_what_was_to_be_replaced(run, tmp_path, tree, refused):
    run(out="set.zarr")
    before = tree(tmp_path)
    for after in (0, 2):
        with refused("unfit"):
            run(failing(InputError("unfit"), after), out="set.zarr", overwrite=True)
    assert tree(tmp_path) == before
    with pytest.raises(FailureError):
        run(failing(FailureError("no"), 2), out="set.zarr", overwrite=True)
    assert {
        name: content for name, content in tree(tmp_path).items() if "new" not in name
    } == before
    told = run(out="set.zarr", resume=True)
    assert told[0] == (4, 7)
    assert tree(tmp_path) == before  # of the same seed


def test_what_lies_in_this_process_is_worked_on_here(
    layout, memory, tmp_path, refused, monkeypatch
):
    asked = []

    def open_workers(**options):
        asked.append(options["pool"])
        return parallel.open_workers(**(options | {"workers": 1}))

    monkeypatch.setattr(production, "open_workers", open_workers)
    maker = Using(layout=layout, used=memory("input"), seen=[])
    produce(maker, tmp_path / "set.zarr", Work(workers=2, pool="processes"))
    assert asked == ["threads"]
    with refused("memory://", "this process's memory", "scheduler"):
        produce(maker, tmp_path / "b.zarr", Work(scheduler="tcp://127.0.0.1:1"))


# Room


def _translation(**options):
    from musim.training.translation.translating import Translation

    return Translation(**options)


@pytest.mark.parametrize(
    ("maker", "words"),
    [
        (Generation, "`kind='rendered'`"),
        (RecordingImport, "`dtype='float16'`"),
        (Identification, "a store of fewer sequences"),
        pytest.param(_translation, "a store of fewer sequences", marks=pytest.mark.torch),
    ],
)
def test_too_little_room_names_what_helps(layout, tmp_path, fails, monkeypatch, maker, words):
    monkeypatch.setattr(Location, "free_bytes", lambda self: 1e5)
    made = maker(layout=layout, **({"sources": ()} if maker is RecordingImport else {}))
    with fails(FailureError, "0.00 GB free", words):
        production._check_room(Location(tmp_path), made, 1)


def test_room_is_that_of_the_voxels(layout, tmp_path, monkeypatch, fails):
    voxels = 4 * int(np.prod(layout.shape)) * 3  # one part of two sequences, one of one
    maker = Generation(layout=layout)
    for parts, needed in ((4, voxels // 3 * 7), (1, voxels // 3 * 2)):
        free = needed + production.RESERVED_BYTES
        monkeypatch.setattr(Location, "free_bytes", lambda self, free=free: free)
        production._check_room(Location(tmp_path), maker, parts)
        monkeypatch.setattr(Location, "free_bytes", lambda self, free=free: free - 1)
        with fails(FailureError, "GB free"):
            production._check_room(Location(tmp_path), maker, parts)
