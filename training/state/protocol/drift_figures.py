"""Figures beyond the paper: drift, states without it, and doses."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ....datasets.videos.trials import STATES
from ...charts import Chart
from ...colours import GREY
from ..drift import ABSOLUTE, INTEGRATED, drift_of, states_by, ways_of
from ..scoring import tasks_of
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
from .files import DATA

if TYPE_CHECKING:
    from .evaluation import StateEvaluation


def drift_chart(found: "StateEvaluation") -> Chart:
    """Return the errors of states over time, by signal and task."""
    first = first_trials(found)
    tasks = list(next(iter(first.values())))
    figure = new_figure(3.2 * len(tasks) + 0.4, 6.4)
    axes = figure.subplots(len(STATES), len(tasks), sharex="col", sharey="row", squeeze=False)
    r2 = {(row["run"], row["how"], row["signal"], row["task"]): row["r2"] for row in found.states}
    for place, signal in enumerate(STATES):
        for one, task in zip(axes[place], tasks, strict=True):
            said = []
            for run, trials in first.items():
                trial = trials[task]
                for how in ways_of(trial):
                    states = states_by(trial, how, place)
                    error = drift_of(trial.true[:, place], states, trial.frame_rate)
                    one.plot(
                        error.time, FACTORS[place] * error.error, color=colour_of(found, run),
                        linewidth=1.4 if how == ABSOLUTE else 0.8,
                        linestyle="-" if how == ABSOLUTE else "--",
                        label=label_of(f"{run}, {how}"),
                    )  # fmt: skip
                    said.append((run, how, r2[run, how, signal, task]))
            one.axhline(0, color=GREY, linewidth=0.6)
            for number, (run, how, value) in enumerate(said):
                shown = "–" if np.isnan(value) else f"{value:.2f}" if value > -9.995 else "< -10"
                one.text(0.02, 0.97 - 0.09 * number, f"R² {shown} {how}", va="top", fontsize=6,
                         transform=one.transAxes, color=colour_of(found, run),
                         bbox={"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 0.5},
                         )  # fmt: skip
            if place == 0:
                one.set_title(label_of(task) or UNKNOWN, fontsize=9)
            if place == len(STATES) - 1:
                one.set_xlabel("Time (s)", fontsize=8)
            one.margins(x=0)
            simplify(one)
        axes[place][0].set_ylabel(f"{NAMES[signal]}: error ({DRAWN_UNITS[place]})", fontsize=8)
    legend(figure, axes[0][:1])
    text = (
        "Error of states over each task: of changes that are added up from the first measured "
        "state on (dashed), and of states that are predicted from frames (solid), of runs that "
        "tell them; with R2 of states. What adds changes up keeps every error."
    )
    return Chart("state-drift", "Drift, and states without it", text, figure)


def dose_chart(found: "StateEvaluation") -> Chart:
    """Return how much is predicted of each store, by signal."""
    rows = found.doses
    tasks = tasks_of(next(iter(found.trials.values())))
    task = "combined" if "combined" in tasks else tasks[0]
    kinds: dict[str, tuple[str, Sequence[str]]] = {
        "R² of changes": ("r2", ("-",)),
        "R² of states": ("", (INTEGRATED, ABSOLUTE)),
    }
    figure = new_figure(9.0, 5.2)
    axes = figure.subplots(2, len(STATES), sharex=True, sharey="row")
    names = list(found.stores)
    for row_axes, (label, (key, ways)) in zip(axes, kinds.items(), strict=True):
        for one, signal in zip(row_axes, STATES, strict=True):
            for run in found.runs:
                for how in ways:
                    known = {
                        each["dose"]: each[key or f"{how}_r2"]
                        for each in rows
                        if (each["run"], each["signal"], each["task"]) == (run.name, signal, task)
                    }
                    values = [known.get(name, math.nan) for name in names]  # a task may be lacking
                    if not np.isfinite(values).any():
                        continue
                    one.plot(
                        range(len(names)), values, marker="o", markersize=4,
                        linestyle="dashed" if how == INTEGRATED else "solid",
                        linewidth=1, color=colour_of(found, run.name),
                        label=label_of(run.name),
                    )  # fmt: skip
            one.axhline(0, color=GREY, linewidth=0.6)
            simplify(one)
        row_axes[0].set_ylabel(label, fontsize=8)
        row_axes[0].set_ylim(max(row_axes[0].get_ylim()[0], -1), 1.02)
    for one, signal in zip(axes[0], STATES, strict=True):
        one.set_title(NAMES[signal], fontsize=9)
    for one in axes[1]:
        shown = ["as given" if name == DATA else label_of(name) for name in names]
        one.set_xticks(range(len(names)), shown, fontsize=7, rotation=30, ha="right")
    legend(figure, axes[0][:1])
    text = (
        f"R2 of changes and of states in the {task or 'unknown'} task by store, in the order in "
        "which they were named; the first is the one of all other tables. States that changes add "
        "up to are dashed, those that are predicted from frames solid. Below -1 lines are cut off."
    )
    return Chart("state-doses", "Doses", text, figure)
