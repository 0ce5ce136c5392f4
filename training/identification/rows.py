"""Rows of scores: of the sequences, true units and predictions of an evaluation."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...datasets.schema import DOSE
from ...simulator.errors import InputError
from ...simulator.experiment.anatomy import places_of
from ...simulator.sequence import Truth
from .firing_oracle import oracle_agreement
from .firings import SHORTEST
from .methods import identify
from .metrics import SequenceScore, TrainMatching, score
from .metrics.emg_rules import RulesScore, rules_named, score_at_tolerances
from .metrics.emg_rules import to_row as rules_row
from .metrics.firing import firings_within, rate_and_variation
from .metrics.ratios import mean_of_known
from .metrics.trains import TRAIN_THRESHOLD
from .reading import oracle_correlation
from .units import Recording, Units

Row = dict[str, Any]


@dataclass(frozen=True)
class IdentificationEvaluation:
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
        :meth:`.metrics.SequenceScore.to_row`, ``firing_oracle``, which is that of
        :func:`.firing_oracle.oracle_agreement`, ``identifiable_units`` and
        ``train_recall_identifiable``, the number of true units whose ``oracle_correlation`` exceeds
        0.7 and the share of them that were found by train, anatomy and doses of a subject of the
        virtual experiment, and ``seconds``.
    units : list of dict
        A row for each true unit: difficulty, properties, whether it was found by its mask (with an
        IoU above 0.5 and above 0.3) and by its train, the IoU and correlation of its match, its
        rate, and the agreement of its match's firings, beside a wrong unit's and the oracle's;
        ``oracle_correlation``, that of the train which can be read with what each unit moves where
        (:func:`.reading.oracle_correlation`), and whether that makes it ``identifiable``.
    predictions : list of dict
        A row for each predicted unit: difficulty, confidence, whether it matched a true unit by its
        train and by its mask (IoU above 0.5), and its train's correlation and mask's IoU: those of
        the match, else the largest with any true unit. Empty for an evaluation of an older musim.
    rules : str
        By which firings are scored beside, one of :data:`.metrics.emg_rules.RULES`: then rows have
        columns that begin with ``rules_``. Empty for none.
    """

    method: str
    protocol: str
    axis: str
    sequences: list[Row]
    units: list[Row]
    predictions: list[Row] = field(default_factory=list)
    rules: str = ""


def score_cases(
    what: str,
    cases: Iterable[tuple[Recording, Truth]],
    method: str,
    runs: Sequence[str],
    values: Row,
    first: int,
    settings: Mapping[str, Any] | None = None,
    firings: str | None = None,
    rules: str | None = None,
    given: Callable[[int], Units] | None = None,
) -> dict[str, list[Row]]:
    """Find the units of some sequences and score them.

    Parameters
    ----------
    what : str
        What the sequences are of, for errors.
    cases : iterable of (Recording, Truth)
    method : str
    runs : sequence of str
        See :func:`.methods.identify`.
    values : dict
        What makes the sequences difficult, beside SNR and synchrony.
    first : int
        Number of the first sequence.
    settings : mapping of str to object, optional
        Of the method.
    firings : str, optional
        See :func:`.methods.identify`.
    rules : str, optional
        One of :data:`.metrics.emg_rules.RULES`.
    given : callable, optional
        Returns the units that were found in a sequence, by its number; they are not found again.

    Returns
    -------
    dict of list of dict
        The rows of ``sequences``, ``units`` and ``predictions``, of values that JSON knows.

    Raises
    ------
    InputError
        If units cannot be sought in a sequence, which is named.
    """
    import time

    from threadpoolctl import threadpool_limits

    sequences: list[Row] = []
    units: list[Row] = []
    predictions: list[Row] = []
    for index, (recording, truth) in enumerate(cases, start=first):
        with threadpool_limits(1):  # the other cores have sequences of their own
            began = time.process_time()
            with _naming(what, index):
                found = (
                    identify(
                        recording, method, truth=truth, runs=runs, settings=settings,
                        firings=firings,
                    )
                    if given is None
                    else given(index)
                )  # fmt: skip
            seconds = time.process_time() - began
            scored = score_units(found, truth, recording.frame_rate)
        difficulty = {"snr": truth.snr, "synchrony": truth.synchrony, **values, "sequence": index}
        oracle = oracle_agreement(recording, truth, firings)[scored.visible]
        of_units = _unit_rows(scored, truth, recording.frame_rate, difficulty)
        for each, value in zip(of_units, oracle, strict=True):
            each["firing_oracle"] = _plain(value)
        row = {**scored.to_row(), "firing_oracle": mean_of_known(oracle),
               **_add_identifiable(recording, truth, scored, of_units), **difficulty,
               **_subject(truth), "seconds": seconds}  # fmt: skip
        of_predictions = _prediction_rows(scored, found, difficulty)
        if rules is not None:
            with _naming(what, index):
                row |= _add_rules(found, truth, scored, recording, rules, of_units, of_predictions)
        sequences.append({key: _plain(value) for key, value in row.items()})
        units += of_units
        predictions += of_predictions
    return {"sequences": sequences, "units": units, "predictions": predictions}


