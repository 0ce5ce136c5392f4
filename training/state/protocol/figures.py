"""Figures 4 to 6 of Cunningham et al. 2017, and one of their Tables 2 to 4."""

from typing import TYPE_CHECKING

import numpy as np

from ....datasets.videos.trials import STATES
from ...charts import Chart
from ...colours import GREY
from ..scoring import is_changed, tasks_of
from .drawing import (
    DRAWN_UNITS,
    FACTORS,
    NAMES,
    UNKNOWN,
    colour_of,
    first_trials,
    label_of,
    legend,
    new_figure,
    simplify,
)
from .drift_figures import dose_chart, drift_chart
from .paper import CNN, KLT, REPORTED

if TYPE_CHECKING:
    from .evaluation import StateEvaluation

MEASURED = "black"

ZOOM = 15.0
"""Seconds that are shown of each task, in the middle of its first trial."""

PUBLISHED_MARKS = {CNN: "D", KLT: "s"}


def charts(found: "StateEvaluation") -> list[Chart]:
    """Return the figures.

    Parameters
    ----------
    found : StateEvaluation
    """
    drawn = [_fits(found), _series(found), _zoom(found), _coherence(found), drift_chart(found)]
    return [*drawn, dose_chart(found)] if len(found.stores) > 1 else drawn


def _fits(found: "StateEvaluation") -> Chart:
    figure = new_figure(8.0, 3.2)
    axes = figure.subplots(1, len(STATES), sharey=True)
    tasks = tasks_of(next(iter(found.trials.values())))
    lowest = 0.0
    for place, (one, signal) in enumerate(zip(axes, STATES, strict=True)):
        width = 0.7 / max(len(found.runs), 1)
        for number, run in enumerate(found.runs):
            rows = {row["task"]: row for row in found.changes
                    if row["run"] == run.name and row["signal"] == signal}  # fmt: skip
            values = np.array([rows[task]["r2"] for task in tasks])
            lowest = min([lowest, *values[np.isfinite(values)]])
            at = np.arange(len(tasks)) + (number - (len(found.runs) - 1) / 2) * width
            one.bar(
                at, values, 0.9 * width, color=colour_of(found, run.name), label=label_of(run.name)
            )
        for method, mark in PUBLISHED_MARKS.items():
            published = [REPORTED.get((method, task, signal), {}).get("r2", np.nan)
                         for task in tasks]  # fmt: skip
            one.plot(np.arange(len(tasks)), published, mark, markersize=5, color=MEASURED,
                     markerfacecolor="none", label=f"published: {method}")  # fmt: skip
        for number, task in enumerate(tasks):
            if not is_changed(task, place):
                one.text(number, 0.02, "–", ha="center", fontsize=9, color=GREY)
        one.axhline(0, color=GREY, linewidth=0.8)
        one.set_xticks(
            np.arange(len(tasks)), [label_of(task) or "unknown" for task in tasks], fontsize=8
        )
        one.set_xlim(-0.5, len(tasks) - 0.5)
        one.set_title(NAMES[signal], fontsize=9)
        simplify(one)
    axes[0].set_ylim(max(lowest - 0.05, -1), 1)
    axes[0].set_ylabel("R² of changes", fontsize=8)
    legend(figure, axes[:1])
    text = (
        "Share of the variance of changes from frame to frame that is predicted, by signal and "
        f"task, of participant {found.held_out}, who was held out; marks are what Cunningham et "
        "al. 2017 report of theirs (Tables 2 to 4). A dash stands where a task does not change a "
        "signal. Below -1 bars are cut off."
    )
    return Chart("state-r2", "Changes that are predicted (Tables 2 to 4)", text, figure)


