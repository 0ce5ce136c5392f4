"""The figure of methods side by side."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.methods.scores import Row
from benchmarks.methods.tables import cells
from musim.training.charts import Chart
from musim.training.colours import COLOURS

PANELS = {
    "recall": "Recall by trains",
    "precision": "Precision by trains",
    "firings": "Agreement of firings, 10 ms",
}


def draw(rows: Sequence[Row]) -> Chart:
    """Draw each measure as a field of methods and kinds of recordings, and the time as bars."""
    found = cells(rows)
    kinds = list(found)
    columns = list(dict.fromkeys(name for of_kind in found.values() for name in of_kind))
    figure = Figure(figsize=(15, 1.6 + 0.34 * len(columns)), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    widths = [*(len(kinds) for _ in PANELS), 4]
    panels: list[Axes] = list(
        figure.subplots(1, len(PANELS) + 1, sharey=True, squeeze=False, width_ratios=widths)[0]
    )
    for axes, (measure, title) in zip(panels, PANELS.items(), strict=False):
        values = np.array([
            [found[kind].get(column, {}).get(measure, math.nan) for kind in kinds]
            for column in columns
        ])  # fmt: skip
        axes.imshow(values, vmin=0, vmax=1, cmap="Blues", aspect="auto")
        for (row, place), value in np.ndenumerate(values):
            text = "-" if math.isnan(value) else f"{value:.2f}"
            colour = "white" if value > 0.6 else "black"
            axes.text(place, row, text, ha="center", va="center", fontsize=7, color=colour)
        axes.set_title(title, fontsize=10)
        axes.set_xticks(range(len(kinds)), kinds, rotation=90, fontsize=7)
        axes.tick_params(length=0)
    panels[0].set_yticks(range(len(columns)), columns, fontsize=8)
    seconds = [
        np.mean([found[kind][column]["seconds"] for kind in kinds if column in found[kind]])
        for column in columns
    ]
    panels[-1].barh(range(len(columns)), seconds, color=COLOURS[1], height=0.6)
    for place, value in enumerate(seconds):
        panels[-1].text(value, place, f" {value:.1f}", va="center", fontsize=7)
    panels[-1].set_xscale("log")
    panels[-1].margins(x=0.3)
    panels[-1].set_title("Seconds a recording", fontsize=10)
    panels[-1].tick_params(labelsize=7)
    text = "Scores of all methods on the same recordings, and seconds of one processor."
    return Chart("methods", "Methods side by side", text, figure)
