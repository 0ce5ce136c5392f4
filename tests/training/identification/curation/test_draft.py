"""Changes on their way: undone, done again, kept and gone on with."""

import json
import time
from datetime import UTC, datetime

import pytest

from musim.datasets.location import Location
from musim.simulator import FailureError
from musim.training.identification.curation import draft as module
from musim.training.identification.curation.curating import curate_store
from musim.training.identification.curation.draft import (
    draft_path,
    now,
    open_draft,
    read_edits,
)
from musim.training.identification.curation.edits import Accept, Reject
from tests.training.identification.curation.conftest import WHO

ONE, TWO, THREE = (Accept(unit=0, **WHO), Reject(unit=1, **WHO), Reject(unit=2, **WHO))


@pytest.fixture
def out(tmp_path):
    return Location(tmp_path / "curated.zarr")


def test_changes_are_undone_and_done_again(units, out):
    draft = open_draft(units, out)
    assert not draft.can_undo
    for edit in (ONE, TWO, THREE):
        draft.add(edit)
    assert draft.undo() is THREE
    assert draft.undo() is TWO
    assert draft.holding == (ONE,)
    assert draft.redo() is TWO
    assert draft.can_redo
    draft.add(TWO)  # what was undone is gone
    assert draft.holding == (ONE, TWO, TWO)
    assert not draft.can_redo


def test_whatever_ends_a_session_loses_nothing(units, out):
    draft = open_draft(units, out)
    draft.add(ONE)
    draft.add(TWO)
    draft.undo()
    again = open_draft(units, out)  # nobody closed the first
    assert again.edits == (ONE, TWO)
    assert again.holding == (ONE,)
    assert draft_path(out).name == "curated.edits.json"


def test_one_who_comes_second_does_not_write_over_the_first(units, out, refused):
    first, second = open_draft(units, out), open_draft(units, out)
    first.add(ONE)
    with refused("found that somebody else changed it"):
        second.add(TWO)
    assert second.holding == ()
    assert open_draft(units, out).holding == (ONE,)


def test_a_change_that_cannot_be_kept_is_not_made(units, out, monkeypatch):
    draft = open_draft(units, out)
    draft.add(ONE)

    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_aside", full)
    with pytest.raises(FailureError, match="No space left"):
        draft.add(TWO)
    assert draft.holding == (ONE,)
    with pytest.raises(FailureError):
        draft.undo()
    assert draft.holding == (ONE,)


def test_a_curated_store_is_gone_on_with(units, out, tmp_path, refused):
    curate_store(units, out, [ONE, TWO], workers=1)
    assert open_draft(units, out).edits == (ONE, TWO)
    other = curate_store(units, tmp_path / "other.zarr", [ONE], workers=1)
    with refused("wanted nothing, or those units curated"):
        open_draft(other, out)


def test_a_draft_of_other_units_is_refused(units, out, tmp_path, refused):
    open_draft(units, out).add(ONE)
    other = curate_store(units, tmp_path / "other.zarr", [ONE], workers=1)
    with refused("curated.edits.json: found edits of other units", "move the file away"):
        open_draft(other, out)


def test_drafts_of_remote_stores_lie_here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert draft_path(Location("memory://a/b.zarr")) == tmp_path / "b.edits.json"


def test_a_plain_list_is_enough(units, tmp_path):
    path = tmp_path / "edits.json"
    path.write_text(json.dumps([{"edit": "accept", "sequence": 1, "unit": 0}]))
    (edit,), position = read_edits(path, units, by="anna")
    assert (edit.by, edit.sequence, position) == ("anna", 1, 1)
    again, _ = read_edits(path, units, by="anna")
    assert again == (edit,)  # the same time: that of the file


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "found no JSON"),
        ("[" * 10000, "found no JSON"),
        ("7", "found something else, wanted a list of edits of version 1"),
        ('{"musim_edits": 2, "edits": []}', "found something else"),
        ('{"musim_edits": 1}', "found no list of edits"),
        ('{"musim_edits": 1, "edits": [], "position": 1}', "a position beyond its edits"),
        ('{"musim_edits": 1, "edits": [], "position": true}', "a position beyond its edits"),
        ('[{"edit": "accept", "sequence": 0, "unit": 0}]', "edit 0: found by lacking in accept"),
        ("\x00\xff", "found no JSON"),
    ],
)
def test_what_is_no_list_of_changes_is_refused(units, tmp_path, refused, content, words):
    path = tmp_path / "edits.json"
    path.write_bytes(content.encode("latin-1"))
    with refused("edits.json", words):
        read_edits(path, units)


def test_there_has_to_be_a_file(units, tmp_path, refused):
    with refused("found nothing there, wanted a list of edits"):
        read_edits(tmp_path / "no.json", units)
    with refused("cannot be read"):
        read_edits(tmp_path, units)


def test_times_are_utc(monkeypatch):
    monkeypatch.setenv("TZ", "Etc/GMT-9")
    time.tzset()
    try:
        begun = datetime.now(UTC).replace(microsecond=0)
        assert begun <= datetime.fromisoformat(now()) <= datetime.now(UTC)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert now().endswith("Z")
