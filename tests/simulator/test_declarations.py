import copy
import dataclasses
import json
import math
import pickle
from dataclasses import dataclass
from typing import ClassVar, Literal

import pytest

from musim.simulator import InputError, Range
from musim.simulator.annotations import Given
from musim.simulator.declarations import FINITE, POSITIVE, Declared, declarations, declare

COLOURS = {"red": 1, "green": 2}


@dataclass(frozen=True, kw_only=True)
class Thing(Declared):
    """A thing."""

    noun: ClassVar[str] = "part"

    parts: Given[Range] = declare(Range(1, 2), "Parts.", "px", (1, 9), whole=True, group="A")
    level: Given[Range] = declare(Range(0, 0), "Level.", bounds=(-5, 5), infinite=True)
    share: Given[Range] = declare(Range(0, 1), "Share.", bounds=(0, 1))
    size: float = declare(1.0, "Size.", "mm", POSITIVE)
    place: float | None = declare(None, "Place.", bounds=FINITE)
    count: int = declare(3, "Count.", bounds=(1, math.inf), before=1)
    band: Given[tuple[float, float] | None] = declare(None, "Band.", "Hz", separator="-")
    colour: str = declare("red", "Colour.", choices=COLOURS)
    kind: Literal["old", "new"] = declare("new", "Kind.", before="old")


def _refused(text, **values):
    with pytest.raises(InputError) as error:
        Thing(**values)
    assert str(error.value) == text


def test_defaults_are_held_as_they_are():
    thing = Thing()
    assert thing.parts == Range(1, 2)
    assert thing.place is None
    assert thing == Thing(parts="1-2", size="1", count=3.0, colour=" red ", kind="new")


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"parts": 1.5}, "parts: found 1.5, wanted whole numbers"),
        ({"parts": (0, 5)}, "parts: found 0-5 px, wanted 1 to 9 px"),
        ({"parts": (5, 4)}, "parts: found 5-4 px, wanted low-high with low <= high"),
        ({"parts": "150%"}, "parts: found '150%', wanted numbers without %, which is for shares"),
        ({"level": (0, math.inf)}, "level: found 0-inf, wanted -5 to 5"),
        ({"share": "150%"}, "share: found 1.5, wanted 0 to 1"),
        ({"size": 0}, "size: found 0 mm, wanted more than 0"),
        ({"size": math.inf}, "size: found inf mm, wanted more than 0"),
        ({"place": math.inf}, "place: found inf, wanted finite numbers"),
        ({"count": 0}, "count: found 0, wanted 1 or more"),
        ({"count": None}, "count: found None, wanted a whole number"),
        ({"count": "1-2"}, "count: found '1-2', wanted one number, not a range"),
        ({"band": (math.nan, 1)}, "band: found nan-1 Hz, wanted numbers"),
        ({"colour": "blue"}, "colour: found 'blue', wanted one of red, green"),
        ({"kind": "odd"}, "kind: found 'odd', wanted one of old, new"),
        ({"kind": 1}, "kind: found 1, wanted a text"),
    ],
)
def test_a_refusal_names_what_was_found_and_wanted(values, text):
    _refused(text, **values)


def test_infinity_alone_goes_beyond_bounds_where_that_is_declared():
    assert Thing(level=math.inf).level == Range(math.inf, math.inf)
    assert Thing(share="50%").share == Range(0.5, 0.5)


def test_unknown_names_are_refused_with_what_may_be_meant(refused):
    others = "parts, level, share, size, place, count, band, kind"
    _refused(f"part: found 'color', wanted colour (or one of {others})", color="red")
    _refused(f"part: found 'xyz', wanted one of {', '.join(declarations(Thing))}", xyz=1)
    with pytest.raises(TypeError, match="positional"):
        Thing(3)  # type: ignore[misc]
    with refused("wanted colour"):
        dataclasses.replace(Thing(), color="red")


def test_choices_of_a_registry_are_those_of_now(monkeypatch):
    monkeypatch.setitem(COLOURS, "blue", 3)
    assert Thing(colour="blue").colour == "blue"
    assert declarations(Thing)["colour"].placeholder == "red|green|blue"


def test_things_are_copied_and_pickled():
    thing = Thing(parts=(2, 3), place=1)
    assert copy.deepcopy(thing) == pickle.loads(pickle.dumps(thing)) == thing
    with pytest.raises(dataclasses.FrozenInstanceError):
        thing.size = 3.0  # type: ignore[misc]


@pytest.mark.parametrize("thing", [Thing(), Thing(level="inf", place=2, band="1-2", size=5 / 3)])
def test_json_holds_all_of_it(thing):
    text = json.dumps(thing.to_json(), allow_nan=False)
    assert Thing.from_json(json.loads(text)) == thing


@pytest.mark.parametrize("name", ["parts", "level", "place", "band", "colour"])
def test_json_that_lacks_a_field_is_refused(name):
    plain = Thing().to_json()
    del plain[name]
    with pytest.raises(InputError, match=f"part: found none called '{name}', wanted it with"):
        Thing.from_json(plain)


def test_json_of_before_a_field_has_what_held_then():
    plain = Thing().to_json()
    del plain["count"], plain["kind"]
    assert Thing.from_json(plain) == Thing(count=1, kind="old")
    assert Thing.from_json(Thing().to_json()) == Thing()


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"colours": "red"}, "part: found 'colours', wanted colour"),
        ({"count": "3"}, "count: found '3', wanted a whole number"),
        ({"parts": "1-2"}, r"parts: found '1-2', wanted \[low, high\]"),
        ({"parts": [0, 1]}, "parts: found 0-1 px, wanted 1 to 9 px"),
        ({"size": None}, "size: found None, wanted a number"),
        ({"colour": ["red"]}, r"colour: found \['red'\], wanted a text"),
    ],
)
def test_json_is_checked(values, text):
    with pytest.raises(InputError, match=text):
        Thing.from_json({**Thing().to_json(), **values})


def test_declarations_say_what_help_shows():
    known = declarations(Thing)
    assert list(known) == [field.name for field in dataclasses.fields(Thing)]
    assert [known[name].placeholder for name in ("parts", "size", "band", "kind")] == [
        "LOW-HIGH", "NUMBER", "LOW-HIGH", "old|new",
    ]  # fmt: skip
    parts = known["parts"]
    assert (parts.text, parts.unit, parts.group, parts.default) == (
        "Parts.",
        "px",
        "A",
        Range(1, 2),
    )
    assert parts.show(Range(5, 5)) == "5"
    assert known["place"].show(None) == ""
