import dataclasses
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from musim.datasets import generate, generation, open_store, parallel, production, verify
from musim.datasets.generation import pack, plan
from musim.datasets.location import Location
from musim.simulator import FailureError, InputError, Parameters, Range, draw


@pytest.fixture(scope="session")
def values(dense):
    """Every variable of the store that one worker made in one go."""
    return dense.dataset.drop_attrs(deep=False).compute()


def same(store, values):
    found = open_store(store.location).dataset.drop_attrs(deep=False).compute()
    xr.testing.assert_identical(found, values)


# One seed, one set of values


@pytest.mark.parametrize("kind", ["dense", "rendered"])
@pytest.mark.parametrize(
    ("workers", "part_size"), [(1, 1), (1, 16), (2, 1), (2, 3), (8, 1), (8, 16)]
)
def test_values_do_not_depend_on_threads_parts_or_kind(
    make, tmp_path, values, kind, part_size, workers
):
    store = make(
        tmp_path / "set.zarr", kind=kind, part_size=part_size, workers=workers, pool="threads"
    )
    same(store, values)


@pytest.mark.timeout(120)
def test_files_do_not_depend_on_processes(make, tmp_path, assert_same_files):
    make(tmp_path / "one.zarr", part_size=1)
    make(tmp_path / "many.zarr", part_size=1, workers=3, pool="processes")
    assert_same_files(tmp_path / "many.zarr", tmp_path / "one.zarr")


def test_large_compressed_chunks_do_not_depend_on_threads(make, tmp_path, tiny, assert_same_files):
    # Blosc cuts chunks into blocks, whose order its own threads would change.
    parameters = dataclasses.replace(tiny, frames=40_000)
    options = {"kind": "rendered", "sequences": 4, "part_size": 2}
    make(tmp_path / "one.zarr", parameters, **options)
    make(tmp_path / "many.zarr", parameters, workers=2, pool="threads", **options)
    (key,) = open_store(tmp_path / "one.zarr").layout.chunk_keys("twitch_train", 0)
    assert (tmp_path / "one.zarr" / key).stat().st_size > 2**18
    assert_same_files(tmp_path / "many.zarr", tmp_path / "one.zarr")


def test_a_smaller_store_is_the_beginning_of_a_larger_one(make, tmp_path, values):
    store = make(tmp_path / "set.zarr", sequences=2)
    for index in range(2):
        np.testing.assert_array_equal(store.tvi(index), values["tvi"][index])


def test_another_seed_gives_other_values(make, tmp_path, values):
    store = make(tmp_path / "set.zarr", seed=8)
    for name in ("tvi", "noise_key", "centre_depth", "firing"):
        assert not np.array_equal(store.dataset[name], values[name], equal_nan=True)


@pytest.mark.parametrize("kind", ["dense", "rendered"])
def test_half_precision_is_the_rounded_single_precision(make, tmp_path, values, kind):
    store = make(tmp_path / "set.zarr", kind=kind, dtype="float16")
    wanted = values["tvi"].values.astype(np.float16)
    assert store.dataset["tvi"].dtype == np.float16
    for found in (store.dataset["tvi"].values, np.stack([store.tvi(i) for i in range(5)])):
        assert found.dtype == np.float16
        np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(store.tvi(2, time=slice(3, 9)), wanted[2, 3:9])
    if kind == "dense":
        assert xr.open_zarr(tmp_path / "set.zarr")["tvi"].dtype == np.float16
    verify(store.location, remake=5)


@pytest.mark.parametrize(
    "change",
    [
        {"mask": "soft"},
        {"territory": "ellipse", "axis_ratio": Range(1.5, 1.5)},
        {"territory": "fibres"},
        {"territory": "fibres", "mask": "soft"},
        {"snr": Range(np.inf, np.inf)},
        {"synchrony": Range(0.5, 0.5), "doublets": Range(0.5, 0.5)},
        {"interval_variation": Range(0.5, 0.5), "firing_rate": Range(50, 50)},
        {"waveform": ((0.0, 0.0), (0.01, 1.0), (0.02, -1.0), (0.03, 0.0))},
        {"units": Range(1, 1), "frames": 1},
        {"muscle": (5.0, 5.0)},
        {"amplitude_variation": Range(0.1, 0.2), "strength_ratio": Range(2, 5)},
    ],
    ids=str,
)
def test_every_sort_of_sequence_is_stored_whole(make, tmp_path, tiny, change):
    parameters = dataclasses.replace(tiny, **change)
    stores = [
        make(tmp_path / kind, parameters, kind=kind, sequences=2) for kind in ("dense", "rendered")
    ]
    for store in stores:
        verify(store.location, remake=2)
    xr.testing.assert_identical(
        stores[0].dataset.drop_attrs(deep=False).compute(),
        stores[1].dataset.drop_attrs(deep=False).compute(),
    )


