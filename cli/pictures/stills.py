"""A still picture of a sequence: frames, map of motion with territories, trains with firings."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray

from ...datasets.store import Store
from ..targets import check_target, written_aside
from .panels import Page, draw_deviation, draw_image, draw_marks, draw_traces, label_axes
from .scene import Scene, read_scene
from .sections import compose_section
from .slices import compose_slice
from .videos import compose_video

ENDINGS_OF_PICTURES = (".png", ".pdf", ".svg")

WIDTH, MARGIN, GAP = 11.0, 0.6, 0.22
DOTS_PER_INCH = 150
ROW = 0.155
STACKED = 0.75
"""Between two maps, inches."""

_WITHOUT_DATE: dict[str, dict[str, Any]] = {
    ".png": {"Software": None},
    ".pdf": {"Creator": None, "Producer": None, "CreationDate": None},
    ".svg": {"Creator": None, "Date": None},
}


def draw_preview(store: Store, index: int, out: Path) -> None:
    """Draw a sequence: frames, the velocity's SD with the territories, trains with firings.

    Units have the numbers and colours of their places in the store, from 0. Where the store holds
    no truth, the mean velocity and the signals of a few pixels stand in place of the trains. Images
    of the longitudinal section are drawn without and with their truth, videos of muscle as frames
    with their signals, paired slices beside one another with their difference. Same store, same
    bytes.

    Parameters
    ----------
    store : Store
    index : int
        The sequence.
    out : Path
        The picture; its ending, one of :data:`ENDINGS_OF_PICTURES`, says which kind. A file that
        is there is replaced.

    Raises
    ------
    InputError
        If there is no such sequence, no such kind of picture, or no such folder.
    FailureError
        If the store is damaged or the picture cannot be written.
    """
    out = Path(out)
    ending = check_target(out, ENDINGS_OF_PICTURES)
    page = compose(store, index)
    # A salt of its own keeps the names inside an SVG from being drawn at random.
    with written_aside(out) as aside, matplotlib.rc_context({"svg.hashsalt": "musim"}):
        page.figure.savefig(
            aside, format=ending[1:], dpi=DOTS_PER_INCH, metadata=_WITHOUT_DATE[ending]
        )


def compose(store: Store, index: int) -> Page:
    """Draw a sequence, an image, a video or a slice, as :func:`draw_preview` writes it.

    Raises
    ------
    InputError
        If there is no such sequence.
    FailureError
        If the store is damaged.
    """
    if store.is_section:
        return compose_section(store, index)
    if store.is_video:
        return compose_video(store, index)
    if store.is_slices:
        return compose_slice(store, index)
    return compose_scene(read_scene(store, index))


def compose_scene(scene: Scene) -> Page:
    """Draw a sequence of velocity."""
    count = len(scene.images)
    ratio = min(max(scene.size[0] / scene.size[1], 0.2), 6.0)
    tile = (WIDTH - MARGIN - 0.8 - GAP * (count - 1)) / max(count, 4)
    tile = min(tile, 3.6 / ratio)
    rows_height = min(max(ROW * len(scene.traces), 3.5), 9.0)
    map_width = min(rows_height / ratio, 3.7 if rows_height < 4 else 4.3)
    stacked = 0.0
    if scene.recorded_sd is not None:  # two maps, one above the other
        map_width, stacked = min(map_width, 3.1), STACKED
        stacked += map_width * ratio
        rows_height = max(rows_height, map_width * ratio + stacked)
    rows = [("Tissue velocity at the most active instants", scene.images)]
    if scene.recorded_sd is not None:
        what = "Reconstruction, territories times trains, at its most active instants"
        rows = [(what, scene.images)]
    if scene.twin is not None:
        rows = [
            ("Recorded velocity at the most active instants", scene.images),
            ("Its analytic twin: the motion that was to be recorded", scene.twin),
        ]
    row_height = tile * ratio + 0.85
    top = 0.87 + row_height * len(rows)
    page = Page(WIDTH, top + max(rows_height, map_width * ratio + stacked) + 0.45, DOTS_PER_INCH)
    page.title(MARGIN, 0.26, scene.title, font_size=10)

    letters = iter("abcd")
    for row, (what, images) in enumerate(rows):
        above = 0.87 + row * row_height
        _heading(page, MARGIN, above - 0.23, next(letters), what)
        instants = [frame / scene.frame_rate for frame in scene.highlights]
        draw_frames(page, images, instants, scene.limit, scene.size, (above, tile, tile * ratio))

    letter = next(letters)
    last = next(letters) if scene.recorded_sd is None else "d"
    left = MARGIN + map_width + 1.3
    for number, (what, values) in enumerate(_maps(scene, last)):
        above = top + number * (map_width * ratio + STACKED)
        text = _heading(page, MARGIN, above - 0.12, letter if number == 0 else next(letters), what)
        left = max(left, text + 0.25)  # no closer than the heading is long
        axes = page.axes(MARGIN, above, map_width, map_width * ratio)
        shown = draw_deviation(axes, values, _highest(scene), scene.size)
        if number == 0:
            draw_marks(axes, scene, font_size=9 if len(scene.marks) <= 15 else 7.5)
        bar = page.axes(MARGIN + map_width + 0.12, above, 0.11, map_width * ratio)
        page.colour_bar(bar, shown, "SD (mm/s)")

    what = "Twitch trains and firings" if scene.has_units else "Mean of the image, single pixels"
    what = f"Trains of {scene.drawn} units" if scene.drawn else what
    _heading(page, left, top - 0.12, last, f"{what} (dashed: instants of a)")
    axes = page.axes(left, top, WIDTH - left - 0.55, rows_height)
    for frame in scene.highlights:
        axes.axvline(frame / scene.frame_rate, color="0.8", linewidth=0.7, dashes=(4, 3), zorder=0)
    if scene.traces:
        draw_traces(axes, scene)
    else:
        axes.set(xlim=(0, scene.duration), yticks=[])
        axes.text(0.5, 0.5, "No unit was found.", transform=axes.transAxes, ha="center", fontsize=9)
    label_axes(axes, "Time (s)", "Unit" if scene.has_units else "Pixel")
    return page


def draw_frames(
    page: Page,
    images: NDArray[np.float32],
    instants: Sequence[float],
    limit: float,
    size: tuple[float, float],
    box: tuple[float, float, float],
) -> None:
    """Draw frames side by side, on one scale.

    Parameters
    ----------
    page : Page
    images : float32 array of shape (frame, depth, width)
        mm/s.
    instants : sequence of float
        Of the frames, s.
    limit : float
        Velocity at the ends of the scale, mm/s.
    size : (float, float)
        Depth and width of an image, mm.
    box : (float, float, float)
        Top, and width and height of each, inches.
    """
    count, (top, width, height) = len(images), box
    for number, (image, instant) in enumerate(zip(images, instants, strict=True)):
        axes = page.axes(MARGIN + number * (width + GAP), top, width, height)
        shown = draw_image(axes, image, limit, size)
        axes.set_title(f"{instant:.3f} s", fontsize=8, pad=3)
        label_axes(axes, "Width (mm)", "Depth (mm)" if number == 0 else "")
        axes.tick_params(labelleft=number == 0)
        if number == count - 1:
            bar = page.axes(MARGIN + count * (width + GAP) - 0.1, top, 0.11, height)
            page.colour_bar(bar, shown, "Velocity (mm/s)")


def _maps(scene: Scene, traces: str) -> list[tuple[str, NDArray[np.float32]]]:
    """Return the maps of motion, the first with outlines, and what each is."""
    what = "territories" if scene.has_units else f"pixels shown in {traces}"
    if scene.drawn:
        what = f"territories of {scene.drawn}"
    if scene.truths:
        what += " over true ones (black)"
    if any(mark.uncertain for mark in scene.marks):
        what += " (dashed: outline uncertain)"
    if scene.recorded_sd is None:
        return [(f"SD of velocity over time, {what}", scene.deviation)]
    return [
        (f"SD of the recorded velocity, {what}", scene.recorded_sd),
        ("SD of what the units explain of it", scene.deviation),
    ]


def _highest(scene: Scene) -> float:
    """Return the SD at the end of the scale that all maps share, mm/s."""
    values = (
        [scene.deviation] if scene.recorded_sd is None else [scene.recorded_sd, scene.deviation]
    )
    return max(float(each[np.isfinite(each)].max(initial=0)) for each in values) or 1.0


def _heading(page: Page, left: float, top: float, letter: str, text: str) -> float:
    """Write a heading, and return where it ends, inches."""
    page.text(left, top, letter, fontsize=10, weight="bold")
    return page.text(left + 0.17, top, text, fontsize=9)
