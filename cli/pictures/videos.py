"""A still picture of a muscle's video: frames with what has moved in them, and its signals."""

from dataclasses import dataclass
from typing import cast

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from ...datasets.origin import SimulatedTrials
from ...datasets.store import Store
from ...datasets.videos.trials import MuscleTrial, trials_of
from ...simulator.calf.motion import fields
from ...simulator.calf.parameters import draw_participant
from ...simulator.errors import InputError
from .panels import Page, label_axes

WIDTH, MARGIN, TOP, GAP = 11.0, 0.6, 0.85, 0.42
IMAGE, TALLEST = 5.0, 2.4
WORDS = 4.8
"""Inches that the words above an image take."""
BETWEEN = 0.95
DOTS_PER_INCH = 150

COLOURS = {"emg_amplitude": "#000000", "torque": "#d55e00", "angle": "#0072b2",
           "fascicle_length_course": "#009e73"}  # fmt: skip
LABELS = {
    "emg_amplitude": "EMG (mV)",
    "torque": "Torque (N m)",
    "angle": "Angle (deg)",
    "fascicle_length_course": "Fascicle (mm)",
}
"""Of signals, from the top."""

SCALES = {"emg_amplitude": 1e3}
"""What signals are drawn in over the unit of the store, where they differ."""

ARROW = "#f0e442"
ARROWS = 5, 12
"""Places, down and across, whose motion is drawn."""


@dataclass(frozen=True)
class VideoScene:
    """What is drawn of a trial.

    Parameters
    ----------
    trial : MuscleTrial
    title : str
    signals : dict of str to float32 array of shape (frame,)
        By variable, those that are known at the instants of images.
    highlights : list of (int, str)
        Frames that are shown, and why.
    """

    trial: MuscleTrial
    title: str
    signals: dict[str, NDArray[np.float32]]
    highlights: list[tuple[int, str]]

    @property
    def duration(self) -> float:
        """Of the video, s."""
        return self.trial.frames / self.trial.frame_rate

    @property
    def size(self) -> tuple[float, float]:
        """Depth and width of images, mm or px."""
        layout = self.trial.store.layout
        depth, width = layout.pixel_size
        return layout.shape[1] * depth, layout.shape[2] * width


