import dataclasses
import errno
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from musim.datasets import generation, open_store, origin, verify, writer
from musim.datasets.generation import Generation, pack, plan
from musim.datasets.location import Location
from musim.datasets.store_files import MARK, PLAN, ROOT
from musim.simulator import FailureError, InputError, Range, draw, render


def write(location, layout, number):
    """Make and write one part, as a worker does."""
    for part in Generation(layout=layout).make(number):
        writer.write_part(location, layout, part.number, part.arrays, part.voxels)


KILLED = """
import json, os, signal, sys
from pathlib import Path
from musim.datasets import generate
from musim.simulator import Parameters, draw, render

parameters = Parameters.from_json(json.loads(sys.argv[1]))
options = json.loads(sys.argv[2])
render(draw(parameters))  # loads the kernels once for all
plain = Path.replace
left = 0

def replace(path, target):
    global left
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    return plain(path, target)

def child(out, moment, **more):
    global left
    process = os.fork()
    if process:
        return os.WTERMSIG(os.waitpid(process, 0)[1])
    left = moment
    Path.replace = replace
    generate(parameters, out, **options, **more)
    os._exit(0)

for moments in json.loads(sys.argv[3]):
    out = f"{sys.argv[4]}/{'-'.join(map(str, moments))}.zarr"
    signals = [child(out, moment, resume=turn > 0) for turn, moment in enumerate(moments)]
    print(json.dumps(signals), flush=True)
"""
"""Generate in processes that kill themselves as they are about to rename a file into place."""

MOMENTS = [[0], [1], [20], [27], [28], [49], [51], [76]]
"""Files renamed before: the mark, 26 of metadata, the plan, a part, its manifest, and so on."""

LAST = 4
"""Files before each of which another run ends: manifests, the seal and the root metadata."""

AGAIN = [[0, 0], [3, 40], [60, 3, 20]]
"""Killed again while it resumes."""


@pytest.fixture(scope="module")
def options():
    return {"sequences": 5, "part_size": 3, "seed": 7, "workers": 1}


@pytest.fixture(scope="module")
def remains(tiny, options, dense, tree, tmp_path_factory):
    """What runs leave that were killed at some moments: moments to folder."""
    folder = tmp_path_factory.mktemp("killed")
    whole = len(tree(dense.location.path))
    cases = [*MOMENTS, *([whole - left] for left in range(LAST, 0, -1)), *AGAIN]
    values = [tiny.to_json(), options, cases]
    arguments = [*map(json.dumps, values), str(folder)]
    result = subprocess.run(
        [sys.executable, "-c", KILLED, *arguments], check=True, capture_output=True, text=True
    )
    signals = [json.loads(line) for line in result.stdout.splitlines()]
    assert signals == [[signal.SIGKILL] * len(moments) for moments in cases]
    return {tuple(m): folder / f"{'-'.join(map(str, m))}.zarr" for m in cases}


def test_runs_killed_at_any_moment_resume_to_the_same_files(
    remains, make, dense, assert_same_files, refused, tree
):
    whole = len(tree(dense.location.path))
    for moments, folder in remains.items():
        held = len([name for name in tree(folder) if not name.endswith(".partial")])
        assert held <= sum(moments) < whole
        with refused():
            open_store(folder)
        make(folder, resume=True)
        assert_same_files(folder, dense.location.path)


def test_a_part_that_was_finished_is_not_made_again(
    make, tmp_path, monkeypatch, assert_same_files, dense
):
    calls = []

    def second_is_stopped(self, part):
        calls.append(part)
        if len(calls) == 2:
            raise KeyboardInterrupt
        yield from plain(self, part)

    plain = Generation.make
    monkeypatch.setattr(Generation, "make", second_is_stopped)
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "set.zarr")
    make(tmp_path / "set.zarr", resume=True)
    assert sorted(calls[:2]) == [0, 1]
    assert calls[2:] == calls[1:2]
    assert_same_files(tmp_path / "set.zarr", dense.location.path)