def _series(found: "StateEvaluation") -> Chart:
    first = first_trials(found)
    rows = [(place, run) for place in range(len(STATES)) for run in first]
    figure = new_figure(10.0, 0.6 + 0.95 * len(rows))
    axes = np.atleast_1d(figure.subplots(len(rows), 1, sharex=True))
    for number, (one, (place, run)) in enumerate(zip(axes, rows, strict=True)):
        begin = 0.0
        for task, trial in first[run].items():
            time = begin + (1 + np.arange(len(trial.changes))) / trial.frame_rate
            one.plot(time, FACTORS[place] * trial.true_changes[:, place], linewidth=0.6,
                     color=MEASURED, label=None if begin else "measured")  # fmt: skip
            named = None if begin else label_of(run)
            one.plot(time, FACTORS[place] * trial.changes[:, place], linewidth=0.6,
                     color=colour_of(found, run), label=named)  # fmt: skip
            if begin:
                one.axvline(begin, color=GREY, linewidth=0.8, linestyle=":")
            if number == 0:
                one.text(begin, 1.02, f" {label_of(task) or UNKNOWN}", fontsize=8,
                         transform=one.get_xaxis_transform())  # fmt: skip
            begin = time[-1]
        one.set_ylabel(f"{NAMES[STATES[place]]}\n({DRAWN_UNITS[place]})", fontsize=7)
        one.margins(x=0)
        simplify(one)
    axes[-1].set_xlabel("Time (s), one trial after the other", fontsize=8)
    legend(figure, axes[: len(first)])
    text = (
        "Changes from frame to frame, measured and predicted by each run, of all that was "
        "recorded; nothing is smoothed. Fig. 4 of Cunningham et al. 2017."
    )
    return Chart("state-series", "Measured and predicted changes (Fig. 4)", text, figure)


def _zoom(found: "StateEvaluation") -> Chart:
    first = first_trials(found)
    tasks = list(next(iter(first.values())))
    figure = new_figure(3.2 * len(tasks) + 0.4, 6.0)
    axes = figure.subplots(len(STATES), len(tasks), sharex="col", sharey="row", squeeze=False)
    for place, signal in enumerate(STATES):
        for one, task in zip(axes[place], tasks, strict=True):
            for number, (run, trials) in enumerate(first.items()):
                trial = trials[task]
                time = (1 + np.arange(len(trial.changes))) / trial.frame_rate
                shown = np.abs(time - time[-1] / 2) <= ZOOM / 2
                if number == 0:
                    one.plot(time[shown], FACTORS[place] * trial.true_changes[shown, place],
                             linewidth=1.2, color=MEASURED, label="measured")  # fmt: skip
                one.plot(time[shown], FACTORS[place] * trial.changes[shown, place], linewidth=0.8,
                         color=colour_of(found, run), label=label_of(run))  # fmt: skip
            if place == 0:
                one.set_title(label_of(task) or UNKNOWN, fontsize=9)
            if place == len(STATES) - 1:
                one.set_xlabel("Time (s)", fontsize=8)
            one.margins(x=0)
            simplify(one)
        axes[place][0].set_ylabel(f"{NAMES[signal]}\n({DRAWN_UNITS[place]} a frame)", fontsize=8)
    legend(figure, axes[0][:1])
    text = (
        f"{ZOOM:g} s from the middle of each task: changes from frame to frame, measured and "
        "predicted; nothing is smoothed. Fig. 5 of Cunningham et al. 2017."
    )
    return Chart("state-zoom", "The same, closer (Fig. 5)", text, figure)


def _coherence(found: "StateEvaluation") -> Chart:
    figure = new_figure(9.0, 3.0)
    axes = figure.subplots(1, len(STATES), sharey=True)
    for one, signal in zip(axes, STATES, strict=True):
        line = np.nan
        for run in found.runs:
            each = found.coherences[run.name][signal]
            one.plot(each.frequency, each.coherence, linewidth=1, label=label_of(run.name),
                     color=colour_of(found, run.name))  # fmt: skip
            line = each.significance
        if np.isfinite(line):
            one.axhline(line, color=GREY, linewidth=0.8, linestyle="--", label="significance (5 %)")
        one.set_title(NAMES[signal], fontsize=9)
        one.set_xlabel("Frequency (Hz)", fontsize=8)
        one.margins(x=0)
        simplify(one)
    axes[0].set_ylim(0, 1)
    axes[0].set_ylabel("Coherence", fontsize=8)
    legend(figure, axes[:1])
    text = (
        "Coherence of predicted with measured changes, over all tasks; what has nothing in common "
        "is above the dashed line at one frequency in twenty. Fig. 6 of Cunningham et al. 2017."
    )
    return Chart("state-coherence", "Coherence (Fig. 6)", text, figure)
