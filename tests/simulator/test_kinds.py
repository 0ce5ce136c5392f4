import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musim.simulator import InputError, Range
from musim.simulator.kinds import (
    FlagKind,
    NumberKind,
    PairKind,
    RangeKind,
    TableKind,
    TextKind,
    TupleKind,
    exact,
    is_number,
    short,
)

FLOAT, WHOLE = NumberKind(float), NumberKind(int)
numbers = st.floats(-1e6, 1e6)

VALUES = [
    (RangeKind(), st.tuples(numbers, numbers).map(sorted).map(lambda ends: Range(*ends))),
    (FLOAT, numbers),
    (WHOLE, st.integers(-(2**53), 2**53)),
    (FlagKind(), st.booleans()),
    (TextKind(), st.text()),
    (PairKind(FLOAT), st.tuples(numbers, numbers)),
    (PairKind(WHOLE), st.tuples(st.integers(0, 9999), st.integers(0, 9999))),
    (TupleKind(WHOLE), st.lists(st.integers(-99, 99)).map(tuple)),
    (TupleKind(FLOAT), st.lists(numbers).map(tuple)),
    (TupleKind(TupleKind(WHOLE)),
     st.lists(st.lists(st.integers(0, 99), min_size=1).map(tuple), min_size=1).map(tuple)),
    (TableKind(PairKind(FLOAT)), st.lists(st.tuples(numbers, numbers)).map(tuple)),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "values"), VALUES)
@given(data=st.data())
def test_values_go_through_texts_json_and_python(kind, values, data):
    value = data.draw(values)
    assert kind.of(value) == value
    assert kind.from_json(kind.to_json(value)) == value
    shown = kind.show(value)
    assert kind.read(shown) == value, shown


@pytest.mark.parametrize(("kind", "values"), VALUES)
@given(wrong=st.none() | st.binary() | st.booleans() | st.sets(st.integers()))
def test_what_is_of_no_kind_is_refused_in_one_line(kind, values, wrong):
    if isinstance(kind, FlagKind) and isinstance(wrong, bool):
        return
    for reader in (kind.of, kind.from_json):
        with pytest.raises(InputError) as error:
            reader(wrong)
        assert str(error.value).startswith("found ")
        assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(("kind", "values"), VALUES)
def test_long_values_are_shown_in_part(kind, values, refused):
    with refused() as error:
        kind.of(np.zeros((50, 50, 2)).tobytes())
    assert len(str(error.value)) < 200


def test_texts_stand_for_nothing_else_in_json(refused):
    for kind, text in ((RangeKind(), "5-30"), (FLOAT, "5"), (PairKind(WHOLE), "64x64"),
                       (FlagKind(), "yes"), (TupleKind(WHOLE), "1,2")):  # fmt: skip
        kind.read(text)
        with refused():
            kind.from_json(text)


def test_infinity_has_a_text_in_json(refused):
    assert RangeKind().to_json(Range(math.inf, math.inf)) == ["inf", "inf"]
    assert RangeKind().from_json(["inf", "inf"]) == Range(math.inf, math.inf)
    with refused("wanted [low, high]"):
        RangeKind().from_json(5)


@pytest.mark.parametrize("value", [5.0, np.float32(5), np.int64(5)])
def test_whole_numbers_may_be_of_any_type(value):
    assert type(WHOLE.of(value)) is int
    assert type(FLOAT.of(value)) is float


@pytest.mark.parametrize("value", [5.5, math.inf, math.nan, True, np.bool_(1), "5"])
def test_what_is_not_whole_is_refused(value, refused):
    with refused("wanted a whole number"):
        WHOLE.of(value)


def test_pairs_hold_two_numbers_of_their_kind(refused):
    assert PairKind(WHOLE).of([64.0, 32]) == (64, 32)
    assert PairKind(WHOLE).read("64") == (64, 64)
    assert PairKind(FLOAT, "-").read("5-50") == (5, 50)
    assert PairKind(FLOAT, "-").show((5.0, 50.0)) == "5-50"
    for kind, text in ((PairKind(WHOLE), "6.5x5"), (PairKind(WHOLE), "1e400"),
                       (PairKind(FLOAT, "-"), "5"), (PairKind(FLOAT), "5-50")):  # fmt: skip
        with refused("found"):
            kind.read(text)
    for value in ((1,), (1, 2, 3), 1, (1, None)):
        with refused("two numbers (depth, width), such as 64x64"):
            PairKind(FLOAT).of(value)


@pytest.mark.parametrize("text", ["yes", "True", " YES "])
def test_yes_has_several_texts(text):
    assert FlagKind().read(text) is True


def test_a_table_has_a_heading_at_most_and_comments(refused):
    text = "# measured\ntime,velocity\n0,0\n\n1;2\n2\t0\n"
    assert TableKind(PairKind(FLOAT)).read(text) == ((0, 0), (1, 2), (2, 0))
    with refused("line 2: found 'v, w', wanted two numbers"):
        TableKind(PairKind(FLOAT)).read("t,v\nv, w")


@pytest.mark.parametrize(
    ("number", "texts"),
    [(5.0, ("5", "5")), (5 / 3, ("1.6666666666666667", "1.66667")), (2**31, ("2147483648",) * 2)],
)
def test_a_number_has_an_exact_and_a_short_text(number, texts):
    assert (exact(number), exact(number) if isinstance(number, int) else short(number)) == texts


def test_flags_are_no_numbers():
    assert is_number(np.float32(1))
    assert not is_number(True)
    assert not is_number("1")