@pytest.mark.timeout(120)
def test_a_run_killed_in_mid_work_resumes_to_the_same_files(
    spawn, make, tmp_path, assert_same_files, wait_for
):
    # Its workers are not killed with it: they must end by themselves and not disturb the next run.
    options = {"sequences": 24, "part_size": 1}
    out = tmp_path / "killed.zarr"
    process = spawn(out, seed=7, workers=2, pool="processes", **options)
    wait_for(lambda: len(list(out.glob(".musim/parts/*.json"))) >= 3)
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    done = len(list(out.glob(".musim/parts/*.json")))
    assert 3 <= done < 24
    store = make(out, resume=True, **options)
    make(tmp_path / "whole.zarr", **options)
    assert_same_files(out, tmp_path / "whole.zarr")
    verify(store.location)
    try:
        assert len(children) >= 2
        wait_for(lambda: not any(child.is_running() for child in children), seconds=20)
    finally:
        for child in children:
            if child.is_running():
                child.kill()


def test_nothing_else_in_the_folder_is_ever_removed(make, tmp_path, refused):
    out = tmp_path / "set.zarr"
    (out / ".musim").mkdir(parents=True)
    (out / ".musim" / "settings").write_text("mine")
    (out / "notes.txt").write_text("mine")
    for options in ({}, {"overwrite": True}, {"resume": True}):
        with refused(str(out), "not a musim store", "new or empty"):
            make(out, **options)
    assert (out / "notes.txt").read_text() == "mine"
    assert (out / ".musim" / "settings").read_text() == "mine"
    assert len(list(out.rglob("*"))) == 3


@pytest.mark.parametrize("options", [{}, {"overwrite": True}, {"resume": True}])
def test_a_file_is_never_replaced(make, tmp_path, refused, options):
    out = tmp_path / "set.zarr"
    out.write_text("mine")
    with refused(str(out), "not a musim store"):
        make(out, **options)
    assert out.read_text() == "mine"


@pytest.mark.parametrize("options", [{}, {"overwrite": True}, {"resume": True}])
def test_an_empty_folder_is_used(make, tmp_path, options):
    (tmp_path / "set.zarr").mkdir()
    verify(make(tmp_path / "set.zarr", **options).location)


def test_a_disks_own_folder_is_filled_under_a_lock_within(make, tmp_path, monkeypatch, refused):
    out = tmp_path / "disk"
    out.mkdir()
    monkeypatch.setattr(Path, "is_mount", lambda path: path == out)
    plain, seen = Generation.make, []

    def make_part(self, part):
        seen.append([path.name for path in out.glob("*-lock")])
        with refused("found another process"):
            make(out, resume=True)
        yield from plain(self, part)

    monkeypatch.setattr(Generation, "make", make_part)
    verify(make(out).location)
    assert seen == [[".musim-lock"]] * 2
    assert list(tmp_path.glob("**/*-lock")) == []


@pytest.mark.parametrize("finished", [True, False])
def test_a_store_that_is_there_stays_as_it_is(make, copy, dense, refused, tree, finished):
    out = copy(dense)
    if not finished:
        (out / ROOT).unlink()
    before = tree(out)
    state = "found a store" if finished else "found an unfinished store"
    with refused(str(out), state, "`resume=True`", "`overwrite=True`"):
        make(out)
    with refused("`resume`", "`overwrite`", "one of them"):
        make(out, resume=True, overwrite=True)
    assert tree(out) == before


def test_overwriting_leaves_nothing_of_the_old_store(make, copy, rendered, assert_same_files):
    out = copy(rendered)
    make(out, sequences=2, part_size=1, seed=8, overwrite=True)
    make(out.with_name("new.zarr"), sequences=2, part_size=1, seed=8)
    assert_same_files(out, out.with_name("new.zarr"))


