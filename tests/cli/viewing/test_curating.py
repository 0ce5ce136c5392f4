"""Curation behind the page: what is let in, what is refused, and what is kept."""

import http.client
import json
import shutil
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime

import numpy as np
import pytest

from musim.cli.viewing.curating import Session, begin
from musim.cli.viewing.shown import open_shown
from musim.datasets import generate, open_store
from musim.simulator import InputError, Parameters, Range
from musim.training.identification.results import identify_stores
from musim.training.verifying import verify


@pytest.fixture
def out(tmp_path):
    return tmp_path / "curated.zarr"


@pytest.fixture
def curating(looked_at, serving, out):
    """A client of a server where the units of the first method are curated."""
    with serving(looked_at.paths, curate=out) as client:
        yield client


def post(client, name, body=None, content=None, **changed):
    """Ask for a change as a page of the server does; a header that is None is left out."""
    headers = {
        "Origin": f"http://127.0.0.1:{client.port}", "X-Musim": "1",
        "X-Musim-Token": client.token, "Host": f"127.0.0.1:{client.port}",
        **{key.replace("_", "-"): value for key, value in changed.items()},
    }  # fmt: skip
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=120)
    try:
        sent = json.dumps(body or {}) if content is None else content
        given = {key: value for key, value in headers.items() if value is not None}
        connection.request("POST", f"/api/{name}", sent, given)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def edit(client, sequence=0, **values):
    return post(client, "edit", {"recording": 0, "sequence": sequence, "edit": values})


def curated_rows(client, sequence=0):
    """What the page is told of the curated units: those of the second set."""
    return client.json(f"/api/units?sequence={sequence}")[1]


def test_changes_are_seen_kept_and_saved(curating, looked_at, out):
    begun = datetime.now(UTC).replace(microsecond=0)
    status, told = edit(curating, edit="accept", unit=1)
    assert (status, told["changes"], told["by"], told["saved"]) == (200, 1, "anna", False)
    assert edit(curating, edit="reject", unit=3, sequence=1)[1]["changes"] == 2
    depth = float(looked_at.units.read("centre_depth", 0)[2])
    status, told = edit(curating, edit="split", unit=2, line=[[depth, 0], [depth, 24]])
    assert (status, told["undo"]) == (200, "split 2 (sequence 0)")
    rows = curated_rows(curating)
    assert [row.get("gone", False) for row in rows] == [False, False, True, False, False, False]
    assert rows[1]["accepted"]
    assert rows[1]["confidence"] == 1
    assert not rows[2]["outline"]
    whole = looked_at.units.read("territory", 0)[2]
    assert rows[4]["area"] + rows[5]["area"] == pytest.approx((whole > 0.5).sum())
    trains = curating.array("/api/trains?set=1&points=20000")
    assert trains.shape == (7, 300)
    assert not trains[3].any()
    near = curating.json("/api/unit?set=1&unit=4")["neighbours"]
    assert (1, 2) not in {(row["set"], row["unit"]) for row in near}
    matches = curating.json("/api/matches?set=1&sequence=1")
    assert matches["found"][3] == {"words": "left out", "partner": None}
    assert matches["precision"] == 1.0  # what was made up is rejected
    kept = json.loads(out.with_name("curated.edits.json").read_text())
    assert [one["by"] for one in kept["edits"]] == ["anna"] * 3
    for one in kept["edits"]:
        assert begun <= datetime.fromisoformat(one["when"]) <= datetime.now(UTC)
    status, told = post(curating, "save")
    assert (status, told["saved"], told["saving"]) == (200, True, None)
    store = verify(out, remake=2)
    assert int(store.read("unit_count", 0)) == 5
    assert not out.with_name("curated.edits.json").exists()


def test_changes_are_undone_and_done_again(curating):
    edit(curating, edit="reject", unit=0)
    edit(curating, edit="reject", unit=1, sequence=1)
    status, told = post(curating, "undo")
    assert (status, told["recording"], told["sequence"]) == (200, 0, 1)
    assert told["redo"] == "reject 1 (sequence 1)"
    assert not curated_rows(curating, 1)[1]["rejected"]
    post(curating, "undo")
    assert post(curating, "undo") == (400, {"error": "undo: found no change, wanted one or more"})
    assert not curated_rows(curating)[0]["rejected"]
    post(curating, "redo")
    assert curated_rows(curating)[0]["rejected"]
    edit(curating, edit="accept", unit=0)
    assert post(curating, "redo")[0] == 400