def read_video(store: Store, index: int) -> VideoScene:
    """Read what is drawn of a trial, its images aside.

    Raises
    ------
    InputError
        If there is no such trial.
    FailureError
        If the store is damaged.
    """
    if not 0 <= index < len(store):
        raise InputError(f"{store.location}: found sequence {index}, wanted 0 to {len(store) - 1}")
    trial = trials_of(store)[index]
    found = {name: trial.signal(name) for name in LABELS if name != "fascicle_length_course"}
    if "fascicle_length_course" in store.layout.variables:
        course = store.read("fascicle_length_course", index)
        found["fascicle_length_course"] = course[: trial.frames]
    signals = {name: values for name, values in found.items() if not np.isnan(values).all()}
    highlights = {0: "at first"}
    for name, words in (("torque", "at the highest torque"), ("angle", "at the lowest angle")):
        if name in signals:
            extreme = np.nanargmax if name == "torque" else np.nanargmin
            highlights.setdefault(int(extreme(signals[name])), words)
    if len(highlights) == 1:
        highlights |= {trial.frames // 2: "midway", trial.frames - 1: "at last"}
    title = f"{store.location}, sequence {index} ({trial.name}): {store.origin.made_by}"
    return VideoScene(trial, title, signals, sorted(highlights.items()))


def compose_video(store: Store, index: int) -> Page:
    """Draw frames of a trial, and its signals over time.

    In frames of simulated trials arrows show how far tissue has moved since the first one.

    Raises
    ------
    InputError
        If there is no such trial.
    FailureError
        If the store is damaged.
    """
    scene = read_video(store, index)
    high, across = scene.size
    height = min(IMAGE * high / across, TALLEST)
    width = height * across / high
    left = MARGIN + max(width, WORDS) + BETWEEN
    rows = len(scene.highlights)
    bottom = max(TOP + rows * (height + GAP) - GAP, TOP + 0.95 * max(len(scene.signals), 1))
    page = Page(WIDTH, bottom + 0.5, DOTS_PER_INCH)
    page.title(MARGIN, 0.26, scene.title, font_size=10)
    unit = store.layout.pixel_unit
    for number, (frame, words) in enumerate(scene.highlights):
        top = TOP + number * (height + GAP)
        moved = frame > 0 and isinstance(store.origin, SimulatedTrials)
        told = f"{frame / scene.trial.frame_rate:.2f} s, {words}"
        told += "; arrows: motion since the first frame, to scale" if moved else ""
        page.text(MARGIN, top - 0.1, "abc"[number], fontsize=10, weight="bold")
        page.text(MARGIN + 0.17, top - 0.1, told, fontsize=9)
        axes = page.axes(MARGIN, top, width, height)
        image = scene.trial.images(frame, frame + 1)[0]
        axes.imshow(image, cmap="gray", vmin=0, vmax=255, extent=(0, across, high, 0),
                    aspect="auto")  # fmt: skip
        if moved:
            _draw_motion(axes, store, index, frame)
            axes.set(xlim=(0, across), ylim=(high, 0))
        label_axes(axes, f"Width ({unit})" if number == rows - 1 else "", f"Depth ({unit})")
    page.text(left - 0.55, TOP - 0.1, "abcd"[rows], fontsize=10, weight="bold")
    page.text(left - 0.38, TOP - 0.1, "Signals (dashed: instants of the images)", fontsize=9)
    draw_signals(page, scene, (left, TOP, WIDTH - left - 0.25, bottom - TOP))
    return page


def draw_signals(
    page: Page, scene: VideoScene, box: tuple[float, float, float, float], font_size: float = 8
) -> None:
    """Draw signals one above the other into a box: left, top, width and height, inches."""
    left, top, width, height = box
    times = np.arange(scene.trial.frames) / scene.trial.frame_rate
    each = height / max(len(scene.signals), 1)
    for number, (name, values) in enumerate(scene.signals.items()):
        axes = page.axes(left, top + number * each, width, each - 0.12)
        for frame, _ in scene.highlights:
            axes.axvline(frame / scene.trial.frame_rate, color="0.7", linewidth=0.7,
                         dashes=(4, 3), zorder=0)  # fmt: skip
        axes.plot(times, values * SCALES.get(name, 1), color=COLOURS[name], linewidth=0.8)
        axes.set_xlim(0, scene.duration)
        axes.locator_params(axis="y", nbins=4)
        last = number == len(scene.signals) - 1
        axes.tick_params(labelbottom=last)
        label_axes(axes, "Time (s)" if last else "", "")
        axes.set_ylabel(LABELS[name], fontsize=font_size)
        axes.yaxis.set_label_coords(-0.44 / width, 0.5)
    if not scene.signals:
        axes = page.axes(left, top, width, height)
        axes.set(xlim=(0, scene.duration), yticks=[])
        axes.text(0.5, 0.5, "No signal was recorded.", transform=axes.transAxes, ha="center",
                  fontsize=9)  # fmt: skip


def _draw_motion(axes: Axes, store: Store, index: int, frame: int) -> None:
    """Draw how far tissue of a simulated trial has moved since its first frame, to scale."""
    origin = cast("SimulatedTrials", store.origin)
    study, (number, _) = origin.study, origin.trial(index)
    participant = draw_participant(study.calf, study.section, origin.seed, number)
    (_, depth, width), steps = store.layout.shape, store.layout.pixel_size
    down, right = (
        (np.arange(many) + 0.5) / many * pixels * step
        for many, pixels, step in zip(ARROWS, (depth, width), steps, strict=True)
    )
    above = int(store.read("first_row", index)) * steps[0]
    z, x = np.meshgrid(down, right, indexing="ij")
    courses = store.read("mode_course", index).astype(np.float64)
    moves = fields(participant, z + above, x)
    first, now = (np.tensordot(moves, courses[:, at], (0, 0)) for at in (0, frame))
    axial, lateral = now - first
    axes.quiver(x + first[1], z - first[0], lateral, -axial, angles="xy", scale_units="xy",
                scale=1, color=ARROW, width=0.004, headwidth=3.5, headlength=4)  # fmt: skip


def greys(levels: int) -> NDArray[np.uint8]:
    """Return colours from black to white, uint8 (level, 3)."""
    colours = matplotlib.colormaps["gray"].resampled(levels)(np.arange(levels))
    return np.round(colours[:, :3] * 255).astype(np.uint8)
