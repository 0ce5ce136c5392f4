"""Figures of where an answer comes from: Fig. 13 of Grant-Jacob et al. 2021, curves and maps."""

from typing import Any

import numpy as np

from ....datasets.volumes.slices import Slice
from ...charts import Chart
from ...state.protocol.drawing import RUN_COLOURS, legend, new_figure, simplify
from ..protocol.figures import SIDE, show
from .explanation import QUARTILES, WindowExplanation, side_of
from .features import FAITHFUL, FEW
from .tables import PAPER, PAPER_SMALLEST, size_rows

CHANGE, ERROR = RUN_COLOURS[0], RUN_COLOURS[1]
KEPT, LOST = RUN_COLOURS[2], RUN_COLOURS[1]

COURSES = 3
"""Points whose courses are drawn one by one, as in the paper."""


def draw_charts(found: WindowExplanation) -> list[Chart]:
    """Draw all figures.

    Returns
    -------
    list of Chart
        ``explain-windows``, ``-curve``, ``-map``, ``-structures`` and ``-lost``.
    """
    return [
        draw_windows(found), draw_curve(found), draw_map(found), draw_structures(found),
        draw_lost(found),
    ]  # fmt: skip


def draw_windows(found: WindowExplanation) -> Chart:
    """Draw what is made of windows about one point, and answers at three points over width."""
    seen = found.seen
    aspect = _ratio(seen.slice)
    figure = new_figure((len(seen.widths) + 2.2) * SIDE, 2 * SIDE * _shape(seen.slice) + 0.7)
    grid = figure.add_gridspec(2, len(seen.widths) + 1, width_ratios=[*[1] * len(seen.widths), 2])
    white = max(float(seen.generated.max()), 1.0)
    for place, width in enumerate(seen.widths):
        title = f"{width} px, {width * side_of(seen.slice):.0f} mm"
        show(figure.add_subplot(grid[0, place]), seen.given[place], title, aspect=aspect)
        show(figure.add_subplot(grid[1, place]), seen.generated[place], "", aspect=aspect,
             vmax=white)  # fmt: skip
    axes = figure.add_subplot(grid[:, -1])
    spread = [(each, number) for each in found.points for number in range(len(each.actual))]
    order = sorted(spread, key=lambda one: float(one[0].actual[one[1]]))
    places = np.linspace(0, len(order) - 1, COURSES + 2)[1:-1].round().astype(int)
    for colour, place in zip(RUN_COLOURS, places, strict=False):
        each, number = order[place]
        width = np.array(found.widths) * side_of(each.slice)
        axes.plot(width, each.answers.answers[number], color=colour, linewidth=1.2)
        axes.axhline(each.actual[number], color=colour, linewidth=0.8, linestyle="--")
    axes.set_xlabel("Width of the window, mm", fontsize=8)
    axes.set_ylabel("Level generated", fontsize=8)
    simplify(axes)
    text = (
        f"Slice {seen.slice.index} ({seen.slice.plane}), of which only a square about one point is "
        "given (above), and what is made of it (below). Right: what is generated at three other "
        "points, each with windows about itself; dashed: actual levels. Fig. 13 of Grant-Jacob et "
        "al. 2021, who uncover a window about one place."
    )
    return Chart("explain-windows", "What is made of a window (Fig. 13)", text, figure)


def draw_curve(found: WindowExplanation) -> Chart:
    """Draw how answers change, and how wrong they are, over the width of the window."""
    figure = new_figure(8.4, 3.6)
    axes = figure.subplots()
    width = np.array(found.widths) * found.pixel
    for values, colour, label in (
        (found.changes, CHANGE, "from the answer to the whole slice"),
        (found.errors, ERROR, "from the actual level"),
    ):
        first, median, third = np.quantile(values, QUARTILES, axis=0)
        axes.fill_between(width, first, third, color=colour, alpha=0.2, linewidth=0)
        axes.plot(width, median, color=colour, linewidth=1.4, label=label)
    axes.axhline(found.tolerance, color="0.4", linewidth=0.8, linestyle=":", label="5 % of range")
    axes.axvline(PAPER, color="0.4", linewidth=0.8, linestyle="--", label="published: 1 cm")
    axes.set_xlabel("Width of the window, mm", fontsize=8)
    axes.set_ylabel("Difference, levels", fontsize=8)
    axes.set_ylim(0)
    axes.set_xlim(0, width[-1])
    simplify(axes)
    legend(figure, [axes])
    text = (
        f"Answers at {len(found.changes)} points drawn in the body, with a square about each and "
        "all else 0: how far they are from the answer to the whole slice, and from the actual "
        "level; medians, and first to third quartile."
    )
    return Chart("explain-curve", "How answers settle as the window grows", text, figure)


