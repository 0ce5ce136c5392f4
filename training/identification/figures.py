"""Figures of an evaluation: scores against difficulty, beside what has been published."""

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..charts import Chart
from ..colours import COLOURS, GREY
from .axes import finish
from .published import PUBLISHED
from .rate_figure import draw_by_rate
from .reliability_figure import draw_reliability
from .rows import IdentificationEvaluation
from .tables import summary

PANELS = {
    "trains": ("Units matched by their trains", ("train_recall", "train_precision")),
    "firings": (
        "Trains and firings of units matched by trains",
        ("train_match_correlation", "firing_agreement"),
    ),
    "detection": ("Detection", ("detection_recall", "detection_precision")),
    "segmentation": ("Segmentation of matched units", ("mask_recall", "mask_precision")),
    "agreement": ("Twitch trains of matched units", ("rate_of_agreement", "firing_recall")),
}
"""Figures of the protocol: by trains, then those of Ali et al. 2020, Fig. 4, 5 and 6."""

CHANCE = {"train_match_correlation": "train_chance", "firing_agreement": "firing_chance"}
"""What a wrong unit scores, dotted beside what a right one does."""

ORACLE = {"firing_agreement": "firing_oracle"}
"""What is found in the true trains with the true noise, dashed beside it."""

LABELS = {
    "train_recall": "Recall",
    "train_precision": "Precision",
    "train_match_correlation": "Size of correlation",
    "firing_agreement": "Agreement of firings",
    "detection_recall": "Recall",
    "detection_precision": "Precision",
    "mask_recall": "Recall of pixels",
    "mask_precision": "Precision of pixels",
    "rate_of_agreement": "Rate of agreement",
    "firing_recall": "Recall of firings",
    "units": "Number of units",
    "snr": "SNR (dB)",
    "synchrony": "Synchrony (share of firings)",
    "overlap": "Share of the unit that lies in others",
}
MARKERS = "osD^v"

OVERLAP_LINES = {
    "train_recall": "by train, |r| > 0.7",
    "detection_recall_iou03": "by outline, IoU > 0.3",
    "detection_recall": "by outline, IoU > 0.5",
}
"""Lines of the figure by overlap."""


def draw_charts(evaluation: IdentificationEvaluation) -> list[Chart]:
    """Draw the figures of an evaluation; for a single store, whose scores are a table, two."""
    by_rate, reliability = draw_by_rate(evaluation), draw_reliability(evaluation)
    rates = [] if by_rate is None else [by_rate]
    last = [] if reliability is None else [reliability]
    if not evaluation.axis:
        return rates + last
    rows = summary(evaluation)
    if evaluation.axis == "overlap":
        return [_overlap_chart(evaluation, rows), *rates, *last]
    axis = evaluation.axis
    other = "snr" if axis == "units" else ""
    charts = []
    for name, (title, measures) in PANELS.items():
        if rows and any(f"{measure}_mean" not in rows[0] for measure in measures):
            continue  # an older musim did not score it
        figure, panels = _figure(len(measures))
        for axes, measure in zip(panels, measures, strict=True):
            _lines(axes, rows, axis, other, measure)
            if axis == "units":
                _published(axes, measure)
            finish(axes, LABELS[axis], LABELS[measure])
        if panels[0].get_legend_handles_labels()[0]:
            panels[0].legend(fontsize=7, frameon=False, loc="lower left")
        figure.suptitle(f"{title}: {evaluation.method}", fontsize=10)
        text = f"{title} by {evaluation.method}, mean and SD over sequences, against {axis}."
        if any(measure in CHANCE for measure in measures):
            text += " Dotted: what a wrong unit scores."
        if any(_known(rows, ORACLE.get(measure, "")) for measure in measures):
            text += " Dashed: firings found in the true trains with the true noise."
        charts.append(Chart(name, title, text, figure))
        if name == "firings":
            charts += rates
    if "firings" not in {chart.name for chart in charts}:
        charts += rates
    return charts + last


def _known(rows: Sequence[dict[str, Any]], measure: str) -> bool:
    """Return whether some rows know a measure."""
    return any(not math.isnan(row.get(f"{measure}_mean", math.nan)) for row in rows)


