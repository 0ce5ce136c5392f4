"""``musim evaluate firings``: a table of scores, or one line and nothing left."""

import csv
import io
import json

import pytest

ROWS = {
    "x": (0.05, 0.15, 0.26, 0.36, 0.45, 0.56, 0.66, 0.77, 0.85, 0.96),
    "y": (0.02, 0.11, 0.18, 0.29, 0.41, 0.49, 0.61, 0.69, 0.8, 0.92),
}


@pytest.fixture
def tables(tmp_path):
    """Two tables in the folder where musim runs: what was found lacks "y" and one firing of "x"."""
    found = [f"{onset + 0.01:.3f}\t7" for onset in ROWS["x"][1:]]
    (tmp_path / "found.tsv").write_text("\n".join(["onset\tunit_id", *found]))
    true = [f"{onset},{unit}" for unit, onsets in ROWS.items() for onset in (*onsets, 1.5)]
    (tmp_path / "true.csv").write_text("\n".join(["onset,unit", *true]))


def test_two_tables(musim, tables, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    done = musim("evaluate", "firings", "found.tsv", "true.csv", "--end", 1, "--rules",
                 "munitquest", "--out", "units.csv")  # fmt: skip
    assert done.code == 0, done.err
    assert done.err == (
        "true.csv: 2 of 22 firings lie outside the 1 s from 0 s on, and do not count\n"
    )
    lines = [line.split() for line in done.out.splitlines()]
    scores = lines[lines.index(["#", "true", "found", "recall", "precision", "5", "ms", "10", "ms",
                                "15", "ms", "chance", "Hz", "CoV"]) + 2]  # fmt: skip
    assert scores[:8] == ["0", "2", "1", "0.500", "1.000", "0.900", "0.900", "0.900"]
    rules = [line for line in lines if line[1:2] == ["ms"]]
    assert rules[0][:5] == ["1", "ms", "0.500", "1.000", "0.947"]
    assert rules[1][:5] == ["5", "ms", "0.500", "1.000", "0.947"]
    (unit,) = [line for line in lines if line[:2] == ["x", "7"]]
    assert unit[6:] == ["10", "9", "1", "0", "0.900"]
    assert any(line[:2] == ["y", "–"] for line in lines)
    assert lines[-2:] == [["1", "of", "2", "units", "found"], ["units.csv:", "2", "units"]]
    assert max(map(len, done.out.splitlines()[2:])) <= 80
    rows = list(csv.DictReader(io.StringIO((tmp_path / "units.csv").read_text())))
    assert [row["found_as"] for row in rows] == ["7", ""]
    assert [row["matched"] for row in rows] == ["9", ""]


def test_numbers_for_programs(musim, tables):
    done = musim("evaluate", "firings", "found.tsv", "true.csv", "--end", 1, "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["sequences"][0]["recall"] == 0.5
    assert [row["found_as"] for row in found["units"]] == ["7", None]
    assert found["units"][1]["firing_agreement"] is None
    assert len(found["remarks"]) == 1


def test_stores_have_a_row_for_each_sequence(musim, tiny):
    tiny[-3] = "100"
    assert musim("generate", *tiny, "--sequences", 2, "--workers", 1).code == 0
    done = musim("evaluate", "firings", "musim.zarr", "musim.zarr")
    assert done.code == 0, done.err
    lines = [line.split() for line in done.out.splitlines()]
    assert [line[3:8] for line in lines if line[:1] in (["0"], ["1"], ["all"])] == [
        ["1.000"] * 5
    ] * 3  # fmt: skip
    assert "units found" not in done.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["found.tsv"], ["TRUE"]),
        (["none.tsv", "true.csv"], ["none.tsv: found nothing there", "a table of events"]),
        (["none.zarr", "true.csv"], ["none.zarr"]),
        (["found.tsv", "true.csv", "--end", "0"], ["end: found 0 s"]),
        (["found.tsv", "true.csv", "--end", "0.01"], ["found no firing in the 0.01 s"]),
        (["found.tsv", "true.csv", "--end", "0.25"], ["wanted 4 or more, three intervals"]),
        (["found.tsv", "true.csv", "--sequence", "1"], ["sequence: found one of two tables"]),
        (["found.tsv", "true.csv", "--rules", "emg"], ["rules: found 'emg'", "muniverse"]),
        (["found.tsv", "true.csv", "--out", "units.txt"], ["units.txt", ".csv"]),
        (["found.tsv", "true.csv", "--out", "none/units.csv"], ["found no folder none"]),
    ],
)
def test_what_is_wrong_is_one_line(musim, tables, tmp_path, arguments, words):
    before = sorted(path.name for path in tmp_path.iterdir())
    done = musim("evaluate", "firings", *arguments)
    assert done.code == 2
    (line,) = done.err.splitlines()
    assert line.startswith("Error: ")
    assert [word for word in words if word not in line] == [], line
    assert done.out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_help_tells_what_is_compared(musim):
    done = musim("evaluate", "firings", "--help")
    assert done.code == 0
    assert all(word in done.out for word in ("BIDS", "FOUND", "TRUE", "--rules", "Examples:"))
    assert "firings" in musim("evaluate", "--help").out
