"""``musim events``: tables out of a store, or one line."""

import csv

import pytest

from musim.datasets import open_store


@pytest.fixture
def made(musim, tiny):
    """A store of two sequences in the folder where musim runs."""
    assert musim("generate", *tiny, "--sequences", 2, "--workers", 1).code == 0
    return open_store("musim.zarr")


def test_each_sequence_gets_a_table(musim, made, tmp_path):
    done = musim("events", "musim.zarr")
    assert done.code == 0, done.err
    assert done.out == "wrote 2 tables in events\n"
    names = sorted(path.name for path in (tmp_path / "events").iterdir())
    assert names == ["events.json", "sequence-000000_events.tsv", "sequence-000001_events.tsv"]
    with (tmp_path / "events" / names[2]).open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert {int(row["unit_id"]) for row in rows} == set(range(made.truth(1).unit_count))


def test_one_sequence_alone(musim, made, tmp_path):
    done = musim("events", "musim.zarr", "--sequence", 1, "--out", "a/b")
    assert done.code == 0, done.err
    assert done.out == "wrote a/b/sequence-000001_events.tsv\n"
    assert len(list((tmp_path / "a" / "b").iterdir())) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["musim.zarr", "--sequence", "2"], ["sequence 2", "0 to 1"]),
        (["musim.zarr", "--sequence", "-1"], ["sequence -1", "0 to 1"]),
        (["musim.zarr", "--sequence", "x"], ["--sequence", "'x'"]),
        (["none.zarr"], ["none.zarr", "found nothing"]),
        ([], ["STORE"]),
    ],
)
def test_what_is_wrong_is_one_line(musim, made, tmp_path, arguments, words):
    done = musim("events", *arguments)
    assert done.code == 2
    (line,) = done.err.splitlines()
    assert line.startswith("Error: ")
    assert all(word in line for word in words), line
    assert [path.name for path in tmp_path.iterdir()] == ["musim.zarr"]


def test_help_tells_what_comes_out(musim):
    done = musim("events", "--help")
    assert done.code == 0
    assert all(word in done.out for word in ("BIDS", "onset", "--sequence", "Examples:"))
