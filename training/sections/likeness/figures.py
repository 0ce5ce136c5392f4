"""Figures of two sets of images: Fig. 5 to 7 of Katakis et al. 2023, pairs, and neighbours."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ....datasets.images.groups import ALIKE
from ...charts import Chart
from ...colours import COLOURS
from .comparison import Likeness
from .grey_levels import GREY_LEVELS, LEVELS

REAL, OTHER = COLOURS[0], COLOURS[1]
BETWEEN = COLOURS[3]

SHOWN = 6
"""Images of a set that are shown."""

STREAM = 0xF16
"""Stands before the seed of which images are shown."""


def draw_charts(found: Likeness) -> list[Chart]:
    """Draw all figures of a comparison of two sets of images.

    Returns
    -------
    list of Chart
        ``likeness-images``, ``-histograms``, ``-pairs``, ``-features`` and ``-neighbours``.
    """
    return [
        draw_images(found),
        draw_histograms(found),
        draw_pair_scores(found),
        draw_features(found),
        draw_neighbours(found),
    ]


def draw_images(found: Likeness) -> Chart:
    """Draw images of both sets, one above the other (Fig. 5)."""
    rows = [("real", found.real, REAL), ("other", found.other, OTHER)]
    count = min(SHOWN, max(len(images) for _, images, _ in rows))
    figure, grid = _figure(2, count, (1.75 * count + 0.3, 3.9))
    for number, (name, images, colour) in enumerate(rows):
        # Of as many groups as there are: twins would show one image twice.
        single = np.unique(images.groups, return_index=True)[1]
        random = np.random.default_rng([STREAM, number])
        pool = single if len(single) >= count else np.arange(len(images))
        chosen = np.sort(random.permutation(pool)[:count])
        for place, axes in enumerate(grid[number]):
            if place < len(chosen):
                _image(axes, images.images[chosen[place]], images.names[chosen[place]])
            else:
                axes.set_axis_off()
        _row_name(grid[number][0], name, colour)
    return Chart("likeness-images", "Images side by side",
                 "Images of both sets, drawn by chance, of different groups: real ones above, "
                 "others below.", figure)  # fmt: skip


def draw_histograms(found: Likeness) -> Chart:
    """Draw mean histograms of grey levels, and what is measured of each image's (Fig. 6)."""
    figure = _empty((9.6, 4.6))
    places = figure.add_gridspec(2, len(GREY_LEVELS))
    axes = figure.add_subplot(places[0, :])
    levels = np.arange(LEVELS)
    top = 0.0
    for one, label, colour in zip(found.grey, ("real", "other"), (REAL, OTHER), strict=True):
        mean, spread = one.histogram.mean(axis=0), one.histogram.std(axis=0)
        axes.fill_between(levels, np.maximum(mean - spread, 0), mean + spread, color=colour,
                          alpha=0.2, linewidth=0)  # fmt: skip
        axes.plot(levels, mean, color=colour, linewidth=1.2, label=label)
        top = max(top, float(np.sort(mean)[-6]))
    axes.set(xlim=(0, LEVELS - 1), ylim=(0, 1.6 * top))
    axes.legend(fontsize=7, frameon=False)
    _label(axes, "Grey level", "Share of pixels")
    for place, (name, heading) in enumerate(GREY_LEVELS.items()):
        below = figure.add_subplot(places[1, place])
        values = [getattr(one, name) for one in found.grey]
        _spread(below, [each[np.isfinite(each)] for each in values], ("real", "other"),
                (REAL, OTHER))  # fmt: skip
        below.set_title(heading, fontsize=7)
    distance, correlation = found.histograms
    return Chart(
        "likeness-histograms", "Histograms of grey levels",
        "Above: mean over images of the share of pixels with each grey level, with SD; a level "
        "that stands out (black) may go beyond the axis. Below: median, quartiles and range over "
        "images. "
        f"The mean histograms' Bhattacharyya distance is {distance:.2f} (0 alike, 1 apart), their "
        f"correlation {correlation:.2f}.",
        figure,
    )  # fmt: skip


def draw_pair_scores(found: Likeness) -> Chart:
    """Draw the scores of pairs, rightly and as published."""
    figure, grid = _figure(2, 2, (8.4, 4.4))
    headings = (("psnr", "PSNR, dB"), ("ssim", "SSIM"), ("psnr_published", "PSNR as published, dB"),
                ("ssim_published", "SSIM as published"))  # fmt: skip
    shown = (("real", "within real", REAL), ("other", "within other", OTHER),
             ("between", "between", BETWEEN))  # fmt: skip
    for axes, (name, heading) in zip(grid.ravel(), headings, strict=True):
        values = [getattr(found.pairs[where], name) for where, _, _ in shown]
        values = [each[np.isfinite(each)] for each in values]
        known = np.concatenate(values)
        if known.size:
            spread = max(float(np.ptp(known)), 1e-6)
            bins = np.linspace(known.min() - 0.01 * spread, known.max() + 0.01 * spread, 31)
            for each, (_, label, colour) in zip(values, shown, strict=True):
                if each.size:
                    shares = np.full(each.size, 1 / each.size)
                    axes.hist(each, bins.tolist(), weights=shares, histtype="step", color=colour,
                              linewidth=1.3, label=label)  # fmt: skip
        _label(axes, heading, "Share of pairs")
    grid[0, 0].legend(fontsize=7, frameon=False)
    return Chart(
        "likeness-pairs", "Scores of pairs of images",
        "Scores of pairs of images of different groups, within each set and between them: above "
        "with the range that the images have, below as published, where any two images have some "
        "60 dB and 0.99.",
        figure,
    )  # fmt: skip


