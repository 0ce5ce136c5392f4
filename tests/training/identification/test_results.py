"""Finding the units of stores: methods and what they are given, what is refused, what goes on."""

import dataclasses
import math

import fsspec
import numpy as np
import pytest
from threadpoolctl import threadpool_info

from musim.datasets import open_store, origin
from musim.simulator import FailureError, InputError, Parameters
from musim.simulator.experiment.doses import Doses
from musim.simulator.imaging.chain import Chain
from musim.simulator.imaging.filtering import BandPass
from musim.training.identification.methods import METHODS, Method
from musim.training.identification.results import (
    band_of,
    identify_stores,
)
from musim.training.identification.stored import (
    outcome_of,
    source_of,
)
from musim.training.identification.unit_table import COLUMNS, table_rows
from musim.training.identification.units import none
from tests import moments
from tests.training.identification.identified import (
    DEPTH,
    FRAMES,
    PIXEL,
    RATE,
    WIDTH,
    run,
    some_units,
    tree,
)

# Methods and what they are given


def test_methods_get_each_recording_as_it_is_and_the_truth_where_there_is_one(
    simulated, three, stub, tmp_path
):
    random = np.random.default_rng(2)
    shape = simulated.layout.shape
    units = [some_units(random, 1, shape=shape) for _ in range(3)]
    asked = stub((simulated, units))
    run(simulated, out=tmp_path / "a.zarr")
    assert len(asked) == 3
    for recording, truth in asked:
        index = next(i for i in range(3) if truth.noise_key[0] == simulated.read("noise_key", i)[0])
        np.testing.assert_array_equal(recording.tvi, simulated.tvi(index))
        assert recording.frame_rate == simulated.layout.frame_rate
        assert recording.pixel_size == simulated.layout.pixel_size
        np.testing.assert_array_equal(truth.firing, simulated.truth(index).firing)
    asked = stub((three, [some_units(random, 1)] * 3))
    run(three, out=tmp_path / "b.zarr")
    assert [truth for _, truth in asked] == [None] * 3


@pytest.mark.timeout(120)
def test_a_scripts_own_method_works_in_processes(three, monkeypatch, tmp_path):
    def find(recording):
        return none(recording, ("no-motion",))

    # As if it stood in the script: no module that another process could import has it.
    find.__module__ = "__main__"
    monkeypatch.setitem(METHODS, "own", Method("own", "", find))
    store = identify_stores(three, tmp_path / "units.zarr", method="own", workers=2)
    assert all("no-motion" in outcome_of(store, index).remarks for index in range(3))


def test_half_precision_is_read_as_float32(recordings, stub, tmp_path):
    voxels = np.random.default_rng(1).normal(size=(1, FRAMES, DEPTH, WIDTH))
    store = recordings("half.zarr", voxels, dtype="float16")
    asked = stub((store, [some_units(np.random.default_rng(2), 1)]))
    run(store, out=tmp_path / "units.zarr")
    assert asked[0][0].tvi.dtype == np.float32
    np.testing.assert_array_equal(asked[0][0].tvi, voxels[0].astype(np.float16))


def test_linear_algebra_keeps_to_one_core(three, monkeypatch, tmp_path):
    threads = []

    def method(recording, truth=None):
        threads.extend(pool["num_threads"] for pool in threadpool_info())
        return some_units(np.random.default_rng(1), 1)

    monkeypatch.setitem(METHODS, "stub", Method("stub", "", method, "used", keeps_confidence=True))
    run(three, out=tmp_path / "units.zarr")
    assert threads
    assert set(threads) == {1}


def test_only_noise_has_no_unit(recordings, tmp_path):
    noise = np.random.default_rng(0).normal(size=(1, 60, 12, 12))
    store = recordings("noise.zarr", noise)
    result = run(store, out=tmp_path / "units.zarr", method="ica")
    assert result.read("unit_count", 0) == 0
    assert (tmp_path / "units.csv").read_text() == ",".join(COLUMNS) + "\n"
    assert not result.tvi(0).any()


@pytest.mark.parametrize("method", ["oracle-territories", "oracle-trains", "oracle-maps"])
def test_oracles_need_the_truth_of_all(simulated, recordings, tmp_path, method, refused):
    dz, dx = simulated.layout.pixel_size
    voxels = np.random.default_rng(1).normal(size=(1, *simulated.layout.shape))
    other = recordings("r.zarr", voxels, simulated.layout.frame_rate, (dz, dx))
    with refused("without truth"):
        run(simulated, other, out=tmp_path / "units.zarr", method=method)
    assert not list(tmp_path.glob("units*"))


