"""Firings as tables of events: what EMG tools write is read, what they read is written."""

import csv
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musim.datasets.events import events_table, export_events, padded, read_events, sidecar
from musim.simulator import FailureError, InputError


@pytest.fixture
def table(tmp_path):
    """Write a text as a table; returns its path."""

    def call(text, encoding="utf-8", name="events.tsv"):
        (tmp_path / name).write_bytes(text.encode(encoding))
        return tmp_path / name

    return call


# Reading


@pytest.mark.parametrize(
    "text",
    [
        "onset\tduration\ttrial_type\tunit\n0.5\t0\tfiring\t2\n0.25\t0\tfiring\t10\n1.5\t0\tx\t2\n",
        "unit,onset\n2,0.5\n10,0.25\n2,1.5\n",
        "unit;onset\n2;0.5\n10;0.25\n2;1.5\n",
        "\ufeffOnset, MU \r\n 0.5 , 2\r\n0.25,10\r\n\r\n,\r\n1.5,2",
        '"onset","motor_unit"\n"0.5","2"\n"2.5e-1","10"\n"1.5","2"\n',
        "value\tonset\tresponse_time\n2\t1.5\tn/a\n2\t0.5\tn/a\n10\t0.25\tn/a\n",
    ],
)
def test_tables_of_many_dialects_say_the_same(table, text):
    labels, firing = read_events(table(text))
    assert labels == ["2", "10"]
    assert firing.dtype == np.float64
    np.testing.assert_array_equal(firing, [[0.5, 1.5], [0.25, np.nan]])


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [
        ("value,trial_type,mu,motor_unit,unit", "e"),
        ("value,trial_type,mu,motor_unit,other", "d"),
        ("value,trial_type,mu,other,another", "c"),
        ("value,trial_type,x,y,z", "b"),
        ("value,v,x,y,z", "a"),
        ("u,v,x,y,z", "1"),
    ],
)
def test_the_surest_column_names_the_unit(table, columns, wanted):
    labels, _ = read_events(table(f"onset,{columns}\n0.5,a,b,c,d,e\n"))
    assert labels == [wanted]


def test_numbers_come_in_their_order_before_names_in_theirs(table):
    rows = "".join(f"0.5,{label}\n" for label in ("b", "10", "²", "9", "a2", "a10", "-1", "٣"))
    labels, firing = read_events(table("onset,unit\n" + rows))
    assert labels == ["٣", "9", "10", "-1", "a10", "a2", "b", "²"]
    assert firing.shape == (8, 1)


def test_a_table_without_events_has_no_units(table):
    labels, firing = read_events(table("onset\tunit\n"))
    assert labels == []
    assert firing.shape == (0, 0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["columns (none)", "wanted onset"]),
        ("\n", ["wanted onset"]),
        ("time,unit\n1,2\n", ["columns time, unit", "wanted onset (s)"]),
        ("onset,unit\n0.5,1\n0.5\n", ["line 3", "found 1 cells", "wanted 2"]),
        ("onset,unit\n0.5,1,2\n", ["line 2", "found 3 cells"]),
        ("onset\tunit\n0.5\t1\nn/a\t1\n", ["line 3", "'n/a'", "seconds"]),
        ("onset;unit\n0,5;1\n", ["line 2", "'0,5'", "seconds"]),
        ("onset\ninf\n", ["line 2", "'inf'"]),
        ("onset\nnan\n", ["line 2", "'nan'"]),
        ('onset,unit\n0.5,"1\n0.6,1\n', ["cannot be read", "save it again"]),
        (f'onset,unit\n0.5,"{"1" * 200_000}"\n', ["cannot be read"]),
    ],
)
def test_what_is_no_table_is_refused(table, fails, text, words):
    path = table(text)
    with fails(InputError, str(path), *words):
        read_events(path)


def test_what_cannot_be_read_is_refused(table, tmp_path, fails):
    with fails(InputError, "none.tsv", "FileNotFoundError"):
        read_events(tmp_path / "none.tsv")
    with fails(InputError, str(tmp_path), "IsADirectoryError"):
        read_events(tmp_path)
    with fails(InputError, "events.tsv", "UnicodeDecodeError"):
        read_events(table("onset\tunit\n0.5\t1\n", "utf-16"))


@given(st.lists(st.lists(st.floats(allow_nan=False), max_size=5), max_size=5))
def test_padding_keeps_all_instants(instants):
    firing = padded(instants)
    assert firing.shape == (len(instants), max(map(len, instants), default=0))
    assert [row[~np.isnan(row)].tolist() for row in firing] == instants


# Writing


@pytest.mark.parametrize("kind", ["dense", "rendered"])
def test_firings_come_out_as_bids_events(request, kind):
    store = request.getfixturevalue(kind)
    for index in range(len(store)):
        text = events_table(store, index)
        rows = list(csv.DictReader(text.splitlines(), delimiter="\t"))
        assert text.splitlines()[0] == "onset\tduration\ttrial_type\tunit"
        assert text.endswith("\n")
        onsets = [float(row["onset"]) for row in rows]
        assert onsets == sorted(onsets)
        assert {row["duration"] for row in rows} == {"0"}
        assert {row["trial_type"] for row in rows} == {"firing"}
        truth = store.truth(index)
        for unit in range(truth.unit_count):
            found = [float(row["onset"]) for row in rows if row["unit"] == str(unit)]
            wanted = truth.firing[unit][~np.isnan(truth.firing[unit])]
            np.testing.assert_allclose(found, wanted, atol=5.1e-7)
        assert {int(row["unit"]) for row in rows} <= set(range(truth.unit_count))


def test_tables_are_read_back(dense, tmp_path):
    for index, path in enumerate(export_events(dense, tmp_path / "new" / "events")):
        assert path == tmp_path / "new" / "events" / f"sequence-{index:06d}_events.tsv"
        labels, firing = read_events(path)
        truth = dense.truth(index)
        assert labels == [str(unit) for unit in range(truth.unit_count)]
        np.testing.assert_allclose(firing, truth.firing, atol=5.1e-7)


def test_the_columns_are_explained_in_units_of_bids(dense, tmp_path):
    export_events(dense, tmp_path)
    explained = json.loads((tmp_path / "events.json").read_text())
    assert explained == json.loads(sidecar())
    assert list(explained) == events_table(dense, 0).splitlines()[0].split("\t")
    assert explained["onset"]["Units"] == explained["duration"]["Units"] == "s"
    assert list(explained["trial_type"]["Levels"]) == ["firing"]


def test_some_sequences_alone(dense, tmp_path):
    (path,) = export_events(dense, tmp_path, range(3, 4))
    assert path.read_text() == events_table(dense, 3)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_sequence_that_is_not_there_writes_nothing(dense, tmp_path, fails):
    for index in (-1, 5):
        with fails(InputError, f"found sequence {index}", "0 to 4"):
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
