"""Stores of the units found: every value as it was found, its table, and what is refused."""

import csv
import dataclasses
import math

import fsspec
import numpy as np
import pytest
import xarray as xr
from threadpoolctl import threadpool_info

from musim.datasets import generate, open_store, origin, verify
from musim.datasets.events import events_table
from musim.datasets.layout import Layout
from musim.datasets.location import Location
from musim.datasets.schema import VARIABLES, variables_of
from musim.simulator import FailureError, InputError
from musim.training.identification.explanation import explained
from musim.training.identification.methods import METHODS, Method
from musim.training.identification.results import (
    MOST_UNITS,
    identify_stores,
    plan,
    recording_of,
)
from musim.training.identification.stored import VARIABLES as WRITTEN
from musim.training.identification.stored import (
    outcome_of,
    outline_confidence_of,
    pack,
    source_of,
)
from musim.training.identification.unit_table import COLUMNS, table_rows
from musim.training.identification.units import Recording, Units
from tests.makers import store_of

FRAMES, DEPTH, WIDTH, RATE, PIXEL = 40, 9, 7, 100.0, (0.5, 0.25)
PULSES = 28
"""Firings of a unit that 40 frames at 100 Hz have room for."""


def some_units(random, count, pulses=5, shape=(FRAMES, DEPTH, WIDTH)):
    """Units with soft, overlapping territories and firings of which some lie outside."""
    territory = random.random((count, *shape[1:]), np.float32)
    train = random.normal(size=(count, shape[0])).astype(np.float32)
    firing = np.sort(random.uniform(-0.05, 1.1 * shape[0] / RATE, (count, pulses)), axis=1)
    for unit in range(count):
        firing[unit, pulses - unit % pulses :] = np.nan
    confidence = np.sort(random.random(count))[::-1].copy()
    return Units(territory, train, firing, confidence, random.random(count))


@pytest.fixture
def recordings(tmp_path):
    """Return a function that stores recordings without truth, as an import does."""

    def make(name, voxels, rate=RATE, pixel=PIXEL, dtype="float32"):
        sequences, *shape = np.shape(voxels)
        sizes = dict(zip(("sequence", "time", "depth", "width"), (sequences, *shape), strict=True))
        layout = Layout(
            kind="dense", variables=("tvi",), sizes=sizes, part_size=1, dtypes={"tvi": dtype},
            frame_rate=rate, pixel_size=pixel, attributes={},
        )  # fmt: skip

        place = Location(name if "://" in name else tmp_path / name)
        return store_of(place, layout, lambda part: ({}, [np.asarray(voxels[part], np.float32)]))

    return make


@pytest.fixture
def three(recordings):
    """Three recordings that no method would find anything in."""
    random = np.random.default_rng(3)
    return recordings("three.zarr", random.normal(size=(3, FRAMES, DEPTH, WIDTH)))


@pytest.fixture
def simulated(tiny, tmp_path):
    """Three simulated recordings."""
    return generate(tiny, tmp_path / "simulated.zarr", sequences=3, seed=5, workers=1)


@pytest.fixture
def stub(monkeypatch):
    """Return a function that lets the method "stub" find given units, in each recording its own.

    The recordings it was asked for, and their truths, are in its attribute `asked`.
    """

    def install(*pairs):
        asked = []

        def method(recording, truth=None):
            asked.append((recording, truth))
            for store, found in pairs:
                for index in range(len(store)):
                    if np.array_equal(recording.tvi, recording_of(store, index).tvi):
                        if isinstance(found[index], BaseException):
                            raise found[index]
                        return found[index]
            raise AssertionError("a recording of another store")

        monkeypatch.setitem(METHODS, "stub", Method("stub", "", method, "used"))
        return asked

    return install


def run(*stores, out, **options):
    """Find units in this process."""
    options = {"method": "stub", "workers": 1} | options
    return identify_stores([store.location.address for store in stores], out, **options)


