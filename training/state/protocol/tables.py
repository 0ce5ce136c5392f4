"""Rows of tables: scores of changes and states, coherence, series, doses."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....datasets.videos.trials import STATES
from ..coherence import Coherence, coherence_of
from ..drift import ABSOLUTE, INTEGRATED, drift_of, states_by, ways_of
from ..scoring import UNITS, PredictedTrial, change_scores, is_changed, scores_of, tasks_of
from .paper import MEASURES, PUBLISHED, TEST_MSE, reported
from .predictions import StateRun

Row = dict[str, Any]

ALL = "all"
"""What stands for a task where all are scored together."""


def change_rows(run: StateRun, trials: Sequence[PredictedTrial], scale: NDArray[Any]) -> list[Row]:
    """Return the rows of Tables 2 to 4 of a run, and beside them those that the paper reports.

    Returns
    -------
    list of dict
        For each signal and task, and for all tasks together: see :class:`..scoring.Scores`.
    """
    return [
        {
            **_about(run),
            "signal": signal,
            "unit": UNITS[place],
            "task": task,
            **_scores(
                change_scores(trials, place, scale[place], task=None if task == ALL else task)
            ),
            **{f"paper_{name}": reported(run.method, task, signal).get(name, float("nan"))
               for name in MEASURES},
        }
        for place, signal in enumerate(STATES)
        for task in (*tasks_of(trials), ALL)
    ]  # fmt: skip


def _about(run: StateRun) -> Row:
    return {"run": run.name, "method": run.method, "target": run.target}


def _scores(found: Any) -> Row:
    return {"samples": found.samples, **{name: getattr(found, name) for name in MEASURES}}


def overall_row(run: StateRun, rows: Sequence[Mapping[str, Any]]) -> Row:
    """Return the row of Table 1 of a run: the mean of its MSEs over signals and tasks."""
    errors = [row["mse"] for row in rows if row["task"] != ALL]
    known = [error for error in errors if np.isfinite(error)]
    return {
        **_about(run),
        "test_mse": float(np.mean(known)) if known else float("nan"),
        "paper_test_mse": TEST_MSE.get(PUBLISHED.get(run.method, ""), float("nan")),
    }


def state_rows(run: StateRun, trials: Sequence[PredictedTrial]) -> list[Row]:
    """Return rows about states of a run's trials, of a signal and task each.

    Returns
    -------
    list of dict
        ``how`` they were had (integrated, absolute), ``samples``, ``rmse``, ``nrmse`` and ``r2`` of
        states, and of their error ``slope`` [unit a second] and ``end``, see
        :class:`..drift.Drift`; root mean squares, where a task has several trials.
    """
    rows = []
    for place, signal in enumerate(STATES):
        for task in tasks_of(trials):
            chosen = [trial for trial in trials if trial.task == task]
            for how in ways_of(chosen[0]):
                states = [states_by(trial, how, place) for trial in chosen]
                true = [trial.true[:, place] for trial in chosen]
                found = scores_of(
                    np.concatenate(true), np.concatenate(states), changes=is_changed(task, place)
                )
                drifts = [
                    drift_of(one, other, trial.frame_rate)
                    for one, other, trial in zip(true, states, chosen, strict=True)
                ]
                rows.append({
                    **_about(run), "how": how, "signal": signal, "unit": UNITS[place],
                    "task": task, "samples": found.samples, "rmse": found.rmse,
                    "nrmse": found.nrmse, "r2": found.r2,
                    "slope": _slope([drift.slope for drift in drifts]),
                    "end": _root_mean_square([drift.end for drift in drifts]),
                })  # fmt: skip
    return rows


def _slope(values: Sequence[float]) -> float:
    return values[0] if len(values) == 1 else _root_mean_square(values)


def _root_mean_square(values: Sequence[float]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def coherences(trials: Sequence[PredictedTrial]) -> dict[str, Coherence]:
    """Return the coherence of a run's changes with measured ones, by signal."""
    return {
        signal: coherence_of(
            [(trial.true_changes[:, place], trial.changes[:, place]) for trial in trials],
            trials[0].frame_rate,
        )
        for place, signal in enumerate(STATES)
    }


def coherence_rows(run: StateRun, found: Mapping[str, Coherence]) -> Iterator[Row]:
    """Yield the rows of Fig. 6: a signal and frequency each."""
    for signal, one in found.items():
        for frequency, value in zip(one.frequency, one.coherence, strict=True):
            yield {
                "run": run.name, "signal": signal, "frequency": float(frequency),
                "coherence": float(value), "significance": one.significance,
                "segments": one.segments,
            }  # fmt: skip


def series_rows(by_run: Mapping[str, Sequence[PredictedTrial]]) -> Iterator[Row]:
    """Yield the rows of Figs 4 and 5: changes to each frame, measured and by each run.

    Runs predict the same trials, in the same order.
    """
    first = next(iter(by_run.values()))
    for number, trial in enumerate(first):
        true = trial.true_changes
        for frame in range(len(true)):
            row: Row = {"trial": number, "task": trial.task,
                        "time": (frame + 1) / trial.frame_rate}  # fmt: skip
            for place, signal in enumerate(STATES):
                row[f"{signal}_true"] = float(true[frame, place])
                for run, trials in by_run.items():
                    row[f"{signal}_{run}"] = float(trials[number].changes[frame, place])
            yield row


def dose_rows(name: str, rows: Sequence[Row], states: Sequence[Row]) -> list[Row]:
    """Return rows about a store: R2 and RMSE of changes, and R2 of states and their slope."""
    found = []
    for row in rows:
        if row["task"] == ALL:
            continue
        same = [each for each in states
                if all(each[key] == row[key] for key in ("run", "signal", "task"))]  # fmt: skip
        kept = ("run", "method", "target", "signal", "unit", "task", *MEASURES)
        line = {"dose": name, **{key: row[key] for key in kept}}
        for how in (INTEGRATED, ABSOLUTE):
            one = next((each for each in same if each["how"] == how), {})
            for key in ("r2", "rmse", "slope"):
                line[f"{how}_{key}"] = one.get(key, float("nan"))
        found.append(line)
    return found