@contextmanager
def _naming(what: str, index: int) -> Iterator[None]:
    """Name the sequence in what is said of it."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{what}, sequence {index}: {error}") from error


def _add_identifiable(
    recording: Recording, truth: Truth, scored: SequenceScore, units: list[Row]
) -> Row:
    """Say of each true unit whether it can be seen at all, and of the sequence how many can."""
    reached = oracle_correlation(recording, truth.twitch_train, truth.own_maps)[scored.visible]
    can = reached > TRAIN_THRESHOLD
    for row, value, seen in zip(units, reached, can, strict=True):
        row["oracle_correlation"] = _plain(value)
        row["identifiable"] = None if math.isnan(value) else int(seen)
    found = np.array([row["train_found"] for row in units], np.float64)
    return {
        "identifiable_units": math.nan if np.isnan(reached).any() else int(can.sum()),
        "train_recall_identifiable": mean_of_known(found[can]),
    }


def _add_rules(
    found: Units,
    truth: Truth,
    scored: SequenceScore,
    recording: Recording,
    rules: str,
    units: list[Row],
    predictions: list[Row],
) -> Row:
    """Score firings by rules: add columns to the rows, and return those of the sequence.

    Raises
    ------
    InputError
        If the recording is too short for firings to tell units apart.
    """
    if len(recording.tvi) / recording.frame_rate < SHORTEST:
        raise InputError(
            f"recording: found {len(recording.tvi) / recording.frame_rate:.3g} s, wanted "
            f"{SHORTEST:.3g} s or more for `rules`, three intervals of a slow unit"
        )
    window = (0.0, len(recording.tvi) / recording.frame_rate)
    true = truth.firing[scored.visible]
    ruled = score_at_tolerances(found.firing, true, window, rules_named(rules), found.confidence)
    for end, one in ruled.items():
        f1 = dict(zip(one.true.tolist(), one.f1.tolist(), strict=True))
        for place, row in enumerate(units):
            row[f"rules_found{end}"] = int(place in f1)
            row[f"rules_f1{end}"] = f1.get(place)
        for row, unit in zip(predictions, one.true.tolist(), strict=True):
            row[f"rules_matched{end}"] = int(unit >= 0)
    own: RulesScore = ruled[""]
    for row, firing, kept in zip(predictions, found.firing, own.kept.tolist(), strict=True):
        fires = firings_within(firing, window).size > 0
        row["rules_duplicate"] = int(fires and not kept)
    return rules_row(ruled)


def _subject(truth: Truth) -> Row:
    """Return anatomy and doses of a subject of the virtual experiment, called as in its store."""
    if truth.doses is None:
        return {}
    anatomy = {name: getattr(truth, name) for name in ("fat", *places_of(None))}
    return {**anatomy, **{DOSE + name: value for name, value in truth.doses.items()}}


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


def _unit_rows(
    scored: SequenceScore, truth: Truth, frame_rate: float, difficulty: Row
) -> list[Row]:
    matching, by_trains = scored.matching, _by_trains(scored)
    iou = dict(zip(matching.true.tolist(), matching.iou.tolist(), strict=True))
    loose = set(scored.loose.true.tolist())
    trained = scored.visible[by_trains.true].tolist()
    correlation = dict(zip(trained, by_trains.correlation.tolist(), strict=True))
    firing = () if scored.trains is None else scored.trains.firing
    agreement = dict(zip(trained, [one.agreement for one in firing], strict=False))
    wrong = (
        [] if scored.trains is None else [mean_of_known(row) for row in scored.trains.wrong_firing]
    )
    chance = dict(zip(trained, wrong, strict=False))
    window = (0.0, truth.twitch_train.shape[1] / frame_rate)
    rows = []
    for unit in scored.visible.tolist():
        row = {
            **difficulty,
            "unit": unit,
            "diameter": truth.diameter[unit],
            "displacement": truth.displacement[unit],
            "visible_share": truth.visible_share[unit],
            "overlap": truth.overlap[unit],
            "found": int(unit in iou),
            "iou": iou.get(unit, 0.0),
            "found_iou03": int(unit in loose),
            "train_found": int(unit in correlation),
            "train_correlation": correlation.get(unit, 0.0),
            "firing_rate": rate_and_variation(truth.firing[unit], window)[0],
            "firing_agreement": agreement.get(unit, math.nan),
            "firing_chance": chance.get(unit, math.nan),
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
