"""Known firings: those of a sequence, rates that cannot be, and what is left out of a table."""

import numpy as np
import pytest

from musim.datasets.event_tables import read_events
from musim.training.identification.known_firings import (
    events_of,
    remarks_on_events,
    room_for_firings,
)


@pytest.fixture
def store(recordings):
    """Two recordings of 1 s at 100 Hz."""
    return recordings("two.zarr", np.zeros((2, 100, 3, 3)))


@pytest.fixture
def table(tmp_path):
    def call(*rows):
        (tmp_path / "events.tsv").write_text("\n".join(["onset\tunit_id", *rows]) + "\n")
        return tmp_path / "events.tsv"

    return call


def rows(unit, *onsets):
    return [f"{onset}\t{unit}" for onset in onsets]


def test_firings_of_a_sequence_are_those_in_its_time(store, table):
    found = events_of(read_events(table(*rows("a", 0.5, 0.25, 1.5, -0.1, -0.7))), store, 1)
    np.testing.assert_array_equal(found, [[-0.1, 0.25, 0.5]])


@pytest.mark.parametrize(
    ("onsets", "words"),
    [
        ([1.0, 2.5], ["events: found no firing in the 1 s from 0 s on"]),
        ([-0.3, -0.2], ["events: found no firing"]),
        ([n / 80 for n in range(70)], ["found 80 firings a second of unit a", "no more than 50"]),
    ],
)
def test_what_cannot_be_firings_is_refused(store, table, refused, onsets, words):
    known = read_events(table(*rows("a", *onsets)))
    with refused(*words):
        events_of(known, store, 0)


def test_more_firings_than_a_store_has_room_for_are_refused(recordings, table, refused):
    fast = recordings("fast.zarr", np.zeros((1, 400, 3, 3)), rate=400.0)
    assert room_for_firings(1.0) == 58
    kept = table(*rows("a", *(n / 58 for n in range(58))))
    assert (~np.isnan(events_of(read_events(kept), fast, 0))).sum() == 58
    many = read_events(table(*rows("a", 0.5), *rows("b", *(n / 70 for n in range(70)))))
    with refused("events: found 70 firings of unit b in 1 s", "no more than 58"):
        events_of(many, fast, 0)


def test_what_is_left_out_is_told(store, table):
    whole = table(*rows("a", 0.1, 0.9), *rows("b", 0.5))
    assert remarks_on_events(whole, store) == []
    partly = table(*rows("a", 0.1, -0.2, 1.5), "n/a\ta", *rows("b", 3), *rows("c", -0.5))
    assert [text.partition(": ")[2] for text in remarks_on_events(partly, store.location.path)] == [
        "1 row without an instant left out",
        "4 of 5 firings lie outside the recordings, and do not count",
        "no firing of units b, c lies in the recordings",
    ]
    one = table(*rows("a", 0.1), *rows("b", 3))
    assert remarks_on_events(one, [store])[-1].endswith(
        "no firing of unit b lies in the recordings"
    )
