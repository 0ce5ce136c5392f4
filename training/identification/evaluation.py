"""Putting a method to a test: sequences are drawn, identified and scored in parallel."""

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...datasets.layout import software
from ...datasets.location import PARTIAL, Location
from ...datasets.parallel import open_workers
from ...datasets.store import Store, open_store
from ...simulator.errors import InputError
from ...simulator.rendering import render
from ...simulator.sequence import Truth, draw
from ..csv_tables import csv_text
from .methods import identify, method_named
from .metrics import SequenceScore, TrainMatching, score
from .protocols import Condition, Protocol
from .results import recording_of
from .units import Recording, Units

SETTINGS = "evaluation.json"
SEQUENCES = "sequences.csv"
UNITS = "units.csv"
PREDICTIONS = "predictions.csv"
SUMMARY = "summary.csv"
PARTS = "parts"
FIGURES = ("trains", "firings", "detection", "segmentation", "agreement", "recall-by-overlap")
"""Names of the figures that may stand beside the tables, as PNG."""

VERSION = 2
"""Of the rows that parts hold. The first had no scores by trains and no rows of predictions."""

CHUNK = 5
"""Sequences in a task."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Evaluation:
    """Scores of a method on a protocol or on a store.

    Parameters
    ----------
    method : str
    protocol : str
        Its name, or the store's.
    axis : str
        The value that stands on the abscissa of the figures; empty for a store.
    sequences : list of dict
        A row for each sequence: what makes it difficult, then
        :meth:`.metrics.SequenceScore.to_row`, and ``seconds``.
    units : list of dict
        A row for each true unit: difficulty, properties, whether it was found by its mask (with an
        IoU above 0.5 and above 0.3) and by its train, and the IoU and correlation of its match.
    predictions : list of dict
        A row for each predicted unit: difficulty, confidence, whether it matched a true unit by its
        train and by its mask (IoU above 0.5), and its train's correlation and mask's IoU: those of
        the match, else the largest with any true unit. Empty for an evaluation of an older musim.
    """

    method: str
    protocol: str
    axis: str
    sequences: list[Row]
    units: list[Row]
    predictions: list[Row] = field(default_factory=list)


def evaluate(
    protocol: Protocol,
    method: str,
    out: str | Path,
    *,
    runs: Sequence[str] = (),
    workers: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Evaluation:
    """Score a method on a protocol.

    Parameters
    ----------
    protocol : Protocol
    method : str
        One of :data:`.methods.METHODS`.
    out : path
        A local folder for the tables; parts of an interrupted run are kept there.
    runs : sequence of str
        Runs of ``musim train`` that the method ``network`` takes.
    workers : int, optional
        Processes; one a processor, if not given.
    resume, overwrite : bool
        Whether to go on with, or to replace, an evaluation that is there.
    on_progress : callable
        Called with the numbers of sequences done and in all.

    Returns
    -------
    Evaluation

    Raises
    ------
    InputError
        If there is no such method, or something is there already. What this call began to write is
        then removed again.
    FailureError
        If the tables cannot be written, or a worker dies.
    """
    chosen = method_named(method).check(True, runs)
    tasks = [
        (number, first, min(first + CHUNK, condition.sequences))
        for number, condition in enumerate(protocol.conditions)
        for first in range(0, condition.sequences, CHUNK)
    ]
    settings = {
        "version": VERSION,
        "method": method,
        "protocol": protocol.name,
        "axis": protocol.axis,
        "conditions": [condition.to_json() for condition in protocol.conditions],
        **({"runs": chosen} if chosen else {}),
    }
    return _run(settings, tasks, score_drawn, out, workers, resume, overwrite, on_progress)


def evaluate_store(
    url: Any,
    method: str,
    out: str | Path,
    *,
    runs: Sequence[str] = (),
    workers: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Evaluation:
    """Score a method on the sequences of a store that knows its truth; see :func:`evaluate`.

    Raises
    ------
    InputError
        Besides, if the store has no truth.
    """
    store = open_store(url)
    if not store.has_truth:
        raise InputError(
            f"{store.location}: found a recording without truth, wanted a simulated store to score "
            "against; musim identify finds units without scoring them"
        )
    chosen = method_named(method).check(True, runs)
    tasks = [(0, first, min(first + CHUNK, len(store))) for first in range(0, len(store), CHUNK)]
    settings = {
        "version": VERSION,
        "method": method,
        "protocol": store.location.url,
        "axis": "",
        "store": store.location.address,
        "sequences": len(store),
        **({"runs": chosen} if chosen else {}),
    }
    return _run(settings, tasks, score_stored, out, workers, resume, overwrite, on_progress)


def _run(
    settings: Mapping[str, Any],
    tasks: Sequence[tuple[int, int, int]],
    function: Callable[..., None],
    out: str | Path,
    workers: int | None,
    resume: bool,
    overwrite: bool,
    on_progress: Callable[[int, int], None],
) -> Evaluation:
    location = Location(out)
    if not location.is_local:
        raise InputError(f"{location}: found a URL, wanted a local folder for the evaluation")
    total = sum(last - first for _, first, last in tasks)
    lacking = [path for path in (location.path, *location.path.parents) if not path.exists()]
    with open_workers(workers=workers) as run:
        begun = _prepare(location, settings, resume=resume, overwrite=overwrite)
        done = set(location.list_files(PARTS))
        todo = [task for task in tasks if _part(*task) not in done]
        finished = len(tasks) - len(todo)

        def report() -> None:
            on_progress(round(total * finished / len(tasks)), total)

        def on_done() -> None:
            nonlocal finished
            finished += 1
            report()

        report()
        try:
            if todo:
                run(function, [(location.address, *task) for task in todo], on_done)
        except InputError:
            # What is wrong with the input stays wrong: there is nothing to resume.
            if begun:
                _remove(location)
                for folder in lacking:
                    with suppress(OSError):  # somebody has put something into it since
                        folder.rmdir()
            raise
    parts = [json.loads(location.read(f"{PARTS}/{_part(*task)}")) for task in tasks]
    # Last what marks an evaluation as finished.
    for name in (SEQUENCES, PREDICTIONS, UNITS):
        rows = [row for part in parts for row in part[Path(name).stem]]
        location.write(name, csv_text(rows).encode())
    return read_evaluation(out)


def _part(condition: int, first: int, last: int) -> str:
    return f"{condition:03d}-{first:05d}-{last:05d}.json"


def _prepare(
    location: Location, settings: Mapping[str, Any], *, resume: bool, overwrite: bool
) -> bool:
    """Make a folder ready for an evaluation; return whether it begins here or goes on."""
    if resume and overwrite:
        raise InputError("found both --resume and --overwrite, wanted one of them")
    begins = overwrite or not location.exists(SETTINGS)
    if location.exists(SETTINGS):
        found = {k: v for k, v in _settings(location).items() if k != "software"}
        if overwrite:
            _remove(location)
        elif not resume:
            raise InputError(
                f"{location}: found an evaluation there, wanted a new folder; add --resume to go "
                "on with it, --overwrite to replace it, or choose another"
            )
        elif found.get("version", 1) != VERSION:
            raise InputError(
                f"{location}: found an evaluation of another version of musim, wanted this one's "
                "to resume; use --overwrite, or choose another folder"
            )
        elif found != json.loads(json.dumps(settings)):
            raise InputError(
                f"{location}: found an evaluation with other settings ({found['method']} on "
                f"{found['protocol']}), wanted the same to resume; use --overwrite"
            )
    elif _holds_anything(location):
        raise InputError(
            f"{location}: found something that is not an evaluation, wanted a new or empty folder"
        )
    location.write_json(SETTINGS, {**settings, "software": software()})
    return begins


def _holds_anything(location: Location) -> bool:
    """Return whether there is more than what a run leaves that was killed as it began."""
    try:
        if not location.path.is_dir():
            return location.path.exists()
        return any(path.suffix != PARTIAL for path in location.path.iterdir())
    except OSError as error:
        raise location.failure("be read", error) from error


def _remove(location: Location) -> None:
    """Remove an evaluation, and nothing else from its folder: last of all what marks it as one."""
    part = re.compile(r"\d{3,}-\d{5,}-\d{5,}\.json")
    names = (UNITS, SEQUENCES, PREDICTIONS, SUMMARY, *(f"{name}.png" for name in FIGURES))
    try:
        for path in sorted((location.path / PARTS).glob("*.json*")):
            # With what was being written when a run was killed.
            if part.fullmatch(re.sub(rf"\.\w{{8}}{re.escape(PARTIAL)}$", "", path.name)):
                path.unlink(missing_ok=True)
        with suppress(OSError):  # there is none, or it holds something else
            (location.path / PARTS).rmdir()
        for name in (*names, SETTINGS):
            for path in (*location.path.glob(f"{name}.*{PARTIAL}"), location.path / name):
                path.unlink(missing_ok=True)
    except OSError as error:
        raise location.failure("be removed", error) from error


def _settings(location: Location) -> dict[str, Any]:
    with suppress(ValueError):
        settings = json.loads(location.read(SETTINGS))
        if isinstance(settings, dict) and {"method", "protocol", "axis"} <= settings.keys():
            return settings
    raise InputError(
        f"{location}: found {SETTINGS} without the settings of an evaluation, wanted what musim "
        "evaluate wrote; choose another folder"
    )


def score_drawn(folder: str, condition: int, first: int, last: int) -> None:
    """Draw, identify and score some sequences of a condition; runs wherever dask puts it."""
    location = Location(folder)
    settings = _settings(location)
    drawn = Condition.from_json(settings["conditions"][condition])

    def cases() -> Iterable[tuple[Recording, Truth]]:
        for index in range(first, last):
            truth = draw(drawn.parameters, seed=drawn.seed, index=index)
            yield (
                Recording(render(truth), drawn.parameters.frame_rate, drawn.parameters.pixel_size),
                truth,
            )

    what = f"{settings['protocol']}, {drawn.name}"
    part = _score_cases(what, cases(), settings, dict(drawn.values), first)
    location.write_json(f"{PARTS}/{_part(condition, first, last)}", part)


def score_stored(folder: str, condition: int, first: int, last: int) -> None:
    """Identify and score some sequences of a store; runs wherever dask puts it."""
    location = Location(folder)
    settings = _settings(location)
    store: Store = open_store(settings["store"])
    cases = ((recording_of(store, i), store.truth(i)) for i in range(first, last))
    part = _score_cases(str(store.location), cases, settings, {}, first)
    location.write_json(f"{PARTS}/{_part(condition, first, last)}", part)


def _score_cases(
    what: str,
    cases: Iterable[tuple[Recording, Truth]],
    settings: Mapping[str, Any],
    values: Row,
    first: int,
) -> dict[str, list[Row]]:
    import time

    from threadpoolctl import threadpool_limits

    method, runs = str(settings["method"]), settings.get("runs", [])
    sequences: list[Row] = []
    units: list[Row] = []
    predictions: list[Row] = []
    for index, (recording, truth) in enumerate(cases, start=first):
        with threadpool_limits(1):  # the other cores have sequences of their own
            began = time.perf_counter()
            try:
                found = identify(recording, method, truth=truth, runs=runs)
            except InputError as error:
                raise InputError(f"{what}, sequence {index}: {error}") from error
            seconds = time.perf_counter() - began
            scored = score_units(found, truth, recording.frame_rate)
        difficulty = {"snr": truth.snr, "synchrony": truth.synchrony, **values, "sequence": index}
        row = {**scored.to_row(), **difficulty, "seconds": seconds}
        sequences.append({key: _plain(value) for key, value in row.items()})
        units += _unit_rows(scored, truth, difficulty)
        predictions += _prediction_rows(scored, found, difficulty)
    return {"sequences": sequences, "units": units, "predictions": predictions}


def score_units(found: Units, truth: Truth, frame_rate: float) -> SequenceScore:
    """Score the units found in a sequence against its truth."""
    return score(
        found.masks,
        found.train,
        found.firing,
        found.confidence,
        truth.territory > 0.5,
        truth.twitch_train,
        truth.firing,
        frame_rate,
    )


def _unit_rows(scored: SequenceScore, truth: Truth, difficulty: Row) -> list[Row]:
    matching, by_trains = scored.matching, _by_trains(scored)
    iou = dict(zip(matching.true.tolist(), matching.iou.tolist(), strict=True))
    loose = set(scored.loose.true.tolist())
    trained = scored.visible[by_trains.true].tolist()
    correlation = dict(zip(trained, by_trains.correlation.tolist(), strict=True))
    rows = []
    for unit in scored.visible.tolist():
        row = {
            **difficulty,
            "unit": unit,
            "diameter": truth.diameter[unit],
            "visible_share": truth.visible_share[unit],
            "overlap": truth.overlap[unit],
            "found": int(unit in iou),
            "iou": iou.get(unit, 0.0),
            "found_iou03": int(unit in loose),
            "train_found": int(unit in correlation),
            "train_correlation": correlation.get(unit, 0.0),
        }
        rows.append({key: _plain(value) for key, value in row.items()})
    return rows


def _prediction_rows(scored: SequenceScore, found: Units, difficulty: Row) -> list[Row]:
    matching, by_trains = scored.matching, _by_trains(scored)
    iou = dict(zip(matching.predicted.tolist(), matching.iou.tolist(), strict=True))
    own = dict(zip(by_trains.predicted.tolist(), by_trains.true.tolist(), strict=True))
    rows = []
    for prediction, correlations in enumerate(by_trains.correlations):
        nearest = int(np.abs(correlations).argmax()) if correlations.size else None
        unit = own.get(prediction, nearest)
        row = {
            **difficulty,
            "prediction": prediction,
            "confidence": found.confidence[prediction],
            "train_matched": int(prediction in own),
            "train_correlation": math.nan if unit is None else correlations[unit],
            "mask_matched": int(prediction in iou),
            "mask_iou": iou.get(prediction, scored.largest_iou[prediction]),
        }
        rows.append({key: _plain(value) for key, value in row.items()})
    return rows


def _by_trains(scored: SequenceScore) -> TrainMatching:
    if scored.trains is None:
        raise TypeError("found a score without trains, wanted that of score_units")
    return scored.trains.matching


def _plain(value: Any) -> Any:
    """Return a number as JSON knows it: NaN as None, infinity as text."""
    number = float(value)
    if math.isnan(number):
        return None
    if math.isinf(number):
        return str(number)
    return int(number) if number == int(number) and isinstance(value, int | np.integer) else number


def read_evaluation(folder: str | Path) -> Evaluation:
    """Read the tables of a finished evaluation.

    Raises
    ------
    InputError
        If there is none, or it is unfinished.
    """
    location = Location(folder)
    if not location.exists(SETTINGS):
        raise InputError(f"{location}: found no evaluation there, wanted a folder that holds one")
    if not location.exists(UNITS):
        raise InputError(
            f"{location}: found an unfinished evaluation; run musim evaluate again with --resume"
        )
    settings = _settings(location)
    # An older musim wrote no rows of predictions.
    names = (SEQUENCES, UNITS, *([PREDICTIONS] if location.exists(PREDICTIONS) else []))
    rows = [
        [
            {key: math.nan if text == "" else float(text) for key, text in row.items()}
            for row in csv.DictReader(io.StringIO(location.read(name).decode()))
        ]
        for name in names
    ]
    return Evaluation(settings["method"], settings["protocol"], settings["axis"], *rows)
