"""Figures of an evaluation: what is drawn where, and beside what has been published."""

import dataclasses
import io
import itertools
import math

import numpy as np
import pytest

from musim.training.identification.evaluation import FIGURES
from musim.training.identification.figures import draw_charts
from musim.training.identification.published import PUBLISHED
from musim.training.identification.rows import IdentificationEvaluation

MEASURES = (
    "train_recall", "train_precision", "train_match_correlation", "firing_agreement",
    "detection_recall", "detection_precision", "mask_recall", "mask_precision",
    "rate_of_agreement", "firing_recall",
)  # fmt: skip
PANELS = {
    "trains": MEASURES[:2], "firings": MEASURES[2:4],
    "detection": MEASURES[4:6],
    "segmentation": MEASURES[6:8], "agreement": MEASURES[8:],
}  # fmt: skip
CHANCE = {"train_match_correlation": "train_chance", "firing_agreement": "firing_chance"}


def evaluation(axis, units=(15,), snr=(20.0,), synchrony=(0.05,), sequences=3, lacking=(),
               older=False):  # fmt: skip
    """An evaluation with scores that differ everywhere; those of `lacking` are not defined."""
    random = np.random.default_rng(1)
    scores = MEASURES[4:] if older else (*MEASURES, *CHANCE.values())
    rows = [
        {"units": float(u), "snr": s, "synchrony": y, "sequence": float(index),
         **{name: math.nan if name in lacking else random.random() for name in scores}}
        for u, s, y, index in itertools.product(units, snr, synchrony, range(sequences))
    ]  # fmt: skip
    found = [{"overlap": o, "found": f, "iou": 0.6} for o, f in ((0.1, 1), (0.15, 0), (0.9, 0))]
    if not older:
        found = [{**row, "train_found": 1, "found_iou03": row["overlap"] == 0.1} for row in found]
    return IdentificationEvaluation("refine", "p", axis, rows, found)


PROTOCOL = {"units": (1, 5, 25), "snr": (10.0, 20.0, math.inf)}


def lines(axes):
    """Lines with their labels, places and values; of error bars the line alone."""
    return {container.get_label(): container.lines[0].get_xydata() for container in axes.containers}


def test_the_protocol_has_two_figures_by_trains_and_the_papers_three():
    found = evaluation("units", **PROTOCOL)
    charts = draw_charts(found)
    assert [chart.name for chart in charts] == list(PANELS)
    for chart in charts:
        assert chart.title in chart.text
        assert "refine" in chart.text
        for axes, measure in zip(chart.figure.axes, PANELS[chart.name], strict=True):
            drawn = lines(axes)
            assert set(drawn) == {"10 dB", "20 dB", "no noise"}
            for label, snr in (("10 dB", 10), ("20 dB", 20), ("no noise", math.inf)):
                assert np.abs(drawn[label][:, 0] - [1, 5, 25]).max() < 0.5
                means = [
                    np.mean([row[measure] for row in found.sequences
                             if (row["units"], row["snr"]) == (units, snr)])
                    for units in (1, 5, 25)
                ]  # fmt: skip
                np.testing.assert_allclose(drawn[label][:, 1], means)
            # Lines of the three levels stand side by side.
            assert len({drawn[label][0, 0] for label in drawn}) == 3
            assert axes.get_ylim() == (0, 1.04)
            assert axes.get_xlabel() == "Number of units"


def test_error_bars_are_one_sd():
    found = evaluation("units", units=(5,), snr=(10.0,))
    axes = draw_charts(found)[0].figure.axes[0]
    values = [row["train_recall"] for row in found.sequences]
    ((low, high),) = axes.containers[0].lines[2][0].get_segments()
    mean, sd = np.mean(values), np.std(values, ddof=1)
    assert (low[1], high[1]) == pytest.approx((mean - sd, mean + sd))


def test_what_a_wrong_unit_scores_is_dotted():
    found = evaluation("units", **PROTOCOL)
    chart = draw_charts(found)[1]
    assert "Dotted: what a wrong unit scores." in chart.text
    for axes, measure in zip(chart.figure.axes, PANELS["firings"], strict=True):
        dotted = [line for line in axes.get_lines() if line.get_linestyle() == ":"]
        assert len(dotted) == 3
        for line, snr in zip(dotted, (10, 20, math.inf), strict=True):
            means = [
                np.mean([row[CHANCE[measure]] for row in found.sequences
                         if (row["units"], row["snr"]) == (units, snr)])
                for units in (1, 5, 25)
            ]  # fmt: skip
            np.testing.assert_allclose(line.get_ydata(), means)
        labels = [line.get_label() for line in dotted]
        assert labels.count("a wrong unit") == 1
    for other in draw_charts(found)[:1]:
        assert "wrong" not in other.text


