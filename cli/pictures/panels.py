"""The panels of pictures and movies: an image, the map of motion with territories, the trains."""

import io
import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from ...training.colours import GREY, VELOCITY_COLOURS
from .scales import round_length
from .scene import Places, Signals

DEVIATION_COLOURS = LinearSegmentedColormap.from_list("deviation", ["#ffffff", "#8c8c8c"])
"""Ends in a middle grey, on which dark outlines show too."""

NOTHING_COLOUR = "#efe3c2"
"""Of voxels that are not finite; no scale has it."""

DASHES = (0, (4.5, 3.0))
"""Of outlines that are uncertain."""

TRUE_DASHES = (0, (1.2, 0.9))
"""Of true outlines, which lie beneath those found."""

TRUE = "#a0a0a0"
"""Of true signals, beneath those found."""

ANATOMY_COLOUR = "#5a4632"
"""Of what is no unit: a brown that none has."""

SOFTENING, SOFT_REACH = 0.7, 3
"""SD of the Gaussian that softens outlines, and where it is cut off, px."""

FEW_ROWS = 8


class Drawing(Figure):
    """A figure that notebooks show where it is the value of a cell, without pyplot."""

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        self.savefig(picture, format="png")
        return picture.getvalue()


class Page:
    """A matplotlib figure on which axes are placed from the top left, in inches.

    Parameters
    ----------
    width, height : float
        Inches.
    dots_per_inch : float
    """

    def __init__(self, width: float, height: float, dots_per_inch: float) -> None:
        self.width, self.height = width, height
        self.figure = Drawing(figsize=(width, height), dpi=dots_per_inch, facecolor="white")
        self.canvas = FigureCanvasAgg(self.figure)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Add axes whose box has these edges and sizes."""
        bottom = self.height - top - height
        box = (left / self.width, bottom / self.height, width / self.width, height / self.height)
        axes = self.figure.add_axes(box)
        axes.tick_params(labelsize=7.5, width=0.6, length=2.5, pad=2)
        for spine in axes.spines.values():
            spine.set_linewidth(0.6)
        return axes

    def text(self, left: float, top: float, text: str, **style: Any) -> float:
        """Write a text whose baseline starts there, and return where it ends."""
        line = self.figure.text(left / self.width, 1 - top / self.height, text, **style)
        return left + line.get_window_extent().width / self.figure.dpi

    def title(self, left: float, top: float, text: str, *, font_size: float) -> None:
        """Write a line in bold, smaller where the page is too narrow for it."""
        line = self.figure.text(
            left / self.width, 1 - top / self.height, text, fontsize=font_size, weight="bold",
            parse_math=False,
        )  # fmt: skip
        room = (self.width - left - 0.1) * self.figure.dpi
        # Hinted glyphs do not shrink as their size does.
        while (needed := line.get_window_extent().width) > room and font_size > 1:
            font_size = min(font_size * room / needed, font_size - 0.1)
            line.set_fontsize(font_size)

    def colour_bar(self, axes: Axes, image: ScalarMappable, label: str) -> None:
        """Draw the colour scale of an image into axes of its own."""
        bar = self.figure.colorbar(image, cax=axes)
        bar.outline.set_linewidth(0.6)  # type: ignore[operator]
        bar.set_label(label, fontsize=8, labelpad=3)
        bar.ax.locator_params(nbins=5)


def label_axes(axes: Axes, horizontal: str, vertical: str) -> None:
    """Name the axes."""
    axes.set_xlabel(horizontal, fontsize=8, labelpad=2)
    axes.set_ylabel(vertical, fontsize=8, labelpad=4)


def _extent(size: tuple[float, float]) -> tuple[float, float, float, float]:
    return 0.0, size[1], size[0], 0.0


def draw_image(
    axes: Axes, image: NDArray[np.float32], limit: float, size: tuple[float, float]
) -> ScalarMappable:
    """Draw one frame, mm/s, up to a velocity at both ends of the scale, in axes in mm."""
    axes.set_facecolor(NOTHING_COLOUR)
    return axes.imshow(image, cmap=VELOCITY_COLOURS, vmin=-limit, vmax=limit, extent=_extent(size))


def draw_deviation(
    axes: Axes, values: NDArray[np.float32], highest: float, size: tuple[float, float]
) -> ScalarMappable:
    """Draw a map of a velocity's SD over time, mm/s, up to the darkest grey, in axes in mm."""
    label_axes(axes, "Width (mm)", "Depth (mm)")
    axes.set_facecolor(NOTHING_COLOUR)
    return axes.imshow(values, cmap=DEVIATION_COLOURS, vmin=0, vmax=highest, extent=_extent(size))