def test_what_was_undone_is_not_saved_and_can_still_be_done_again(curating, out):
    edit(curating, edit="reject", unit=0)
    matches = curating.json("/api/matches?set=1")
    assert [one["words"] == "left out" for one in matches["found"]] == [True, False, False, False]
    assert [matches["true"][str(n)]["partner"] for n in range(4)] == [None, 1, 2, None]
    edit(curating, edit="reject", unit=1)
    post(curating, "undo")
    assert post(curating, "save")[1]["saved"]
    assert int(open_store(out).read("unit_count", 0)) == 3
    assert out.with_name("curated.edits.json").exists()
    assert post(curating, "redo")[1]["changes"] == 2
    assert not curating.json("/api/curation")["saved"]


def test_units_that_were_undone_may_still_be_asked_for(curating, looked_at):
    depth = float(looked_at.units.read("centre_depth", 0)[2])
    edit(curating, edit="split", unit=2, line=[[depth, 0], [depth, 24]])
    post(curating, "undo")
    assert [row.get("gone", False) for row in curated_rows(curating)] == [False] * 4 + [True] * 2
    told = curating.json("/api/unit?set=1&unit=4")
    assert (told["twitch"]["count"], told["neighbours"]) == (0, [])
    assert set(told["twitch"]["mean"]) == {None}  # nothing is known, which JSON has no number for
    assert curating.json("/api/seen?set=1&unit=5")["count"] == 0


def test_changes_go_to_the_sequence_that_is_seen(looked_at, serving, out, tmp_path):
    parameters = Parameters(units=Range(4, 4), pixels=(32, 24), size=(32.0, 24.0), frames=300)
    first = generate(parameters, tmp_path / "a.zarr", sequences=1, workers=1, pool="threads")
    units = identify_stores(
        [first, looked_at.recording], tmp_path / "both.zarr", method="oracle-territories",
        workers=1,
    )  # fmt: skip
    stores = [looked_at.recording, first, units]
    with serving([str(one.location) for one in stores], curate=out) as client:
        for recording, sequence, place in ((0, 1, 2), (1, 0, 0)):
            body = {"recording": recording, "sequence": sequence,
                    "edit": {"edit": "reject", "unit": 0}}  # fmt: skip
            status, told = post(client, "edit", body)
            assert (status, told["recording"], told["sequence"]) == (200, recording, sequence)
            kept = json.loads(out.with_name("curated.edits.json").read_text())
            assert kept["edits"][-1]["sequence"] == place
        for recording, sequence, rejected in ((0, 0, False), (0, 1, True), (1, 0, True)):
            rows = client.json(f"/api/units?recording={recording}&sequence={sequence}")[1]
            assert rows[0]["rejected"] is rejected
            centre = units.read("centre_depth", sequence + 1 - recording)[0]
            assert rows[0]["centre"][0] == pytest.approx(centre, abs=1)


def test_maps_follow_changes(curating):
    path = "/api/map?layer=about&set=1&unit=1"
    before = curating.array(path)
    firings = curated_rows(curating)[1]["firings"]
    middle = min(firings, key=lambda instant: abs(instant - 0.35))
    edit(curating, edit="remove_firing", unit=1, instant=middle)
    assert not np.array_equal(curating.array(path), before, equal_nan=True)
    post(curating, "undo")
    np.testing.assert_array_equal(curating.array(path), before)


def test_a_session_goes_on_where_another_one_ended(looked_at, serving, out):
    with serving(looked_at.paths, curate=out) as client:
        edit(client, edit="reject", unit=0)
        edit(client, edit="reject", unit=1)
        post(client, "undo")
    with serving(looked_at.paths, curate=out, by="ben") as client:
        assert [row["rejected"] for row in curated_rows(client)] == [True, False, False, False]
        edit(client, edit="accept", unit=2)
        post(client, "save")
    assert open_store(out).origin.people == ("anna", "ben")
    with serving(looked_at.paths, curate=out) as client:  # of the store itself
        assert client.json("/api/curation")["saved"]
        edit(client, edit="reject", unit=3)
        assert not client.json("/api/curation")["saved"]
        post(client, "save")
    assert int(open_store(out).read("unit_count", 0)) == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"X_Musim_Token": None}, {"X_Musim_Token": "guess"}, {"X_Musim": None}, {"Origin": None},
        {"Origin": "http://example.org"}, {"Origin": "null"}, {"Host": "example.org"},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("name", ["edit", "undo", "redo", "save"])
