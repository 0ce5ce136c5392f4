from typing import Literal

import pytest

from musim.simulator.annotations import Given, kind_of
from musim.simulator.kinds import (
    FlagKind,
    NumberKind,
    PairKind,
    RangeKind,
    TableKind,
    TextKind,
    TupleKind,
)
from musim.simulator.ranges import Range

FLOAT, WHOLE = NumberKind(float), NumberKind(int)


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (int, WHOLE),
        (float, FLOAT),
        (tuple[int, int], PairKind(WHOLE)),
        (tuple[float, float], PairKind(FLOAT)),
        (tuple[int, ...], TupleKind(WHOLE)),
        (tuple[tuple[int, ...], ...], TupleKind(TupleKind(WHOLE))),
        (tuple[tuple[float, float], ...], TableKind(PairKind(FLOAT))),
    ],
)
def test_a_type_says_what_a_field_holds(annotation, kind):
    assert kind_of(annotation) == (kind, False, ())
    assert kind_of(Given[annotation]) == (kind, False, ())
    assert kind_of(annotation | None) == (kind, True, ())
    assert kind_of(Given[annotation | None]) == (kind, True, ())


@pytest.mark.parametrize(
    ("annotation", "kind"), [(Range, RangeKind), (bool, FlagKind), (str, TextKind)]
)
def test_simple_types_have_kinds_of_their_own(annotation, kind):
    assert type(kind_of(annotation)[0]) is kind


def test_a_literal_gives_the_choices():
    kind, optional, choices = kind_of(Literal["a", "b"])
    assert (type(kind), optional, choices) == (TextKind, False, ("a", "b"))


def test_a_pair_may_be_low_and_high():
    assert kind_of(tuple[float, float] | None, "-") == (PairKind(FLOAT, "-"), True, ())


@pytest.mark.parametrize("annotation", [dict, list[int], tuple[int, int, int]])
def test_other_types_are_refused(annotation):
    with pytest.raises(TypeError, match="wanted a type that kinds has"):
        kind_of(annotation)
