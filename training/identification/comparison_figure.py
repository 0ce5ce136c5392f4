"""The figure of a comparison: what methods find, and how long it takes them."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from ..charts import Chart
from ..colours import COLOURS
from .rows import IdentificationEvaluation

PANELS = {
    "train_recall": "Recall by trains",
    "train_precision": "Precision by trains",
    "firing_agreement": "Agreement of firings",
    "seconds": "Seconds a sequence",
}


def draw(evaluations: Sequence[IdentificationEvaluation]) -> Chart:
    """Draw scores of methods over the difficulty; of a store, which has none, as bars."""
    figure = Figure(figsize=(3.2 * len(PANELS), 3.2), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axis = evaluations[0].axis
    lined = axis not in {"", "overlap"}
    panels: list[Axes] = list(figure.subplots(1, len(PANELS), squeeze=False)[0])
    for axes, (measure, title) in zip(panels, PANELS.items(), strict=True):
        for number, found in enumerate(evaluations):
            colour = COLOURS[number % len(COLOURS)]
            if lined:
                places, means = _means(found, axis, measure)
                axes.plot(places, means, "o-", color=colour, markersize=4, linewidth=1,
                          label=found.method)  # fmt: skip
            else:
                values = _known(found, measure)
                axes.bar(number, np.mean(values) if values else 0, color=colour)
        axes.set_title(title, fontsize=9)
        axes.tick_params(labelsize=7)
        if measure == "seconds":
            # Whole powers of ten: bars over less of a logarithm mislead, and its ticks crowd.
            axes.set_yscale("log")
            low, high = axes.get_ylim()
            axes.set_ylim(10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high)))
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_formatter(NullFormatter())
        else:
            axes.set_ylim(0, 1.04)
        if lined:
            axes.set_xlabel({"units": "Number of units", "snr": "SNR (dB)"}.get(axis, axis),
                            fontsize=8)  # fmt: skip
        else:
            axes.set_xticks(range(len(evaluations)), [one.method for one in evaluations],
                            rotation=40, ha="right")  # fmt: skip
    if lined:
        panels[0].legend(fontsize=7, frameon=False)
    text = "Scores of methods on the same sequences, means over all of them."
    return Chart("comparison", f"Methods on {evaluations[0].protocol}", text, figure)


def _known(found: IdentificationEvaluation, measure: str) -> list[float]:
    values = [row.get(measure, math.nan) for row in found.sequences]
    return [value for value in values if not math.isnan(value)]


def _means(
    found: IdentificationEvaluation, axis: str, measure: str
) -> tuple[list[float], list[float]]:
    """Return the values of the difficulty, and means over all sequences that have it.

    Sequences without noise are left out of an axis of SNR.
    """
    places, means = [], []
    for value in sorted({row[axis] for row in found.sequences}):
        known = [
            row[measure]
            for row in found.sequences
            if row[axis] == value and not math.isnan(row.get(measure, math.nan))
        ]
        if known and not math.isinf(value):
            places.append(value)
            means.append(float(np.mean(known)))
    return places, means
