"""``musim curate``: from units and a list of changes to labels, as a user does it."""

import json
from pathlib import Path

import pytest

from musim.datasets import open_store
from tests.training.identification.curation.conftest import recording, units  # noqa: F401

CHANGES = [
    {"edit": "accept", "sequence": 0, "unit": 1},
    {"edit": "reject", "sequence": 0, "unit": 0, "by": "ben", "when": "2026-01-31T12:00:00Z"},
    {"edit": "reject", "sequence": 1, "unit": 2},
]


@pytest.fixture
def found(units):  # noqa: F811
    return units.location.path


@pytest.fixture
def changes(tmp_path):
    path = tmp_path / "changes.json"
    path.write_text(json.dumps(CHANGES))
    return path


def test_units_are_curated_looked_at_and_proved(musim, found, changes):
    done = musim("curate", found, "--edits", changes, "-o", "labels.zarr", "--by", "anna",
                 "--workers", 1)  # fmt: skip
    assert done.code == 0, done.err
    assert "labels.zarr: 4 units in 2 sequences." in done.out
    assert "anna: 1 accepted, 1 rejected" in done.err
    assert "ben: 1 rejected" in done.err
    told = musim("info", "labels.zarr").out
    assert "curated by anna, ben (3 changes)" in " ".join(told.split())
    assert "2026-01-31T12:00:00Z" in told
    rows = json.loads(musim("info", "labels.zarr", "--json").out)["curation"]
    assert [(row["by"], row.get("reject")) for row in rows] == [("anna", 1), ("ben", 1)]
    proved = musim("verify", "labels.zarr", "--remake", 2)
    assert "2 made again and equal" in proved.out
    assert musim("report", "labels.zarr", "-o", "page.html").code == 0
    page = Path("page-000001.html").read_text(encoding="utf-8")
    assert "curated by anna: 1 accepted, 1 rejected; ben: 1 rejected" in page


def test_only_what_was_accepted(musim, found, changes):
    done = musim("curate", found, "--edits", changes, "-o", "labels.zarr", "--only-accepted",
                 "--json", "--workers", 1)  # fmt: skip
    told = json.loads(done.out)
    assert told["units"] == 1
    assert {row["by"] for row in told["changes"]} > {"ben"}  # and who is logged in
    assert int(open_store("labels.zarr").read("unit_count", 1)) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{found}", "--edits", "no.json", "-o", "a.zarr"], "no.json: found nothing there"),
        (["{found}", "--edits", "{changes}", "-o", "{found}"], "choose another"),
        (["no.zarr", "--edits", "{changes}", "-o", "a.zarr"], "no.zarr: found nothing there"),
        (
            ["{found}", "--recording", "{found}", "-o", "a.zarr"],
            "found another recording than units were",
        ),
        (["{found}", "--edits", "{changes}"], "Missing option '-o'"),
        (["{found}", "--edits", "{changes}", "-o", "a.zarr", "--by", ""], "lacking in accept"),
    ],
)
def test_wrong_inputs_are_told_in_one_line(musim, found, changes, arguments, words):
    given = [one.format(found=found, changes=changes) for one in arguments]
    done = musim("curate", *given)
    assert done.code == 2
    assert words in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_what_was_accepted_before_can_be_taken_alone(musim, found, changes):
    first = ("curate", found, "--edits", changes, "-o", "curated.zarr", "--workers", 1)
    assert musim(*first).code == 0
    done = musim("curate", "curated.zarr", "-o", "labels.zarr", "--only-accepted", "--workers", 1)
    assert "labels.zarr: 1 unit in 2 sequences" in done.out
    told = " ".join(musim("info", "labels.zarr").out.split())
    assert "only those that were accepted are kept" in told


def test_labels_are_scored_against(musim, found, changes):
    assert musim("curate", found, "--edits", changes, "-o", "labels.zarr", "--workers", 1).code == 0
    done = musim("evaluate", "identify", "labels.zarr", "--found", found, "-o", "e", "--json",
                 "--workers", 1)  # fmt: skip
    assert done.code == 0, done.err
    (row,) = json.loads(done.out)["summary"]
    assert row["train_recall_mean"] == 1.0
    assert row["train_precision_mean"] == pytest.approx(2 / 3)
    for more in (["--method", "ica"], ["--firings", "grid"], ["--compare", "ica,stica"]):
        done = musim("evaluate", "identify", "labels.zarr", "--found", found, *more)
        assert done.code == 2
        assert f"{more[0]} and --found" in done.err or f"--found and {more[0]}" in done.err
    done = musim("evaluate", "identify", "--protocol", "ali-2020", "--found", found)
    assert "found --found without STORE" in done.err
