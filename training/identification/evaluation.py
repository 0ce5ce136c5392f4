"""Putting a method to a test: sequences are drawn, identified and scored in parallel."""

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...datasets.labels import open_with_labels
from ...datasets.origin import software_versions
from ...simulator.errors import InputError
from ...simulator.experiment.own_maps import with_own_maps
from ...simulator.rendering import render
from ...simulator.sequence import Truth, draw
from ..evaluations import EvaluationFiles, EvaluationFolder
from ..resumable import evaluation_in_parts
from .firings import way_named
from .methods import known_in, method_named
from .metrics.emg_rules import rules_named
from .protocols import Condition, Protocol
from .results import recording_of, truth_of
from .rows import IdentificationEvaluation, score_cases
from .units import Recording

SETTINGS = "evaluation.json"
SEQUENCES = "sequences.csv"
UNITS = "units.csv"
PREDICTIONS = "predictions.csv"
SUMMARY = "summary.csv"
FIGURES = (
    "trains",
    "firings",
    "firings-by-rate",
    "detection",
    "segmentation",
    "agreement",
    "recall-by-overlap",
    "reliability",
)
"""Names of the figures that may stand beside the tables."""

VERSION = 2
"""Of the rows that parts hold. The first had no scores by trains and no rows of predictions."""

CHUNK = 5
"""Sequences in a task."""

FILES = EvaluationFiles(
    settings=SETTINGS,
    keys=frozenset(("method", "protocol", "axis")),
    tables=(SEQUENCES, PREDICTIONS, UNITS),
    summary=SUMMARY,
    figures="|".join(FIGURES),
    parts=r"\d{3,}-\d{5,}-\d{5,}\.json",
    version=VERSION,
    described=lambda settings: f"{settings['method']} on {settings['protocol']}",
)
"""What the folder of an evaluation holds."""


def evaluate(
    on: Any,
    method: str,
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
) -> IdentificationEvaluation:
    """Score a method on a protocol, or on the sequences of a store that knows its truth.

    Of curated units, what people said of their recordings is the truth.

    Parameters
    ----------
    on : Protocol, or str or path of a store
    method : str
        One of :data:`.methods.METHODS`.
    out : path
        A local folder for tables, a summary and figures; parts of an interrupted run are kept
        there.
    runs : sequence of str
        Runs of ``musim train`` that the method ``network`` takes.
    settings : mapping of str to object, optional
        Of the method, by their names, as values or as texts.
    firings : str, optional
        How firings are found in trains, one of :data:`.firings.FIRINGS`.
    rules : str, optional
        By which firings are scored too, one of :data:`.metrics.emg_rules.RULES`.
    workers : int, optional
        Processes; one a processor, if not given.
    resume, overwrite : bool
        Whether to go on with, or to replace, an evaluation that is there.
    on_progress : callable
        Called with the numbers of sequences done and in all.

    Returns
    -------
    IdentificationEvaluation

    Raises
    ------
    InputError
        If there is no such method or rules, a store has no truth, or something is there already.
        What this call began to write is then removed again.
    FailureError
        If the tables cannot be written, or a worker dies.
    """
    plan = _of_protocol if isinstance(on, Protocol) else _of_store
    planned, sizes, work = plan(on, method, runs)
    values = method_named(method).settings_of(settings)
    way_named(firings)
    planned |= {} if firings is None else {"firings": firings}
    if rules is not None:
        rules_named(rules)
        planned["rules"] = rules
    planned |= {} if values is None else {"settings": values.to_json()}
    return carry_out(
        out, planned, sizes, known_in(work, method), workers=workers, resume=resume,
        overwrite=overwrite, on_progress=on_progress,
    )  # fmt: skip


def carry_out(
    out: str | Path,
    planned: dict[str, Any],
    sizes: Sequence[int],
    work: Callable[..., None],
    *,
    workers: int | None,
    resume: bool,
    overwrite: bool,
    on_progress: Callable[[int, int], None],
) -> IdentificationEvaluation:
    """Score sequences in parts, and write tables and figures of all; see :func:`evaluate`.

    Parameters
    ----------
    out : path
    planned : dict
        Settings, which the folder keeps.
    sizes : sequence of int
        Sequences of each condition.
    work : callable
        Given the folder's address, a condition and the first and last of some of its sequences,
        scores these and writes the part :func:`part_name`.
    """
    tasks = {
        part_name(number, first, last): (number, first, last)
        for number, size in enumerate(sizes)
        for first in range(0, size, CHUNK)
        for last in (min(first + CHUNK, size),)
    }
    folder = EvaluationFolder(out, FILES)
    software = json.dumps(software_versions(), sort_keys=True)
    with evaluation_in_parts(
        folder, planned, software, tasks, work, sum(sizes), workers=workers,
        resume=resume, overwrite=overwrite, on_progress=on_progress,
    ) as (place, parts):  # fmt: skip
        # Last what marks an evaluation as finished.
        for name in FILES.tables:
            place.write_table(name, [row for part in parts for row in part[Path(name).stem]])
        found = read_evaluation(place.location.path)
        _write_results(place, found)
    return found


