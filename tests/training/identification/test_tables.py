"""Tables of an evaluation against the same by hand."""

import math

import numpy as np
import pytest

from musim.training.identification.evaluation import Evaluation
from musim.training.identification.metrics import SequenceScore
from musim.training.identification.tables import MEASURES, difficulties, summary


def evaluation(axis, sequences=(), units=()):
    return Evaluation("refine", "p", axis, list(sequences), list(units))


def rows(*values, **held):
    """Rows of sequences: (units, snr, recall, agreement)."""
    names = ("units", "snr", "detection_recall", "rate_of_agreement")
    return [
        {**dict(zip(names, row, strict=True)), **held, "sequence": index}
        for index, row in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("axis", "names"),
    [("", ()), ("units", ("units", "snr")), ("snr", ("units", "snr")),
     ("synchrony", ("synchrony",)), ("overlap", ("overlap",))],
)  # fmt: skip
def test_what_sequences_are_grouped_by(axis, names):
    assert difficulties(evaluation(axis)) == names


def test_means_and_sds_over_the_sequences_of_a_condition():
    found = summary(evaluation("units", rows(
        (5, math.inf, 1.0, 0.9),
        (5, 10.0, 0.2, math.nan),
        (1, 10.0, 1.0, 0.5),
        (5, 10.0, 0.6, 0.8),
        (5, 10.0, 0.4, 0.6),
    )))  # fmt: skip
    assert [(row["units"], row["snr"], row["sequences"]) for row in found] == [
        (1, 10, 1), (5, 10, 3), (5, math.inf, 1),
    ]  # fmt: skip
    one, three, clean = found
    assert one["detection_recall_mean"] == 1
    assert math.isnan(one["detection_recall_sd"])
    assert three["detection_recall_mean"] == pytest.approx(0.4)
    assert three["detection_recall_sd"] == pytest.approx(0.2)
    assert three["detection_recall_count"] == 3
    # Where nothing matched there is no agreement: it is left out, not counted as 0.
    assert three["rate_of_agreement_mean"] == pytest.approx(0.7)
    assert three["rate_of_agreement_sd"] == pytest.approx(math.sqrt(0.02))
    assert three["rate_of_agreement_count"] == 2
    assert clean["rate_of_agreement_mean"] == 0.9
    # The number of a sequence is no score.
    assert not any(name.startswith("sequence_") for row in found for name in row)


def test_a_sweep_is_grouped_by_what_is_swept():
    first = rows((15, 20.0, 0.5, 1.0), (15, 20.0, 0.7, 1.0), synchrony=0.4)
    second = rows((15, 20.0, 0.9, 1.0), synchrony=0.0)
    found = summary(evaluation("synchrony", [*first, *second]))
    assert [row["synchrony"] for row in found] == [0, 0.4]
    assert [row["detection_recall_mean"] for row in found] == pytest.approx([0.9, 0.6])
    assert [row["units_mean"] for row in found] == [15, 15]


def test_a_store_is_one_group():
    (row,) = summary(evaluation("", rows((2, 10.0, 0.5, 1.0), (9, math.inf, 1.0, 0.5))))
    assert row["sequences"] == 2
    assert row["detection_recall_mean"] == 0.75
    assert row["units_mean"] == 5.5
    assert row["snr_mean"] == math.inf
    assert math.isnan(row["snr_sd"])


def test_units_are_binned_by_their_overlap():
    overlaps = [0.0, 0.19, 0.2, 0.39, 0.3, 0.61, 0.8, 1.0, 0.99]
    found = [1, 0, 1, 1, 0, 0, 1, 1, 0]
    iou = [0.8, 0.0, 0.6, 0.9, 0.0, 0.0, 0.7, 0.9, 0.0]
    units = [
        {"overlap": o, "found": f, "iou": i} for o, f, i in zip(overlaps, found, iou, strict=True)
    ]
    bins = summary(evaluation("overlap", [], units))
    assert [row["overlap"] for row in bins] == pytest.approx([0.1, 0.3, 0.7, 0.9])
    assert [row["count"] for row in bins] == [2, 3, 1, 3]
    recall = [1 / 2, 2 / 3, 0.0, 2 / 3]
    assert [row["detection_recall_mean"] for row in bins] == pytest.approx(recall)
    errors = [math.sqrt(r * (1 - r) / n) for r, n in zip(recall, (2, 3, 1, 3), strict=True)]
    assert [row["detection_recall_se"] for row in bins] == pytest.approx(errors)
    ious = [row["mask_iou_mean"] for row in bins]
    assert ious == pytest.approx([0.8, 0.75, math.nan, 0.8], nan_ok=True)


def test_bins_hold_every_unit_once():
    random = np.random.default_rng(1)
    units = [
        {"overlap": overlap, "found": int(random.random() < 0.5), "iou": 0.5}
        for overlap in [*random.random(200), 0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    ]
    bins = summary(evaluation("overlap", [], units))
    assert sum(row["count"] for row in bins) == len(units)
    share = sum(row["count"] * row["detection_recall_mean"] for row in bins) / len(units)
    assert share == pytest.approx(np.mean([unit["found"] for unit in units]))


def test_measures_of_short_tables_are_scores():
    # Those that do not exist would be left out silently.
    import inspect

    text = inspect.getsource(SequenceScore.to_row)
    assert all(f'"{name}"' in text for name in MEASURES)