@pytest.mark.parametrize("key", [ROOT, PLAN])
def test_a_damaged_store_may_be_overwritten(make, copy, dense, assert_same_files, key):
    out = copy(dense)
    (out / key).write_bytes(b"[")
    make(out, overwrite=True)
    assert_same_files(out, dense.location.path)


def test_a_link_to_a_folder_may_be_written_and_overwritten(make, tmp_path, dense):
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    make(tmp_path / "link", seed=1)
    store = make(tmp_path / "link", overwrite=True)
    np.testing.assert_array_equal(store.tvi(4), dense.tvi(4))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seed": 8}, ["seed: 7 there", "8 asked"]),
        ({"sequences": 6}, ["sequence", "5 there", "6 asked"]),
        ({"part_size": 2}, ["part_size", "3 there", "2 asked"]),
        ({"kind": "rendered"}, ["kind", "dense there", "rendered asked"]),
        ({"dtype": "float16"}, ["tvi", "float32 there", "float16 asked"]),
    ],
)
@pytest.mark.parametrize("finished", [True, False])
def test_only_the_same_store_is_resumed(make, copy, dense, refused, tree, options, words, finished):
    out = copy(dense)
    if not finished:
        (out / ROOT).unlink()
    before = tree(out)
    with refused(str(out), *words, "`overwrite=True`"):
        make(out, resume=True, **options)
    assert tree(out) == before


def test_other_parameters_are_not_resumed(make, copy, dense, tiny, fails):
    other = dataclasses.replace(tiny, snr=Range(20, 20))
    with fails(InputError, "snr: [10.0, 10.0] there, [20.0, 20.0] asked"):
        make(copy(dense), other, resume=True)


def test_resuming_a_whole_store_changes_nothing(make, copy, dense, tree):
    out = copy(dense)
    before = tree(out)
    seen = []
    make(out, resume=True, on_progress=lambda *numbers: seen.append(numbers))
    assert tree(out) == before
    assert seen == [(5, 5)]


def test_resuming_where_nothing_is_makes_the_store(make, tmp_path, dense, assert_same_files):
    make(tmp_path / "set.zarr", resume=True)
    assert_same_files(tmp_path / "set.zarr", dense.location.path)


def test_a_store_resumed_with_newer_libraries_agrees_with_itself(
    make, tmp_path, monkeypatch, copy, dense
):
    out = copy(dense)
    for path in (ROOT, ".musim/parts/000001.json"):
        (out / path).unlink()
    plain = generation.to_attributes
    newer = origin.software_versions() | {"numpy": "99"}
    monkeypatch.setattr(
        generation, "to_attributes", lambda made: plain(dataclasses.replace(made, software=newer))
    )
    verify(make(out, resume=True).location)
    written = json.loads((out / ROOT).read_text())["attributes"]
    planned = json.loads((out / PLAN).read_text())["attributes"]
    assert {key: written[key] for key in planned} == planned


def test_a_damaged_plan_is_not_resumed(make, copy, dense, fails):
    out = copy(dense)
    (out / ROOT).unlink()
    for content in (b"", b"[]", b"{}", b"null", b'{"format_version": 1}', b"\xff"):
        (out / PLAN).write_bytes(content)
        with pytest.raises((InputError, FailureError)) as caught:
            make(out, resume=True)
        assert len(str(caught.value).splitlines()) == 1
        assert str(out) in str(caught.value) or "format version" in str(caught.value)


def test_a_store_is_not_finished_while_a_part_lacks(tiny, tmp_path, fails):
    layout, location = plan(tiny, sequences=4, part_size=1), Location(tmp_path / "set.zarr")
    writer.begin(location, layout, overwrite=False)
    for part in (3, 1, 0):
        write(location, layout, part)
    assert writer.finished_parts(location) == {0, 1, 3}
    with fails(FailureError, "3 of 4 parts", "`resume=True`"):
        writer.finalise(location, layout)
    assert not location.exists(ROOT)