def tree(folder):
    """All files below a folder: relative path to content."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def found():
    """Units for three recordings; none in the second."""
    random = np.random.default_rng(8)
    return [some_units(random, 4), some_units(random, 0, 0), some_units(random, 1, 7)]


# What is stored


def test_every_value_is_as_it_was_found_and_the_rest_is_padding(three, found, stub, tmp_path):
    stub((three, found))
    store = run(three, out=tmp_path / "units.zarr")
    assert len(store) == 3
    for index, units in enumerate(found):
        assert store.read("unit_count", index) == units.count
        for name, value, padding in (
            ("territory", units.territory, 0),
            ("twitch_train", units.train, 0),
            ("firing", units.firing, np.nan),
            ("confidence", units.confidence, np.nan),
            ("outline_confidence", units.outline_confidence, np.nan),
        ):
            stored = store.read(name, index)
            assert stored.dtype == value.dtype
            whole = np.full(stored.shape, padding, stored.dtype)
            whole[tuple(slice(n) for n in value.shape)] = value
            np.testing.assert_array_equal(stored, whole)
        voxels = three.tvi(index).astype(np.float64)
        np.testing.assert_allclose(
            store.read("velocity_sd", index), np.sqrt(((voxels - voxels.mean(0)) ** 2).mean(0)),
            rtol=1e-6,
        )  # fmt: skip
    assert store.read("territory", 0).shape == (MOST_UNITS, DEPTH, WIDTH)
    assert store.read("firing", 0).shape == (MOST_UNITS, PULSES)
    assert np.isnan(store.read("centre_depth", 1)).all()


def test_measures_are_those_of_a_slow_version():
    random = np.random.default_rng(1)
    units = some_units(random, 6, 9)
    recording = Recording(random.normal(size=(FRAMES, DEPTH, WIDTH)).astype("f4"), RATE, PIXEL)
    layout = bare_layout()
    arrays = pack(units, recording, layout)
    masks = units.territory > 0.5
    for unit in range(6):
        weight, z, x, area, shared = 0.0, 0.0, 0.0, 0.0, 0
        for row in range(DEPTH):
            for column in range(WIDTH):
                share = float(units.territory[unit, row, column])
                weight += share
                z += share * (row + 0.5) * PIXEL[0]
                x += share * (column + 0.5) * PIXEL[1]
                if masks[unit, row, column]:
                    area += PIXEL[0] * PIXEL[1]
                    shared += masks[:, row, column].sum() > 1
        inside = [t for t in units.firing[unit] if 0 <= t < FRAMES / RATE]
        intervals = np.diff(inside)
        wanted = {
            "centre_depth": z / weight,
            "centre_width": x / weight,
            "diameter": 2 * math.sqrt(area / math.pi),
            "overlap": shared / masks[unit].sum(),
            "firing_rate": 1 / intervals.mean() if len(intervals) else math.nan,
            "interval_variation": (
                intervals.std(ddof=1) / intervals.mean() if len(intervals) > 1 else math.nan
            ),
        }
        for name, value in wanted.items():
            assert arrays[name][unit] == pytest.approx(value, nan_ok=True), name


def test_what_is_left_is_stored(three, found, stub, tmp_path):
    remarks = [("copies-left-out",), (), ("pulsation-left-out", "slow-motion-removed")]
    stub((three, [dataclasses.replace(units, remarks=said)
                  for units, said in zip(found, remarks, strict=True)]))  # fmt: skip
    store = run(three, out=tmp_path / "units.zarr")
    names = str(store.layout.attributes["musim_remarks"]).split()
    for index, units in enumerate(found):
        wanted = explained(recording_of(three, index), units)
        outcome = outcome_of(store, index)
        assert outcome.units == units.count
        assert outcome.explained_share == pytest.approx(wanted.explained_share, nan_ok=True)
        assert set(remarks[index]) <= set(outcome.remarks)
        # Who reads the store without musim finds the names in the attribute.
        bits = int(store.read("remarks", index))
        said = tuple(name for place, name in enumerate(names) if bits >> place & 1)
        assert said == outcome.remarks
        np.testing.assert_array_equal(store.read("residual_sd", index), wanted.residual_sd)
        assert store.read("residual_sd", index).dtype == np.float32
        np.testing.assert_array_equal(outline_confidence_of(store, index), units.outline_confidence)
    assert not three.layout.attributes.get("musim_remarks")


def test_units_that_nobody_explained_are_stored_too():
    recording = Recording(np.zeros((FRAMES, DEPTH, WIDTH), np.float32), RATE, PIXEL)
    arrays = pack(some_units(np.random.default_rng(1), 2), recording, bare_layout())
    assert math.isnan(arrays["explained_share"])
    assert np.isnan(arrays["residual_sd"]).all()
    assert arrays["residual_sd"].shape == (DEPTH, WIDTH)
    assert (arrays["remarks"], arrays["remarks"].dtype) == (0, np.int32)


def test_a_store_of_an_earlier_version_reads_as_before(three, found, tmp_path):
    # Up to version 1.0, neither what is left nor how certain outlines are was written.
    layout = plan([three], "ica")
    later = (origin.ORIGIN, origin.VERSION, origin.REMARKS)
    attributes = {k: v for k, v in layout.attributes.items() if k not in later}
    earlier = dataclasses.replace(layout, variables=WRITTEN[:-4], attributes=attributes)
    assert "confidence" in earlier.variables

    def given(part):
        arrays = pack(found[part], recording_of(three, part), plan([three], "ica"))
        return {name: values[None] for name, values in arrays.items()}, ()

    store_of(tmp_path / "units.zarr", earlier, given)
    store = verify(tmp_path / "units.zarr")
    for index, units in enumerate(found):
        outcome = outcome_of(store, index)
        assert (outcome.units, outcome.remarks) == (units.count, ())
        assert math.isnan(outcome.explained_share)
        assert np.isnan(outline_confidence_of(store, index)).all()
        rows = table_rows(store, index)
        assert [row["confidence"] for row in rows] == list(units.confidence)
        assert all(math.isnan(row["outline_confidence"]) for row in rows)
    assert "residual_sd" not in store.dataset


def test_a_table_of_an_earlier_version_is_replaced(three, found, stub, tmp_path):
    stub((three, found))
    run(three, out=tmp_path / "units.zarr")
    rows = (tmp_path / "units.csv").read_text().splitlines()
    assert rows[0].endswith(",confidence,outline_confidence")
    earlier = "\n".join(row.rsplit(",", 1)[0] for row in rows)
    (tmp_path / "units.csv").write_text(earlier)
    run(three, out=tmp_path / "units.zarr", overwrite=True)
    assert (tmp_path / "units.csv").read_text().splitlines() == rows


def bare_layout(sequences=1):
    """The layout of a result whose sizes are those of this file."""
    source = Layout(
        kind="dense", variables=("tvi",), part_size=1, dtypes={}, frame_rate=RATE, attributes={},
        sizes={"sequence": sequences, "time": FRAMES, "depth": DEPTH, "width": WIDTH},
        pixel_size=PIXEL,
    )  # fmt: skip

    class Source:
        layout, location, has_truth = source, Location("x"), False

        def __len__(self):
            return sequences

    return plan([Source()], "ica")


def test_voxels_are_the_sum_of_the_units_without_noise(three, found, stub, tmp_path):
    stub((three, found))
    store = run(three, out=tmp_path / "units.zarr")
    for index, units in enumerate(found):
        wanted = np.einsum("ut,uzx->tzx", units.train.astype(float), units.territory.astype(float))
        np.testing.assert_allclose(store.tvi(index), wanted, atol=1e-5)
        window = {"time": slice(7, 19), "depth": slice(2, 5), "width": slice(1, 7)}
        np.testing.assert_array_equal(store.tvi(index, **window), store.tvi(index)[7:19, 2:5, 1:7])
        lazy = store.dataset.tvi[index].compute().to_numpy()
        np.testing.assert_array_equal(lazy, store.tvi(index))
    assert not store.tvi(1).any()


def test_a_result_has_units_but_no_truth(three, found, simulated, stub, tmp_path, refused):
    stub((three, found))
    store = run(three, out=tmp_path / "units.zarr")
    assert (store.kind, store.has_units, store.has_truth) == ("identified", True, False)
    assert (store.parameters, store.seed, store.domain) == (None, None, None)
    with refused("without truth"):
        store.truth(0)
    assert (three.has_units, three.has_truth, three.domain) == (False, False, None)
    assert (simulated.has_units, simulated.has_truth) == (True, True)
    assert simulated.domain == "analytic"


def test_other_readers_open_it_and_it_is_whole(three, found, stub, tmp_path):
    stub((three, found))
    run(three, out=tmp_path / "units.zarr")
    assert len(verify(tmp_path / "units.zarr")) == 3
    with xr.open_zarr(tmp_path / "units.zarr") as dataset:
        assert "tvi" not in dataset
        assert dataset.territory.dims == ("sequence", "unit", "depth", "width")
        assert dataset.velocity_sd.dims == ("sequence", "depth", "width")
        assert dataset.velocity_sd.attrs["units"] == "mm/s"
        assert dataset.confidence.dims == ("sequence", "unit")
        np.testing.assert_allclose(dataset.time, np.arange(FRAMES) / RATE)
        np.testing.assert_allclose(dataset.depth, (np.arange(DEPTH) + 0.5) * PIXEL[0])
        assert dataset.attrs["musim_kind"] == "identified"
        assert dataset.unit_count.to_numpy().tolist() == [4, 0, 1]
    store = open_store(tmp_path / "units.zarr")
    lines = events_table(store, 0).splitlines()[1:]
    assert len(lines) == int(np.isfinite(found[0].firing).sum())
    assert events_table(store, 1).splitlines() == ["onset\tduration\ttrial_type\tunit"]


def test_damage_is_seen(three, found, stub, tmp_path):
    stub((three, found))
    run(three, out=tmp_path / "units.zarr")
    (chunk,) = (tmp_path / "units.zarr" / "confidence").glob("c.1.*")
    content = bytearray(chunk.read_bytes())
    content[len(content) // 2] ^= 1
    chunk.write_bytes(content)
    with pytest.raises(FailureError, match=r"confidence/c\.1"):
        verify(tmp_path / "units.zarr")


def test_simulated_stores_do_not_have_the_variables_of_results(simulated):
    declared = {v.name: v for v in VARIABLES}
    for name in (
        "confidence", "velocity_sd", "outline_confidence", "explained_share", "residual_sd",
        "remarks",
    ):  # fmt: skip
        assert not declared[name].truth
        if name != "remarks":
            assert math.isnan(declared[name].fill_value)
        assert name not in simulated.layout.variables
        assert name not in {v.name for kind in ("dense", "rendered") for v in variables_of(kind)}


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

    monkeypatch.setitem(METHODS, "stub", Method("stub", "", method, "used"))
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


@pytest.mark.parametrize("method", ["oracle-territories", "oracle-trains"])
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


# The table


def test_the_table_has_a_row_for_each_unit(three, found, stub, tmp_path):
    stub((three, found))
    run(three, out=tmp_path / "units.zarr")
    with (tmp_path / "units.csv").open(newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    assert tuple(reader.fieldnames) == COLUMNS
    places = [(int(row["sequence"]), int(row["unit"])) for row in rows]
    assert places == [(0, 0), (0, 1), (0, 2), (0, 3), (2, 0)]
    z, x = np.mgrid[:DEPTH, :WIDTH] + 0.5
    for (index, unit), row in zip(places, rows, strict=True):
        units = found[index]
        territory = units.territory[unit].astype(float)
        firing = units.firing[unit]
        firing = firing[(firing >= 0) & (firing < FRAMES / RATE)]
        wanted = {
            "centre_depth_mm": (territory * z).sum() / territory.sum() * PIXEL[0],
            "centre_width_mm": (territory * x).sum() / territory.sum() * PIXEL[1],
            "area_mm2": np.count_nonzero(units.territory[unit] > 0.5) * PIXEL[0] * PIXEL[1],
            "firings": len(firing),
            "peak_velocity_mm_s": np.abs(units.train[unit]).max(),
            "confidence": units.confidence[unit],
            "outline_confidence": units.outline_confidence[unit],
        }
        for name, value in wanted.items():
            assert float(row[name]) == pytest.approx(value, rel=1e-5), name
        if len(firing) > 1:
            assert float(row["firing_rate_hz"]) == pytest.approx(1 / np.diff(firing).mean(), 1e-5)
        else:
            assert row["firing_rate_hz"] == ""
        if len(firing) > 2:
            variation = np.diff(firing).std(ddof=1) / np.diff(firing).mean()
            assert float(row["interval_variation"]) == pytest.approx(variation, rel=1e-5)
        else:
            assert row["interval_variation"] == ""
        assert row["source"] == three.location.address


@pytest.mark.parametrize("name", ["units", "a.b.zarr"])
def test_the_table_stands_beside_a_local_store(three, found, stub, tmp_path, name):
    stub((three, found))
    run(three, out=tmp_path / name)
    assert (tmp_path / (name.removesuffix(".zarr") + ".csv")).is_file()


def test_a_store_in_memory_has_no_table(recordings, stub):
    try:
        source = recordings(
            "memory://r.zarr", np.random.default_rng(1).normal(size=(2, FRAMES, DEPTH, WIDTH))
        )
        random = np.random.default_rng(2)
        found = [some_units(random, 2), some_units(random, 1)]
        stub((source, found))
        store = run(source, out="memory://units.zarr", workers=2)
        assert [int(store.read("unit_count", index)) for index in range(2)] == [2, 1]
        files = fsspec.filesystem("memory").find("")
        assert files
        assert not [name for name in files if name.endswith(".csv")]
    finally:
        fsspec.filesystem("memory").store.clear()
        fsspec.filesystem("memory").pseudo_dirs[:] = [""]


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


def test_there_is_room_for_so_many_units_and_no_more(three, stub, tmp_path):
    random = np.random.default_rng(4)
    most, more = some_units(random, MOST_UNITS, 3), some_units(random, MOST_UNITS + 1, 3)
    stub((three, [most] * 3))
    assert run(three, out=tmp_path / "most.zarr").read("unit_count", 2) == MOST_UNITS
    stub((three, [most, more, most]))
    with pytest.raises(FailureError) as caught:
        run(three, out=tmp_path / "more.zarr")
    text = str(caught.value)
    assert text.startswith(f"{three.location}, sequence 1: ")
    assert "found 101 (unit)" in text
    assert "wanted no more than 100" in text


def test_there_is_room_for_so_many_firings_and_no_more(three, stub, tmp_path):
    random = np.random.default_rng(4)
    full = some_units(random, 2, PULSES)
    stub((three, [full] * 3))
    store = run(three, out=tmp_path / "most.zarr")
    np.testing.assert_array_equal(store.read("firing", 1)[:2], full.firing)
    stub((three, [full, some_units(random, 1, PULSES + 1), full]))
    with pytest.raises(FailureError, match=r"sequence 1: firing: found 1 \(unit\) x 29 \(pulse\)"):
        run(three, out=tmp_path / "more.zarr")


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
    [("constant", "the same value"), ("still", "the same value"), ("nan", "not finite"),
     ("infinite", "not finite"), ("short", "found 1 frames")],
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


def test_the_sequence_is_counted_in_its_own_store(
    recordings, three, stub, found, tmp_path, refused
):
    other = recordings("other.zarr", broken("constant", (FRAMES, DEPTH, WIDTH)))
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


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\x00" * 3000])
def test_a_file_of_somebody_else_is_not_replaced_by_the_table(three, found, stub, tmp_path,
                                                              content, refused):  # fmt: skip
    asked = stub((three, found))
    (tmp_path / "units.csv").write_bytes(content)
    with refused("units.csv: found something"):
        run(three, out=tmp_path / "units.zarr", overwrite=True)
    assert not asked
    assert (tmp_path / "units.csv").read_bytes() == content
    assert not (tmp_path / "units.zarr").exists()


def test_a_table_that_lost_its_store_is_replaced_only_when_asked(
    three, found, stub, tmp_path, refused
):
    stub((three, found))
    (tmp_path / "units.csv").write_text(",".join(COLUMNS) + "\n")
    with refused("found a table of units there"):
        run(three, out=tmp_path / "units.zarr")
    assert not (tmp_path / "units.zarr").exists()
    run(three, out=tmp_path / "units.zarr", overwrite=True)
    assert len((tmp_path / "units.csv").read_text().splitlines()) == 6


def test_a_folder_where_the_table_will_stand_is_refused(three, found, stub, tmp_path, refused):
    stub((three, found))
    (tmp_path / "b.csv").mkdir()
    with refused("b.csv: found something"):
        run(three, out=tmp_path / "b.zarr")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.csv", "three.zarr"]


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
