"""Figures of what a network has learned: Fig. 5 of Cunningham et al. 2017, and its tuning."""

import itertools

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ...charts import Chart
from ...colours import COLOURS, GREY
from .explanation import Explanation
from .filters import MaximisedFilters
from .motion_fields import MotionField

SUPERFICIAL, DEEP = COLOURS[0], COLOURS[1]
BINS = 8
"""Of depth, in which the median of motion is taken."""

CELLS = 6, 18
"""Arrows of a field, down and across, at the most."""

GAP, MAGNIFIED = 2, 4
"""Pixels between images of filters, and dots of a figure that show one of their pixels."""


def draw_charts(found: Explanation) -> list[Chart]:
    """Draw all figures of what a run has learned.

    Returns
    -------
    list of Chart
        ``explain-motion``; of a network that sees frames ``explain-outputs``, ``-filters`` and
        ``-maps``; ``explain-tuning``, if there are frames to move.
    """
    charts = [draw_motion(found)]
    if found.sees_frames:
        charts.append(draw_outputs(found))
    if found.filters:
        charts += [draw_filters(found), draw_maps(found)]
    if found.tuning is not None:
        charts.append(draw_tuning(found))
    return charts


def draw_motion(found: Explanation) -> Chart:
    """Draw the field of motion that each output responds to most, and its course over depth."""
    figure = _empty((9.6, 2.3 * len(found.outputs)))
    places = figure.add_gridspec(len(found.outputs), 2, width_ratios=(3.4, 1))
    size = np.array(found.pixel_size)
    for row, output in enumerate(found.outputs):
        field = output.field
        axes = figure.add_subplot(places[row, 0])
        at, arrows = _cells(field, found.image)
        z, x = ((at + 0.5) * size).T
        longest = float(np.linalg.norm(arrows, axis=1).max()) if len(arrows) else 0.0
        down, right = (arrows / (longest or 1)).T
        axes.quiver(x, z, right, down, angles="xy", scale=CELLS[1], width=0.003, color=COLOURS[0])
        depth, width = (np.array(found.image) * size).tolist()
        axes.axhline(depth / 2, color="0.7", linewidth=0.8, linestyle=(0, (4, 3)))
        axes.set(xlim=(0, width), ylim=(depth, 0), aspect="equal")
        axes.set_title(f"{output.name}: the longest arrow is {longest:.2g} px", fontsize=8)
        _label(axes, "mm", "mm")
        beside = figure.add_subplot(places[row, 1])
        _profiles(beside, output.fields, size[0])
        beside.set(ylim=(depth, 0))
        _label(beside, "To the right, px", "")
    return Chart(
        "explain-motion",
        "Motion that each output responds to most",
        "Motion from the first to the second frame of what raises an output most, medians over "
        f"{found.starts} starts from noise; the dashed line parts superficial and deep half. "
        "Right: its median over the width, at each depth, mean and SD over starts. Parts above and "
        "below that go in opposite directions are a shear, as of a contraction; all the same way, "
        "a translation, as of a rotation.",
        figure,
    )


def draw_outputs(found: Explanation) -> Chart:
    """Draw the pair of frames of the first start that each output responds to most."""
    figure = _empty((9.6, 2.6 * len(found.outputs)))
    size = np.array(found.image) * found.pixel_size
    for row, output in enumerate(found.outputs):
        axes = figure.add_subplot(len(found.outputs), 1, row + 1)
        axes.imshow(coloured(output.pairs[0]), extent=(0, size[1], size[0], 0),
                    interpolation="nearest")  # fmt: skip
        begun, ended = output.responses.mean(axis=1)
        axes.set_title(f"{output.name}: from {begun:.2g} to {ended:.2g} SD of its changes",
                       fontsize=8)  # fmt: skip
        _label(axes, "mm", "mm")
    return Chart(
        "explain-outputs",
        "Pairs of frames that raise each output most",
        "The first of two successive frames is green, the second blue, of one start from noise: "
        "where the two are apart, something moved. Differences that are small are magnified to the "
        "SD of frames. Headings tell means over all starts.",
        figure,
    )


def draw_filters(found: Explanation) -> Chart:
    """Draw what the middle of each filter's map responds to most, cut to what it sees."""
    figure = _strips([[coloured(each) for each in one.at_a_place] for one in found.filters],
                     found.filters)  # fmt: skip
    return Chart(
        "explain-filters",
        "What filters respond to at one place",
        "A row for each convolution, some of its filters drawn by chance; first frame green, "
        "second blue, all rows at the same scale: deeper layers see more.",
        figure,
    )


def draw_maps(found: Explanation) -> Chart:
    """Draw what the whole of each filter's map responds to most."""
    shown = [[coloured(each) for each in one.everywhere[:2]] for one in found.filters]
    return Chart(
        "explain-maps",
        "What filters respond to everywhere",
        "The first two of the filters above, each asked for a response at all places of its map.",
        _strips(shown, found.filters),
    )