def test_integers_of_numpy_are_integers(make, tmp_path, values):
    store = make(
        tmp_path / "set.zarr", seed=np.int64(7), sequences=np.int32(5), part_size=np.int64(3)
    )
    same(store, values)


def test_the_largest_seed_survives_the_store(make, tmp_path):
    store = make(tmp_path / "set.zarr", seed=2**63 - 1, sequences=1)
    assert open_store(store.location).seed == 2**63 - 1
    verify(store.location, remake=1)


def test_a_store_can_be_made_where_an_event_loop_runs(make, tmp_path, values):
    # As in a notebook.
    import asyncio

    async def inside():
        return make(tmp_path / "set.zarr")

    same(asyncio.run(inside()), values)


# Progress


def test_progress_counts_sequences_from_nothing_to_all(make, tmp_path):
    seen = []
    make(tmp_path / "set.zarr", on_progress=lambda *numbers: seen.append(numbers), part_size=1)
    assert seen == [(0, 5), (1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]


@pytest.mark.parametrize(("part_size", "wanted"), [(2, [4, 4, 5]), (16, [5])])
def test_progress_never_exceeds_the_number_of_sequences(make, tmp_path, part_size, wanted):
    seen = []
    make(
        tmp_path / "set.zarr",
        on_progress=lambda done, total: seen.append(done),
        part_size=part_size,
        workers=2,
        pool="threads",
    )
    assert seen[0] == 0
    assert seen == sorted(seen)
    assert len(seen) == 1 + -(-5 // part_size)
    assert seen[-1] == 5


def test_progress_goes_on_where_it_stopped(make, copy, dense):
    folder = copy(dense)
    (folder / "zarr.json").unlink()
    (folder / ".musim/parts/000001.json").unlink()
    seen = []
    make(folder, resume=True, on_progress=lambda *numbers: seen.append(numbers))
    assert seen == [(3, 5), (5, 5)]


# Wrong input


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sequences": 0}, ["sequences", "found 0", "wanted 1"]),
        ({"sequences": -3}, ["sequences", "found -3"]),
        ({"sequences": 2**31}, ["sequences", "found 2147483648", "wanted 1 to"]),
        ({"part_size": 0}, ["part_size", "found 0", "wanted 1 or more"]),
        ({"part_size": -1}, ["part_size", "found -1"]),
        ({"workers": 0}, ["workers", "found 0", "wanted 1 or more"]),
        ({"workers": -2}, ["workers", "found -2"]),
        ({"kind": "sparse"}, ["kind", "'sparse'", "dense", "rendered"]),
        ({"dtype": "float64"}, ["dtype", "'float64'", "float32", "float16"]),
        ({"dtype": "int16"}, ["dtype", "'int16'"]),
        ({"pool": "fibres"}, ["pool", "'fibres'", "processes", "threads"]),
        ({"seed": -1}, ["seed", "found -1"]),
        ({"seed": 2**63}, ["seed", "2**63 - 1"]),
        ({"scheduler": "localhost"}, ["scheduler", "'localhost'", "tcp://host:8786"]),
        ({"scheduler": "tcp://localhost"}, ["scheduler", "tcp://host:8786"]),
        ({"scheduler": ""}, ["scheduler", "''"]),
    ],
    ids=str,
)
@pytest.mark.parametrize("there", ["nothing", "store"])
def test_wrong_options_are_refused_and_leave_all_as_it_was(
    make, tmp_path, refused, tree, copy, dense, options, words, there
):
    out = copy(dense) if there == "store" else tmp_path / "set.zarr"
    before = tree(out)
    with refused(*words):
        make(out, overwrite=True, **options)
    assert out.exists() == (there == "store")
    assert tree(out) == before


def test_parameters_that_no_sequence_can_have_are_refused_before_anything_is_written(
    make, tmp_path, tiny, refused
):
    # No disc of 0.01 mm covers the centre of a pixel of 1 mm.
    parameters = dataclasses.replace(tiny, diameter=Range(0.01, 0.01))
    with refused("territories"):
        make(tmp_path / "set.zarr", parameters)
    assert not (tmp_path / "set.zarr").exists()


def test_an_unknown_protocol_is_refused(make, refused):
    with refused("unheard://a/set.zarr", "wanted a path or an fsspec URL"):
        make("unheard://a/set.zarr")


