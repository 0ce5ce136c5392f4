"""The reliability diagram: points, errors and words, counted by hand."""

import dataclasses

import numpy as np
import pytest

from musim.training.identification.reliability_figure import draw_reliability, reliability_chart
from musim.training.identification.rows import IdentificationEvaluation

SURE = [0.05, 0.05, 0.75, 0.72, 0.78, 0.79, 0.95, 1.0]
TRUE = [0, 0, 1, 0, 1, 1, 1, 1]


def drawn(chart):
    """The points of a diagram, and the ends of their bars."""
    (axes,) = chart.figure.axes
    (container,) = axes.containers
    line, _, (bars,) = container.lines
    return line.get_xydata(), np.array(bars.get_segments())


def test_points_stand_at_the_means_of_their_bins():
    points, _ = drawn(reliability_chart(SURE, TRUE, "units"))
    np.testing.assert_allclose(points, [[0.05, 0], [0.76, 0.75], [0.975, 1]])


def test_bars_are_wilsons_interval():
    points, bars = drawn(reliability_chart(SURE, TRUE, "units"))
    for (_, share), bar, count in zip(points, bars, (2, 4, 2), strict=True):
        # The shares from which the observed one is one standard error away.
        for end in bar[:, 1]:
            if 0 < end < 1:
                assert abs(end - share) == pytest.approx(np.sqrt(end * (1 - end) / count))
        assert 0 <= bar[0, 1] <= share <= bar[1, 1] <= 1


@pytest.mark.parametrize("true", [0, 1])
def test_any_number_of_units_that_are_all_alike_is_drawn(true):
    for count in range(1, 31):
        points, bars = drawn(reliability_chart([0.95] * count, [true] * count, "units"))
        assert points[0, 1] == true
        assert true in bars[0][:, 1]


def test_it_says_how_far_confidence_is_off_and_how_many_units_there_are():
    chart = reliability_chart(SURE, TRUE, "units found by refine")
    off = (0.1 + abs(3.04 - 3) + abs(1.95 - 2)) / 8
    assert f"Expected calibration error {off:.3f} over 8." in chart.text
    assert "units found by refine" in chart.text
    (axes,) = chart.figure.axes
    assert [text.get_text() for text in axes.texts] == ["2", "4", "2"]
    assert chart.name == "reliability"


def test_an_evaluation_without_units_found_has_none():
    rows = [{"confidence": c, "train_matched": float(t)} for c, t in zip(SURE, TRUE, strict=True)]
    evaluation = IdentificationEvaluation("refine", "p", "units", [], [], rows)
    points, _ = drawn(draw_reliability(evaluation))
    assert len(points) == 3
    assert draw_reliability(dataclasses.replace(evaluation, predictions=[])) is None


def test_what_is_no_confidence_is_refused(refused):
    with refused("confidence: found shape"):
        reliability_chart([1.2], [1], "units")