def draw_tuning(found: Explanation) -> Chart:
    """Draw what is told of real frames that are followed by themselves, moved."""
    assert found.tuning is not None
    figure = _empty((9.6, 3.2))
    names = [output.name for output in found.outputs]
    for place, name in enumerate(names):
        axes = figure.add_subplot(1, len(names), place + 1)
        for motion, colour in zip(found.tuning, (COLOURS[0], COLOURS[1]), strict=True):
            told = found.tuning[motion][:, :, place] / found.scales[place]
            mean, spread = told.mean(axis=1), told.std(axis=1)
            axes.fill_between(found.amounts, mean - spread, mean + spread, color=colour, alpha=0.2,
                              linewidth=0)  # fmt: skip
            axes.plot(found.amounts, mean, color=colour, linewidth=1.3, label=motion)
        for draw in (axes.axhline, axes.axvline):
            draw(0, color="0.8", linewidth=0.8, zorder=0)
        axes.set_title(name, fontsize=8)
        _label(axes, "Imposed, px to the right", "Told, SD of changes" if place == 0 else "")
    figure.axes[0].legend(fontsize=7, frameon=False)
    return Chart(
        "explain-tuning",
        "What is told of motion that is imposed on real frames",
        f"{found.frames} frames of trials, each followed by itself, moved: the whole of it to the "
        "right (translation), or the superficial half to the right and the deep half to the left "
        "(shear), by so much in the mean of a half. Mean and SD over frames.",
        figure,
    )


def coloured(pair: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return two frames as the colours of one image: the first green, the second blue.

    Frames that hardly differ are drawn apart: their difference is magnified to their SD.

    Parameters
    ----------
    pair : float array of shape (2, height, width)

    Returns
    -------
    float64 array of shape (height, width, 3)
        From 0 to 1, which are 2.5 SD from the mean.
    """
    common, change = pair.mean(axis=0), pair[1] - pair[0]
    size = float(change.std())
    magnified = change * max(1.0, float(common.std()) / size if size > 0 else 1.0) / 2
    apart = np.stack([common - magnified, common + magnified])
    middle, spread = float(apart.mean()), float(apart.std())
    first, second = np.clip(0.5 + (apart - middle) / (5 * spread or 1), 0, 1)
    return np.stack([np.zeros_like(first), first, second], axis=2).astype(np.float64)


def _cells(
    field: MotionField, image: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return median places and displacements of corners in cells of an image, px."""
    cell = np.floor(field.corners / np.array(image) * CELLS).astype(int)
    number = np.clip(cell, 0, np.array(CELLS) - 1) @ (CELLS[1], 1)
    held = np.unique(number)
    middles = [
        np.array([np.median(values[number == each], axis=0) for each in held]).reshape(-1, 2)
        for values in (field.corners, field.displacements)
    ]
    return middles[0].astype(np.float64), middles[1].astype(np.float64)


def _profiles(axes: Axes, fields: list[MotionField], row: float) -> None:
    """Draw motion to the right over depth: medians of each start, their mean and SD."""
    edges = np.linspace(0, fields[0].depth, BINS + 1)
    middles = (edges[1:] + edges[:-1]) / 2 * row
    right = np.array([
        [_median(each, low, high) for low, high in itertools.pairwise(edges)]
        for each in fields
    ])  # fmt: skip
    known = np.isfinite(right).any(axis=0)
    mean = np.array([np.nanmean(each) for each in right[:, known].T])
    spread = np.array([np.nanstd(each) for each in right[:, known].T])
    axes.fill_betweenx(middles[known], mean - spread, mean + spread, color=COLOURS[0], alpha=0.2,
                       linewidth=0)  # fmt: skip
    axes.plot(mean, middles[known], color=COLOURS[0], linewidth=1.3)
    axes.axvline(0, color="0.7", linewidth=0.8)


def _median(field: MotionField, low: float, high: float) -> float:
    inside = (field.corners[:, 0] >= low) & (field.corners[:, 0] < high)
    return float(np.median(field.displacements[inside, 1])) if inside.any() else float("nan")


def _strips(rows: list[list[NDArray[np.float64]]], filters: list[MaximisedFilters]) -> Figure:
    """Return a figure of rows of images, all at one scale."""
    width = max(sum(each.shape[1] + GAP for each in row) for row in rows)
    heights = [max(each.shape[0] for each in row) for row in rows]
    magnified = max(1.0, min(MAGNIFIED, 900 / width)) / 100  # inches a pixel
    figure = _empty((width * magnified + 0.9, sum(heights) * magnified + 0.28 * len(rows)))
    places = figure.add_gridspec(len(rows), 1, height_ratios=[max(each, 4) for each in heights])
    for number, (row, height, one) in enumerate(zip(rows, heights, filters, strict=True)):
        canvas = np.ones((height, width, 3))
        at = 0
        for image in row:
            canvas[: image.shape[0], at : at + image.shape[1]] = image
            at += image.shape[1] + GAP
        axes = figure.add_subplot(places[number, 0])
        axes.imshow(canvas, interpolation="nearest")
        axes.set_axis_off()
        axes.set_title(f"Convolution {one.layer}: {len(row)} of {one.count} filters", fontsize=7,
                       loc="left", color=GREY)  # fmt: skip
    return figure


def _empty(size: tuple[float, float]) -> Figure:
    figure = Figure(figsize=size, dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _label(axes: Axes, across: str, up: str) -> None:
    axes.set_xlabel(across, fontsize=7)
    axes.set_ylabel(up, fontsize=7)
    axes.tick_params(labelsize=7)
