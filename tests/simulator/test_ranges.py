import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from musim.simulator import InputError, Range
from musim.simulator.ranges import format_pair, parse_pair

WHOLE_UNITS = Range(5, 30)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("10", 10, 10),
        ("5-30", 5, 30),
        (" 2.5-10 ", 2.5, 10),
        (".5-1.", 0.5, 1),
        ("-5", -5, -5),
        ("-5--3", -5, -3),
        ("-5-3", -5, 3),
        ("+5-+6", 5, 6),
        ("1e-3", 1e-3, 1e-3),
        ("1e-3-1E+2", 1e-3, 100),
        ("0-10%", 0, 0.1),
        ("10%", 0.1, 0.1),
        ("inf", math.inf, math.inf),
        ("INF", math.inf, math.inf),
        ("+inf", math.inf, math.inf),
    ],
)
def test_a_text_is_read_as_a_range(text, low, high):
    assert Range.parse(text) == Range(low, high)


@pytest.mark.parametrize(
    "text",
    ["", " ", "-", "abc", "nan", "-inf", "5-inf", "1-2-3", "5 30", "5,30", "5..6", "0x10", "1e",
     "%", "5_000", "1e400", "1-1e400", "5-30\n1"],
)  # fmt: skip
def test_what_is_no_range_is_refused_in_one_line_that_shows_it(text, refused):
    with refused() as error:
        Range.parse(text)
    assert repr(text.strip()) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_range_the_wrong_way_round_is_refused_with_the_right_one(refused):
    with refused("did you mean 5-30"):
        Range.parse("30-5")


@pytest.mark.parametrize("percent", range(101))
def test_percent_are_hundredths_to_the_last_bit(percent):
    assert Range.parse(f"{percent}%").low == percent / 100


def _is_close(a, b):
    return a == b or math.isclose(a, b, rel_tol=1e-5)


@given(st.text() | st.from_regex(r"[+-]?[0-9.]{1,4}(e[0-9]{1,3})?-?[+-]?[0-9.]{0,4}%?"))
@example("٣-٤")
@example("1e308-1.7976931348623157e308")
def test_any_text_is_refused_or_gives_a_range_that_can_be_written(text):
    try:
        value = Range.parse(text)
    except InputError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017 (most texts are no ranges)
        return
    assert value.low <= value.high
    back = Range.parse(str(value))
    assert _is_close(back.low, value.low)
    assert _is_close(back.high, value.high)


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@given(NUMBERS, NUMBERS)
def test_a_written_range_is_read_back(a, b):
    value = Range(min(a, b), max(a, b))
    back = Range.parse(str(value))
    assert _is_close(back.low, value.low)
    assert _is_close(back.high, value.high)


def test_the_mean_lies_halfway():
    assert Range(5, 30).mean == 17.5
    assert Range(math.inf, math.inf).mean == math.inf
    assert Range(3, 3).is_constant
    assert not Range(3, 4).is_constant


def test_draws_fill_the_range_evenly():
    values = Range(2, 6).draw(np.random.default_rng(0), 4000)
    assert values.dtype == np.float64
    assert 2 <= values.min() < 2.01
    assert 5.99 < values.max() < 6
    np.testing.assert_allclose(np.quantile(values, [0.25, 0.5, 0.75]), [3, 4, 5], atol=0.1)


def test_constants_use_up_as_much_randomness_as_ranges():
    one, other = np.random.default_rng(0), np.random.default_rng(0)
    assert (Range(4, 4).draw(one, 5) == 4).all()
    Range(2, 6).draw(other, 5)
    assert one.random() == other.random()


@pytest.mark.parametrize("drawn", [Range(2, 6), Range(4, 4), Range(math.inf, math.inf)])
def test_one_value_is_the_first_of_many(drawn):
    one, other = np.random.default_rng(0), np.random.default_rng(0)
    for _ in range(20):
        assert drawn.draw_one(one) == drawn.draw(other, 1)[0]
    assert one.random() == other.random()


def test_an_infinite_constant_can_be_drawn():
    assert (Range(math.inf, math.inf).draw(np.random.default_rng(0), 2) == math.inf).all()


def test_whole_numbers_are_drawn_from_both_ends_and_all_between():
    random = np.random.default_rng(0)
    drawn = {WHOLE_UNITS.draw_integer(random) for _ in range(1000)}
    assert drawn == set(range(5, 31))
    assert Range(7, 7).draw_integer(random) == 7


@pytest.mark.parametrize(
    ("text", "pair"),
    [("64x64", (64, 64)), ("64", (64, 64)), (" 40 X 30.5 ", (40, 30.5)), ("0x64", (0, 64))],
)
def test_a_text_is_read_as_depth_and_width(text, pair):
    assert parse_pair(text) == pair


@pytest.mark.parametrize("text", ["", "x", "64x", "64x64x64", "a", "64*64", "inf", "nanxnan"])
def test_what_is_no_pair_is_refused(text, refused):
    with refused("wanted DEPTHxWIDTH"):
        parse_pair(text)


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_written_pair_is_read_back(depth, width):
    back = parse_pair(format_pair((depth, width)))
    assert back == pytest.approx((depth, width), rel=1e-5)
