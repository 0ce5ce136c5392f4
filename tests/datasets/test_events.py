"""Firings as tables of events that EMG tools read."""

import csv
import json
import math

import numpy as np
import pytest

from musim.datasets.event_tables import read_events
from musim.datasets.events import events_table, export_events, sidecar
from musim.simulator import FailureError


@pytest.mark.parametrize("kind", ["dense", "rendered"])
def test_firings_come_out_as_bids_events(request, kind):
    store = request.getfixturevalue(kind)
    for index in range(len(store)):
        text = events_table(store, index)
        rows = list(csv.DictReader(text.splitlines(), delimiter="\t"))
        assert text.splitlines()[0] == "onset\tduration\tsample\tunit_id\tevent_type"
        assert text.endswith("\n")
        onsets = [float(row["onset"]) for row in rows]
        assert onsets == sorted(onsets)
        assert {row["duration"] for row in rows} == {"0"}
        assert {row["event_type"] for row in rows} == {"motor-unit-spike"}
        samples = np.array([int(row["sample"]) for row in rows])
        assert np.abs(samples / store.layout.frame_rate - onsets).max() <= 0.5 / 400
        assert samples.max() < store.layout.shape[0]
        truth = store.truth(index)
        for unit in range(truth.unit_count):
            found = [float(row["onset"]) for row in rows if row["unit_id"] == str(unit)]
            wanted = truth.firing[unit][~np.isnan(truth.firing[unit])]
            np.testing.assert_array_equal(found, wanted)
        assert {int(row["unit_id"]) for row in rows} <= set(range(truth.unit_count))


def test_tables_are_read_back(dense, tmp_path):
    for index, path in enumerate(export_events(dense, tmp_path / "new" / "events")):
        assert path == tmp_path / "new" / "events" / f"sequence-{index:06d}_events.tsv"
        found, truth = read_events(path), dense.truth(index)
        assert found.labels == [str(unit) for unit in range(truth.unit_count)]
        np.testing.assert_array_equal(found.firing, truth.firing)


def test_the_columns_are_explained_in_units_of_bids(dense, tmp_path):
    export_events(dense, tmp_path)
    explained = json.loads((tmp_path / "events.json").read_text())
    assert explained == json.loads(sidecar(dense.layout.frame_rate))
    assert f"{dense.layout.frame_rate:g} a second" in explained["sample"]["Description"]
    assert list(explained) == events_table(dense, 0).splitlines()[0].split("\t")
    assert explained["onset"]["Units"] == explained["duration"]["Units"] == "s"
    assert list(explained["event_type"]["Levels"]) == ["motor-unit-spike"]


def test_some_sequences_alone(dense, tmp_path):
    (path,) = export_events(dense, tmp_path, range(3, 4))
    assert path.read_text() == events_table(dense, 3)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_sequence_that_is_not_there_writes_nothing(dense, tmp_path, refused):
    for index in (-1, 5):
        with refused(f"found sequence {index}", "0 to 4"):
            export_events(dense, tmp_path / "events", range(index, index + 1))
    assert not (tmp_path / "events").exists()


def test_a_folder_that_cannot_be_made_is_a_failure(dense, tmp_path, fails):
    (tmp_path / "file").write_text("mine")
    with fails(FailureError, str(tmp_path / "file"), "another folder"):
        export_events(dense, tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_instants_before_the_start_are_negative(dense):
    first = float(events_table(dense, 0).splitlines()[1].split("\t")[0])
    assert math.isclose(first, np.nanmin(dense.truth(0).firing), abs_tol=1e-6)
    assert first < 0
