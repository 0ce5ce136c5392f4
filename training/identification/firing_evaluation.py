"""Scores of firings alone: those found in a recording against others, without any outline."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .firing_sources import Pair, check_pair, pairs_of
from .metrics.assignment import assign
from .metrics.emg_rules import rules_named, score_at_tolerances
from .metrics.emg_rules import to_row as rules_row
from .metrics.firing import (
    STRICT_TOLERANCE,
    TOLERANCE,
    FiringScore,
    firings_within,
    rate_and_variation,
    score_all_at_best_lag,
    score_firings,
)
from .metrics.ratios import mean_of_known, precision_and_recall
from .metrics.sequence import LAG_BOUND
from .rows import Row

LEAST_AGREEMENT = 0.5
"""Agreement of firings above which a unit is found: more of them are matched than missed or false,
as an IoU above 0.5 says it of pixels."""

SCORES = {
    "recall": "recall",
    "precision": "precision",
    "firing_agreement_5ms": "5 ms",
    "firing_agreement": "10 ms",
    "firing_agreement_15ms": "15 ms",
    "firing_chance": "chance",
    "firing_rate_error": "Hz",
    "interval_variation_error": "CoV",
}
"""Scores of a sequence, and their headings."""


@dataclass(frozen=True)
class FiringEvaluation:
    """Firings found against others.

    Parameters
    ----------
    sequences : list of dict
        A row for each sequence: ``units`` that fire, ``predictions``, ``matches``, and
        :data:`SCORES`; by rules what :func:`.metrics.emg_rules.to_row` gives.
    units : list of dict
        A row for each true unit that fires: its name, ``firings``, ``firing_rate`` (Hz) and
        ``interval_variation``; ``found_as``, its match's name (None for none), and that one's; of
        the match ``lag`` (s), counts of ``matched``, ``missed`` and ``false`` firings within 10 ms,
        ``firing_agreement`` within 5, 10 and 15 ms, and ``firing_chance``, with wrong units. By
        rules ``rules_found``, ``rules_f1`` and ``rules_as``.
    remarks : tuple of str
        What was left out of tables.
    rules : str
        Empty for none.
    """

    sequences: list[Row]
    units: list[Row]
    remarks: tuple[str, ...] = ()
    rules: str = ""


def evaluate_firings(
    found: str | Path,
    true: str | Path,
    *,
    sequence: int | None = None,
    end: float | None = None,
    rules: str | None = None,
) -> FiringEvaluation:
    """Score firings against others, such as those of units decomposed from an electromyogram.

    Units are paired so that the sum of their agreement is largest, each after its own constant lag
    of no more than 50 ms; above 0.5 within 10 ms a unit is found.

    Parameters
    ----------
    found, true : path of a table of events, or path or URL of a store
        See :func:`.firing_sources.pairs_of`.
    sequence, end : optional
        See there.
    rules : str, optional
        By which firings are scored too, one of :data:`.metrics.emg_rules.RULES`.

    Returns
    -------
    FiringEvaluation

    Raises
    ------
    InputError
        If something cannot be read or compared.
    """
    if rules is not None:
        rules_named(rules)
    pairs = pairs_of(found, true, sequence, end)
    for pair in pairs:
        check_pair(pair)
    scored = [score_pair(pair, rules) for pair in pairs]
    remarks = dict.fromkeys(
        text for pair in pairs for one in (pair.found, pair.true) for text in one.remarks
    )
    return FiringEvaluation(
        [row for row, _ in scored], [row for _, rows in scored for row in rows], tuple(remarks),
        rules or "",
    )  # fmt: skip


def score_pair(pair: Pair, rules: str | None = None) -> tuple[Row, list[Row]]:
    """Return the row of a sequence, and those of its true units, as :class:`FiringEvaluation` has.

    Parameters
    ----------
    pair : Pair
    rules : str, optional
    """
    window = pair.window
    ours, theirs = (
        [n for n, row in enumerate(one.instants) if firings_within(row, window).size]
        for one in (pair.found, pair.true)
    )
    predicted, true = pair.found.instants[ours], pair.true.instants[theirs]
    scores = score_all_at_best_lag(predicted, true, window, bound=LAG_BOUND)
    agreement = np.array([[one.agreement for one in row] for row in scores], np.float64)
    agreement = agreement.reshape(len(ours), len(theirs))
    own = dict(zip(*assign(agreement, agreement > LEAST_AGREEMENT)[::-1], strict=True))
    rows: list[Row] = []
    for unit, place in enumerate(theirs):
        rate, variation = rate_and_variation(true[unit], window)
        row: Row = {
            "sequence": pair.sequence,
            "unit": pair.true.labels[place],
            "firings": firings_within(true[unit], window).size,
            "firing_rate": rate,
            "interval_variation": variation,
            "found_as": None,
            **dict.fromkeys(MATCHED, math.nan),
        }
        if unit in own:
            match = int(own[unit])
            wrong = np.delete(agreement[match], unit)
            row["found_as"] = pair.found.labels[ours[match]]
            row |= _matched(predicted[match], true[unit], window, scores[match][unit])
            row["firing_chance"] = mean_of_known(wrong)
        rows.append(row)
    matches = len(own)
    precision, recall = precision_and_recall(matches, len(ours) - matches, len(theirs) - matches)
    sequence: Row = {
        "sequence": pair.sequence,
        "units": len(theirs),
        "predictions": len(ours),
        "matches": matches,
        "recall": recall,
        "precision": precision,
        **{name: mean_of_known([row[name] for row in rows]) for name in MEANS},
    }
    if rules is not None:
        sequence |= _by_rules(pair, rules, ours, theirs, rows)
    return sequence, rows


MEANS = (
    "firing_agreement_5ms", "firing_agreement", "firing_agreement_15ms", "firing_chance",
    "firing_rate_error", "interval_variation_error",
)  # fmt: skip
"""Scores of a sequence that are means over its matches."""

MATCHED = (
    "found_firings", "found_rate", "found_variation", "lag", "matched", "missed", "false", *MEANS
)  # fmt: skip
"""Columns of a true unit that its match fills."""


def _matched(
    predicted: np.ndarray, true: np.ndarray, window: tuple[float, float], best: FiringScore
) -> Row:
    """Return what a match fills in the row of its unit, but for chance."""
    strict, loose = (
        score_firings(predicted, true, window, tolerance=reach, lag=best.lag)
        for reach in (STRICT_TOLERANCE, TOLERANCE)
    )
    mine, theirs = rate_and_variation(predicted, window), rate_and_variation(true, window)
    return {
        "found_firings": firings_within(predicted, window).size,
        "found_rate": mine[0],
        "found_variation": mine[1],
        "lag": best.lag,
        "matched": best.common,
        "missed": best.only_true,
        "false": best.only_predicted,
        "firing_agreement_5ms": strict.agreement,
        "firing_agreement": best.agreement,
        "firing_agreement_15ms": loose.agreement,
        "firing_rate_error": abs(mine[0] - theirs[0]),
        "interval_variation_error": abs(mine[1] - theirs[1]),
    }


def _by_rules(pair: Pair, rules: str, ours: list[int], theirs: list[int], rows: list[Row]) -> Row:
    """Add what rules say to the rows of units, and return what they say of the sequence."""
    confidence = pair.found.confidence
    ruled = score_at_tolerances(
        pair.found.instants[ours], pair.true.instants[theirs], pair.window, rules_named(rules),
        None if confidence is None else confidence[ours],
    )  # fmt: skip
    for end, one in ruled.items():
        found = {unit: n for n, unit in enumerate(one.true.tolist()) if unit >= 0}
        for unit, row in enumerate(rows):
            match = found.get(unit)
            row[f"rules_as{end}"] = None if match is None else pair.found.labels[ours[match]]
            row[f"rules_f1{end}"] = math.nan if match is None else float(one.f1[match])
    return rules_row(ruled)