@pytest.mark.parametrize("axis", ["units", "overlap"])
def test_an_evaluation_of_an_older_musim_has_the_figures_it_had(axis):
    charts = draw_charts(evaluation(axis, older=True))
    assert [chart.name for chart in charts] == (
        ["recall-by-overlap"] if axis == "overlap" else list(PANELS)[2:]
    )
    if axis == "overlap":
        assert list(lines(charts[0].figure.axes[0])) == ["by outline, IoU > 0.5"]


def published(axes):
    return {line.get_label(): line.get_xydata() for line in axes.get_lines()
            if "(" in str(line.get_label())}  # fmt: skip


def test_published_values_stand_beside_ours_by_number_of_units():
    seen = 0
    for chart in draw_charts(evaluation("units", **PROTOCOL)):
        for axes, measure in zip(chart.figure.axes, PANELS[chart.name], strict=True):
            wanted = {line.label: line.points for line in PUBLISHED if line.measure == measure}
            drawn = published(axes)
            assert set(drawn) == set(wanted)
            for label, points in wanted.items():
                np.testing.assert_array_equal(drawn[label], [point[:2] for point in points])
                seen += 1
            ranges = [p for p in wanted.values() if any(low != high for _, low, high in p)]
            assert len(axes.collections) - len(axes.containers) == len(ranges)
        labels = [text.get_text() for text in chart.figure.axes[0].get_legend().get_texts()]
        assert ("a wrong unit" in labels) == (chart.name == "firings")
        assert {"10 dB", "20 dB", "no noise"} <= set(labels)
        assert set(published(chart.figure.axes[0])) < set(labels)
    assert seen == len(PUBLISHED) > 0


@pytest.mark.parametrize("axis", ["snr", "synchrony"])
def test_published_values_stand_nowhere_else(axis):
    for chart in draw_charts(evaluation(axis, snr=(10.0, 20.0), synchrony=(0.0, 0.5))):
        assert not any(published(axes) for axes in chart.figure.axes)
        legend = chart.figure.axes[0].get_legend()
        labels = [text.get_text() for text in legend.get_texts()] if legend else []
        assert labels == (["a wrong unit"] if chart.name == "firings" else [])


def test_published_values_are_sound():
    for line in PUBLISHED:
        assert line.measure in MEASURES
        assert all(1 <= units <= 25 and 0 <= low <= high <= 1 for units, low, high in line.points)


def test_no_noise_has_a_tick_beyond_the_numbers():
    charts = draw_charts(evaluation("snr", snr=(-10.0, 0.0, 30.0, math.inf)))
    for axes in (axes for chart in charts for axes in chart.figure.axes):
        assert [text.get_text() for text in axes.get_xticklabels()] == ["-10", "0", "30", "∞"]
        ticks = axes.get_xticks()
        assert ticks[:3].tolist() == [-10, 0, 30]
        assert ticks[3] > 30
        ((_, points),) = lines(axes).items()
        np.testing.assert_array_equal(points[:, 0], ticks)
        assert axes.get_xlabel() == "SNR (dB)"


def test_a_sweep_of_synchrony_has_one_line():
    charts = draw_charts(evaluation("synchrony", synchrony=(0.0, 0.2, 0.5)))
    for axes in (axes for chart in charts for axes in chart.figure.axes):
        ((_, points),) = lines(axes).items()
        assert points[:, 0].tolist() == [0, 0.2, 0.5]
        assert axes.get_xlabel() == "Synchrony (share of firings)"


def test_recall_by_overlap():
    (chart,) = draw_charts(evaluation("overlap"))
    assert chart.name == "recall-by-overlap"
    (axes,) = chart.figure.axes
    drawn = lines(axes)
    assert list(drawn) == [
        "by train, |r| > 0.7", "by outline, IoU > 0.3", "by outline, IoU > 0.5",
    ]  # fmt: skip
    for points, recalls in zip(drawn.values(), ((1, 1), (0.5, 0), (0.5, 0)), strict=True):
        np.testing.assert_allclose(points, [[0.1, recalls[0]], [0.9, recalls[1]]])
    assert [text.get_text() for text in axes.texts] == ["2", "1"]
    assert not published(axes)


def test_a_store_has_no_figures():
    assert draw_charts(evaluation("")) == []