def _figure(panels: int) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(3.6 * panels, 3.2), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    found: Any = figure.subplots(1, panels, squeeze=False)
    return figure, list(found[0])


def _lines(axes: Axes, rows: Sequence[dict[str, Any]], axis: str, other: str, measure: str) -> None:
    """Draw one line for each value of the other difficulty."""
    values = sorted({row[other] for row in rows}) if other else [None]
    for number, value in enumerate(values):
        line = [row for row in rows if value is None or row[other] == value]
        places = [_place(row[axis], line, axis) for row in line]
        shift = (number - (len(values) - 1) / 2) * 0.15 if other else 0
        label = None if value is None else "no noise" if math.isinf(value) else f"{value:g} dB"
        axes.errorbar(
            [place + shift for place in places],
            [row[f"{measure}_mean"] for row in line],
            [row[f"{measure}_sd"] for row in line],
            color=COLOURS[number], marker=MARKERS[number % len(MARKERS)], markersize=4,
            linewidth=1, elinewidth=0.6, capsize=2, label=label,
        )  # fmt: skip
        if measure in CHANCE:
            axes.plot(
                [place + shift for place in places],
                [row[f"{CHANCE[measure]}_mean"] for row in line],
                ":", color=COLOURS[number], linewidth=1,
                label="a wrong unit" if number == len(values) - 1 else None,
            )  # fmt: skip
        if _known(line, ORACLE.get(measure, "")):
            axes.plot(
                [place + shift for place in places],
                [row[f"{ORACLE[measure]}_mean"] for row in line],
                "--", color=COLOURS[number], linewidth=1,
                label="the oracle" if number == len(values) - 1 else None,
            )  # fmt: skip
    infinite = [row for row in rows if math.isinf(row[axis])]
    if infinite:
        ticks = sorted({row[axis] for row in rows})
        axes.set_xticks(
            [_place(tick, rows, axis) for tick in ticks],
            ["∞" if math.isinf(tick) else f"{tick:g}" for tick in ticks],
        )


def _place(value: float, rows: Sequence[dict[str, Any]], axis: str) -> float:
    """Return where a value stands; no noise stands a little to the right of the others."""
    if not math.isinf(value):
        return value
    return max(row[axis] for row in rows if not math.isinf(row[axis])) + 8


def _published(axes: Axes, measure: str) -> None:
    styles = ((GREY, "--"), ("#a0622d", ":"))
    for line in PUBLISHED:
        if line.measure != measure:
            continue
        colour, dashes = styles["decomposition" in line.label]
        units = [point[0] for point in line.points]
        low, high = [point[1] for point in line.points], [point[2] for point in line.points]
        if low != high:
            axes.fill_between(units, low, high, color=colour, alpha=0.12, linewidth=0)
        axes.plot(units, low, dashes, color=colour, marker="x", markersize=4, linewidth=1,
                  label=line.label)  # fmt: skip


def _overlap_chart(evaluation: IdentificationEvaluation, rows: Sequence[dict[str, Any]]) -> Chart:
    figure, (axes,) = _figure(1)
    for number, (measure, label) in enumerate(OVERLAP_LINES.items()):
        if f"{measure}_mean" in rows[0]:
            axes.errorbar(
                [row["overlap"] for row in rows],
                [row[f"{measure}_mean"] for row in rows],
                [row[f"{measure}_se"] for row in rows],
                color=COLOURS[number], marker=MARKERS[number], markersize=4, linewidth=1, capsize=2,
                label=label,
            )  # fmt: skip
    axes.legend(fontsize=7, frameon=False, loc="lower left", bbox_to_anchor=(0, 0.06))
    for row in rows:
        axes.annotate(str(row["count"]), (row["overlap"], 0.02), fontsize=6, ha="center")
    finish(axes, LABELS["overlap"], "Recall (units found; below: units)")
    title = "Recall by overlap"
    text = f"Share of units found by {evaluation.method}, against how much of them lies in others."
    return Chart("recall-by-overlap", title, text, figure)