def test_parts_may_be_written_in_any_order_and_twice(make, tiny, tmp_path, assert_same_files):
    layout, location = plan(tiny, sequences=3, part_size=1), Location(tmp_path / "set.zarr")
    writer.begin(location, layout, overwrite=False)
    for part in (2, 0, 2, 1, 0):
        write(location, layout, part)
    writer.finalise(location, layout)
    make(tmp_path / "whole.zarr", sequences=3, part_size=1, seed=0)
    assert_same_files(tmp_path / "set.zarr", tmp_path / "whole.zarr")


def test_an_array_that_does_not_fit_is_refused(tiny, tmp_path, fails):
    layout, location = plan(tiny, sequences=3, part_size=2), Location(tmp_path / "set.zarr")
    writer.begin(location, layout, overwrite=False)
    arrays = pack([draw(tiny, index=0)], layout, 1)
    voxels = [render(draw(tiny, index=index)) for index in range(2)]
    with fails(FailureError, "territory", "(1, 4, 9, 7)", "(2, 4, 9, 7)"):
        writer.write_part(location, layout, 0, arrays, voxels)
    assert writer.finished_parts(location) == set()


def test_a_part_counts_only_when_all_its_files_have_settled(tiny, tmp_path, monkeypatch, fails):
    # A disk that is full is often noticed late, when a file is brought to it.
    layout, location = plan(tiny, sequences=2, part_size=2), Location(tmp_path / "set.zarr")
    writer.begin(location, layout, overwrite=False)
    truths = [draw(tiny, index=index) for index in range(2)]
    plain = Path.replace

    def replace(path, target):
        if Path(target).name.startswith("c."):
            time.sleep(0.05)
            raise OSError(errno.ENOSPC, "No space left on device")
        return plain(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replace)
        with fails(FailureError, "no space is left"):
            writer.write_part(
                location, layout, 0, pack(truths, layout, len(truths)), map(render, truths)
            )
    assert writer.finished_parts(location) == set()
    write(location, layout, 0)
    assert writer.finished_parts(location) == {0}


def test_a_file_is_written_where_all_values_are_those_of_missing_ones(tiny, tmp_path):
    # One that is missing is then always damage.
    layout, location = plan(tiny, sequences=1, kind="rendered"), Location(tmp_path / "set.zarr")
    writer.begin(location, layout, overwrite=False)
    arrays = pack([draw(tiny)], layout, 1)
    empty = {name: np.full_like(values, layout.variable(name).fill_value)
             for name, values in arrays.items()}  # fmt: skip
    writer.write_part(location, layout, 0, empty)
    for name in layout.variables:
        assert [key for key in layout.chunk_keys(name, 0) if not location.exists(key)] == []


def test_too_few_voxels_are_refused(tiny, tmp_path):
    layout, location = plan(tiny, sequences=2, part_size=2), Location(tmp_path / "set.zarr")
    writer.begin(location, layout, overwrite=False)
    truths = [draw(tiny, index=index) for index in range(2)]
    with pytest.raises(ValueError, match="shorter"):
        writer.write_part(
            location, layout, 0, pack(truths, layout, len(truths)), [render(truths[0])]
        )
    assert writer.finished_parts(location) == set()


def test_the_mark_is_what_makes_a_folder_ours(make, copy, dense, refused):
    out = copy(dense)
    (out / MARK).unlink()
    with refused("not a musim store"):
        make(out, overwrite=True)
    assert (out / ROOT).exists()


def test_a_run_killed_before_its_first_file_leaves_a_folder_that_is_free(make, tmp_path):
    out = tmp_path / "set.zarr"
    (out / ".musim").mkdir(parents=True)
    Path(out / f"{MARK}.0123abcd.partial").write_bytes(b"")
    make(out)
    assert list(out.rglob("*.partial")) == []
