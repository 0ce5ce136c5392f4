"""The table of units at the command line."""

import dataclasses

import numpy as np
from rich.console import Console

from musim.cli import unit_summary
from musim.cli.unit_summary import units_in
from musim.datasets import generate
from musim.simulator import Parameters, Range
from tests.training.identification.confidence.test_model import BAD, GOOD, parts

SMALL = Parameters(
    units=Range(3, 3), pixels=(12, 10), size=(12.0, 10.0), diameter=Range(3, 5), frames=60,
    snr=Range(10, 10),
)  # fmt: skip


def shown(table, width=200):
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(table)
    console.file.close()
    return console.export_text()


def store(tmp_path, store_of_units, nearly, **more):
    source = generate(SMALL, tmp_path / "musim.zarr", sequences=1, seed=2, workers=1)
    units = dataclasses.replace(nearly(source.truth(0)), **more)
    return store_of_units(tmp_path / "units.zarr", source, [units])


def test_the_surest_comes_first_and_what_is_doubted_says_why(tmp_path, store_of_units, nearly):
    made = store(
        tmp_path, store_of_units, nearly, parts=parts(GOOD, BAD, GOOD),
        confidence=np.array([0.6, 0.02, 0.93]),
    )  # fmt: skip
    lines = shown(units_in(made, 0)).splitlines()
    rows = [line.split() for line in lines[3:6]]
    assert [row[:2] for row in rows] == [["2", "0.93"], ["0", "0.60"], ["1", "0.02"]]
    assert rows[2][2:7] == ["0.20", "0.10", "−15.0", "2", "%"]
    assert "moves like a stronger unit (correlation 0.95)" in lines[5]


def test_many_units_are_counted_and_none_has_no_table(
    tmp_path, store_of_units, nearly, monkeypatch
):
    made = store(tmp_path, store_of_units, nearly)
    monkeypatch.setattr(unit_summary, "MOST_UNITS", 2)
    assert "and 1 more, less sure" in shown(units_in(made, 0))
    source = generate(SMALL, tmp_path / "other.zarr", sequences=1, seed=2, workers=1)
    empty = store_of_units(tmp_path / "empty.zarr", source, [nearly(source.truth(0))], counts=[0])
    assert units_in(empty, 0) is None
