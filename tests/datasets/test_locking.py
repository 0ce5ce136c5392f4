"""One process writes at a time; a lock that a dead one left is told from one that is held."""

import dataclasses
import fcntl
import json
import os
import threading
import time

import pytest

from musim.datasets import locking
from musim.datasets.locking import INITIAL_SPACE, Holder, lock_path, locked
from musim.simulator import InputError
from tests import moments


@pytest.fixture
def place(tmp_path):
    return tmp_path / "a" / "set.zarr"


@pytest.fixture
def leave(place):
    """Leave a lock whose holder differs in something from this process."""

    def call(**values):
        place.parent.mkdir(exist_ok=True)
        holder = dataclasses.replace(Holder.this_process(), **values)
        lock_path(place).write_text(json.dumps(dataclasses.asdict(holder)))

    return call


def test_a_lock_tells_its_process_and_goes_with_it(place):
    with locked(place):
        holder = Holder.read(lock_path(place).read_bytes())
        assert dataclasses.replace(holder, since="") == dataclasses.replace(
            Holder.this_process(), since=""
        )
        assert holder.pid == os.getpid()
        assert [path.name for path in place.parent.iterdir()] == ["set.zarr.musim-lock"]
    assert list(place.parent.iterdir()) == []


def test_a_second_one_is_refused_and_changes_nothing(place, refused):
    with locked(place):
        words = ("this name: found another process", f"process {os.getpid()} on ", ", since 2")
        with refused(*words), locked(place, "this name"):
            pass
        ended = moments.run(lambda: locked(place).__enter__(), place.parent)
        assert ended.error.startswith("InputError: ")
        assert lock_path(place).exists()
    with locked(place):
        pass


def test_others_have_locks_of_their_own(place):
    with locked(place), locked(place.with_name("set")), locked(place / "inside"):
        pass


def test_no_clock_is_asked(place, monkeypatch, refused):
    for now in (0.0, 4e9):
        monkeypatch.setattr(time, "time", lambda now=now: now)
        with locked(place), refused("another process"), locked(place):
            pass


@pytest.mark.parametrize("moment", range(6))
def test_whoever_is_killed_leaves_a_lock_that_is_taken_over(place, moment):
    def hold():
        with locked(place):
            pass

    place.parent.mkdir()
    ended = moments.run(hold, place.parent, moment)
    assert ended.killed == (moment < 5), ended
    with locked(place):
        assert len(list(place.parent.iterdir())) == 1
    assert list(place.parent.iterdir()) == []


def test_of_many_that_find_a_left_lock_one_takes_it_over(place, leave):
    leave(pid=2**22 + 1)
    taken, begin, end = [], threading.Barrier(8), threading.Event()

    def take():
        begin.wait()
        try:
            with locked(place):
                taken.append(Holder.read(lock_path(place).read_bytes()).pid)
                end.wait(60)
        except InputError:
            refused.append(1)
            if len(refused) == 7:
                end.set()

    refused = []
    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken == [os.getpid()]
    assert list(place.parent.iterdir()) == []


@pytest.mark.parametrize(
    "values",
    [
        {"pid": 2**22 + 1},
        {"started": "1"},  # its number has come again
        {"space": "pid:[1]", "pid": 2**22 + 1},  # in another container, which has ended
    ],
)
def test_a_lock_of_a_dead_process_is_taken_over(place, leave, values):
    leave(**values)
    with locked(place):
        assert Holder.read(lock_path(place).read_bytes()).pid == os.getpid()
    assert list(place.parent.iterdir()) == []


def test_a_machine_that_was_started_again_holds_nothing(place, leave, monkeypatch):
    here = dataclasses.replace(Holder.this_process(), space=INITIAL_SPACE, boot="now")
    monkeypatch.setattr(Holder, "this_process", classmethod(lambda cls: here))
    leave(boot="before")
    with locked(place):
        pass


@pytest.mark.parametrize(
    "values", [{"boot": "b", "host": "elsewhere"}, {"boot": "b", "machine": "other"}]
)
def test_of_another_machine_it_is_said_what_to_remove(place, leave, values, refused):
    leave(pid=99, since="noon", **values)
    with (
        refused(
            "cannot be asked from here", "process 99 on ", "noon", f"remove {lock_path(place)}"
        ),
        locked(place),
    ):
        pass
    lock_path(place).unlink()
    with locked(place):
        pass


@pytest.mark.parametrize("content", [b"", b"[]", b'{"pid": "x"}', b"\xff"])
def test_a_lock_that_names_nobody_is_explained(place, content, refused, monkeypatch):
    monkeypatch.setattr(locking, "PAUSE", 0)
    place.parent.mkdir()
    lock_path(place).write_bytes(content)
    with refused("of no process that lives", f"remove {lock_path(place)}"), locked(place):
        pass


def test_where_the_disk_knows_no_locks_a_dead_one_is_explained(place, leave, refused, monkeypatch):
    def unknown(*arguments):
        raise OSError("no locks")

    monkeypatch.setattr(fcntl, "flock", unknown)
    with locked(place), refused("another process"), locked(place):
        pass
    leave(pid=2**22 + 1)
    with refused("which has ended", f"remove {lock_path(place)}"), locked(place):
        pass


def test_a_disk_without_links_will_do(place, refused, monkeypatch):
    def unknown(*arguments, **options):
        raise PermissionError("no links")

    monkeypatch.setattr(os, "link", unknown)
    with locked(place), refused("another process"), locked(place):
        pass
    assert list(place.parent.iterdir()) == []


def test_a_lock_is_its_holders_alone_to_remove(place):
    with locked(place):
        lock_path(place).unlink()
        with locked(place):  # somebody was told that nothing writes there
            other = lock_path(place).read_bytes()
            child = moments.run(lambda: None, place.parent)
            assert child.done
        lock_path(place).write_bytes(other)
    assert lock_path(place).exists()


def test_a_place_that_cannot_be_written_is_refused(tmp_path, refused):
    (tmp_path / "file").write_text("mine")
    with refused("file/set: cannot be written", "another location"), locked(tmp_path / "file/set"):
        pass