def draw_features(found: Likeness) -> Chart:
    """Draw both sets by the first two principal components of their features (Fig. 7)."""
    figure, grid = _figure(1, 1, (8.4, 4.6))
    axes = grid[0, 0]
    sets = zip(found.components, ("real", "other"), (REAL, OTHER), ("o", "^"), strict=True)
    for places, label, colour, marker in sets:
        axes.scatter(*places.T, s=14, color=colour, marker=marker, alpha=0.6, linewidth=0,
                     label=label)  # fmt: skip
    axes.legend(fontsize=7, frameon=False)
    first, second = found.explained
    _label(axes, f"First principal component ({first:.0%} of variance)",
           f"Second principal component ({second:.0%})")  # fmt: skip
    return Chart(
        "likeness-features", "Features in two dimensions",
        f"Each image by the first two principal components of {found.extractor}, of both sets "
        "together, standardised by the real images.",
        figure,
    )  # fmt: skip


def draw_neighbours(found: Likeness) -> Chart:
    """Draw the images that are most alike to a training image, and how alike all are."""
    memory = found.memorisation
    known = found.real if found.train is None else found.train
    order = np.argsort(-memory.other.correlation)[:SHOWN]
    figure = _empty((1.75 * SHOWN + 0.3, 6.4))
    outer = figure.add_gridspec(3, SHOWN, height_ratios=(1, 1, 1.1))
    for place, index in enumerate(order):
        above = figure.add_subplot(outer[0, place])
        _image(above, found.other.images[index], found.other.names[index])
        nearest = int(memory.other.index[index])
        turned = bool(memory.other.mirrored[index])
        image = known.images[nearest]
        below = figure.add_subplot(outer[1, place])
        text = f"{memory.other.correlation[index]:.2f}: {known.names[nearest]}"
        _image(below, image[:, ::-1] if turned else image, text + (" mirrored" if turned else ""))
        if place == 0:
            _row_name(above, "other", OTHER)
            _row_name(below, "nearest", REAL)
    axes = figure.add_subplot(outer[2, :])
    held_out = "real images, of other groups" if memory.by_group else "held-out real images"
    for values, label, colour in (
        (memory.held_out.correlation, held_out, REAL),
        (memory.other.correlation, "other images", OTHER),
    ):
        ordered = np.sort(values[np.isfinite(values)])
        if ordered.size:
            axes.step(ordered, np.arange(1, ordered.size + 1) / ordered.size, where="post",
                      color=colour, linewidth=1.3, label=label)  # fmt: skip
    axes.axvline(ALIKE, color="0.6", linewidth=0.8, linestyle=(0, (4, 3)))
    axes.set(ylim=(0, 1))
    axes.legend(fontsize=7, frameon=False, loc="upper left")
    _label(axes, "Correlation with the nearest training image", "Share of images at most so alike")
    return Chart(
        "likeness-neighbours", "Nearest training images",
        "The images that are most alike to a training image, and that below each; then how alike "
        "all are, beside held-out real images: a curve to the right of theirs tells of images "
        f"learned by heart. {memory.describe()}",
        figure,
    )  # fmt: skip


def _empty(size: tuple[float, float]) -> Figure:
    figure = Figure(figsize=size, dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _figure(rows: int, columns: int, size: tuple[float, float]) -> tuple[Figure, Any]:
    figure = _empty(size)
    return figure, figure.subplots(rows, columns, squeeze=False)


def _image(axes: Axes, image: NDArray[np.uint8], name: str) -> None:
    axes.imshow(image, cmap="gray", vmin=0, vmax=LEVELS - 1, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    # A name is text, whatever signs it has.
    axes.set_xlabel(_short(name), fontsize=6, labelpad=2, parse_math=False)


def _short(name: str, most: int = 26) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _row_name(axes: Axes, name: str, colour: str) -> None:
    axes.set_ylabel(name, fontsize=8, color=colour)


def _spread(
    axes: Axes, values: list[NDArray[np.float64]], labels: tuple[str, ...], colours: tuple[str, ...]
) -> None:
    boxes = axes.boxplot([each.tolist() for each in values], widths=0.55, whis=(0, 100))
    for parts in ("boxes", "medians"):
        for line, colour in zip(boxes[parts], colours, strict=True):
            line.set(color=colour, linewidth=1.2)
    for parts in ("whiskers", "caps"):
        for number, line in enumerate(boxes[parts]):
            line.set(color=colours[number // 2], linewidth=0.9)
    axes.set_xticks(range(1, len(labels) + 1), labels)
    axes.tick_params(labelsize=6, length=2)


def _label(axes: Axes, below: str, beside: str) -> None:
    axes.set_xlabel(below, fontsize=7)
    axes.set_ylabel(beside, fontsize=7)
    axes.tick_params(labelsize=6, length=2)
