"""Figures of one sequence: all of it, frames, the map with territories, trains."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...simulator.errors import InputError
from ...simulator.parameters import Parameters
from ...simulator.sequence import Truth
from ..pictures.panels import Page, draw_deviation, draw_marks, draw_traces, label_axes
from ..pictures.scene import (
    Places,
    Signals,
    anatomy_of,
    highlights_of,
    limit_of,
    pixels_of,
    scene_of,
    survey,
    units_of,
)
from ..pictures.stills import GAP, MARGIN, ROW, compose, compose_scene, draw_frames
from .asking import (
    DOTS_PER_INCH,
    Source,
    check_index,
    check_time,
    chosen_units,
    figure_of,
    own_axes,
    proportions,
    store_of,
    subject_of,
)


def preview(source: Source, index: int = 0, *, parameters: Parameters | None = None) -> Figure:
    """Draw all of a sequence, as ``musim preview`` does.

    Frames at the most active instants, the velocity's SD over time with outlines of the units, and
    their trains with firings; of images of the longitudinal section the image with its aponeuroses,
    of videos frames and signals, of paired slices both with their difference.

    Parameters
    ----------
    source : Store, Truth, str or path
        A store or its place; or a truth, of which :func:`musim.draw` gives one.
    index : int
        The sequence of the store.
    parameters : Parameters, optional
        What a truth was drawn with; wanted with a truth alone.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there is no such store or sequence, or a truth comes without its parameters.
    FailureError
        If the store is damaged.

    Examples
    --------
    >>> import musim
    >>> parameters = musim.Parameters(units=4, frames=80)
    >>> figure = musim.plot.preview(musim.draw(parameters, seed=1), parameters=parameters)
    >>> figure.texts[0].get_text()
    'drawn sequence  ·  4 units  ·  SNR 10 dB  ·  64 × 64 px  ·  80 frames at 400 Hz'
    """
    if isinstance(source, Truth):
        return compose_scene(scene_of(subject_of(source, index, parameters))).figure
    store = store_of(source)
    check_index(store, index)
    return compose(store, index).figure


def frames(
    source: Source,
    index: int = 0,
    *,
    at: Sequence[float] | None = None,
    parameters: Parameters | None = None,
) -> Figure:
    """Draw frames of a sequence side by side: the velocity, red towards the transducer.

    Parameters
    ----------
    source : Store, Truth, str or path
    index : int
        The sequence of the store.
    at : sequence of float, optional
        Instants, s, each of which shows the frame that is under way; five of the most active ones,
        if not given.
    parameters : Parameters, optional
        What a truth was drawn with.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        As :func:`preview` raises it; and if an instant lies outside the sequence.
    FailureError
        If the store is damaged.
    """
    subject = subject_of(source, index, parameters)
    if at is None:
        chosen = highlights_of(survey(subject)[0], min(5, subject.shape[0]))
    else:
        chosen = [_frame_at(instant, subject.shape[0], subject.frame_rate) for instant in at]
        if not chosen:
            raise InputError("at: found no instant, wanted one or more, s")
    images = np.stack([subject.frame(frame) for frame in chosen])
    width, height = proportions(subject.size, 1.7, 4.0)
    page = Page(MARGIN + len(chosen) * (width + GAP) + 0.7, height + 0.95, DOTS_PER_INCH)
    instants = [frame / subject.frame_rate for frame in chosen]
    draw_frames(page, images, instants, limit_of(images), subject.size, (0.45, width, height))
    return page.figure


def _frame_at(instant: float, count: int, frame_rate: float) -> int:
    # The small number keeps an instant that is a frame's from falling short of it by rounding.
    frame = np.floor(instant * frame_rate + 1e-6)
    if not 0 <= frame < count:
        last = (count - 1) / frame_rate
        raise InputError(f"at: found {instant:g} s, wanted instants of 0 to {last:g} s")
    return int(frame)


def territories(
    source: Source,
    index: int = 0,
    *,
    units: Sequence[int] | None = None,
    parameters: Parameters | None = None,
    axes: Axes | None = None,
) -> Figure:
    """Draw the velocity's SD over time, in mm/s, with the numbered outlines of the units.

    Of units that were found the map is that of the recording, outlines of true units lie beneath in
    black where its source tells them, and outlines that are uncertain are dashed. Where a store
    knows no units, the pixels are marked that move most.

    Parameters
    ----------
    source : Store, Truth, str or path
    index : int
        The sequence of the store.
    units : sequence of int, optional
        Which units, by their places; the 40 strongest, if not given.
    parameters : Parameters, optional
        What a truth was drawn with.
    axes : Axes, optional
        Where to draw; on a figure of its own, if not given.

    Returns
    -------
    Figure
        That of the axes.

    Raises
    ------
    InputError
        As :func:`preview` raises it; and if there is no such unit.
    FailureError
        If the store is damaged.
    """
    subject = subject_of(source, index, parameters)
    found, drawn, truth = subject.recorded_sd, subject.units, subject.truth
    if found is None or drawn is None:
        _, mean, shown = survey(subject)
    else:
        mean, shown = np.empty(0, np.float32), found
    if drawn is None:
        _no_units(units)
        marks = pixels_of(subject, mean, shown)[1]
    else:
        marks = units_of(drawn, subject, chosen_units(drawn, units))[1]
    places = Places(
        size=subject.size, marks=marks, has_units=drawn is not None,
        truths=tuple(truth.territory) if found is not None and truth is not None else (),
        **anatomy_of(truth),
    )  # fmt: skip
    width, height = proportions(subject.size, 4.4, 5.0)
    axes, page = own_axes(axes, width, height, left=0.6, right=0.85)
    highest = float(shown[np.isfinite(shown)].max(initial=0)) or 1.0
    picture = draw_deviation(axes, shown, highest, places.size)
    draw_marks(axes, places, font_size=9 if len(marks) <= 15 else 7.5)
    if page is None:
        # Inside the axes' own box: as high as the map, however the layout shapes it.
        bar = axes.inset_axes((1.03, 0, 0.035, 1))
        figure_of(axes).colorbar(picture, cax=bar, label="SD of velocity (mm/s)")
    else:
        bar = page.axes(0.6 + width + 0.12, 0.3, 0.11, height)
        page.colour_bar(bar, picture, "SD of velocity (mm/s)")
    return figure_of(axes)


def trains(
    source: Source,
    index: int = 0,
    *,
    units: Sequence[int] | None = None,
    time: tuple[float, float] | None = None,
    parameters: Parameters | None = None,
    axes: Axes | None = None,
) -> Figure:
    """Draw the units' twitch trains one below the other on one scale, with their firings as ticks.

    Where a store knows no units: the mean velocity and those of the pixels that move most.

    Parameters
    ----------
    source : Store, Truth, str or path
    index : int
        The sequence of the store.
    units : sequence of int, optional
        Which units, by their places; the 40 strongest, if not given.
    time : (float, float), optional
        First and last instant that are shown, s; all, if not given.
    parameters : Parameters, optional
        What a truth was drawn with.
    axes : Axes, optional
        Where to draw; on a figure of its own, if not given.

    Returns
    -------
    Figure
        That of the axes.

    Raises
    ------
    InputError
        As :func:`preview` raises it; and if there is no such unit or span of time.
    FailureError
        If the store is damaged.
    """
    subject = subject_of(source, index, parameters)
    span = check_time(time, subject.shape[0] / subject.frame_rate)
    drawn = subject.units
    if drawn is None:
        _no_units(units)
        traces, _ = pixels_of(subject, *survey(subject)[1:])
    else:
        traces, _ = units_of(drawn, subject, chosen_units(drawn, units))
    signals = Signals(
        frame_rate=subject.frame_rate, shape=subject.shape, traces=traces,
        has_units=drawn is not None,
    )  # fmt: skip
    axes, _ = own_axes(axes, 7.5, rows_height(len(traces)), left=0.6, right=0.55)
    draw_signals(axes, signals, span)
    return figure_of(axes)


def draw_signals(axes: Axes, signals: Signals, span: tuple[float, float]) -> None:
    """Draw signals over a span of time, or say that there are none."""
    if signals.traces:
        draw_traces(axes, signals)
    else:
        axes.set(yticks=[])
        axes.text(0.5, 0.5, "No unit was found.", transform=axes.transAxes, ha="center", fontsize=9)
    axes.set_xlim(*span)
    label_axes(axes, "Time (s)", "Unit" if signals.has_units else "Pixel")


def rows_height(rows: int) -> float:
    """Return the height of so many trains, inches."""
    return float(np.clip(2.2 * ROW * rows, 1.5, 9.0))


def _no_units(units: Sequence[int] | None) -> None:
    if units is not None:
        raise InputError("units: found numbers, wanted none: the store knows no units of it")
