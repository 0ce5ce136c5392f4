"""Tables of an evaluation against the same by hand."""

import dataclasses
import math

import numpy as np
import pytest

from musim.training.identification.by_rate import by_firing_rate
from musim.training.identification.metrics import score
from musim.training.identification.metrics.emg_rules import (
    RULES,
    score_at_tolerances,
    to_row,
)
from musim.training.identification.rows import IdentificationEvaluation
from musim.training.identification.tables import (
    BRIEF,
    FIRING_MEASURES,
    MASK_MEASURES,
    TRAIN_MEASURES,
    calibration,
    difficulties,
    rules_tables,
    short_tables,
    summary,
)


def evaluation(axis, sequences=(), units=(), predictions=(), rules=""):
    return IdentificationEvaluation(
        "refine", "p", axis, list(sequences), list(units), list(predictions), rules
    )


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


def test_units_found_by_train_and_loosely_are_binned_beside_those_found_by_outline():
    units = [
        {"overlap": o, "found": f, "found_iou03": loose, "train_found": t, "iou": 0.6}
        for o, f, loose, t in ((0.1, 1, 1, 1), (0.1, 0, 1, 1), (0.9, 0, 0, 1), (0.9, 0, 1, 0))
    ]
    low, high = summary(evaluation("overlap", [], units))
    recalls = ("train_recall", "detection_recall_iou03", "detection_recall")
    assert [low[f"{name}_mean"] for name in recalls] == [1, 1, 0.5]
    assert [high[f"{name}_mean"] for name in recalls] == [0.5, 0.5, 0]
    assert [low[f"{name}_se"] for name in recalls] == pytest.approx([0, 0, math.sqrt(0.125)])
    assert "rules_recall_mean" not in low
    ruled = [{**row, "rules_found": n % 2, "rules_found_5ms": 1} for n, row in enumerate(units)]
    tables = short_tables(evaluation("overlap", [], ruled, rules="munitquest"))
    of_rules = {table.title: table for table in tables if "munitquest" in table.title}
    within = of_rules["By firings, rules munitquest, within 1 ms"]
    assert (within.headings, within.rows[0]) == (
        ("overlap", "n", "recall"), ["0.1", "2", "0.500±.35"],
    )  # fmt: skip
    assert len(of_rules) == 2


def test_of_units_that_can_be_seen_those_found_by_train_are_counted_by_overlap():
    units = [
        {"overlap": 0.1, "found": 0, "train_found": found, "iou": 0.0, "identifiable": can}
        for found, can in ((1, 1), (1, 1), (0, 1), (0, 0), (0, None))
    ]
    (row,) = summary(evaluation("overlap", [], units))
    assert row["train_recall_mean"] == pytest.approx(2 / 5)
    assert row["train_recall_identifiable_mean"] == pytest.approx(2 / 3)
    assert row["train_recall_identifiable_se"] == pytest.approx(math.sqrt(2 / 9 / 3))


def test_confidence_is_compared_with_the_share_that_is_true_by_train():
    def predicted(snr, *pairs):
        return [
            {"units": 5, "snr": snr, "confidence": confidence, "train_matched": matched}
            for confidence, matched in pairs
        ]

    sequences = rows((5, 10.0, 1.0, 1.0), (5, 20.0, 1.0, 1.0), (5, math.inf, 0.0, math.nan))
    # Of two given 0.8 both are true at 10 dB, none of two at 20 dB; nothing is found without noise.
    predictions = [
        *predicted(10.0, (0.8, 1), (0.8, 1), (0.35, 0)), *predicted(20.0, (0.8, 0), (0.8, 0)),
    ]  # fmt: skip
    found = evaluation("units", sequences, predictions=predictions)
    groups = summary(found)
    assert [row["calibration_count"] for row in groups] == [3, 2, 0]
    assert [row["calibration_error"] for row in groups] == pytest.approx(
        [(2 * 0.2 + 0.35) / 3, 0.8, math.nan], nan_ok=True
    )
    whole, count = calibration(found)
    assert (whole, count) == (pytest.approx((4 * 0.3 + 0.35) / 5), 5)
    (one,) = summary(evaluation("", sequences, predictions=predictions))
    assert (one["calibration_error"], one["calibration_count"]) == (whole, 5)


def test_without_rows_of_predictions_there_is_no_calibration():
    older = evaluation("units", rows((5, 10.0, 1.0, 1.0)))
    assert not any("calibration" in name for row in summary(older) for name in row)
    assert calibration(older) == (pytest.approx(math.nan, nan_ok=True), 0)


def test_measures_of_short_tables_are_scores():
    # Those that do not exist would be left out silently.
    masks = np.ones((1, 2, 2), bool)
    row = score(masks, None, None, [1.0], masks, None, None, 400.0).to_row()
    assert {*TRAIN_MEASURES, *FIRING_MEASURES, *MASK_MEASURES} <= {
        *row, "firing_oracle", "train_recall_identifiable"
    }  # fmt: skip
    ruled = {
        name for one in rules_tables(evaluation("", rules="munitquest")).values() for name in one
    }
    known = to_row(score_at_tolerances([], [], (0, 1), RULES["munitquest"]))
    assert set(known) - ruled == {"rules_kept"}
    assert ruled <= set(known)
    assert {*TRAIN_MEASURES, *FIRING_MEASURES, *MASK_MEASURES, *ruled} > BRIEF


def test_firings_are_told_by_the_true_units_rates():
    units = [
        {"firing_rate": rate, "train_found": found, "firing_agreement": agreement,
         "firing_chance": 0.3, "firing_oracle": 0.9}
        for rate, found, agreement in (
            (9.0, 1, 1.0), (12.9, 1, 0.5), (13.0, 0, math.nan), (40.0, 1, 0.25), (math.nan, 1, 1.0),
        )
    ]  # fmt: skip
    sequences = [{"train_recall": 1.0}]
    evaluation = IdentificationEvaluation("ica", "a.zarr", "", sequences, units)
    table = short_tables(evaluation)[-1]
    assert table.headings == ("Hz", "units", "recall", "firings", "chance", "oracle")
    assert table.rows == [
        ["8-13", "2", "1.000", "0.750", "0.300", "0.900"],
        ["13-20", "1", "0.000", "–", "0.300", "0.900"],
        ["35 and more", "1", "1.000", "0.250", "0.300", "0.900"],
    ]
    first, second, _ = by_firing_rate(evaluation)
    assert first["firing_agreement_sd"] == pytest.approx(np.std([1, 0.5], ddof=1))
    assert math.isnan(second["firing_chance_sd"])
    # Earlier versions knew no chance of single units, and before, no rates.
    older = [{name: row[name] for name in ("firing_rate", "train_found", "firing_agreement")}
             for row in units]  # fmt: skip
    evaluation = dataclasses.replace(evaluation, units=older)
    assert short_tables(evaluation)[-1].rows[0] == ["8-13", "2", "1.000", "0.750", "–", "–"]
    assert by_firing_rate(dataclasses.replace(evaluation, units=[{"train_found": 1}])) == []