def draw_map(found: WindowExplanation) -> Chart:
    """Draw which width of the window each point of some slices needs."""
    shapes = [_shape(each.slice) for each in found.maps]
    figure = new_figure(2.6 * len(found.maps) + 0.9, 2.6 * max(shapes) + 0.5)
    axes = figure.subplots(1, len(found.maps), squeeze=False)[0]
    widest = found.widths[-1] * found.pixel
    drawn: Any = None
    for one, each in zip(axes, found.maps, strict=True):
        show(one, each.given, each.slice.plane, aspect=_ratio(each.slice))
        needed = each.answers.needed(found.tolerance) * side_of(each.slice)
        beyond = ~np.isfinite(needed)
        row, column = each.answers.points.T
        drawn = one.scatter(column[~beyond], row[~beyond], c=needed[~beyond], s=14, vmin=0,
                            vmax=widest, cmap="viridis", linewidths=0)  # fmt: skip
        one.scatter(column[beyond], row[beyond], c=LOST, s=12, marker="x", linewidths=0.8)
    bar = figure.colorbar(drawn, ax=axes.tolist(), shrink=0.8, pad=0.02)
    bar.set_label("width needed, mm", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    text = (
        "Width of the window from which on the answer at a point is that to the whole slice, over "
        "the image given; a cross where the widest window is not enough."
    )
    return Chart("explain-map", "Where answers need much around them", text, figure)


def draw_structures(found: WindowExplanation) -> Chart:
    """Draw how much contrast structures keep, by their width."""
    rows = [row for row in size_rows(found) if row["structures"]]
    figure = new_figure(8.0, 3.2)
    first, second = figure.subplots(1, 2)
    width = np.array([row["width_mm"] for row in rows])
    enough = np.array([row["structures"] >= FEW for row in rows], bool)
    quartiles = [np.array([row[f"kept_{name}"] for row in rows])
                 for name in ("first_quartile", "median", "third_quartile")]  # fmt: skip
    first.axhspan(*FAITHFUL, color="0.93")
    if rows:
        below, above = quartiles[1] - quartiles[0], quartiles[2] - quartiles[1]
        first.errorbar(width, quartiles[1], (below, above), fmt="none", ecolor=KEPT, elinewidth=1)
        first.scatter(width[enough], quartiles[1][enough], color=KEPT, s=18)
        first.scatter(width[~enough], quartiles[1][~enough], edgecolor=KEPT, facecolor="none", s=18)
        second.plot(width, [row["error"] for row in rows], "o-", color=ERROR, markersize=4,
                    linewidth=1)  # fmt: skip
    for axes in (first, second):
        axes.axvline(PAPER_SMALLEST, color="0.4", linewidth=0.8, linestyle="--")
        axes.set_xlabel("Width of structures, mm", fontsize=8)
        axes.set_xlim(0)
        simplify(axes)
    first.axhline(1, color="0.4", linewidth=0.8)
    first.set_ylabel("Contrast kept", fontsize=8)
    second.set_ylabel("Error, levels", fontsize=8)
    second.set_ylim(0)
    text = (
        "Structures of actual slices by the widest disc that fits into them: share of their "
        "contrast to what lies around that generated slices have (median and quartiles; rings: "
        f"fewer than {FEW}; grey: they count as there), and the median of their error. Dashed: "
        "below 2 mm features of Grant-Jacob et al. 2021 differed."
    )
    return Chart("explain-structures", "How small a structure may be", text, figure)


def draw_lost(found: WindowExplanation) -> Chart:
    """Draw a slice with the structures that are there in the generated one, and those that lack."""
    marked = found.marked
    figure = new_figure(7.2, 3.4 * _shape(marked.slice) + 0.7)
    low, high = FAITHFUL
    white = max(float(np.quantile(marked.actual, 0.995)), 1.0)
    for axes, image, title in zip(
        figure.subplots(1, 2), (marked.actual, marked.generated), ("actual", "generated"),
        strict=True,
    ):  # fmt: skip
        show(axes, image, title, aspect=_ratio(marked.slice), vmax=white)
        for there, colour, label in ((True, KEPT, "there"), (False, LOST, "not")):
            some = [one for one in marked.structures if (low <= one.kept <= high) is there]
            axes.scatter([one.place[1] for one in some], [one.place[0] for one in some],
                         s=[12 + 4 * one.width for one in some], edgecolor=colour,
                         facecolor="none", linewidths=0.9, label=label)  # fmt: skip
    legend(figure, figure.axes[:1])
    text = (
        f"Structures of slice {marked.slice.index} ({marked.slice.plane}), each marked at its "
        "uppermost pixel: whether the generated slice has them, with half to one and a half of "
        "their contrast. Fig. 10 of Grant-Jacob et al. 2021 shows such by eye."
    )
    return Chart("explain-lost", "Structures that differ (Fig. 10)", text, figure)


def _ratio(one: Slice) -> float:
    return one.pixel_size[0] / one.pixel_size[1]


def _shape(one: Slice) -> float:
    """Return the height of a picture over its width."""
    rows, columns = one.image.shape
    return float(np.clip(rows / columns * _ratio(one), 0.4, 2.2))