Plan = tuple[dict[str, Any], list[int], Callable[..., None]]
"""Settings, sequences of each condition, and the function that scores some of them."""


def _of_protocol(protocol: Protocol, method: str, runs: Sequence[str]) -> Plan:
    chosen = method_named(method).check(True, runs)
    settings = {
        "version": VERSION,
        "method": method,
        "protocol": protocol.name,
        "axis": protocol.axis,
        "conditions": [condition.to_json() for condition in protocol.conditions],
        **({"runs": chosen} if chosen else {}),
    }
    return settings, [condition.sequences for condition in protocol.conditions], score_drawn


def _of_store(url: Any, method: str, runs: Sequence[str]) -> Plan:
    store = open_with_labels(url)
    if not store.has_truth:
        known = "firing" in store.layout.variables
        firings = ", and musim evaluate firings scores their firings against those known of it"
        raise InputError(
            f"{store.location}: found a recording without truth, wanted a simulated store to score "
            f"against; musim identify finds units without scoring them{firings if known else ''}"
        )
    chosen = method_named(method).check(True, runs)
    settings = {
        "version": VERSION,
        "method": method,
        "protocol": store.location.url,
        "axis": "",
        "store": store.location.address,
        "sequences": len(store),
        **({"runs": chosen} if chosen else {}),
    }
    return settings, [len(store)], score_stored


def part_name(condition: int, first: int, last: int) -> str:
    """Return the name of the part that holds the rows of some sequences of a condition."""
    return f"{condition:03d}-{first:05d}-{last:05d}.json"


def _write_results(folder: EvaluationFolder, found: IdentificationEvaluation) -> None:
    # matplotlib is imported where something is drawn, and not before.
    from .figures import draw_charts
    from .tables import summary

    folder.write_table(SUMMARY, summary(found))
    folder.write_charts(draw_charts(found))


def score_drawn(address: str, condition: int, first: int, last: int) -> None:
    """Draw, identify and score some sequences of a condition; runs wherever dask puts it."""
    folder = EvaluationFolder(address, FILES)
    settings = folder.settings()
    drawn = Condition.from_json(settings["conditions"][condition])

    def cases() -> Iterable[tuple[Recording, Truth]]:
        for index in range(first, last):
            truth = draw(drawn.parameters, seed=drawn.seed, index=index)
            truth = with_own_maps(truth, drawn.parameters, seed=drawn.seed, index=index)
            yield (
                Recording(render(truth), drawn.parameters.frame_rate, drawn.parameters.pixel_size),
                truth,
            )

    method, runs = str(settings["method"]), settings.get("runs", [])
    what = f"{settings['protocol']}, {drawn.name}"
    values, more = dict(drawn.values), settings.get("settings")
    how = {"firings": settings.get("firings"), "rules": settings.get("rules")}
    part = score_cases(what, cases(), method, runs, values, first, more, **how)
    folder.write_part(part_name(condition, first, last), part)


def score_stored(address: str, condition: int, first: int, last: int) -> None:
    """Identify and score some sequences of a store; runs wherever dask puts it."""
    folder = EvaluationFolder(address, FILES)
    settings = folder.settings()
    store = open_with_labels(settings["store"])
    cases = ((recording_of(store, i), truth_of(store, i)) for i in range(first, last))
    method, runs = str(settings["method"]), settings.get("runs", [])
    more = settings.get("settings")
    how = {"firings": settings.get("firings"), "rules": settings.get("rules")}
    part = score_cases(str(store.location), cases, method, runs, {}, first, more, **how)
    folder.write_part(part_name(condition, first, last), part)


def read_evaluation(place: str | Path) -> IdentificationEvaluation:
    """Read the tables of a finished evaluation.

    Raises
    ------
    InputError
        If there is none, or it is unfinished.
    """
    folder = EvaluationFolder(place, FILES)
    folder.check_finished()
    settings = folder.settings()
    location = folder.location
    # An older musim wrote no rows of predictions.
    names = (SEQUENCES, UNITS, *([PREDICTIONS] if location.exists(PREDICTIONS) else []))
    rows = [
        [
            {key: math.nan if text == "" else float(text) for key, text in row.items()}
            for row in csv.DictReader(io.StringIO(location.read(name).decode()))
        ]
        for name in names
    ]
    return IdentificationEvaluation(
        settings["method"], settings["protocol"], settings["axis"], *rows,
        rules=settings.get("rules", ""),
    )  # fmt: skip
