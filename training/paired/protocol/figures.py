"""Figures 8, 9, 11 and 12 of Grant-Jacob et al. 2021, and spectra in which grids show."""

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LogNorm
from numpy.typing import NDArray

from ....datasets.volumes.slices import cut
from ...charts import Chart
from ...state.protocol.drawing import RUN_COLOURS, label_of, legend, new_figure, simplify
from ..metrics import LEVELS
from .predictions import ACTUAL, BASELINES, LIKELIEST
from .scoring import COLUMNS

if TYPE_CHECKING:
    from .evaluation import PairedEvaluation

SIDE = 1.9
"""Inches of a picture."""

DIFFERENCES = "inferno"

DRAWN_BASELINES = ("0.55", "0.7", "0.35")


def charts(found: "PairedEvaluation") -> list[Chart]:
    """Return the figures.

    Parameters
    ----------
    found : PairedEvaluation
    """
    return [
        _differences(found), _planes(found), _profile(found), _intensities(found),
        _spectrum(found),
    ]  # fmt: skip


def picture_of(found: "PairedEvaluation", name: str, index: int) -> NDArray[Any]:
    """Return an example that a translation made, without what is around it."""
    return cut(found.made[name].examples[index], found.slices[index].image.shape)


def show(axes: Any, image: NDArray[Any], title: str = "", **how: Any) -> Any:
    """Draw a picture in levels, without anything around it."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(title, fontsize=8)
    shown = {"cmap": "gray", "vmin": 0, "vmax": LEVELS, "interpolation": "nearest", **how}
    return axes.imshow(image, **shown)


def _brightest(found: "PairedEvaluation", index: int) -> float:
    """Return the level that is drawn white: few pixels of the actual image are above."""
    actual = picture_of(found, ACTUAL, index)
    return max(float(np.quantile(actual[actual > 0], 0.995)) if (actual > 0).any() else 0.0, 1.0)


def _differences(found: "PairedEvaluation") -> Chart:
    index = found.survey.examples[0]
    one = found.slices[index]
    names = [name for name in found.made if name != ACTUAL]
    tall = SIDE * _aspect(one)
    figure = new_figure(SIDE * (len(names) + 2) + 0.6, 2 * tall + 0.9)
    axes = figure.subplots(2, len(names) + 2, squeeze=False)
    white, actual = _brightest(found, index), picture_of(found, ACTUAL, index)
    ratio = one.pixel_size[0] / one.pixel_size[1]
    show(axes[0][0], found.survey.first.of(one.image), "input", aspect=ratio)
    show(axes[0][1], actual, "actual", aspect=ratio, vmax=white)
    for each in axes[1][:2]:
        each.set_axis_off()
    drawn: Any = None
    for column, name in enumerate(names, start=2):
        image = picture_of(found, name, index)
        show(axes[0][column], image, label_of(name), aspect=ratio, vmax=white)
        drawn = show(axes[1][column], np.abs(image - actual), "", aspect=ratio, cmap=DIFFERENCES,
                     vmax=white / 2)  # fmt: skip
    bar = figure.colorbar(drawn, ax=axes[1].tolist(), shrink=0.8, pad=0.01)
    bar.set_label("difference, levels", fontsize=7)
    bar.ax.tick_params(labelsize=7)
    text = (
        f"Slice {index}, {one.plane}, which of its plane shows most of the body: given, actual and "
        f"generated, and below the absolute difference of generated and actual. White is level "
        f"{white:.0f} of {LEVELS:.0f}, of the input {LEVELS:.0f}. Maps of levels were fitted to "
        "the actual slices of this very store. Fig. 8 of Grant-Jacob et al. 2021."
    )
    return Chart("paired-differences", "Generated slices and their differences (Fig. 8)", text,
                 figure)  # fmt: skip


def _aspect(one: Any) -> float:
    (rows, columns), (depth, width) = one.image.shape, one.pixel_size
    return float(np.clip(rows * depth / (columns * width), 0.4, 2.2))


def _planes(found: "PairedEvaluation") -> Chart:
    indices = found.survey.examples
    heights = [_aspect(found.slices[index]) for index in indices]
    figure = new_figure(4 * SIDE + 0.8, SIDE * sum(heights) + 0.5 * len(indices))
    axes = figure.subplots(len(indices), 4, squeeze=False, height_ratios=heights)
    for row, index in zip(axes, indices, strict=True):
        one = found.slices[index]
        ratio, white = one.pixel_size[0] / one.pixel_size[1], _brightest(found, index)
        actual, image = (picture_of(found, name, index) for name in (ACTUAL, found.best))
        show(row[0], found.survey.first.of(one.image), "input", aspect=ratio)
        show(row[1], actual, "actual", aspect=ratio, vmax=white)
        show(row[2], image, "generated", aspect=ratio, vmax=white)
        drawn = show(row[3], np.abs(image - actual), "difference", aspect=ratio, cmap=DIFFERENCES,
                     vmax=white / 2)  # fmt: skip
        row[0].set_ylabel(f"{one.plane}, {one.position:.0f} mm", fontsize=8)
        figure.colorbar(drawn, ax=row[3], shrink=0.8).ax.tick_params(labelsize=7)
    text = (
        f"What {found.best}, the network of the least NRMSE, makes of a slice of each plane: of "
        "that which shows most of the body. Fig. 9 of Grant-Jacob et al. 2021."
    )
    return Chart("paired-planes", "A slice of each plane (Fig. 9)", text, figure)


def _profile(found: "PairedEvaluation") -> Chart:
    profile = found.profile
    figure = new_figure(8.5, 3.0)
    beside, axes = figure.subplots(1, 2, width_ratios=(1, 2.6))
    one = found.slices[profile.slice]
    ratio = one.pixel_size[0] / one.pixel_size[1]
    white = _brightest(found, profile.slice)
    show(beside, picture_of(found, ACTUAL, profile.slice), "actual", aspect=ratio, vmax=white)
    beside.axhline(profile.row, color=RUN_COLOURS[1], linewidth=1)
    axes.plot(profile.position, profile.actual, color="black", linewidth=1.4, label="actual")
    for name, values in profile.generated.items():
        if name not in BASELINES:
            axes.plot(profile.position, values, color=_colour(found, name), linewidth=1,
                      label=label_of(name))  # fmt: skip
    axes.plot(profile.position, profile.generated[LIKELIEST], color=DRAWN_BASELINES[0],
              linewidth=0.8, linestyle=":", label=LIKELIEST)  # fmt: skip
    axes.set_xlabel("Along the row, mm", fontsize=8)
    axes.set_ylabel("Level", fontsize=8)
    axes.margins(x=0)
    simplify(axes)
    legend(figure, [axes])
    text = (
        f"Levels along row {profile.row} of slice {profile.slice} ({one.plane}), in which the "
        "actual ones vary most within the body. Fig. 11 of Grant-Jacob et al. 2021."
    )
    return Chart("paired-profile", "Levels along a line (Fig. 11)", text, figure)


def _colour(found: "PairedEvaluation", name: str) -> str:
    if name in BASELINES:
        return DRAWN_BASELINES[BASELINES.index(name)]
    places = [run.name for run in found.runs]
    return RUN_COLOURS[places.index(name) % len(RUN_COLOURS)]


def _intensities(found: "PairedEvaluation") -> Chart:
    names = [ACTUAL, *(run.name for run in found.runs), LIKELIEST]
    figure = new_figure(2.3 * len(names) + 0.6, 2.9)
    axes = np.atleast_1d(figure.subplots(1, len(names), sharey=True))
    most = max(int(found.made[name].joint[1:].max()) for name in names)
    drawn: Any = None
    for one, name in zip(axes, names, strict=True):
        counts = found.made[name].joint.T.astype(np.float64)
        counts[counts == 0] = np.nan
        drawn = one.imshow(counts, origin="lower", cmap="viridis", norm=LogNorm(1, max(most, 2)),
                           interpolation="nearest")  # fmt: skip
        one.set_title(label_of(name), fontsize=8)
        one.set_xlabel("Level given", fontsize=8)
        simplify(one)
    axes[0].set_ylabel("Level actual or generated", fontsize=8)
    bar = figure.colorbar(drawn, ax=axes.tolist(), shrink=0.85, pad=0.01)
    bar.set_label("pixels", fontsize=7)
    bar.ax.tick_params(labelsize=7)
    text = (
        "Pixels by the level given and the level actual or generated, over all slices. A map of "
        "levels has one level for each that is given; the actual slices have many, and so has what "
        "a network makes as far as it looks at structure. Fig. 12 of Grant-Jacob et al. 2021."
    )
    return Chart("paired-intensities", "Levels given and levels made (Fig. 12)", text, figure)


def _spectrum(found: "PairedEvaluation") -> Chart:
    names = [ACTUAL, *(run.name for run in found.runs)]
    figure = new_figure(2.3 * len(names) + 3.2, 2.9)
    axes = figure.subplots(1, len(names) + 1, width_ratios=[*[1.0] * len(names), 1.3])
    shown = {name: np.log10(found.made[name].power + 1e-9) for name in names}
    high = float(shown[ACTUAL].max())
    for one, name in zip(axes[:-1], names, strict=True):
        one.imshow(shown[name], cmap="magma", vmin=high - 7, vmax=high, interpolation="nearest",
                   extent=(-0.5, 0.5, 0.5, -0.5))  # fmt: skip
        one.set_title(label_of(name), fontsize=8)
        one.set_xticks([-0.5, -0.25, 0, 0.25, 0.5])
        one.set_yticks([-0.5, -0.25, 0, 0.25, 0.5])
        one.set_xlabel("Cycles a pixel", fontsize=8)
        simplify(one)
    last, strength = axes[-1], COLUMNS.index("grid")
    for place, name in enumerate(names):
        values = found.made[name].scores[:, strength]
        values = np.sort(values[np.isfinite(values)])
        if len(values):
            colour = "black" if name == ACTUAL else _colour(found, name)
            last.plot(values, (np.arange(len(values)) + 1) / len(values), color=colour,
                      linewidth=1.2, label=label_of(name), zorder=3 + place)  # fmt: skip
    last.axvline(found.grid_limit, color="0.4", linewidth=0.8, linestyle="--", label="alarm")
    last.set_xscale("log")
    last.set_xlabel("Strength of a grid", fontsize=8)
    last.set_ylabel("Share of slices", fontsize=8)
    last.set_ylim(0, 1.02)
    simplify(last)
    last.legend(fontsize=7, frameon=False)
    text = (
        "Mean power spectra of all slices (logarithms, seven decades), where a grid is a set of "
        "bright points at periods of 2, 4 or 8 px (0.5, 0.25 and 0.125 cycles a pixel); and the "
        "power of the most isolated of such points in each slice over that around it: above the "
        "dashed line there is an alarm."
    )
    return Chart("paired-spectrum", "Grids in the spectrum", text, figure)