def draw_marks(axes: Axes, scene: Places, *, font_size: float, line_width: float = 1.1) -> None:
    """Outline and number the territories, or mark the pixels, over an image in mm.

    True units lie beneath those found, in lines so wide that they are seen on both sides. What is
    known of the anatomy is drawn and named too.
    """
    draw_anatomy(axes, scene, font_size=0.8 * font_size)
    for territory in scene.truths:
        _outline(axes, territory, scene.size, "#111111", 3.2 * line_width, TRUE_DASHES)
    for mark in scene.marks:
        if mark.territory is None:
            axes.plot(mark.width, mark.depth, "+", color=mark.colour, markersize=7)
        else:
            dashes = DASHES if mark.uncertain else "solid"
            _outline(axes, mark.territory, scene.size, mark.colour, line_width, dashes)
    axes.set(xlim=(0, scene.size[1]), ylim=(scene.size[0], 0))
    box = axes.get_window_extent()
    scale = 72 / axes.figure.dpi * np.array([box.width, box.height])
    centres = np.array([(m.width / scene.size[1], m.depth / scene.size[0]) for m in scene.marks])
    centres = centres.reshape(-1, 2) * scale
    if not scene.has_units:
        centres += (0.8 * font_size, -0.8 * font_size)
    longest = max((len(mark.label) for mark in scene.marks), default=1)
    places = _spread(centres, np.array([0.72 * longest * font_size, 1.05 * font_size]), scale)
    halo = [withStroke(linewidth=0.25 * font_size, foreground="white")]
    for mark, centre, place in zip(scene.marks, centres, places, strict=True):
        x, y = place / scale * (scene.size[1], scene.size[0])
        if np.hypot(*(place - centre)) > 0.9 * font_size:
            (line,) = axes.plot((mark.width, x), (mark.depth, y), color=mark.colour, linewidth=0.6)
            axes.plot(mark.width, mark.depth, ".", color=mark.colour, markersize=2.5)
            line.set_path_effects([withStroke(linewidth=1.4, foreground="white")])
        axes.text(
            x, y, mark.label, color=mark.colour, fontsize=font_size, weight="bold",
            ha="center", va="center_baseline", path_effects=halo, clip_on=True,
        )  # fmt: skip


def draw_anatomy(axes: Axes, scene: Places, *, font_size: float) -> None:
    """Draw and name the border of fat and muscle, and the artery, over an image in mm."""
    halo = [withStroke(linewidth=0.3 * font_size, foreground="white")]
    style: dict[str, Any] = {
        "color": ANATOMY_COLOUR, "fontsize": font_size, "path_effects": halo, "clip_on": True,
    }  # fmt: skip
    if scene.fat > 0:
        axes.plot((0, scene.size[1]), (scene.fat, scene.fat), color=ANATOMY_COLOUR, linewidth=0.8,
                  dashes=(6, 2.5))  # fmt: skip
        axes.text(0.985 * scene.size[1], scene.fat, "fat", ha="right", va="bottom", **style)
    artery = scene.artery
    if artery is not None:
        centre = artery.width, artery.depth
        axes.add_patch(Circle(centre, artery.radius, fill=False, color=ANATOMY_COLOUR))
        below = artery.depth + artery.radius
        axes.text(artery.width, below, "artery", ha="center", va="top", **style)


def _outline(
    axes: Axes,
    territory: NDArray[np.float32],
    size: tuple[float, float],
    colour: str,
    line_width: float,
    dashes: Any,
) -> None:
    """Draw the line at half of a membership's height, closed along the image's border."""
    if not territory.any():
        return
    padded = np.pad(softened(territory), 1)
    depth, width = (
        (np.arange(n) - 0.5) * length / (n - 2)
        for n, length in zip(padded.shape, size, strict=True)
    )
    axes.contour(
        width, depth, padded, levels=[0.5 * float(padded.max())], colors=[colour],
        linewidths=line_width, linestyles=[dashes],
    )  # fmt: skip


def softened(territory: NDArray[np.float32]) -> NDArray[np.float32]:
    """Smooth by less than a pixel, which takes the stairs off the outline of a hard mask.

    What ``scipy.ndimage.gaussian_filter`` makes of it, beyond the border what is at it; that takes
    longer to import than some pictures to draw.
    """
    steps = np.arange(-SOFT_REACH, SOFT_REACH + 1)
    weights = np.exp(-0.5 * (steps / SOFTENING) ** 2)
    weights /= weights.sum()
    soft = np.asarray(territory, np.float32)
    for _ in range(2):  # along depth, then along width
        padded = np.pad(soft, ((SOFT_REACH, SOFT_REACH), (0, 0)), mode="edge")
        shifted = np.lib.stride_tricks.sliding_window_view(padded, len(weights), axis=0)
        soft = (shifted @ weights).astype(np.float32).T
    return soft


