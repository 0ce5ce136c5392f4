"""The figure of firing rates: a dot for each interval, where it ends, as high as its rate."""

import dataclasses
import math
import re

import numpy as np
import pytest

from musim.cli.pages.findings import TrueUnit
from musim.cli.pages.rates import caption_of_rates, draw_rates, rates_of
from musim.cli.pages.sources import KnownTrain
from musim.training.identification.verdicts import FoundVerdict, TrueVerdict
from tests.cli.pages.small import findings, unit

FIRINGS = np.array([0.1, 0.2, 0.25, 0.5])
TRUE = np.array([0.1, 0.21, 0.26, 0.51, 0.99])


def dots(drawing, kind="found"):
    """Return where a figure's dots stand (row, across, down), and the axes' ends, Hz."""
    found = []
    for number, row in enumerate(re.findall(r"<svg.*?</svg>", drawing)):
        (path,) = re.findall(rf'<path d="([^"]*)" class="{kind} dots">', row) or [""]
        found += [
            (number, float(x), float(y)) for x, y in re.findall(r"M([\d.]+) ([\d.]+)h0", path)
        ]
    return found


def test_each_interval_has_a_dot_at_its_end_as_high_as_its_rate():
    drawing = draw_rates(findings([unit(3, FIRINGS), unit(7, [])]))
    # 10, 20 and 4 Hz on an axis of 20 Hz, which is 40 px high below 3 px.
    assert dots(drawing) == [(0, 200, 23), (0, 250, 3), (0, 500, 35)]
    assert "<span>20</span><span>0</span>" in drawing
    rate, variation = 3 / 0.4, np.std([0.1, 0.05, 0.25], ddof=1) / (0.4 / 3)
    assert f"<strong>{rate:.1f} Hz</strong><span>CoV {100 * variation:.0f} %</span>" in drawing
    assert 'aria-label="Rates of unit 3: 4 firings, 7.5 Hz, intervals vary by 78 %"' in drawing
    assert "<strong>–</strong><span>CoV –</span>" in drawing
    assert [float(x) for x in re.findall(r"M([\d.]+) [\d.]+v6", drawing)] == [100, 200, 250, 500]


@pytest.mark.parametrize(
    ("shortest", "top", "above"),
    [(0.06, "20", 0), (0.045, "30", 0), (0.021, "50", 0), (0.004, "50", 1)],
)
def test_the_axis_ends_at_fifty_hertz_at_most(shortest, top, above):
    shown = findings([unit(0, [0.1, 0.1 + shortest, 0.9])])
    assert f"<span>{top}</span><span>0</span>" in draw_rates(shown)
    assert min(y for _, _, y in dots(draw_rates(shown))) >= 3
    assert ("1 dot above lie at the edge" in caption_of_rates(shown)) == bool(above)


def test_many_rows_are_lower():
    few, many = (findings([unit(n, FIRINGS) for n in range(count)]) for count in (10, 11))
    heights = [re.findall(r'<svg [^>]*height="(\d+)"', draw_rates(one)) for one in (few, many)]
    assert len(heights[0]) == 10
    assert float(heights[1][0]) == float(heights[0][0]) - 10


def test_the_true_unit_lies_beneath_and_missed_and_known_ones_last():
    verdict = FoundVerdict("found", partner=4)
    true = TrueUnit(4, np.ones((2, 2), bool), np.zeros(400, np.float32), TRUE, {},
                    TrueVerdict("found", 3))  # fmt: skip
    missed = dataclasses.replace(true, number=6, verdict=TrueVerdict("missed", None))
    known = (KnownTrain(0, "MU <1>", FIRINGS + 0.1),)
    shown = findings([unit(3, FIRINGS, verdict)], true_units=(true, missed), score=object(),
                     known=known)  # fmt: skip
    drawing = draw_rates(shown)
    beneath = dots(drawing, "true")
    assert [(row, across) for row, across, _ in beneath if row == 0] == [
        (0, 210), (0, 260), (0, 510), (0, 990),
    ]  # fmt: skip
    assert [across for row, across, _ in beneath if row == 2] == [300, 350, 600]
    assert re.findall(r'data-key="(\w+)" data-pick', drawing) == ["u3", "t6", "k0"]
    assert 'title="MU &lt;1&gt;"' in drawing
    assert "Rates of known unit MU &lt;1&gt;: 4 firings" in drawing
    text = caption_of_rates(shown)
    assert all(words in text for words in ("Grey", "t: true units", "k0 (MU &lt;1&gt;)"))


def test_nothing_that_fires_twice_is_no_figure():
    assert draw_rates(findings([])) is None
    assert draw_rates(findings([unit(0, []), unit(1, [0.5])])) is None


def test_two_firings_at_once_are_at_the_edge():
    assert rates_of(np.array([0.5, 0.5])).tolist() == [math.inf]
    assert dots(draw_rates(findings([unit(0, [0.5, 0.5])]))) == [(0, 500, 3)]
