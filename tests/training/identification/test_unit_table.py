"""The table of units beside its store."""

import csv

import fsspec
import numpy as np
import pytest

from musim.training.identification.unit_table import COLUMNS
from tests.training.identification.identified import (
    DEPTH,
    FRAMES,
    PIXEL,
    RATE,
    WIDTH,
    run,
    some_units,
)


@pytest.mark.parametrize("columns", [12, 13])
def test_a_table_of_an_earlier_version_is_replaced(three, found, stub, tmp_path, columns):
    stub((three, found))
    run(three, out=tmp_path / "units.zarr")
    rows = (tmp_path / "units.csv").read_text().splitlines()
    assert rows[0].split(",")[11:14] == ["confidence", "outline_confidence", "method_confidence"]
    earlier = "\n".join(",".join(row.split(",")[:columns]) for row in rows)
    (tmp_path / "units.csv").write_text(earlier)
    run(three, out=tmp_path / "units.zarr", overwrite=True)
    assert (tmp_path / "units.csv").read_text().splitlines() == rows


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


# Going on, replacing, leaving alone


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
