"""What a picture or a movie of a sequence shows, read from a store and reduced to what is drawn."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...datasets.store import Store
from ...simulator.experiment.anatomy import Artery
from ...simulator.rendering import render
from ...simulator.sequence import Truth
from ...training.colours import COLOURS, GREY
from .subjects import DrawnUnits, StoredSequence, Subject

MOST_UNITS = 40
"""Units that are drawn; of more, the strongest, for lines and outlines would run together."""

PIXELS_SHOWN = 6
"""Pixels whose signals stand in for units where a store knows none."""


@dataclass(frozen=True)
class Trace:
    """One signal over time, and the colour and label by which it is found on the map.

    Parameters
    ----------
    label : str
    colour : str
    signal : float32 array of shape (time,)
        Velocity, mm/s.
    firings : float64 array of shape (firing,)
        Firing instants inside the sequence, s.
    true : float32 array of shape (time,), optional
        The true signal beneath it, mm/s.
    true_firings : float64 array of shape (firing,), optional
        Those of the true unit, s.
    """

    label: str
    colour: str
    signal: NDArray[np.float32]
    firings: NDArray[np.float64]
    true: NDArray[np.float32] | None = None
    true_firings: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Mark:
    """One place on the map: a unit's territory, or a pixel where there are no units.

    Parameters
    ----------
    label : str
    colour : str
    depth, width : float
        The territory's centre of mass inside the image, or the pixel's centre, mm.
    territory : float32 array of shape (depth, width), optional
        Membership, 0..1.
    uncertain : bool
        Whether the territory's outline is.
    """

    label: str
    colour: str
    depth: float
    width: float
    territory: NDArray[np.float32] | None = None
    uncertain: bool = False


@dataclass(frozen=True, kw_only=True)
class Signals:
    """Signals of a sequence over time.

    Parameters
    ----------
    frame_rate : float
        Hz.
    shape : (int, int, int)
        Frames, depth and width of the sequence, px.
    traces : tuple of Trace
    has_units : bool
        Whether they are those of units.
    """

    frame_rate: float
    shape: tuple[int, int, int]
    traces: tuple[Trace, ...]
    has_units: bool

    @property
    def duration(self) -> float:
        """Length of the sequence, s."""
        return self.shape[0] / self.frame_rate

    @property
    def times(self) -> NDArray[np.float64]:
        """Time of each frame, s."""
        return np.arange(self.shape[0]) / self.frame_rate


@dataclass(frozen=True, kw_only=True)
class Places:
    """Places on the plane of the image.

    Parameters
    ----------
    size : (float, float)
        Depth and width of the image, mm.
    marks : tuple of Mark
    has_units : bool
        Whether they are those of units.
    truths : tuple of float32 arrays of shape (depth, width)
        Territories of the true units of the recording in which the units were found, where its
        source still tells them.
    fat : float
        Thickness of skin and fat, mm; 0 where there is none, or it is not known.
    artery : Artery, optional
        Where one moves.
    """

    size: tuple[float, float]
    marks: tuple[Mark, ...]
    has_units: bool
    truths: tuple[NDArray[np.float32], ...] = ()
    fat: float = 0.0
    artery: Artery | None = None


@dataclass(frozen=True, kw_only=True)
class Scene(Signals, Places):
    """A sequence, reduced to what is drawn of it; and its signals and places.

    Parameters
    ----------
    title : str
    highlights : tuple of int
        The most active frame of each of several equal spans of time.
    images : float32 array of shape (highlight, depth, width)
        Velocity at the highlights, mm/s.
    twin : float32 array of shape (highlight, depth, width), optional
        The analytic sequence at the highlights, mm/s, of a recording of the virtual experiment.
    limit : float
        Velocity at the ends of the colour scale, mm/s, above 0.
    deviation : float32 array of shape (depth, width)
        SD of the velocity over time, mm/s; NaN where no voxel is finite.
    units : int
        Units that there are, drawn or not.
    recorded_sd : float32 array of shape (depth, width), optional
        SD over time of the recording that units were found in, mm/s. Images and deviation are then
        those of the reconstruction: the sum of territories times trains.
    """

    title: str
    highlights: tuple[int, ...]
    images: NDArray[np.float32]
    limit: float
    deviation: NDArray[np.float32]
    twin: NDArray[np.float32] | None = None
    units: int = 0
    recorded_sd: NDArray[np.float32] | None = None

    @property
    def drawn(self) -> str:
        """Which units are drawn, in words; empty where all are."""
        if not self.has_units or len(self.traces) == self.units:
            return ""
        return f"the strongest {len(self.traces)} of {self.units}"


def read_scene(store: Store, index: int, *, highlights: int | None = None) -> Scene:
    """Read a sequence of a store block by block, and reduce it to what is drawn.

    Parameters
    ----------
    store : Store
    index : int
        The sequence.
    highlights : int, optional
        Frames to show; 4 to 6, by the image's shape, if not given.

    Returns
    -------
    Scene

    Raises
    ------
    InputError
        If there is no such sequence.
    FailureError
        If the store is damaged.
    """
    return scene_of(StoredSequence(store, index), highlights=highlights)


def scene_of(subject: Subject, *, highlights: int | None = None) -> Scene:
    """Return what is drawn of a sequence, as :func:`read_scene` does."""
    size = subject.size
    if highlights is None:
        highlights = 4 if size[1] > 1.5 * size[0] else 6 if size[0] > 1.5 * size[1] else 5
    activity, mean, deviation = survey(subject)
    chosen = highlights_of(activity, min(highlights, subject.shape[0]))
    images = np.stack([subject.frame(frame) for frame in chosen])
    twin = None
    if (recorded := subject.twin_of) is not None:
        twin = np.stack(
            [render(recorded, time=slice(frame, frame + 1), noise=False)[0] for frame in chosen]
        )
    units = subject.units
    if units is None:
        traces, marks = pixels_of(subject, mean, deviation)
    else:
        traces, marks = units_of(units, subject)
    recorded_sd, truth = subject.recorded_sd, subject.truth
    return Scene(
        title=subject.title,
        frame_rate=subject.frame_rate,
        shape=subject.shape,
        size=size,
        highlights=chosen,
        images=images,
        limit=limit_of(images),
        deviation=deviation,
        traces=traces,
        marks=marks,
        has_units=units is not None,
        twin=twin,
        units=0 if units is None else len(units.territory),
        recorded_sd=recorded_sd,
        truths=tuple(truth.territory) if recorded_sd is not None and truth is not None else (),
        **anatomy_of(truth),
    )


def anatomy_of(truth: Truth | None) -> dict[str, Any]:
    """Return what a truth tells of fat and artery, as fields of a scene."""
    return {} if truth is None else {"fat": truth.fat, "artery": artery_in(truth)}


def artery_in(truth: Truth) -> Artery | None:
    """Return the artery of a truth; none where it has none."""
    if math.isnan(truth.artery_depth):
        return None
    return Artery(truth.artery_depth, truth.artery_width, truth.artery_radius)


def survey(
    subject: Subject,
) -> tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.float32]]:
    """Return each frame's mean |velocity|, the mean of each, and each pixel's SD over time.

    Voxels that are not finite are left out; where there are no others, mean and SD are NaN.
    """
    _, depth, width = subject.shape
    activity, mean, first = [], [], None
    count, total, squares = (np.zeros((depth, width)) for _ in range(3))
    for block in subject.blocks():
        finite = np.isfinite(block)
        values = np.where(finite, block, 0).astype(np.float64)
        in_frame = finite.sum(axis=(1, 2))
        activity.append(np.abs(values).sum(axis=(1, 2)) / np.maximum(in_frame, 1))
        mean.append(np.where(in_frame, values.sum(axis=(1, 2)) / np.maximum(in_frame, 1), np.nan))
        # About the first frame, so that a large offset does not swallow a small deviation.
        first = values[0] if first is None else first
        values = np.where(finite, values - first, 0)
        count += finite.sum(axis=0)
        total += values.sum(axis=0)
        squares += np.square(values).sum(axis=0)
    seen = np.maximum(count, 1)
    variance = np.maximum(squares / seen - np.square(total / seen), 0)
    return (
        np.concatenate(activity),
        np.concatenate(mean).astype(np.float32),
        np.where(count, np.sqrt(variance), np.nan).astype(np.float32),
    )


def highlights_of(activity: NDArray[np.float64], count: int) -> tuple[int, ...]:
    """Return the most active frame of each span of time, half a span or more apart."""
    chosen: list[int] = []
    for span in np.array_split(np.arange(len(activity)), count):
        earliest = chosen[-1] + len(span) // 2 if chosen else 0
        allowed = span[span >= earliest]
        chosen.append(int(allowed[np.argmax(activity[allowed])]))
    return tuple(chosen)


def limit_of(images: NDArray[np.float32]) -> float:
    """Return a velocity that few voxels exceed, yet the smallest lone territory reaches."""
    magnitude = np.abs(images[np.isfinite(images)])
    if not magnitude.any():
        return 1.0
    return float(np.percentile(magnitude, 99.8)) or float(magnitude.max())


def units_of(
    units: DrawnUnits, subject: Subject, chosen: Sequence[int] | None = None
) -> tuple[tuple[Trace, ...], tuple[Mark, ...]]:
    """Return the signals of units, and their places.

    Parameters
    ----------
    units : DrawnUnits
    subject : Subject
        Whose units they are.
    chosen : sequence of int, optional
        Which of them, by their places; the strongest, if not given.
    """
    size, duration = subject.size, subject.shape[0] / subject.frame_rate
    traces, marks = [], []
    for unit in strongest(units.train, units.territory) if chosen is None else chosen:
        territory, times = units.territory[unit], units.firing[unit]
        label, colour = str(unit), COLOURS[unit % len(COLOURS)]
        # NaN, the padding, is in no interval.
        inside = times[(times >= 0) & (times < duration)]
        traces.append(Trace(label, colour, units.train[unit], inside))
        weight = float(territory.sum())
        if weight > 0:
            rows = (np.arange(territory.shape[0]) + 0.5) * size[0] / territory.shape[0]
            columns = (np.arange(territory.shape[1]) + 0.5) * size[1] / territory.shape[1]
            depth = float(territory.sum(axis=1) @ rows) / weight
            width = float(territory.sum(axis=0) @ columns) / weight
            uncertain = bool(units.uncertain[unit])
            marks.append(Mark(label, colour, depth, width, territory, uncertain))
    return tuple(traces), tuple(marks)


def strongest(
    trains: NDArray[np.float32], territories: NDArray[np.float32], most: int = MOST_UNITS
) -> list[int]:
    """Return the units that give the sequence most of its energy, rising; all if they are few.

    Parameters
    ----------
    trains : float32 array of shape (unit, time)
        mm/s.
    territories : float32 array of shape (unit, depth, width)
    most : int
    """
    energy = np.square(np.nan_to_num(trains), dtype=np.float64).sum(axis=1)
    energy *= np.square(territories, dtype=np.float64).sum(axis=(1, 2))
    return sorted(np.argsort(-energy, kind="stable")[:most].tolist())


def pixels_of(
    subject: Subject, mean: NDArray[np.float32], deviation: NDArray[np.float32]
) -> tuple[tuple[Trace, ...], tuple[Mark, ...]]:
    """Return the signals of the pixels that move most, far from one another, after the mean's."""
    nothing = np.empty(0)
    traces, marks = [Trace("mean", GREY, mean, nothing)], []
    left = np.nan_to_num(deviation, nan=-1.0)
    rows, columns = np.indices(left.shape)
    height, breadth = subject.pixel_size
    apart = math.hypot(left.shape[0] * height, left.shape[1] * breadth) / 6
    for number in range(PIXELS_SHOWN):
        row, column = divmod(int(np.argmax(left)), left.shape[1])
        if left[row, column] < 0:
            break
        label, colour = str(number), COLOURS[number]
        there = slice(row, row + 1), slice(column, column + 1)
        signal = subject.velocity(slice(None), *there)[:, 0, 0]
        traces.append(Trace(label, colour, signal, nothing))
        marks.append(Mark(label, colour, (row + 0.5) * height, (column + 0.5) * breadth))
        distance = np.hypot((rows - row) * height, (columns - column) * breadth)
        left[distance < apart] = -1
    return tuple(traces), tuple(marks)