def test_a_place_below_a_file_is_refused(make, tmp_path, refused):
    (tmp_path / "file").write_text("mine")
    with refused(str(tmp_path / "file" / "set.zarr"), "another location"):
        make(tmp_path / "file" / "set.zarr")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_name_that_is_too_long_is_refused(make, tmp_path, refused):
    with refused("too long", "another location"):
        make(tmp_path / ("a" * 300))


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
@pytest.mark.parametrize("kind", ["dense", "rendered"])
def test_a_file_system_that_takes_no_files_is_refused(make, kind):
    with pytest.raises((InputError, FailureError)) as caught:
        make("/proc/set.zarr", kind=kind)
    assert len(str(caught.value).splitlines()) == 1
    assert "/proc/set.zarr" in str(caught.value)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can become another")
def test_a_folder_of_others_is_refused(tmp_path, tiny):
    # Root may write anywhere, so another user tries, who may not even look into the folder.
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    code = (
        "import os, sys\n"
        "from musim.datasets.location import Location\n"
        "from musim.datasets import writer\n"
        "from musim.datasets.generation import plan\n"
        "from musim.simulator import InputError, Parameters\n"
        "layout = plan(Parameters(), sequences=1)\n"
        "os.setuid(65534)\n"
        "for name in ('a/set.zarr', 'set.zarr', '.', 'set.zarr/..'):\n"
        "    try:\n"
        "        location = Location(os.path.join(sys.argv[1], name))\n"
        "        writer.survey(location, layout, resume=False, overwrite=False)\n"
        "        writer.begin(location, layout, overwrite=False)\n"
        "    except InputError as error:\n"
        "        assert 'Permission denied' in str(error), error\n"
        "        print(error)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(closed)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == 4


# Room


def test_too_little_room_is_noticed_before_anything_is_written(make, tmp_path, monkeypatch, fails):
    monkeypatch.setattr(Location, "free_bytes", lambda self: 1e6)
    with fails(FailureError, "0.00 GB free", "0.02 GB", "`kind='rendered'`"):
        make(tmp_path / "set.zarr")
    assert not (tmp_path / "set.zarr").exists()


def test_an_existing_store_survives_too_little_room(make, copy, dense, monkeypatch, fails, tree):
    out = copy(dense)
    before = tree(out)
    monkeypatch.setattr(Location, "free_bytes", lambda self: 1e6)
    with fails(FailureError, "GB free"):
        make(out, overwrite=True, sequences=100)
    assert tree(out) == before


def test_room_is_asked_for_the_sequences_that_are_still_to_be_made(
    make, tmp_path, monkeypatch, fails
):
    voxels = Parameters().frames * 64 * 64 * 4
    reserve = production.RESERVED_BYTES
    monkeypatch.setattr(parallel, "_run_here", lambda *arguments: None)
    options = {"sequences": 17, "part_size": 16}
    monkeypatch.setattr(Location, "free_bytes", lambda self: 17 * voxels + reserve - 1)
    with fails(FailureError, "GB free"):
        make(tmp_path / "set.zarr", Parameters(), **options)
    monkeypatch.setattr(Location, "free_bytes", lambda self: 17 * voxels + reserve)
    with fails(FailureError, "0 of 2 parts"):  # as nobody works
        make(tmp_path / "set.zarr", Parameters(), **options)
    monkeypatch.setattr(Location, "free_bytes", lambda self: 0)
    with fails(FailureError, "0 of 2 parts"):
        make(tmp_path / "rendered.zarr", Parameters(), kind="rendered", **options)


@pytest.mark.parametrize(
    ("files", "pool"),
    [(0, ""), (1, ""), (20, ""), (28, ""), (45, ""), (77, ""), (80, ""), (30, "threads")],
)
def test_a_disk_that_fills_up_in_the_middle_leaves_a_run_that_resumes(
    make, tmp_path, monkeypatch, fails, dense, assert_same_files, files, pool, refused
):
    left, plain = files, os.fsync

    def fsync(descriptor):
        nonlocal left
        if left <= 0:
            raise OSError(28, "No space left on device")
        left -= 1
        plain(descriptor)

    options = {"workers": 2, "pool": "threads"} if pool == "threads" else {}
    out = tmp_path / "set.zarr"
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with fails(FailureError, str(out), "no space is left", "`resume=True`"):
            make(out, **options)
    with refused():
        open_store(out)
    make(out, resume=True)
    assert_same_files(out, dense.location.path)


# Workers that die, or live on


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_nobody_goes_on_writing_when_a_run_has_failed(make, tmp_path, monkeypatch, error):
    # Or the next run in this process would find its files replaced by those of the last one.
    started, finished, second = [], [], threading.Event()

    def makes(self, part):
        started.append(part)
        if len(started) == 1:
            assert second.wait(20)
            raise error
        second.set()
        time.sleep(0.3)
        finished.append(part)
        return ()

    monkeypatch.setattr(generation.Generation, "make", makes)
    with pytest.raises(error):
        make(tmp_path / "set.zarr", part_size=1, workers=2, pool="threads")
    assert sorted(finished) == sorted(started[1:])


@pytest.mark.timeout(120)
def test_a_worker_that_is_killed_is_a_failure_and_the_run_resumes(
    make, tmp_path, fails, assert_same_files
):
    def kill(done, total):
        for child in multiprocessing.active_children() if done else ():
            os.kill(child.pid, signal.SIGKILL)

    out, options = tmp_path / "set.zarr", {"sequences": 30, "part_size": 1, "kind": "rendered"}
    with fails(FailureError, "a worker process died", "`resume=True`"):
        make(out, workers=2, pool="processes", on_progress=kill, **options)
    make(out, resume=True, **options)
    make(tmp_path / "whole.zarr", **options)
    assert_same_files(out, tmp_path / "whole.zarr")


@pytest.mark.parametrize(
    ("kind", "few", "wanted"),
    [("dense", 1, "threads"), ("rendered", 2, "threads"), ("rendered", 1, "processes")],
)
def test_the_pool_that_is_faster_is_the_default(make, tmp_path, monkeypatch, kind, few, wanted):
    asked = []
    monkeypatch.setattr(generation, "FEW_SEQUENCES", few)

    def open_workers(**options):
        asked.append(options)
        return parallel.open_workers(**(options | {"workers": 1}))

    monkeypatch.setattr(production, "open_workers", open_workers)
    make(tmp_path / "set.zarr", kind=kind, workers=2, sequences=2)
    assert asked == [{"workers": 2, "pool": wanted, "scheduler": None}]


# Packing


def test_a_truth_that_does_not_fit_is_a_failure(tiny, fails):
    layout = plan(tiny, sequences=1)
    many = dataclasses.replace(tiny, units=Range(5, 5))
    with fails(FailureError, "found shape (5", "wanted room"):
        pack([draw(many)], layout, 1)


@pytest.mark.parametrize("rate", [5, 13, 60])
def test_there_is_room_for_all_firings(tiny, rate):
    parameters = dataclasses.replace(
        tiny,
        firing_rate=Range(rate, rate),
        interval_variation=Range(0, 1),
        doublets=Range(1, 1),
        units=Range(4, 4),
        doublet_interval=2.0,
        refractory_period=2.0,
    )
    layout = plan(parameters, sequences=50)
    arrays = pack([draw(parameters, index=index) for index in range(50)], layout, 50)
    # Wider than any train, so that the last column is padding.
    assert np.isnan(arrays["firing"][..., -1]).all()


def test_the_first_example_of_the_documentation_works():
    text = generate.__doc__
    assert re.search(r">>> store = generate\(.*sequences=1\)", text)
    store = generate(Parameters(units=Range(2, 2)), "memory://two.zarr", sequences=1)
    assert store.tvi(0).shape == (400, 64, 64)
    import fsspec

    fsspec.filesystem("memory").rm("/two.zarr", recursive=True)


# Memory

GROWTH = """
import resource, sys
from musim.datasets import generate, open_store, verify
from musim.simulator import Parameters, Range

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

def run(sequences, kind, frames):
    parameters = Parameters(units=Range(8, 8), frames=frames, mask="soft")
    out = f"{sys.argv[1]}/{sequences}.zarr"
    generate(parameters, out, sequences=sequences, kind=kind, part_size=8, workers=1)
    verify(out)
    return peak()

kind, few, many, frames = sys.argv[2], *map(int, sys.argv[3:])
print(-run(few, kind, frames) + run(many, kind, frames))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux only")
@pytest.mark.parametrize(
    ("kind", "few", "many", "frames"), [("rendered", 48, 300, 10), ("dense", 16, 64, 60)]
)
@pytest.mark.timeout(120)
def test_memory_does_not_grow_with_the_number_of_sequences(tmp_path, kind, few, many, frames):
    # A sequence's truth has 131 kB, its voxels 1.0 MB: kept, they were 33 MB and 47 MB more.
    arguments = [kind, *(str(number) for number in (few, many, frames))]
    result = subprocess.run(
        [sys.executable, "-c", GROWTH, str(tmp_path), *arguments],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert int(result.stdout) < 20e6
    shutil.rmtree(tmp_path)
    tmp_path.mkdir()
