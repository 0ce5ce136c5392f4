"""The tables of an evaluation: scores by difficulty, as Ali et al. 2020 draw Fig. 4 to 6."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .by_rate import BY_RATE, by_firing_rate, rate_range
from .metrics import summarise
from .metrics.calibration import calibration_error
from .metrics.emg_rules import NAMES as BY_RULES
from .metrics.emg_rules import SUFFIXES
from .rows import IdentificationEvaluation, Row

TRAIN_MEASURES = {
    "train_recall": "recall",
    "train_recall_identifiable": "of seen",
    "train_precision": "precision",
    "train_match_correlation": "|r|",
    "train_chance": "chance",
    "firing_agreement": "firings",
    "firing_chance": "chance",
}
"""Measures by trains that short tables show, and their headings; chance after what it is of."""

MASK_MEASURES = {
    "detection_recall_iou03": "R>.3",
    "detection_precision_iou03": "P>.3",
    "detection_recall": "R>.5",
    "detection_precision": "P>.5",
    "mask_recall": "mask R",
    "mask_precision": "mask P",
    "rate_of_agreement": "RoA",
}
"""The same by outlines: recall and precision at two least IoU, then those matched at 0.5."""

FIRING_MEASURES = {
    "firing_agreement_5ms": "5 ms",
    "firing_agreement": "10 ms",
    "firing_agreement_15ms": "15 ms",
    "firing_oracle": "oracle",
    "train_firing_rate_error": "Hz off",
    "train_interval_variation_error": "variation off",
}
"""Measures of the firings of units matched by their trains: agreement, and what errors remain."""

RULES_HEADINGS = ("recall", "precision", "F1", "chance", "score")
"""Headings of what rules of electromyograms say, by their names."""

BRIEF = frozenset(
    (
        "train_chance",
        "firing_chance",
        "detection_recall_iou03",
        "detection_precision_iou03",
        "mask_recall",
        "mask_precision",
        "firing_oracle",
        "rules_chance",
        "rules_chance_5ms",
    )
)
"""Measures whose spread short tables leave out."""

SHORT_TABLES = {
    "By trains (|r| > 0.7 within 20 ms; firings within 10 ms), chance: wrong units; of seen: of "
    "those that oracle-maps finds": TRAIN_MEASURES,
    "Firings by trains: agreement within 5, 10, 15 ms, errors of rate, variation": (
        FIRING_MEASURES
    ),
    "By outlines (IoU), as Ali et al. 2020": MASK_MEASURES,
}
"""What is shown in short, by its title."""


def rules_tables(evaluation: IdentificationEvaluation) -> dict[str, dict[str, str]]:
    """Return the tables by rules, as :data:`SHORT_TABLES` has those of all evaluations."""
    if not evaluation.rules:
        return {}
    titles = {
        end: f"By firings, rules {evaluation.rules}, within {1000 * (reach or 0.001):g} ms"
        for end, reach in SUFFIXES.items()
    }
    tables = {
        titles[end]: {f"{name}{end}": text
                      for name, text in zip(BY_RULES, RULES_HEADINGS, strict=True)}
        for end in SUFFIXES
    }  # fmt: skip
    tables[titles[""]]["rules_duplicates"] = "copies"
    return tables


OVERLAP_EDGES = np.array([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
"""Edges of the bins of overlap."""

FOUND = {
    "train_recall": "train_found",
    "detection_recall_iou03": "found_iou03",
    "detection_recall": "found",
    **{f"rules_recall{end}": f"rules_found{end}" for end in SUFFIXES},
}
"""Columns of the rows of units that say whether one was found, by the recall that they make."""


def difficulties(evaluation: IdentificationEvaluation) -> tuple[str, ...]:
    """Return the values by which sequences are grouped."""
    if not evaluation.axis:
        return ()
    return ("units", "snr") if evaluation.axis in {"units", "snr"} else (evaluation.axis,)


def summary(evaluation: IdentificationEvaluation) -> list[dict[str, Any]]:
    """Return a row for each difficulty: means and SDs over its sequences, or shares of its units.

    Returns
    -------
    list of dict
        By sequences what :func:`.metrics.summarise` gives, and of the group's predictions
        ``calibration_error`` and ``calibration_count``, their number (:func:`calibration`). By
        overlap, bins of units: ``overlap`` (its middle), ``train_recall_mean``,
        ``detection_recall_iou03_mean`` and ``detection_recall_mean`` with their standard errors
        (``train_recall_se``), ``train_recall_identifiable_mean`` of those that can be seen,
        ``mask_iou_mean`` of those found, and ``count``, their number. What an evaluation of an
        older musim lacks is left out.
    """
    if evaluation.axis == "overlap":
        return _by_overlap(evaluation)
    names = difficulties(evaluation)
    rows = [{key: value for key, value in row.items() if key != "sequence"}
            for row in evaluation.sequences]  # fmt: skip
    if not names:
        rows = [{**row, "all": 0} for row in rows]
    groups = summarise(rows, by=names or ("all",))
    if not evaluation.predictions:
        return groups
    predictions: dict[tuple[float, ...], list[Row]] = {}
    for row in evaluation.predictions:
        predictions.setdefault(tuple(row[name] for name in names), []).append(row)
    for group in groups:
        of_group = predictions.get(tuple(group[name] for name in names), [])
        group["calibration_error"], group["calibration_count"] = _calibration(of_group)
    return groups


@dataclass(frozen=True)
class ShortTable:
    """Some scores as text: mean and SD in as few digits as 100 sequences tell.

    Parameters
    ----------
    title : str
    headings : tuple of str
        Of what sequences are grouped by, of their number, and of the scores.
    rows : list of list of str
    """

    title: str
    headings: tuple[str, ...]
    rows: list[list[str]]


def short_tables(evaluation: IdentificationEvaluation) -> list[ShortTable]:
    """Return the scores that an evaluation has as short tables: by trains, and by outlines."""
    rows = summary(evaluation)
    names = list(difficulties(evaluation))
    tables = []
    for title, measures in (SHORT_TABLES | rules_tables(evaluation)).items():
        there = [name for name in measures if f"{name}_mean" in rows[0]]
        if there:
            cells = [
                [
                    *(f"{row[name]:g}" for name in names),
                    str(row.get("sequences", row.get("count"))),
                    *(_cell(row, name) for name in there),
                ]
                for row in rows
            ]
            headings = (*names, "n", *(measures[name] for name in there))
            tables.append(ShortTable(title, headings, cells))
    return [*tables, *_short_by_firing_rate(evaluation)]


def _short_by_firing_rate(evaluation: IdentificationEvaluation) -> list[ShortTable]:
    rows = by_firing_rate(evaluation)
    if not rows:
        return []
    cells = [
        [rate_range(row), str(row["units"]), f"{row['recall']:.3f}",
         *("–" if math.isnan(row[name]) else f"{row[name]:.3f}" for name in BY_RATE)]
        for row in rows
    ]  # fmt: skip
    headings = ("Hz", "units", "recall", "firings", "chance", "oracle")
    return [ShortTable("Firings within 10 ms by the true units' rates", headings, cells)]


def _cell(row: Row, name: str) -> str:
    mean = row[f"{name}_mean"]
    spread = math.nan if name in BRIEF else row.get(f"{name}_sd", row.get(f"{name}_se", math.nan))
    if math.isnan(mean):
        return "–"
    # 0.987±.02: three and two digits are as many as 100 sequences tell.
    return f"{mean:.3f}" + ("" if math.isnan(spread) else f"±{spread:.2f}".replace("±0", "±"))


def calibration(evaluation: IdentificationEvaluation) -> tuple[float, int]:
    """Return how far confidence is from the share of predictions that are true by their trains.

    Returns
    -------
    error : float
        Expected calibration error (:func:`.metrics.calibration.calibration_error`) over the
        predictions of all sequences, 0..1; NaN without any.
    count : int
        Their number.
    """
    return _calibration(evaluation.predictions)


def _calibration(predictions: Sequence[Row]) -> tuple[float, int]:
    confidence = [row["confidence"] for row in predictions]
    true = [row["train_matched"] for row in predictions]
    return calibration_error(confidence, true), len(predictions)


def _by_overlap(evaluation: IdentificationEvaluation) -> list[dict[str, Any]]:
    overlap = np.array([row["overlap"] for row in evaluation.units])
    ways = {
        name: np.array([row[column] for row in evaluation.units])
        for name, column in FOUND.items()
        if evaluation.units and column in evaluation.units[0]
    }
    can = np.array([row.get("identifiable") == 1 for row in evaluation.units], np.bool_)
    iou = np.array([row["iou"] for row in evaluation.units])
    place = np.clip(np.digitize(overlap, OVERLAP_EDGES) - 1, 0, len(OVERLAP_EDGES) - 2)
    rows = []
    for bin_ in range(len(OVERLAP_EDGES) - 1):
        inside = place == bin_
        count = int(inside.sum())
        if not count:
            continue
        matched = iou[inside & (ways["detection_recall"] == 1)]
        recalls = {name: float(found[inside].mean()) for name, found in ways.items()}
        rows.append(
            {
                "overlap": float(OVERLAP_EDGES[bin_ : bin_ + 2].mean()),
                **{f"{name}_mean": recall for name, recall in recalls.items()},
                **{
                    f"{name}_se": math.sqrt(recall * (1 - recall) / count)
                    for name, recall in recalls.items()
                },
                **_of_identifiable(ways, inside & can),
                "mask_iou_mean": float(matched.mean()) if matched.size else math.nan,
                "count": count,
            }
        )
    return rows


def _of_identifiable(
    ways: dict[str, NDArray[np.float64]], chosen: NDArray[np.bool_]
) -> dict[str, float]:
    """Return the recall by trains of units that can be seen; nothing without any."""
    if "train_recall" not in ways or not chosen.any():
        return {}
    recall = float(ways["train_recall"][chosen].mean())
    error = math.sqrt(recall * (1 - recall) / int(chosen.sum()))
    return {"train_recall_identifiable_mean": recall, "train_recall_identifiable_se": error}
