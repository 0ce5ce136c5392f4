"""Methods side by side: one evaluation each, on the same sequences, one table and one figure."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...datasets.location import Location
from ...simulator.errors import InputError
from ..charts import png
from ..csv_tables import csv_text
from ..evaluations import EvaluationFolder
from .evaluation import FILES, evaluate
from .methods import method_named, task_of
from .rows import IdentificationEvaluation, Row
from .tables import difficulties, summary

MEASURES = {
    "train_recall": "recall",
    "train_recall_identifiable": "of seen",
    "train_precision": "precision",
    "train_match_correlation": "|r|",
    "firing_agreement": "firings",
    "detection_recall": "R>.5",
    "rate_of_agreement": "RoA",
    "seconds": "s",
}
"""What is compared, and its headings; seconds are those of one sequence on one processor."""

BY_RULES = {
    "rules_recall_5ms": "recall",
    "rules_precision_5ms": "precision",
    "rules_f1_5ms": "F1",
    "rules_chance_5ms": "chance",
    "rules_score_5ms": "score",
}
"""What is compared beside where firings are scored by rules, within 5 ms."""


def tables_of(evaluations: Sequence[IdentificationEvaluation]) -> dict[str, dict[str, str]]:
    """Return what is compared of some evaluations: measures and their headings, by titles."""
    rules = evaluations[0].rules
    return {
        "Methods, means over sequences": MEASURES,
        **({f"By firings, rules {rules}, within 5 ms": BY_RULES} if rules else {}),
    }


TABLE, FIGURE = "comparison.csv", "comparison.png"


def compare(
    on: Any,
    methods: Sequence[str],
    out: str | Path,
    *,
    runs: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
    firings: str | None = None,
    rules: str | None = None,
    workers: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[IdentificationEvaluation]:
    """Score several methods on the same sequences.

    Parameters
    ----------
    on : Protocol, or str or path of a store
    methods : sequence of str
        Two or more of :data:`.methods.METHODS`.
    out : path
        A local folder: an evaluation for each method lies in a folder of its name, and the table
        ``comparison.csv`` and the figure ``comparison.png`` beside them.
    runs : sequence of str
        Runs of ``musim train``, for the methods that take them.
    settings : mapping of str to object, optional
        By METHOD.NAME.
    firings, rules : str, optional
        As :func:`.evaluation.evaluate` takes them, for all methods.
    workers, resume, overwrite, on_progress
        As :func:`.evaluation.evaluate` takes them; sequences are counted for each method.

    Returns
    -------
    list of IdentificationEvaluation

    Raises
    ------
    InputError
        If fewer than two methods are named or one twice, or as an evaluation raises it. What was
        finished before it stays.
    """
    if len(set(methods)) < max(len(methods), 2):
        raise InputError(
            f"compare: found {', '.join(methods) or 'none'}, wanted two or more different methods"
        )
    own = _settings_of(methods, settings or {})
    own_runs = _runs_of(methods, runs)
    place = Location(out)
    if EvaluationFolder(out, FILES).exists:
        raise InputError(f"{place}: found an evaluation there, wanted a new folder; choose another")
    folders = {name: Path(place.path) / name for name in methods}
    for name, folder in folders.items():
        named = method_named(name)
        named.settings_of(own[name])
        if not resume:
            EvaluationFolder(folder, FILES).check(overwrite=overwrite)
    found = []
    for number, name in enumerate(methods):

        def report(done: int, total: int, before: int = number) -> None:
            on_progress(before * total + done, total * len(methods))

        found.append(
            evaluate(
                on, name, folders[name], runs=own_runs[name], settings=own[name],
                firings=firings, rules=rules, workers=workers, resume=resume, overwrite=overwrite,
                on_progress=report,
            )
        )  # fmt: skip
    rows = comparison(found)
    place.write(TABLE, csv_text(rows).encode())
    from .comparison_figure import draw

    place.write(FIGURE, png(draw(found)))
    return found


def _settings_of(methods: Sequence[str], settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return each method's settings of those that are given by METHOD.NAME."""
    own: dict[str, dict[str, Any]] = {name: {} for name in methods}
    for key, value in settings.items():
        method, dot, name = key.partition(".")
        if not dot or method not in own:
            raise InputError(
                f"settings: found {key!r}, wanted METHOD.NAME with one of {', '.join(methods)}, "
                f"as {methods[0]}.{key.rpartition('.')[2]}"
            )
        own[method][name] = value
    return own


def _runs_of(methods: Sequence[str], runs: Sequence[str]) -> dict[str, list[str]]:
    """Return each method's runs, those of tasks that it takes."""
    own: dict[str, list[str]] = {name: [] for name in methods}
    for run in runs:
        task = task_of(run)
        takers = [name for name in methods if task in method_named(name).takes_runs]
        if not takers:
            raise InputError(
                f"{run}: found a run of musim train {task}, wanted one that one of "
                f"{', '.join(methods)} takes; leave it out"
            )
        for name in takers:
            own[name].append(run)
    return own


def comparison(evaluations: Sequence[IdentificationEvaluation]) -> list[Row]:
    """Return a row for each method and difficulty: means over sequences, and their SDs.

    Returns
    -------
    list of dict
        ``method``, the difficulty, ``n`` and of each measure of :func:`tables_of` ``_mean`` and
        ``_sd`` (over sequences; NaN where it is not known, as by overlap).
    """
    rows = []
    for found in evaluations:
        for row in summary(found):
            named = {name: row[name] for name in difficulties(found)}
            scores = {
                f"{name}_{what}": row.get(f"{name}_{what}", math.nan)
                for measures in tables_of(evaluations).values()
                for name in measures
                for what in ("mean", "sd")
            }
            count = row.get("sequences", row.get("count"))
            rows.append({"method": found.method, **named, "n": count, **scores})
    return rows