def test_an_unknown_method_is_refused(three, tmp_path, refused):
    with refused("found 'best', wanted one of ica, refine"):
        run(three, out=tmp_path / "units.zarr", method="best")
    assert not list(tmp_path.glob("units*"))


# Several recordings


def test_recordings_follow_one_another(three, recordings, found, stub, tmp_path, refused):
    random = np.random.default_rng(9)
    other = recordings("other.zarr", random.normal(size=(2, FRAMES, DEPTH, WIDTH)))
    more = [some_units(random, 2), some_units(random, 3)]
    stub((three, found), (other, more))
    store = run(other, three, out=tmp_path / "units.zarr")
    assert len(store) == 5
    for index, units in enumerate([*more, *found]):
        np.testing.assert_array_equal(store.read("territory", index)[: units.count],
                                      units.territory)  # fmt: skip
        source, place = source_of(store.layout, index)
        assert source.location.address == (other if index < 2 else three).location.address
        assert place == (index if index < 2 else index - 2)
        for row in table_rows(store, index):
            assert row["source"] == source.location.address
            assert (row["source_sequence"], row["sequence"]) == (place, index)
    with refused("sequence 5"):
        source_of(store.layout, 5)


@pytest.mark.parametrize(
    ("shape", "rate", "pixel", "words"),
    [
        ((FRAMES + 1, DEPTH, WIDTH), RATE, PIXEL, "41 frames"),
        ((FRAMES, DEPTH + 1, WIDTH), RATE, PIXEL, "10 x 7 px"),
        ((FRAMES, DEPTH, WIDTH), RATE + 1, PIXEL, "101 Hz"),
        ((FRAMES, DEPTH, WIDTH), RATE, (0.5, 0.3), "0.5 x 0.3 mm"),
    ],
)
def test_recordings_of_other_grids_are_refused(three, recordings, tmp_path, shape, rate, pixel,
                                               words, refused):  # fmt: skip
    other = recordings("other.zarr", np.random.default_rng(1).normal(size=(1, *shape)), rate, pixel)
    with refused() as caught:
        run(three, other, out=tmp_path / "units.zarr", method="ica")
    text = str(caught.value)
    assert text.startswith(f"{other.location}: found")
    assert words in text
    assert "9 x 7 px of 0.5 x 0.25 mm and 40 frames at 100 Hz" in text
    assert str(three.location) in text
    assert len(text.splitlines()) == 1
    assert not list(tmp_path.glob("units*"))


def test_no_recording_is_refused(tmp_path, refused):
    with refused("found none"):
        identify_stores([], tmp_path / "units.zarr")


def test_a_recording_in_memory_is_read_by_threads(recordings, stub, tmp_path):
    try:
        voxels = np.random.default_rng(1).normal(size=(3, FRAMES, DEPTH, WIDTH))
        source = recordings("memory://r.zarr", voxels)
        stub((source, [some_units(np.random.default_rng(2), 2)] * 3))
        assert len(run(source, out=tmp_path / "units.zarr", workers=2)) == 3
    finally:
        fsspec.filesystem("memory").store.clear()
        fsspec.filesystem("memory").pseudo_dirs[:] = [""]


# What does not fit


def broken(kind, shape):
    voxels = np.random.default_rng(1).normal(size=(2, *shape))
    if kind == "constant":
        voxels[1] = 0.25
    elif kind == "still":
        voxels[1] = voxels[1, 0]
    elif kind != "short":
        voxels[1, 5, 3, 2] = {"nan": np.nan, "infinite": -np.inf}[kind]
    return voxels


