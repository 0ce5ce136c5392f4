"""What is stored of units: every value as it was found, read as it was stored."""

import dataclasses
import math

import numpy as np
import pytest
import xarray as xr

from musim.datasets import open_store, verify
from musim.datasets.events import COLUMNS, events_table
from musim.datasets.origins import attributes as names
from musim.datasets.schema import VARIABLES, variables_of
from musim.simulator import FailureError
from musim.training.identification.explanation import explained
from musim.training.identification.results import (
    MOST_UNITS,
    plan,
    recording_of,
)
from musim.training.identification.stored import (
    PARTS,
    outcome_of,
    outline_confidence_of,
    pack,
    parts_in,
    ways_of,
)
from musim.training.identification.stored import VARIABLES as WRITTEN
from musim.training.identification.unit_table import table_rows
from musim.training.identification.units import Recording
from musim.training.identification.ways import Way
from tests.makers import store_of
from tests.training.identification.identified import (
    DEPTH,
    FRAMES,
    PIXEL,
    PULSES,
    RATE,
    WIDTH,
    bare_layout,
    run,
    some_units,
)


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


def test_where_motion_was_left_out_is_stored_and_told(three, found, stub, tmp_path):
    image = np.zeros((DEPTH, WIDTH), np.uint8)
    image[0, :2] = 1
    stub((three, [dataclasses.replace(units, other_motion=where)
                  for units, where in zip(found, (None, image, None), strict=True)]))  # fmt: skip
    store = run(three, out=tmp_path / "units.zarr")
    told = [outcome_of(store, index).other_motion for index in range(3)]
    depth, width = 0.5 * PIXEL[0], PIXEL[1]
    assert told == ["", f"artery at {depth:.1f} mm deep, {width:.1f} mm across", ""]
    np.testing.assert_array_equal(store.read("other_motion", 1), image)


def test_the_way_is_stored_and_told_where_there_are_units(three, found, stub, tmp_path):
    ways = [Way("spread", 0.8125, 0.97), Way("sharp", 0.9875, 0.97), None]
    stub((three, [dataclasses.replace(units, way=way)
                  for units, way in zip(found, ways, strict=True)]))  # fmt: skip
    store = run(three, out=tmp_path / "units.zarr")
    outcomes = [outcome_of(store, index) for index in range(3)]
    assert [outcome.way for outcome in outcomes] == ways
    assert ways_of(outcomes) == [way if units.count else None
                                 for units, way in zip(found, ways, strict=True)]  # fmt: skip
    assert [int(store.read("way", index)) for index in range(3)] == [3, 1, 0]
    assert store.read("way_found", 0) == 0.8125
    assert store.read("way", 0).dtype == np.uint8
    verify(tmp_path / "units.zarr")


def test_units_that_nobody_explained_are_stored_too():
    recording = Recording(np.zeros((FRAMES, DEPTH, WIDTH), np.float32), RATE, PIXEL)
    arrays = pack(some_units(np.random.default_rng(1), 2), recording, bare_layout())
    assert math.isnan(arrays["explained_share"])
    assert np.isnan(arrays["residual_sd"]).all()
    assert arrays["residual_sd"].shape == (DEPTH, WIDTH)
    np.testing.assert_array_equal(arrays["frame_fault"], np.zeros(FRAMES, np.uint8))
    assert (arrays["remarks"], arrays["remarks"].dtype) == (0, np.int32)


def test_a_store_of_an_earlier_version_reads_as_before(three, found, tmp_path):
    # Up to version 1.0, neither what is left nor how certain outlines are was written.
    layout = plan([three], "ica")
    later = (names.ORIGIN, names.VERSION, names.REMARKS)
    attributes = {k: v for k, v in layout.attributes.items() if k not in later}
    earlier = dataclasses.replace(layout, variables=WRITTEN[:WRITTEN.index("outline_confidence")],
                                  attributes=attributes)  # fmt: skip
    assert "confidence" in earlier.variables

    def given(part):
        arrays = pack(found[part], recording_of(three, part), plan([three], "ica"))
        return {name: values[None] for name, values in arrays.items()}, ()

    store_of(tmp_path / "units.zarr", earlier, given)
    store = verify(tmp_path / "units.zarr")
    for index, units in enumerate(found):
        outcome = outcome_of(store, index)
        assert (outcome.units, outcome.remarks) == (units.count, ())
        assert outcome.frame_faults == ()
        assert math.isnan(outcome.explained_share)
        assert np.isnan(outline_confidence_of(store, index)).all()
        rows = table_rows(store, index)
        assert [row["confidence"] for row in rows] == list(units.confidence)
        assert all(math.isnan(row["outline_confidence"]) for row in rows)
        assert parts_in(store, index) is None
        assert all(math.isnan(row["map_repeatability"]) for row in rows)
        assert {row["doubts"] for row in rows} <= {""}
    assert "residual_sd" not in store.dataset


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
    assert events_table(store, 1).splitlines() == ["\t".join(COLUMNS)]


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
        "remarks", "frame_fault", "cut_count", "other_motion", "way", "way_found",
        "way_wanted", *PARTS,
    ):  # fmt: skip
        assert not declared[name].truth
        if name not in {"remarks", "frame_fault", "cut_count", "other_motion", "way"}:
            assert math.isnan(declared[name].fill_value)
        assert name not in simulated.layout.variables
        assert name not in {v.name for kind in ("dense", "rendered") for v in variables_of(kind)}


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
