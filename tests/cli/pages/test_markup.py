"""Elements, escaped once; numbers and colours as they are read."""

import html
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from musim.cli.pages.markup import colour_rules, element, fixed, join, share


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (1.005, 1, "1.0"), (math.nan, 2, "–"), (math.inf, 1, "∞"), (-0.001, 2, "0.00"),
        (-1.25, 1, "−1.2"), (12, 0, "12"), (-math.inf, 1, "−∞"), (0.0, 1, "0.0"),
    ],
)  # fmt: skip
def test_numbers_as_they_are_read(value, decimals, text):
    assert fixed(value, decimals) == text


def test_shares_and_elements():
    assert share(0.156) == "16 %"
    assert share(math.nan) == "–"
    made = element("a", "<", Markup("<b></b>"), None, 3, class_="x", href='"', hidden=True, id=None)
    assert made == '<a class="x" href="&#34;" hidden>&lt;<b></b>3</a>'
    assert join("<", Markup("<i>")) == "&lt;<i>"
    assert element("path", x=1.23456, y=2.0) == '<path x="1.235" y="2"></path>'


def luminance(colour):
    values = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def test_numbers_on_every_colour_can_be_read():
    rules = re.findall(r"--unit:(#\w{6});--on-unit:(#\w{3})", colour_rules())
    assert len(rules) == 30
    for colour, text in rules:
        low, high = sorted([luminance(colour), luminance(text * 2 if len(text) > 4 else
                            "#" + "".join(2 * c for c in text[1:]))])  # fmt: skip
        assert (high + 0.05) / (low + 0.05) >= 4.5


@given(st.text())
def test_any_text_is_escaped_everywhere(text):
    made = element("a", text, title=text)
    assert made.count("<") == made.count(">") == 2
    assert html.unescape(re.fullmatch('<a title="([^"<>]*)">[^<>]*</a>', made, re.S)[1]) == text
    assert html.unescape(made[made.index(">") + 1 : -4]) == text


@given(st.text(), st.text())
def test_markup_is_taken_as_it_is_and_text_is_escaped_once(inner, outer):
    made = element("p", outer, element("b", inner), join(inner, Markup("<br>")))
    assert isinstance(made, Markup)
    assert made.count("<") == made.count(">") == 5
    text = re.fullmatch("<p>([^<]*)<b>([^<]*)</b>([^<]*)<br></p>", made, re.S)
    assert [html.unescape(one) for one in text.groups()] == [outer, inner, inner]


@given(st.text())
def test_text_that_joins_markup_is_escaped(text):
    # However they are put together: plain text never becomes markup.
    for made in (Markup("<i>") + text, text + Markup("<i>"), Markup("<i>{}").format(text)):
        assert isinstance(made, Markup)
        assert made.count("<") == made.count(">") == 1
    assert not isinstance(f"{Markup('<i>')}{text}", Markup)


def test_markup_in_an_attribute_is_text():
    made = element("a", title=Markup('<b title="x">'))
    assert made == '<a title="&lt;b title=&#34;x&#34;&gt;"></a>'


def test_fractions_are_short_in_markup_and_attributes():
    assert element("p", 1.23456, np.float64(2), x=np.float64(0.12349)) == '<p x="0.123">1.2352</p>'
