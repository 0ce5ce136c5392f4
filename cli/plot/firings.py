"""Figures of firings: rates of all units, and one unit with its twitch."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ...simulator.errors import InputError
from ...simulator.parameters import Parameters
from ...training.colours import GREY
from ...training.identification.metrics.firing import rate_and_variation
from ..pages.rates import rates_of, top_of
from ..pictures.panels import Page, draw_deviation, draw_marks, draw_traces, label_axes
from ..pictures.scene import Places, Signals, Trace, anatomy_of, survey, units_of
from ..pictures.subjects import DrawnUnits, Subject
from .asking import (
    DOTS_PER_INCH,
    Source,
    check_time,
    chosen_units,
    figure_of,
    own_axes,
    proportions,
    subject_of,
)

BEFORE, AFTER = 0.05, 0.25
"""Span about a firing in which its twitch is shown, s."""

TICKS = 0.24
"""Of a row's height, what the ticks of its firings have."""


def firings(
    source: Source,
    index: int = 0,
    *,
    units: Sequence[int] | None = None,
    time: tuple[float, float] | None = None,
    parameters: Parameters | None = None,
    axes: Axes | None = None,
) -> Figure:
    """Draw the units' firings as ticks, and the rate of each interval as a dot above its end.

    Beside each row stand the mean rate and the coefficient of variation of the intervals, both over
    the whole sequence.

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
        If the store knows no units, or as :func:`musim.plot.trains` raises it.
    FailureError
        If the store is damaged.
    """
    subject, drawn = _with_units(source, index, parameters)
    duration = subject.shape[0] / subject.frame_rate
    span = check_time(time, duration)
    traces, _ = units_of(drawn, subject, chosen_units(drawn, units))
    axes, _ = own_axes(axes, 7.0, float(np.clip(0.42 * len(traces), 1.0, 9.0)), left=0.6, right=1.1)
    draw_firings(axes, traces, duration)
    axes.set_xlim(*span)
    label_axes(axes, "Time (s)", "Unit")
    return figure_of(axes)


def draw_firings(axes: Axes, traces: Sequence[Trace], duration: float) -> None:
    """Draw a row for each train of firings: ticks, and above them the rates of its intervals.

    Parameters
    ----------
    axes : Axes
    traces : sequence of Trace
    duration : float
        Of the sequence, s.
    """
    top = top_of([trace.firings for trace in traces])
    room = 1 - TICKS - 0.08
    for row, trace in enumerate(traces):
        bottom = -row - 1.0
        base = bottom + TICKS
        for height in (0, room):
            axes.axhline(base + height, color="0.9", linewidth=0.5, zorder=0)
        axes.vlines(trace.firings, bottom + 0.04, base - 0.04, trace.colour, linewidth=0.9)
        rates = np.minimum(rates_of(trace.firings), top)
        axes.plot(
            trace.firings[1:], base + room * rates / top, ".", color=trace.colour, markersize=3.5
        )
        rate, variation = rate_and_variation(trace.firings, (0.0, duration))
        told = "no rate" if math.isnan(rate) else f"{rate:.1f} Hz"
        told += "" if math.isnan(variation) else f", CoV {100 * variation:.0f} %"
        transform = axes.get_yaxis_transform()
        axes.text(1.012, base + room / 2, told, color=trace.colour, fontsize=7, va="center",
                  transform=transform, clip_on=False)  # fmt: skip
    if traces:
        axes.text(1.0, -TICKS * 0.1, f"dots: 0 to {top:g} Hz", fontsize=6.5, color=GREY, ha="right",
                  va="bottom", transform=axes.get_yaxis_transform())  # fmt: skip
    axes.set(xlim=(0, duration), ylim=(-max(len(traces), 1), 0))
    middles = [-row - 1 + TICKS + room / 2 for row in range(len(traces))]
    axes.set_yticks(middles, [trace.label for trace in traces])
    for label, trace in zip(axes.get_yticklabels(), traces, strict=True):
        label.set(color=trace.colour, fontsize=8, weight="bold")
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)