@pytest.mark.parametrize("axis", ["units", "snr", "synchrony", "overlap"])
@pytest.mark.parametrize(("sequences", "lacking"), [(1, ()), (2, MEASURES)])
def test_figures_are_drawn_where_little_is_known(axis, sequences, lacking):
    found = evaluation(axis, **PROTOCOL, sequences=sequences, lacking=lacking)
    for chart in draw_charts(found):
        assert chart.name in FIGURES
        picture = io.BytesIO()
        chart.figure.savefig(picture, format="png", dpi=20)
        assert picture.getvalue().startswith(b"\x89PNG")


def test_every_figure_has_a_name_that_an_evaluation_knows():
    predicted = [{"confidence": 0.8, "train_matched": 1, "units": 15.0, "snr": 20.0,
                  "synchrony": 0.05}]  # fmt: skip
    drawn = {
        chart.name for axis in ("units", "snr", "synchrony", "overlap")
        for chart in draw_charts(
            dataclasses.replace(with_rates(evaluation(axis)), predictions=predicted)
        )
    }  # fmt: skip
    assert drawn == set(FIGURES)


# Firings by rate, beside the oracle and chance

RATES = (7.0, 9.0, 12.0, 30.0, 33.0)
AGREEMENT = (1.0, 0.9, 0.5, math.nan, 0.4)


def with_rates(found, oracle=0.97):
    """The same evaluation, with true units of which rates are known."""
    units = [
        {"overlap": 0.1, "found": 1, "iou": 0.6, "found_iou03": 1, "firing_rate": rate,
         "train_found": int(not math.isnan(agreement)), "firing_agreement": agreement,
         "firing_chance": agreement / 4, "firing_oracle": oracle}
        for rate, agreement in zip(RATES, AGREEMENT, strict=True)
    ]  # fmt: skip
    rows = [{**row, "firing_oracle": oracle} for row in found.sequences]
    return dataclasses.replace(found, sequences=rows, units=units)


@pytest.mark.parametrize(("axis", "place"), [("units", 2), ("snr", 2), ("overlap", 1), ("", 0)])
def test_firings_are_drawn_by_the_true_units_rates(axis, place):
    chart = draw_charts(with_rates(evaluation(axis)))[place]
    assert chart.name == "firings-by-rate"
    assert all(word in chart.text for word in ("refine", "Dashed", "Dotted"))
    agreement, recall = chart.figure.axes
    ticks = [text.get_text() for text in agreement.get_xticklabels()]
    assert ticks == ["0-8", "8-13", "20-35"]
    (found,) = agreement.containers[:1]
    np.testing.assert_allclose(np.float64(found.lines[0].get_ydata()), [1.0, 0.7, 0.4])
    bars = found.lines[2][0].get_segments()
    assert bars[1][1][1] - bars[1][0][1] == pytest.approx(2 * np.std([0.9, 0.5], ddof=1))
    assert {box.get_label() for box in agreement.containers} == {
        "found", "the oracle", "a wrong unit",
    }  # fmt: skip
    by_label = {box.get_label(): box.lines[0] for box in agreement.containers}
    np.testing.assert_allclose(np.float64(by_label["the oracle"].get_ydata()), [0.97] * 3)
    assert by_label["the oracle"].get_linestyle() == "--"
    np.testing.assert_allclose(np.float64(by_label["a wrong unit"].get_ydata()), [0.25, 0.175, 0.1])
    assert by_label["a wrong unit"].get_linestyle() == ":"
    np.testing.assert_allclose(np.float64(recall.get_lines()[0].get_ydata()), [1, 1, 0.5])
    assert [text.get_text() for text in recall.texts] == ["1", "2", "2"]


def test_an_oracle_that_is_not_known_is_not_drawn():
    charts = draw_charts(with_rates(evaluation("units", **PROTOCOL), oracle=math.nan))
    by_name = {chart.name: chart for chart in charts}
    boxes = by_name["firings-by-rate"].figure.axes[0].containers
    assert [box.get_label() for box in boxes] == ["found", "a wrong unit"]
    assert "Dashed" not in by_name["firings"].text


def test_the_oracles_firings_are_dashed_by_number_of_units():
    (chart,) = [chart for chart in draw_charts(with_rates(evaluation("units", **PROTOCOL)))
                if chart.name == "firings"]  # fmt: skip
    correlation, firings = chart.figure.axes
    dashed = [line for line in firings.get_lines() if line.get_linestyle() == "--"]
    assert [line.get_label() for line in dashed].count("the oracle") == 1
    assert len(dashed) == 3
    for line in dashed:
        np.testing.assert_allclose(line.get_ydata(), [0.97] * 3)
    assert not any(line.get_linestyle() == "--" and "(" not in str(line.get_label())
                   for line in correlation.get_lines())  # fmt: skip
    assert "Dashed: firings found in the true trains" in chart.text