@pytest.mark.parametrize(
    ("kind", "words"),
    [("nan", "not finite"), ("infinite", "not finite"), ("short", "found 1 frames")],
)  # fmt: skip
def test_a_recording_in_which_nothing_can_be_found_is_named(
    recordings, tmp_path, kind, words, refused
):
    shape = (1 if kind == "short" else FRAMES, DEPTH, WIDTH)
    voxels = broken(kind, shape)
    store = recordings("r.zarr", voxels[1:])
    before = tree(tmp_path)
    with refused() as caught:
        run(store, out=tmp_path / "new" / "units.zarr", method="refine")
    text = str(caught.value)
    assert text.startswith(f"{store.location}, sequence 0: recording: found")
    assert words in text
    assert len(text.splitlines()) == 1
    assert tree(tmp_path) == before
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("kind", ["constant", "still"])
@pytest.mark.parametrize("method", ["ica", "refine", "edges+refine"])
def test_a_recording_of_nothing_does_not_end_the_others(recordings, tmp_path, kind, method):
    store = recordings("r.zarr", broken(kind, (FRAMES, DEPTH, WIDTH))[::-1])
    result = run(store, out=tmp_path / "units.zarr", method=method)
    silent, other = outcome_of(result, 0), outcome_of(result, 1)
    assert (silent.units, silent.remarks) == (0, ("nothing-recorded",))
    assert math.isnan(silent.explained_share)
    assert "nothing-recorded" not in other.remarks
    assert not result.read("velocity_sd", 0).any()
    # Neither does it keep an earlier result from being replaced.
    assert len(run(store, out=tmp_path / "units.zarr", method=method, overwrite=True)) == 2


def test_the_sequence_is_counted_in_its_own_store(
    recordings, three, stub, found, tmp_path, refused
):
    other = recordings(
        "other.zarr", np.random.default_rng(1).normal(size=(2, FRAMES, DEPTH, WIDTH))
    )
    error = InputError("recording: found nothing, wanted more")
    stub((three, found), (other, [found[0], error]))
    with refused() as caught:
        run(three, other, out=tmp_path / "units.zarr")
    assert str(caught.value) == f"{other.location}, sequence 1: {error}"
    assert not list(tmp_path.glob("units*"))


# Going on, replacing, leaving alone


@pytest.mark.parametrize("error", [FailureError("no more"), KeyboardInterrupt()])
def test_what_was_interrupted_goes_on_to_the_same_bytes(
    three, found, stub, tmp_path, monkeypatch, error, refused
):
    stub((three, found))
    run(three, out=tmp_path / "whole" / "units.zarr")
    stub((three, found))
    method, calls = METHODS["stub"], []

    def interrupted(recording, truth=None):
        calls.append(recording)
        if len(calls) == 2:
            raise error
        return method(recording, truth)

    monkeypatch.setitem(METHODS, "stub", Method("stub", "", interrupted, "used"))
    with pytest.raises(type(error)):
        run(three, out=tmp_path / "part" / "units.zarr")
    assert not (tmp_path / "part" / "units.csv").exists()
    with refused("unfinished store"):
        open_store(tmp_path / "part" / "units.zarr")
    with refused("unfinished store", "`resume=True`"):
        run(three, out=tmp_path / "part" / "units.zarr")
    asked = stub((three, found))
    run(three, out=tmp_path / "part" / "units.zarr", resume=True)
    assert len(asked) == 2
    assert tree(tmp_path / "part") == tree(tmp_path / "whole")


def test_a_finished_store_is_not_made_again_but_its_table_is(three, found, stub, tmp_path):
    stub((three, found))
    run(three, out=tmp_path / "units.zarr")
    before = tree(tmp_path)
    (tmp_path / "units.csv").unlink()
    asked = stub((three, found))
    run(three, out=tmp_path / "units.zarr", resume=True)
    assert not asked
    assert tree(tmp_path) == before


def test_another_method_or_recording_does_not_go_on(three, found, recordings, stub, tmp_path,
                                                    monkeypatch):  # fmt: skip
    stub((three, found))
    run(three, out=tmp_path / "units.zarr")
    monkeypatch.setitem(METHODS, "other", METHODS["stub"])
    before = tree(tmp_path / "units.zarr")
    with pytest.raises(InputError, match="method: stub there, other asked"):
        run(three, out=tmp_path / "units.zarr", method="other", resume=True)
    more = recordings("more.zarr", np.random.default_rng(1).normal(size=(3, FRAMES, DEPTH, WIDTH)))
    with pytest.raises(InputError, match=r"store: .*three\.zarr there, .*more\.zarr asked"):
        run(more, out=tmp_path / "units.zarr", resume=True)
    assert tree(tmp_path / "units.zarr") == before


def test_a_recording_may_be_given_alone_and_open(three, found, stub, tmp_path):
    for name, given in (("store", three), ("text", three.location.address)):
        stub((three, found))
        store = identify_stores(given, tmp_path / f"{name}.zarr", method="stub", workers=1)
        assert store.origin.searched[0].store == three.location.address