def unit(
    source: Source, index: int = 0, unit: int = 0, *, parameters: Parameters | None = None
) -> Figure:
    """Draw one unit: where it lies, its train and firings, its twitch, and its intervals.

    The twitch is the mean of the train about its firings, with the quarter and three quarters of
    them as a band; where a unit fires faster than its twitch lasts, the next ones show in it.

    Parameters
    ----------
    source : Store, Truth, str or path
    index : int
        The sequence of the store.
    unit : int
        Its place.
    parameters : Parameters, optional
        What a truth was drawn with.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there is no such unit, or as :func:`musim.plot.preview` raises it.
    FailureError
        If the store is damaged.
    """
    subject, drawn = _with_units(source, index, parameters)
    traces, marks = units_of(drawn, subject, chosen_units(drawn, [unit]))
    (trace,), truth = traces, subject.truth
    shown = subject.recorded_sd
    shown = survey(subject)[2] if shown is None else shown
    width, height = proportions(subject.size, 2.9, 3.6)
    page = Page(0.6 + width + 0.75 + 5.2 + 0.6, max(height, 3.2) + 1.1, DOTS_PER_INCH)
    page.title(0.6, 0.25, f"Unit {unit}  ·  {subject.title}", font_size=9)
    places = Places(size=subject.size, marks=marks, has_units=True, **anatomy_of(truth))
    axes = page.axes(0.6, 0.6, width, height)
    highest = float(shown[np.isfinite(shown)].max(initial=0)) or 1.0
    draw_deviation(axes, shown, highest, subject.size)
    draw_marks(axes, places, font_size=9)
    axes.set_title("SD of velocity", fontsize=8, pad=3)
    left, tall = 0.6 + width + 0.75, max(height, 3.2)
    signals = Signals(
        frame_rate=subject.frame_rate, shape=subject.shape, traces=traces, has_units=True
    )
    axes = page.axes(left, 0.6, 5.2, 0.36 * tall)
    draw_traces(axes, signals)
    axes.set_title("Train and firings", fontsize=8, pad=3)
    label_axes(axes, "Time (s)", "")
    lower, low = 0.6 + 0.36 * tall + 0.65, 0.64 * tall - 0.65
    _draw_twitch(page.axes(left, lower, 2.35, low), trace, subject.frame_rate)
    _draw_intervals(page.axes(left + 2.95, lower, 2.25, low), trace)
    return page.figure


def twitches_about(
    signal: NDArray[np.float32], instants: NDArray[np.float64], frame_rate: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a signal about each of some instants, between frames by straight lines.

    Parameters
    ----------
    signal : float32 array of shape (time,)
    instants : float64 array of shape (firing,)
        s.
    frame_rate : float
        Hz.

    Returns
    -------
    float64 array of shape (lag,)
        From 50 ms before to 250 ms after, a frame apart, s.
    float64 array of shape (firing, lag)
        The signal, without instants whose span leaves the sequence.
    """
    lags = np.arange(-round(BEFORE * frame_rate), round(AFTER * frame_rate) + 1) / frame_rate
    last = (len(signal) - 1) / frame_rate
    inside = instants[(instants + lags[0] >= 0) & (instants + lags[-1] <= last)]
    frames = np.arange(len(signal)) / frame_rate
    found = np.interp((inside[:, None] + lags).ravel(), frames, signal.astype(np.float64))
    return lags, found.reshape(len(inside), len(lags))


def _draw_twitch(axes: Axes, trace: Trace, frame_rate: float) -> None:
    lags, found = twitches_about(trace.signal, trace.firings, frame_rate)
    axes.axhline(0, color="0.9", linewidth=0.5, zorder=0)
    axes.axvline(0, color="0.8", linewidth=0.7, dashes=(4, 3), zorder=0)
    if len(found):
        low, high = np.quantile(found, (0.25, 0.75), axis=0)
        axes.fill_between(1e3 * lags, low, high, color=trace.colour, alpha=0.2, linewidth=0)
        axes.plot(1e3 * lags, found.mean(axis=0), color=trace.colour, linewidth=1.2)
    count = f"{len(found)} firing" if len(found) == 1 else f"{len(found)} firings"
    axes.set_title(f"Train about {count}", fontsize=8, pad=3)
    axes.set_xlim(1e3 * lags[0], 1e3 * lags[-1])
    label_axes(axes, "Time since firing (ms)", "Velocity (mm/s)")
    axes.spines[["top", "right"]].set_visible(False)


def _draw_intervals(axes: Axes, trace: Trace) -> None:
    intervals = 1e3 * np.diff(trace.firings)
    if len(intervals):
        edges = np.arange(0, max(float(intervals.max()) + 20, 200), 10)
        axes.hist(intervals, edges.tolist(), color=trace.colour)
        axes.set_xlim(0, edges[-1])
    axes.set_title(f"{len(intervals)} intervals", fontsize=8, pad=3)
    axes.locator_params(axis="y", integer=True, nbins=4)
    label_axes(axes, "Interval (ms)", "Intervals")
    axes.spines[["top", "right"]].set_visible(False)


def _with_units(
    source: Source, index: int, parameters: Parameters | None
) -> tuple[Subject, DrawnUnits]:
    subject = subject_of(source, index, parameters)
    units = subject.units
    if units is None:
        raise InputError(
            f"{subject.title}: found no units in it, wanted a simulated store or what musim "
            "identify made of one"
        )
    return subject, units