def test_pages_of_others_change_nothing(curating, out, name, changed):
    body = {"recording": 0, "sequence": 0, "edit": {"edit": "reject", "unit": 0}}
    status, _ = post(curating, name, body, **changed)
    assert status == 403
    assert list(out.parent.iterdir()) == []
    assert curating.json("/api/curation")["changes"] == 0


def test_links_change_nothing(curating):
    for name in ("edit", "undo", "redo", "save"):
        assert curating.get(f"/api/{name}").status == 405


def test_nothing_changes_where_nothing_is_curated(client):
    for name in ("edit", "undo", "redo", "save"):
        assert post(client, name)[0] == 405
        assert client.get(f"/api/{name}").status == 404
    assert client.get("/api/curation").status == 400
    assert client.json("/api/about")["curation"] is None


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "edit: found 'NoneType', wanted an edit"),
        ({"edit": {"edit": "love"}}, "found 'love', wanted an edit"),
        ({"edit": {"edit": "accept", "unit": 9}}, "found unit 9, wanted one of 0, 1, 2, 3"),
        ({"edit": {"edit": "accept", "unit": 0, "by": "ben"}}, "found 'ben' as who made it"),
        ({"edit": {"edit": "accept", "unit": 0, "when": "2000-01-01T00:00:00Z"}}, "as when it was"),
        ({"edit": {"edit": "add_firing", "unit": 0, "instant": float("nan")}}, "a finite number"),
        ({"edit": {"edit": "draw", "polygon": [[1e308, -1e308], [0, 0], [9, 9]]}}, "1e+06 at most"),
        ({"edit": {"edit": "accept", "unit": 0}, "recording": -1}, "recording: found '-1'"),
        ({"edit": {"edit": "accept", "unit": 0}, "sequence": True}, "sequence: found 'True'"),
        ({"edit": {"edit": "accept", "unit": 0}, "sequence": 9}, "sequence: found '9', wanted 0"),
        ({"edit": {"edit": "split", "unit": 0, "line": [[1, 1], [1, 1]]}}, "the same point twice"),
        ({"edit": {"edit": "add_firing", "unit": 0, "instant": 9}}, "found a firing at 9 s"),
    ],
)
def test_what_is_no_change_is_refused(curating, out, body, words):
    status, told = post(curating, "edit", body)
    assert status == 400
    assert words in told["error"]
    assert "\n" not in told["error"]
    assert curating.json("/api/curation")["changes"] == 0
    assert list(out.parent.iterdir()) == []


@pytest.mark.parametrize(
    "content", ["", "{", "[" * 10000, "{" + " " * 2**20 + "}", "null", "9" * 5000]
)
def test_what_is_no_json_is_refused(curating, content):
    status, told = post(curating, "edit", content=content)
    assert status == 400
    assert "found no JSON" in told["error"]


def test_units_have_to_be_there(looked_at, out, tmp_path, refused):
    with refused("found no units beside it, wanted those to curate; run musim identify"):
        begin(open_shown([str(looked_at.recording.location)]), out, "anna")
    alone = shutil.copytree(looked_at.units.location.path, tmp_path / "units.zarr")
    store = open_store(alone)
    with refused("wanted nothing, or those units curated; choose another place"):
        Session(store, looked_at.recording.location.path, "anna")


def test_nothing_else_is_replaced(curating, looked_at, out):
    edit(curating, edit="reject", unit=0)
    shutil.copytree(looked_at.other.location.path, out)
    status, told = post(curating, "save")
    assert status == 400
    assert "wanted nothing, or those units curated" in told["error"]
    assert open_store(out).origin == looked_at.other.origin
    assert curating.json("/api/curation")["saving"] is None


