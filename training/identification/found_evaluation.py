"""Scoring units that were found before: those of a store, as they are, against the truth."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...datasets.labels import open_with_labels
from ...datasets.location import Location
from ...datasets.origin import Identified
from ...datasets.store import Store, open_sequences, token_of
from ...simulator.errors import InputError
from ..evaluations import EvaluationFolder
from .evaluation import FILES, VERSION, carry_out, part_name
from .metrics.emg_rules import rules_named
from .results import recording_of, truth_of
from .rows import IdentificationEvaluation, score_cases
from .stored import units_in


def evaluate_found(
    found: Any,
    true: Any,
    out: str | Path,
    *,
    rules: str | None = None,
    workers: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> IdentificationEvaluation:
    """Score units that were found against the truth of their recordings.

    Parameters
    ----------
    found : str, path or Store
        What ``musim identify`` or ``musim curate`` made.
    true : str, path or Store
        The simulated recordings in which they were found; or curated units of the same recordings,
        which are taken for the truth.
    out : path
        A local folder for tables, a summary and figures.
    rules, workers, resume, overwrite, on_progress
        See :func:`.evaluation.evaluate`.

    Returns
    -------
    IdentificationEvaluation

    Raises
    ------
    InputError
        If the units are not of these recordings, or as :func:`.evaluation.evaluate` raises it.
    FailureError
        Likewise.
    """
    units, against = open_sequences(found), open_with_labels(true)
    _check_same(units, against)
    planned: dict[str, Any] = {
        "version": VERSION,
        "method": units.layout.origin_as(Identified).method,
        "protocol": against.location.url,
        "axis": "",
        "store": against.location.address,
        "sequences": len(against),
        "found": units.location.address,
        "seal": token_of(units.location),
    }
    if rules is not None:
        rules_named(rules)
        planned["rules"] = rules
    return carry_out(
        out, planned, [len(against)], score_found, workers=workers, resume=resume,
        overwrite=overwrite, on_progress=on_progress,
    )  # fmt: skip


def _check_same(units: Store, against: Store) -> None:
    """Raise InputError unless both are of the same recordings, and one knows the truth."""
    if not isinstance(units.origin, Identified):
        raise InputError(
            f"{units.location}: found {units.origin.made_by}, wanted units that were found; run "
            f"musim identify {units.location} and score what it writes"
        )
    if not against.has_truth:
        raise InputError(
            f"{against.location}: found {against.origin.made_by}, wanted simulated recordings, or "
            "curated units, to score against"
        )
    mine = [units.origin.source_of(index) for index in range(len(units))]
    theirs = [_recording_in(against, index) for index in range(len(against))]
    if mine != theirs:
        differ = next((m for m, t in zip(mine, theirs, strict=False) if m != t), None)
        what = (
            f"{len(mine)} recordings" if differ is None else f"recording {differ[1]} of {differ[0]}"
        )
        raise InputError(
            f"{units.location}: found units of {what}, wanted those of the {len(theirs)} "
            f"recordings of {against.location}, in their order"
        )


def _recording_in(against: Store, index: int) -> tuple[str, int]:
    """Return the address of a recording's store, and its place there."""
    if isinstance(against.origin, Identified):
        return against.origin.source_of(index)
    return against.location.address, index


def score_found(address: str, condition: int, first: int, last: int) -> None:
    """Score the units of some sequences of a store; runs wherever dask puts it."""
    folder = EvaluationFolder(address, FILES)
    settings = folder.settings()
    units, against = open_sequences(settings["found"]), open_with_labels(settings["store"])
    if token_of(units.location) != settings["seal"]:
        raise InputError(
            f"{Location(settings['found'])}: found other units than the evaluation began with, "
            "wanted the same; begin it anew with `overwrite=True`"
        )
    cases = ((recording_of(against, i), truth_of(against, i)) for i in range(first, last))
    part = score_cases(
        str(units.location), cases, str(settings["method"]), (), {}, first,
        rules=settings.get("rules"), given=lambda index: units_in(units, index),
    )  # fmt: skip
    folder.write_part(part_name(condition, first, last), part)
