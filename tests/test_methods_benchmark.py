"""What `python -m benchmarks.methods` counts, and what it keeps."""

import dataclasses
import math

import numpy as np
import pytest

from benchmarks.methods import recordings, scores
from benchmarks.methods.figure import draw as drawn
from benchmarks.methods.recordings import KINDS, Kind
from benchmarks.methods.scores import COLUMNS, rows_of
from benchmarks.methods.tables import cell, table
from benchmarks.recordings import Made
from musim.simulator import Parameters, Range, draw, render
from musim.training.charts import png
from musim.training.identification.methods import METHODS

SMALL = Parameters(
    units=Range(2, 2), pixels=(16, 16), size=(14.0, 14.0), diameter=Range(4, 6), frames=240,
    snr=Range(20, 20),
)  # fmt: skip


def made(seed):
    truth = draw(SMALL, seed=seed)
    return Made(
        render(truth), SMALL.frame_rate, SMALL.pixel_size, truth.territory > 0.5,
        truth.twitch_train, truth.firing, np.zeros(2), 20.0,
    )  # fmt: skip


KIND = Kind("small ones, 2 units", made)


@pytest.fixture
def rows(tmp_path, monkeypatch):
    monkeypatch.setattr(scores, "_WARM", {column.method for column in COLUMNS.values()})

    def of(columns, again=frozenset(), **chosen):
        return rows_of((KIND, 3), columns, tmp_path, again, chosen.pop("anew", False), **chosen)

    return of


def test_methods_are_scored_and_what_was_found_is_kept(rows, monkeypatch):
    columns = ("velbss", "sta", "oracle-trains", "oracle-maps")
    found = rows(columns)
    assert [row["column"] for row in found] == list(columns)
    assert found[2]["units"] == found[2]["found"] == found[2]["by_train"] == 2
    assert found[2]["correlation"] > 0.99
    assert found[3]["by_train"] == 2
    assert found[1]["firings"] == 1  # it is given the true ones
    assert all(row["seconds"] > 0 for row in found)
    monkeypatch.setattr(scores, "_find", None)
    assert rows(columns) == found
    again = rows(columns, anew=True)
    assert [row["firings"] for row in again] == [row["firings"] for row in found]
    assert rows((*columns, "ica"), kept=True) == again
    with pytest.raises(TypeError, match="not callable"):
        rows(columns, again={"sta"})


def test_methods_that_refuse_a_recording_have_no_row(rows):
    found = rows(("velbss", "stica"))  # of 16 x 16 px, which are no window
    assert [row["column"] for row in found] == ["velbss"]


def test_firings_are_looked_for_anew_in_units_that_are_kept(rows, monkeypatch):
    before = rows(("velbss",))
    empty = np.full((2, 1), np.nan)
    monkeypatch.setattr(
        scores,
        "with_firings",
        lambda _, units: dataclasses.replace(units, firing=empty[: units.count]),
    )
    assert rows(("velbss",)) == before
    assert rows(("velbss",), anew=True)[0]["firings"] == 0


def test_recordings_are_kept_whole(tmp_path):
    first = KIND.recording(5, tmp_path)
    again = Kind(KIND.name, lambda seed: pytest.fail(str(seed))).recording(5, tmp_path)
    for name, value in vars(made(5)).items():
        np.testing.assert_array_equal(getattr(first, name), value)
        np.testing.assert_array_equal(getattr(again, name), value)
    assert [path.name for path in (tmp_path / "recordings").iterdir()] == [
        "small-ones-2-units-5.npz"
    ]


def test_kinds_are_what_their_names_say():
    fast = recordings.analytic((25, 35), 1)
    assert fast.tvi.shape == (400, 64, 64)
    counts = (fast.firing >= 0).sum(axis=1)
    assert len(counts) == 15
    assert 20 <= counts.min() <= counts.max() <= 40
    assert len({kind.name for kind in KINDS}) == len(KINDS) == 10


def test_every_method_is_in_the_table():
    assert {column.method for column in COLUMNS.values()} == set(METHODS) - {"ica+refine"}  # refine


def row(column, seed, **counts):
    usual = {"units": 4, "found": 5, "by_train": 3, "by_outline": 2, "correlation": 0.9,
             "firings": 0.8, "firings_chance": 0.3, "seconds": 1.5}  # fmt: skip
    return {"kind": "discs", "seed": seed, "column": column, **usual, **counts}


def test_the_table_pools_units_and_averages_recordings():
    nothing = {"found": 0, "by_train": 0, "by_outline": 0, "correlation": math.nan,
               "firings": math.nan, "firings_chance": math.nan, "units": 2}  # fmt: skip
    both = [row("ica", 1), row("ica", 2, **nothing)]
    found = cell(both)
    assert (found["recall"], found["precision"], found["outlines"]) == (0.5, 0.6, 2 / 6)
    assert (found["correlation"], found["firings"], found["recordings"]) == (0.9, 0.8, 2)
    lines = table([*both, row("cbss of trains", 1, **nothing)])
    assert lines[2] == "| discs (2) | `ica` | 0.50 | 0.60 | 0.33 | 0.900 | 0.80 (0.30) | 1.5 |"
    assert lines[3] == "|  | `cbss of trains` (1) | 0.00 | - | 0.00 | - | - (-) | 1.5 |"
    assert png(drawn([*both, row("nmf", 1, **nothing)])).startswith(b"\x89PNG")