def test_units_that_change_under_way_are_noticed(looked_at, serving, out, tmp_path, monkeypatch):
    from musim.cli.viewing import watching

    monkeypatch.setattr(watching, "OFTEN", 0.0)
    place = shutil.copytree(looked_at.units.location.path, tmp_path / "units.zarr")
    with serving([str(looked_at.recording.location), str(place)], curate=out) as client:
        edit(client, edit="reject", unit=0)
        shutil.rmtree(place)
        shutil.copytree(looked_at.other.location.path, place)
        answer = client.get("/api/units")
        assert answer.status == 409
        assert b"found another store than was opened" in answer.body
        answer = client.get("/api/about")
        assert answer.status == 409
        assert b"found other units than are curated" in answer.body


def test_recordings_that_have_moved_are_read_where_they_are_seen(looked_at, serving, out, tmp_path):
    from tests.training.identification.curation.conftest import PARAMETERS, found_in

    recorded = generate(PARAMETERS, tmp_path / "a.zarr", sequences=1, seed=8, workers=1)
    found_in(recorded, tmp_path / "units.zarr")
    place = (tmp_path / "a.zarr").rename(tmp_path / "b.zarr")
    with serving([str(place), str(tmp_path / "units.zarr")], curate=out) as client:
        corners = [[1, 1], [1, 6], [6, 6], [6, 1]]
        assert edit(client, edit="draw", polygon=corners)[1]["made"] == 3
        assert post(client, "save")[1]["saved"]
    assert verify(out, remake=1).origin.source_of(0) == (str(place), 0)


def test_who_ends_it_while_it_saves_loses_nothing(looked_at, serving, out, monkeypatch):
    from musim.cli.viewing import curating as module

    known, begun = module.curate_store, threading.Event()

    def slowly(*arguments, on_progress, **more):
        def report(done, total):
            if done:
                begun.set()
                time.sleep(0.5)  # the server ends meanwhile
            on_progress(done, total)

        return known(*arguments, on_progress=report, **more)

    monkeypatch.setattr(module, "curate_store", slowly)
    with serving(looked_at.paths, curate=out) as client:
        edit(client, edit="reject", unit=0)
        edit(client, edit="reject", unit=3, sequence=1)

        def ask():
            with suppress(OSError, http.client.HTTPException):
                post(client, "save")

        saving = threading.Thread(target=ask)
        saving.start()
        assert begun.wait(60)
    saving.join(20)
    with pytest.raises(InputError, match="unfinished"):
        open_store(out)
    monkeypatch.undo()
    with serving(looked_at.paths, curate=out) as client:
        told = client.json("/api/curation")
        assert (told["changes"], told["saved"]) == (2, False)
        assert post(client, "save")[1]["saved"]
    verify(out, remake=2)


def test_others_look_on_while_something_is_saved(curating, monkeypatch):
    from musim.cli.viewing import curating as module

    begun, go_on = threading.Event(), threading.Event()

    def slowly(*arguments, on_progress, **more):
        on_progress(1, 2)
        begun.set()
        assert go_on.wait(20)

    monkeypatch.setattr(module, "curate_store", slowly)
    edit(curating, edit="reject", unit=0)
    saving = threading.Thread(target=post, args=(curating, "save"))
    saving.start()
    try:
        assert begun.wait(20)
        assert curating.json("/api/curation")["saving"] == {"done": 1, "total": 2}
        assert edit(curating, edit="reject", unit=1)[0] == 200
        assert "under way" in post(curating, "save")[1]["error"]
        assert len(curated_rows(curating)) == 4
    finally:
        go_on.set()
        saving.join(20)
    told = curating.json("/api/curation")
    assert (told["saving"], told["saved"], told["changes"]) == (None, False, 2)


def test_live_units_are_read_as_those_of_a_store(looked_at, out):
    shown = open_shown(looked_at.paths)
    session = begin(shown, out, "anna")
    live = shown.recordings[0].sets[1].watched.store
    for name in ("territory", "twitch_train", "confidence", "outline_confidence"):
        np.testing.assert_array_equal(live.read(name, 1), looked_at.units.read(name, 1)[:4])
    assert session.described()["changes"] == 0
    assert shown.recordings[0].sets[2].watched.store is not live  # another method's stay
