"""Changes in JSON and back, and what is none."""

import json

import pytest

from musim.training.identification.curation.edits import (
    EDITS,
    Accept,
    AddFiring,
    Draw,
    Merge,
    MoveFiring,
    Redraw,
    Reject,
    RemoveFiring,
    Split,
    edit_of,
    edits_of,
)
from tests.training.identification.curation.conftest import WHO

TRIANGLE = ((1.0, 2.0), (3.0, 4.5), (5.0, 6.0))
ONE_OF_EACH = (
    Accept(unit=3, **WHO),
    Reject(unit=0, **WHO),
    Merge(units=(1, 2), **WHO),
    Split(unit=4, line=((1.0, 2.0), (3.0, 4.0)), **WHO),
    Redraw(unit=1, polygon=TRIANGLE, **WHO),
    Draw(polygon=TRIANGLE, **WHO),
    MoveFiring(unit=1, instant=0.5, to=0.1 + 0.2, **WHO),
    AddFiring(unit=1, instant=0.25, **WHO),
    RemoveFiring(unit=1, instant=0.125, **WHO),
)


def test_there_is_one_of_each():
    assert [type(edit) for edit in ONE_OF_EACH] == list(EDITS.values())


def test_json_brings_changes_back():
    plain = json.loads(json.dumps([edit.to_json() for edit in ONE_OF_EACH]))
    assert edits_of(plain, "a.json") == ONE_OF_EACH


def test_who_and_when_may_be_said_once():
    plain = {"edit": "accept", "sequence": 0, "unit": 3}
    assert edit_of(plain, by="anna", when=WHO["when"]) == ONE_OF_EACH[0]
    assert edit_of(plain | {"by": "ben"}, by="anna", when=WHO["when"]).by == "ben"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"edit": "love"}, "found 'love', wanted an edit, one of accept, reject"),
        ({"edit": ["accept"]}, "wanted an edit"),
        ({"unit": None}, "with values that are none of its own"),
        ({"unit": True}, "with values that are none"),
        ({"unit": -1}, "with values that are none"),
        ({"unit": 1.0}, "with values that are none"),
        ({"sequence": "0"}, "with values that are none"),
        ({"colour": "red"}, "found colour unknown in accept"),
        ({"by": " "}, "as who made it, wanted a name"),
        ({"by": "a\nb"}, "as who made it, wanted a name"),
        ({"when": "noon"}, "found 'noon' as when, wanted a date and time"),
        ({"edit": "split", "line": [[0, 0]]}, "with values that are none"),
        ({"edit": "split", "line": [[0, 0], [0, float("nan")]]}, "wanted finite depth and width"),
        ({"edit": "redraw", "polygon": [[0, 0], [1, 1]]}, "a polygon of 2 points, wanted 3 to"),
        ({"edit": "redraw", "polygon": 7}, "with values that are none"),
        ({"edit": "add_firing", "instant": float("inf")}, "found instant inf, wanted a finite"),
        ({"edit": "add_firing"}, "found instant lacking in add_firing"),
        ({"edit": "merge", "unit": ..., "units": [1]}, "found units 1, wanted two or more"),
        ({"edit": "merge", "unit": ..., "units": [1, 1]}, "wanted two or more, each once"),
        ({"edit": "merge"}, "found unit unknown in merge"),
    ],
)
def test_what_is_no_change_is_refused(change, words, refused):
    plain = {"edit": "accept", "unit": 3, **WHO} | change
    plain = {name: value for name, value in plain.items() if value is not ...}
    with refused("x.json, edit 0", words):
        edits_of([plain], "x.json")


@pytest.mark.parametrize("plain", [None, 3, "accept", {"edit": "accept"}])
def test_what_is_no_list_is_refused(plain, refused):
    with refused("x.json: found no list of edits"):
        edits_of(plain, "x.json")
    with refused("x.json, edit 0: found"):
        edits_of(["accept"], "x.json")
