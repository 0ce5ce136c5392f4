"""The tables of an evaluation: scores by difficulty, as Ali et al. 2020 draw Fig. 4 to 6."""

import math
from typing import Any

import numpy as np

from .evaluation import Evaluation
from .metrics import summarise

MEASURES = {
    "detection_recall": "recall",
    "detection_precision": "precision",
    "mask_recall": "mask R",
    "mask_precision": "mask P",
    "rate_of_agreement": "RoA",
}
"""Measures that short tables show, and their headings."""

OVERLAP_EDGES = np.array([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
"""Edges of the bins of overlap."""


def difficulties(evaluation: Evaluation) -> tuple[str, ...]:
    """Return the values by which sequences are grouped."""
    if not evaluation.axis:
        return ()
    return ("units", "snr") if evaluation.axis in {"units", "snr"} else (evaluation.axis,)


def summary(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Return a row for each difficulty: means and SDs over its sequences, or shares of its units.

    Returns
    -------
    list of dict
        By sequences what :func:`.metrics.summarise` gives. By overlap, bins of units: ``overlap``
        (its middle), ``detection_recall_mean``, its standard error ``detection_recall_se``,
        ``mask_iou_mean`` of those found, and ``count``, their number.
    """
    if evaluation.axis == "overlap":
        return _by_overlap(evaluation)
    names = difficulties(evaluation)
    rows = [{key: value for key, value in row.items() if key != "sequence"}
            for row in evaluation.sequences]  # fmt: skip
    if not names:
        rows = [{**row, "all": 0} for row in rows]
        names = ("all",)
    return summarise(rows, by=names)


def _by_overlap(evaluation: Evaluation) -> list[dict[str, Any]]:
    overlap = np.array([row["overlap"] for row in evaluation.units])
    found = np.array([row["found"] for row in evaluation.units])
    iou = np.array([row["iou"] for row in evaluation.units])
    place = np.clip(np.digitize(overlap, OVERLAP_EDGES) - 1, 0, len(OVERLAP_EDGES) - 2)
    rows = []
    for bin_ in range(len(OVERLAP_EDGES) - 1):
        inside = place == bin_
        count = int(inside.sum())
        if not count:
            continue
        recall = float(found[inside].mean())
        matched = iou[inside & (found == 1)]
        rows.append(
            {
                "overlap": float(OVERLAP_EDGES[bin_ : bin_ + 2].mean()),
                "detection_recall_mean": recall,
                "detection_recall_se": math.sqrt(recall * (1 - recall) / count),
                "mask_iou_mean": float(matched.mean()) if matched.size else math.nan,
                "count": count,
            }
        )
    return rows
