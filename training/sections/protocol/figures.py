"""Figures 8 and 9 of Katakis et al. 2023, and one of Table 6."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ...charts import Chart
from ...colours import COLOURS, GREY
from ..image_sets import ImageSet
from ..segmentation.segmenting import segmenter_of_run
from .experiments import FEW, MADE, Experiment
from .scoring import LIMITS

if TYPE_CHECKING:
    from .evaluation import ThicknessEvaluation

SHOWN = 4
"""Test images that are shown."""

DRAWN, FOUND = "#4cc9f0", "#ffe14d"


def charts(found: "ThicknessEvaluation", test: ImageSet, runs: Path) -> list[Chart]:
    """Return the figures.

    Parameters
    ----------
    found : ThicknessEvaluation
    test : ImageSet
        The test images.
    runs : Path
        Folder of the runs of training.
    """
    whole = [each for each in found.experiments if each.table == 4]
    return [_agreement(found, whole), _found(found, whole, test, runs), _fewer(found)]


def _figure(wide: float, tall: float) -> Figure:
    figure = Figure(figsize=(wide, tall), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _agreement(found: "ThicknessEvaluation", whole: list[Experiment]) -> Chart:
    figure = _figure(2.6 * len(whole), 2.8)
    axes = np.atleast_1d(figure.subplots(1, len(whole), sharey=True))
    for one, each in zip(axes, whole, strict=True):
        both = np.array(
            [(row["manual_px"], row["automatic_px"]) for row in found.images[each.name]], float
        )
        both = both[np.isfinite(both).all(axis=1)]
        summary = found.summaries[each.name]
        one.plot(both.mean(axis=1), both[:, 1] - both[:, 0], ".", color=COLOURS[0], markersize=3)
        one.axhline(summary["bias"], color=GREY, linewidth=1)
        for name in ("lower_limit", "upper_limit"):
            one.axhline(summary[name], color=GREY, linewidth=0.8, linestyle="--")
        missing = f", {summary['drawn'] - summary['measured']:.0f} not" if len(both) else ""
        one.set_title(f"{each.name}\n{len(both)} measured{missing}", fontsize=8)
        one.set_xlabel("Mean of drawn and found (px)", fontsize=8)
        one.tick_params(labelsize=7)
    axes[0].set_ylabel("Found less drawn (px)", fontsize=8)
    text = (
        "Thickness found by each network against that of the lines drawn by hand, in pixels of "
        f"depth; the lines are the mean difference and {LIMITS} SD to either side. Fig. 8 of "
        "Katakis et al. 2023."
    )
    return Chart("thickness-agreement", "Agreement of thickness", text, figure)


def _found(
    found: "ThicknessEvaluation", whole: list[Experiment], test: ImageSet, runs: Path
) -> Chart:
    # From the worst to the best, as the network of real images alone did: none is picked.
    dice = [row["dice"] for row in found.images[whole[0].name]]
    order = np.argsort(dice, kind="stable")
    shown = order[np.linspace(0, len(order) - 1, min(SHOWN, len(order))).round().astype(int)]
    some = test.take(shown)
    figure = _figure(1.9 * (len(shown) + 0.2), 1.9 * len(whole))
    axes = np.atleast_2d(figure.subplots(len(whole), len(shown), squeeze=False))
    for row, each in zip(axes, whole, strict=True):
        lines = segmenter_of_run(runs / each.file).probabilities(some.images)
        for number, one in enumerate(row):
            _draw(one, some, number, lines[number])
            score = found.images[each.name][shown[number]]["dice"]
            one.set_title(f"Dice {score:.2f}", fontsize=7)
        row[0].set_ylabel(each.name, fontsize=8)
    text = (
        "Test images from the one that the network of real images finds worst to the one it finds "
        "best, in even steps: outlines drawn by hand in blue, those found in yellow. Fig. 9 of "
        "Katakis et al. 2023."
    )
    return Chart("thickness-found", "What networks find", text, figure)


def _draw(axes: Any, images: ImageSet, number: int, probability: Any) -> None:
    shape = images.scales[number].shape
    axes.imshow(images.images[number], cmap="gray", vmin=0, vmax=255, aspect=1 / shape)
    for values, colour in ((images.masks[number].astype(float), DRAWN), (probability, FOUND)):
        if (values > 0.5).any():
            axes.contour(values, [0.5], colors=colour, linewidths=0.7)
    axes.set_xticks([])
    axes.set_yticks([])


def _fewer(found: "ThicknessEvaluation") -> Chart:
    figure = _figure(4.2, 3.0)
    axes = figure.subplots()
    kinds = ("", *(kind for kind in MADE if f"10%+{kind}" in found.summaries))
    for place, kind in enumerate(kinds):
        names = [f"{round(100 * share)}%" + (f"+{kind}" if kind else "") for share in FEW]
        axes.plot(
            [100 * share for share in FEW], [found.summaries[name]["dice"] for name in names],
            "o-", markersize=4, linewidth=1, color=GREY if not kind else COLOURS[place - 1],
            label=f"with {kind} images" if kind else "real images alone",
        )  # fmt: skip
    axes.set_xlabel("Real images trained on (%)", fontsize=8)
    axes.set_ylabel("Dice on test images", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.legend(fontsize=7, frameon=False)
    text = (
        "Mean Dice coefficient on the test images by how many real images a network was trained "
        "on, with and without images that were made. Table 6 of Katakis et al. 2023."
    )
    return Chart("thickness-fewer", "Fewer real images", text, figure)