def _spread(
    centres: NDArray[np.float64], box: NDArray[np.float64], bounds: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Move labels apart that lie on one another, as little as needed, inside the bounds.

    Parameters
    ----------
    centres : float64 array of shape (label, 2)
        Where they should be, points.
    box, bounds : float64 arrays of shape (2,)
        Width and height of a label and of the image, points.
    """
    # A label's own small direction keeps labels apart that start at the very same place.
    angles = np.arange(len(centres)) * math.pi * (3 - math.sqrt(5))
    places = centres + 0.01 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    places = np.clip(places, box / 2, bounds - box / 2)
    for _ in range(300):
        between = places[:, None] - places[None, :]
        overlap = box - np.abs(between)
        touching = (overlap > 0).all(axis=2) & ~np.eye(len(places), dtype=bool)
        if not touching.any():
            break
        # Along the axis on which less way is to go.
        shorter = overlap / box == (overlap / box).min(axis=2, keepdims=True)
        push = np.where(between >= 0, 1, -1) * overlap * shorter * touching[..., None]
        places = np.clip(places + 0.3 * push.sum(axis=1), box / 2, bounds - box / 2)
    return places


def draw_traces(axes: Axes, scene: Signals, *, font_size: float = 8) -> None:
    """Draw signals one below the other on one scale, their firings as ticks below them.

    True signals lie beneath those found, in grey and wider, and their firings in a second row.
    """
    # Thick lines would run together where a long recording is drawn.
    line_width = 0.9 * min(max(2500 / scene.shape[0], 0.25), 1)
    shown = [t.signal for t in scene.traces]
    shown += [t.true for t in scene.traces if t.true is not None]
    values = [signal[np.isfinite(signal)] for signal in shown]
    low = min((float(v.min(initial=0)) for v in values), default=0.0)
    high = max((float(v.max(initial=0)) for v in values), default=0.0)
    span = (high - low) or 1.0
    # Ticks are as long in print however many rows there are; in many rows, the largest signals
    # may touch, so that the others can be seen.
    row = axes.get_window_extent().height / axes.figure.dpi / max(len(scene.traces), 1)
    strips = 2 if any(t.true_firings is not None for t in scene.traces) else 1
    share = strips * min(max(0.06 / row, 0.05), 0.3) if scene.has_units else 0.0
    gap = span * (0.08 if len(scene.traces) <= FEW_ROWS else -0.12)
    pitch = (span + gap) / (1 - share)
    ticks = share * pitch / strips
    offsets = -pitch * np.arange(len(scene.traces))
    for trace, offset in zip(scene.traces, offsets, strict=True):
        axes.axhline(offset, color="0.9", linewidth=0.5, zorder=0)
        if trace.true is not None:
            axes.plot(scene.times, trace.true + offset, color=TRUE, linewidth=3 * line_width)
        axes.plot(scene.times, trace.signal + offset, color=trace.colour, linewidth=line_width)
        top = offset + low - gap / 2
        axes.vlines(trace.firings, top - ticks, top, trace.colour, linewidth=line_width)
        if trace.true_firings is not None:
            below = top - ticks
            axes.vlines(trace.true_firings, below - ticks, below, TRUE, linewidth=line_width)
    lowest = min(offsets, default=0.0) + low - max(gap, 0) - strips * ticks
    axes.set(xlim=(0, scene.duration), ylim=(lowest, high + 0.05 * span))
    axes.set_yticks(offsets, [trace.label for trace in scene.traces])
    for label, trace in zip(axes.get_yticklabels(), scene.traces, strict=True):
        label.set(color=trace.colour, fontsize=font_size, weight="bold")
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    _scale_bar(axes, span, high, font_size)


def _scale_bar(axes: Axes, span: float, high: float, font_size: float) -> None:
    """Draw a bar of a round velocity to the right of the topmost signal."""
    length = round_length(0.8 * span)
    transform = axes.get_yaxis_transform()
    middle = high - span / 2
    axes.plot(
        (1.012, 1.012), (middle - length / 2, middle + length / 2), color=GREY, linewidth=1.6,
        transform=transform, clip_on=False, solid_capstyle="butt",
    )  # fmt: skip
    axes.text(
        1.022, middle, f"{length:g}\nmm/s", color=GREY, fontsize=font_size - 1, ha="left",
        va="center", transform=transform, linespacing=0.95,
    )  # fmt: skip