def test_a_store_is_replaced_only_when_asked(three, found, stub, tmp_path, refused):
    stub((three, found))
    run(three, out=tmp_path / "units.zarr")
    before = tree(tmp_path)
    stub((three, found[::-1]))
    with refused("found a store there"):
        run(three, out=tmp_path / "units.zarr")
    assert tree(tmp_path) == before
    store = run(three, out=tmp_path / "units.zarr", overwrite=True)
    assert [int(store.read("unit_count", index)) for index in range(3)] == [1, 0, 4]
    assert len((tmp_path / "units.csv").read_text().splitlines()) == 6
    assert (tmp_path / "units.csv").read_bytes() != before["units.csv"]


def test_a_bad_recording_replaces_nothing(three, found, recordings, stub, tmp_path, refused):
    stub((three, found))
    run(three, out=tmp_path / "units.zarr")
    bad = recordings("bad.zarr", broken("nan", (FRAMES, DEPTH, WIDTH)))
    stub((bad, found[:2]))
    before = tree(tmp_path)
    with refused("bad.zarr, sequence 1: ", "not finite"):
        run(bad, out=tmp_path / "units.zarr", overwrite=True)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("out", ["three.zarr", "three.zarr/units.zarr", ".", "a/../three.zarr"])
def test_recordings_are_never_replaced(three, found, stub, tmp_path, out, refused):
    asked = stub((three, found))
    before = tree(tmp_path)
    with refused("found the recording ", "three.zarr at this place"):
        run(three, out=tmp_path / out, overwrite=True)
    assert not asked
    assert tree(tmp_path) == before


def test_a_recording_in_memory_is_not_replaced(recordings, stub, refused):
    try:
        voxels = np.random.default_rng(1).normal(size=(1, FRAMES, DEPTH, WIDTH))
        source = recordings("memory://r.zarr", voxels)
        stub((source, [some_units(np.random.default_rng(2), 2)]))
        with refused("found the recording"):
            run(source, out="memory://r.zarr", overwrite=True)
        assert np.array_equal(open_store("memory://r.zarr").tvi(0), voxels[0].astype("f4"))
    finally:
        fsspec.filesystem("memory").store.clear()
        fsspec.filesystem("memory").pseudo_dirs[:] = [""]


def test_a_source_that_is_gone_is_named(three, found, stub, tmp_path, refused):
    stub((three, found))
    store = run(three, out=tmp_path / "units.zarr")
    layout = dataclasses.replace(
        store.layout,
        attributes=origin.to_attributes(
            origin.Identified(method="ica", searched=(origin.Searched("gone.zarr", 3),))
        ),
    )
    with refused("gone.zarr: found nothing"):
        source_of(layout, 1)


def test_progress_counts_recordings(three, found, stub, tmp_path):
    stub((three, found))
    told = []
    run(three, out=tmp_path / "units.zarr", on_progress=lambda *numbers: told.append(numbers))
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]


@pytest.mark.slow
def test_whenever_an_identification_is_killed_it_goes_on(three, tmp_path, scaled):
    def make(path, method="ica", **options):
        identify_stores(three, path, method=method, workers=1, **options)

    moments.kill_at_random(make, lambda path: make(path, "refine"), tmp_path, scaled(10), seed=5)


# What recordings were passed through


def test_the_band_pass_of_recordings_is_that_of_their_chain():
    parameters = Parameters(frame_rate=400.0)
    assert band_of(origin.Simulated(parameters=parameters, seed=1), 400.0) is None
    for quick in (False, True):
        simulated = origin.Simulated(parameters=parameters, seed=1, doses=Doses(), quick=quick)
        assert band_of(simulated, 400.0) == BandPass(low=5.0, high=50.0, frame_rate=400.0, order=4)
    chain = Chain(band=(8.0, 90.0), order=2)
    imported = origin.Imported(cuts=(), descriptions=(), chain=chain)
    assert band_of(imported, 400.0) == BandPass(low=8.0, high=90.0, frame_rate=400.0, order=2)
    # Frames that were left out afterwards show no more than they can.
    assert band_of(imported, 100.0) == BandPass(low=8.0, high=45.0, frame_rate=100.0, order=2)
    assert band_of(imported, 15.0) is None
    assert band_of(dataclasses.replace(imported, chain=Chain()), 400.0) is None
