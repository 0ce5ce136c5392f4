"""The figure of firings by the true units' rates: found, by an oracle, and by chance."""

import math

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..charts import Chart
from ..colours import COLOURS, GREY
from .axes import finish
from .by_rate import by_firing_rate, rate_range
from .rows import IdentificationEvaluation

LINES = {
    "firing_agreement": ("found", "-", COLOURS[0]),
    "firing_oracle": ("the oracle", "--", GREY),
    "firing_chance": ("a wrong unit", ":", GREY),
}
"""Label, dashes and colour of each mean over units."""


def draw_by_rate(evaluation: IdentificationEvaluation) -> Chart | None:
    """Draw how firings agree and how many units are found by their rates; None if not known."""
    rows = by_firing_rate(evaluation)
    if not rows:
        return None
    figure = Figure(figsize=(7.2, 3.2), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    agreement, recall = figure.subplots(1, 2)
    places = range(len(rows))
    for name, (label, dashes, colour) in LINES.items():
        means = [row[name] for row in rows]
        if all(math.isnan(mean) for mean in means):
            continue
        is_found = name == "firing_agreement"
        agreement.errorbar(
            places, means, [row[f"{name}_sd"] for row in rows] if is_found else None, ls=dashes,
            color=colour, marker="o" if is_found else None, markersize=4, linewidth=1,
            elinewidth=0.6, capsize=2, label=label,
        )  # fmt: skip
    recall.plot(places, [row["recall"] for row in rows], "o-", color=COLOURS[0], markersize=4,
                linewidth=1)  # fmt: skip
    for place, row in zip(places, rows, strict=True):
        recall.annotate(str(row["units"]), (place, row["recall"]), (0, -11), fontsize=7,
                        textcoords="offset points", ha="center", color=GREY)  # fmt: skip
    if agreement.get_legend_handles_labels()[0]:  # something is known of some unit
        agreement.legend(fontsize=7, frameon=False, loc="lower left")
    for axes, label in ((agreement, "Agreement of firings"), (recall, "Recall by trains")):
        axes.set_xticks(list(places), [rate_range(row) for row in rows])
        axes.set_xlim(-0.5, len(rows) - 0.5)
        finish(axes, "Firing rate of the true unit (Hz)", label)
    title = "Firings by the true units' rates"
    figure.suptitle(f"{title}: {evaluation.method}", fontsize=10)
    text = (
        f"{title}, by {evaluation.method}: agreement within 10 ms of units matched by trains, mean "
        "and SD over units, and the share of units found, with their number. Dashed: firings found "
        "in the true trains with the true noise. Dotted: what a wrong unit scores."
    )
    return Chart("firings-by-rate", title, text, figure)
