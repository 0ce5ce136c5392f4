import dataclasses
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musim.simulator import InputError, Parameters, Range, draw
from musim.training.identification.metrics import score, summarise
from musim.training.identification.metrics.agreement import RateOfAgreement

RATE = 400.0
PERFECT = {
    "detection_precision", "detection_recall", "mask_precision", "mask_recall", "mask_iou",
    "mask_dice", "rate_of_agreement", "train_correlation", "train_correlation_lagged",
    "firing_precision", "firing_recall", "firing_precision_lagged", "firing_recall_lagged",
    "detection_precision_iou03", "detection_recall_iou03", "train_recall", "train_precision",
    "train_match_correlation", "firing_agreement", "train_firing_recall", "train_firing_precision",
    "firing_agreement_5ms", "firing_agreement_15ms",
}  # fmt: skip
FLAWLESS = {
    "missed", "false", "split", "merged", "train_lag", "firing_lag", "firing_rate_error",
    "interval_variation_error", "train_inverted", "train_firing_rate_error",
    "train_interval_variation_error",
}  # fmt: skip
DEFINED = {
    "detection_precision", "detection_recall", "detection_precision_iou03",
    "detection_recall_iou03", "train_recall", "train_precision",
}  # fmt: skip
CHANCE = {"train_chance", "train_wrong_share", "firing_chance"}
COUNTS = {"units", "predictions", "matches", "train_matches"}


@pytest.fixture(scope="module")
def drawn():
    """Masks, trains and firings of one sequence of 12 units."""
    truth = draw(Parameters(units=Range(12, 12)), seed=1)
    return truth.territory > 0.5, truth.twitch_train, truth.firing


def _train(*frames):
    train = np.zeros(400)
    train[list(frames)] = 1.0
    return train


def _firings(*rows):
    firings = np.full((len(rows), max(map(len, rows), default=0)), math.nan)
    for row, values in zip(firings, rows, strict=True):
        row[: len(values)] = values
    return firings


def _by_hand(strips):
    """Three true units, one of them not in the image; two found, one of them poorly; one false."""
    predicted = (
        strips("........####", "####........", ".......#...."),
        np.array([_train(50, 150, 250), _train(103, 203), _train(10)]),
        _firings([0.14, 0.24, 0.36], [0.1, 0.2, 0.32, 0.4], [0.5]),
        [0.9, 0.8, 0.7],
    )
    true = (
        strips("#####.......", "............", "......####..", "........###."),
        np.array([_train(100, 200, 300), _train(), _train(1), _train(50, 150)]),
        _firings([-0.01, 0.1, 0.2, 0.3, 0.4], [0.3], [0.7, 0.8], [0.1, 0.2, 0.32, 1.1]),
    )
    return score(*predicted, *true, RATE)


def test_by_hand(strips):
    result = _by_hand(strips)
    assert result.matching.predicted.tolist() == [0, 1]
    assert result.matching.true.tolist() == [3, 0]
    assert (result.matching.missed.tolist(), result.matching.false.tolist()) == ([2], [2])
    assert (result.faults.missed.tolist(), result.faults.false.tolist()) == ([2], [2])
    assert (result.precision, result.recall) == (2 / 3, 2 / 3)
    assert result.segmentation.precision.tolist() == [3 / 4, 1]
    assert result.segmentation.recall.tolist() == [1, 4 / 5]
    assert result.agreement == (RateOfAgreement(2, 1, 0), RateOfAgreement(2, 0, 1))
    # Of 400 frames 3 and 2 are 1, two of them in common.
    both = (2 / 400 - 6 / 400**2) / math.sqrt(3 / 400 * 397 / 400 * 2 / 400 * 398 / 400)
    none = both * (0 - 6 / 400**2) / (2 / 400 - 6 / 400**2)
    assert result.correlation.tolist() == [pytest.approx(both), pytest.approx(none)]
    assert result.train_lag.tolist() == [0, 3 / 400]
    # 0.14 - 0.10, 0.24 - 0.20 and 0.36 - 0.32 as they are; -0.01 lies before the trains, 1.1 after.
    counts = [(f.common, f.only_predicted, f.only_true) for f in result.firing]
    assert counts == [(0, 3, 3), (3, 1, 1)]
    np.testing.assert_allclose(result.predicted_rate, [2 / 0.22, 10])
    np.testing.assert_allclose(result.true_rate, [2 / 0.22, 10])
    np.testing.assert_allclose(result.true_variation, [math.sqrt(0.0002) / 0.11, 0], atol=1e-12)
    row = result.to_row()
    assert (row["units"], row["predictions"], row["matches"]) == (3, 3, 2)
    assert (row["missed"], row["false"], row["split"], row["merged"]) == (1, 1, 0, 0)
    assert row["mask_iou"] == pytest.approx((3 / 4 + 4 / 5) / 2)
    assert row["mask_precision"] == pytest.approx((3 / 4 + 1) / 2)
    assert row["mask_recall"] == pytest.approx((1 + 4 / 5) / 2)
    assert row["mask_dice"] == pytest.approx((6 / 7 + 8 / 9) / 2)
    assert row["rate_of_agreement"] == pytest.approx(2 / 3)
    assert row["firing_recall"] == row["firing_precision"] == 3 / 8
    # At lags of 5 to 15 ms all of the second match, at 25 to 35 ms all of the first and one of the
    # second. At 5 ms, and at 35 ms, the distances sum up to 30 ms.
    assert row["firing_lag"] == pytest.approx(0.005)
    counts = [(f.common, f.only_predicted, f.only_true) for f in result.lagged_firing]
    assert counts == [(0, 3, 3), (4, 0, 0)]
    assert row["firing_rate_error"] == pytest.approx(0, abs=1e-9)
    assert result.visible.tolist() == [0, 2, 3]
    assert result.largest_iou.tolist() == [3 / 4, 4 / 5, 1 / 4]
    assert (result.loose.true.tolist(), result.loose.missed.tolist()) == ([3, 0], [2])


def test_outlines_that_are_half_right_match_loosely(strips):
    predicted = strips("######..............", "........####........", "................###.")
    true = strips("..######............", ".........#######....", ".................###")
    result = score(predicted, None, None, np.ones(3), true, None, None, RATE)
    assert result.largest_iou.tolist() == [4 / 8, 3 / 8, 2 / 4]
    row = result.to_row()
    assert (row["detection_recall"], row["detection_recall_iou03"]) == (0, 1)
    assert (row["detection_precision"], row["detection_precision_iou03"]) == (0, 1)


def test_by_trains_by_hand(strips):
    """Outlines are all in the wrong place; of three trains two are found, one upside down."""
    time = np.arange(400) / RATE
    waves = [np.sin(2 * np.pi * rate * time) for rate in (5, 7, 11, 13)]
    firings = _firings([0.1, 0.3, 0.5, 0.7], [0.2, 0.4, 0.6], [0.15, 0.45, 0.8], [0.9])
    late = _firings([0.13, 0.335, 0.53, 0.9], [0.21, 0.42, 0.605], [0.2, 0.4, 0.6])
    result = score(
        strips("#.......", ".#......", "..#....."), np.array([waves[0], -waves[2], waves[3]]), late,
        [0.9, 0.8, 0.7],
        strips("....#...", "........", "......#.", ".......#"),
        np.array([waves[0], waves[3], waves[2], waves[1]]), firings, RATE,
    )  # fmt: skip
    by_trains = result.trains
    assert result.visible.tolist() == [0, 2, 3]
    assert by_trains.matching.predicted.tolist() == [0, 1]
    # The third prediction is the unit that does not show.
    assert result.visible[by_trains.matching.true].tolist() == [0, 2]
    assert by_trains.matching.false.tolist() == [2]
    # 0.13, 0.335 and 0.53 are 30 or 35 ms late; 0.9 is not found within 50 ms of 0.7.
    # Of 0.21, 0.42, 0.605 against 0.15, 0.45, 0.8 one fits at 40 ms early, none at less than 20.
    first, second = by_trains.firing
    assert (first.common, first.only_predicted, first.only_true) == (3, 1, 1)
    assert first.lag == pytest.approx(0.032, abs=0.0021)
    assert (second.common, second.only_predicted, second.only_true) == (1, 2, 2)
    row = result.to_row()
    assert (row["matches"], row["train_matches"], row["train_inverted"]) == (0, 2, 1)
    assert (row["train_recall"], row["train_precision"]) == (2 / 3, 2 / 3)
    assert row["train_match_correlation"] == pytest.approx(1)
    assert row["firing_agreement"] == pytest.approx((3 / 5 + 1 / 5) / 2)
    assert row["train_firing_recall"] == pytest.approx((3 / 4 + 1 / 3) / 2)
    assert row["train_firing_precision"] == pytest.approx((3 / 4 + 1 / 3) / 2)
    # Wrong: the first against 0.15, 0.45, 0.8 (0.13 fits) and 0.9 (it fits at once), the second
    # against 0.1, 0.3, 0.5, 0.7 (none comes within 60 ms) and 0.9 (none).
    assert by_trains.wrong_firing.shape == (2, 2)
    assert by_trains.wrong_firing[0].tolist() == [1 / 6, 1 / 4]
    assert row["firing_chance"] == pytest.approx(by_trains.wrong_firing.mean())
    assert 0 < row["train_chance"] < 0.3
    assert row["train_wrong_share"] == 0
    unbent = score(
        result.visible[:, None, None] >= 0, np.array([np.roll(wave, 4) for wave in waves[:3]]),
        None, np.ones(3), np.ones((3, 1, 1), bool), np.array(waves[:3]), None, RATE, lag_bound=0,
    )  # fmt: skip
    assert (unbent.trains.matching.lags == 0).all()


def test_faults_are_counted(strips):
    predicted = strips("###.........", "...###......", "......######")
    true = strips("######......", "......###...", ".........###")
    row = score(predicted, None, None, np.ones(3), true, None, None, RATE).to_row()
    assert (row["matches"], row["missed"], row["false"]) == (0, 0, 0)
    assert (row["split"], row["merged"]) == (1, 1)
    row = score(predicted[:2], None, None, np.ones(2), true, None, None, RATE).to_row()
    assert (row["missed"], row["false"], row["split"], row["merged"]) == (2, 0, 1, 0)
    row = score(predicted[2:], None, None, np.ones(1), true, None, None, RATE).to_row()
    assert (row["missed"], row["false"], row["split"], row["merged"]) == (1, 0, 0, 1)


def test_errors_of_rate_and_variation_by_hand(strips):
    masks = strips("##..", "..##")
    predicted, true = _firings([0.1, 0.2, 0.3], [0.1, 0.3]), _firings([0.1, 0.3, 0.6], [0.1, 0.2])
    row = score(masks, None, predicted, [2, 1], masks, None, true, RATE, (0, 1)).to_row()
    # 10 and 4 Hz; 5 and 10 Hz.
    assert row["firing_rate_error"] == pytest.approx((6 + 5) / 2)
    # Intervals of 0.2 and 0.3 s; of the second unit there is only one.
    assert row["interval_variation_error"] == pytest.approx(0.05 * math.sqrt(2) / 0.25)


def test_the_truth_itself_is_perfect(drawn):
    masks, trains, firings = drawn
    confidence = np.linspace(0, 1, len(masks))
    result = score(masks, trains, firings, confidence, masks, trains, firings, RATE)
    np.testing.assert_array_equal(result.matching.predicted, result.matching.true)
    row = result.to_row()
    assert set(row) == PERFECT | FLAWLESS | CHANCE | COUNTS
    for name in PERFECT:
        assert row[name] == pytest.approx(1, abs=1e-12), name
    for name in FLAWLESS:
        assert row[name] == 0, name
    for name in COUNTS:
        assert row[name] == 12, name
    for name in CHANCE:
        assert 0 <= row[name] < 0.7, name


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_the_order_of_units_and_predictions_has_no_influence(drawn, seed):
    masks, trains, firings = drawn
    random = np.random.default_rng(seed)
    blurred = masks ^ (random.random(masks.shape) < 0.02)
    noisy = trains + random.standard_normal(trains.shape) * 0.1 * trains.std()
    late = firings + 0.02 + 0.005 * random.standard_normal(firings.shape)
    found = (blurred[:10], noisy[:10], late[:10], random.permutation(10))
    rows, columns = random.permutation(10), random.permutation(12)
    straight = score(*found, *drawn, RATE).to_row()
    mixed = score(*(a[rows] for a in found), *(a[columns] for a in drawn), RATE).to_row()
    assert mixed == pytest.approx(straight, nan_ok=True)
    assert straight["firing_lag"] == pytest.approx(0.02, abs=0.004)
    assert straight["firing_recall_lagged"] > straight["firing_recall"]
    assert straight["detection_recall"] <= 10 / 12


def test_units_that_do_not_show_do_not_count(drawn):
    masks, trains, firings = drawn
    padded = [np.concatenate([a[:4], np.zeros_like(a[:2]), a[4:]]) for a in drawn]
    confidence = np.ones(len(masks))
    result = score(masks, trains, firings, confidence, *padded, RATE)
    assert result.matching.true.tolist() == [*range(4), *range(6, 14)]
    assert result.to_row()["detection_recall"] == 1
    assert result.to_row()["firing_recall"] == 1


def test_a_constant_delay_costs_the_scores_as_they_are_alone(drawn):
    masks, trains, firings = drawn
    late = np.concatenate([trains[:, :1].repeat(8, axis=1), trains[:, :-8]], axis=1)
    row = score(masks, late, firings + 0.02, np.ones(12), *drawn, RATE).to_row()
    assert row["train_correlation_lagged"] == pytest.approx(1)
    assert row["train_lag"] == pytest.approx(0.02)
    assert row["train_correlation"] < 0.9
    assert row["firing_recall_lagged"] == row["firing_precision_lagged"] == 1
    # Every lag of 0.005 to 0.035 s matches all; exact is the best of them.
    assert row["firing_lag"] == pytest.approx(0.02)
    assert row["firing_recall"] < 0.5
    unbent = score(masks, late, firings + 0.02, np.ones(12), *drawn, RATE, lag_bound=0).to_row()
    assert unbent["train_correlation_lagged"] == unbent["train_correlation"]
    assert unbent["firing_recall_lagged"] == unbent["firing_recall"]


def test_the_window_bounds_the_firings(drawn):
    masks, trains, firings = drawn
    inside = np.where((firings >= 0.2) & (firings < 0.6), firings, math.nan)
    confidence = np.ones(12)
    whole = score(masks, trains, inside, confidence, *drawn, RATE).to_row()
    assert whole["firing_recall"] < 0.6
    part = score(masks, trains, inside, confidence, *drawn, RATE, (0.2, 0.6)).to_row()
    assert part["firing_recall"] == part["firing_precision"] == 1
    assert part["rate_of_agreement"] == 1


@pytest.mark.parametrize(("predictions", "units"), [(0, 3), (3, 0), (0, 0)])
def test_sequences_without_units_or_predictions(drawn, predictions, units):
    found = [array[:predictions] for array in drawn]
    row = score(*found, np.ones(predictions), *(array[:units] for array in drawn), RATE).to_row()
    right = 1 if predictions == units else 0
    assert row["detection_precision"] == pytest.approx(
        math.nan if predictions < units else right, nan_ok=True
    )
    assert row["detection_recall"] == pytest.approx(
        math.nan if predictions > units else right, nan_ok=True
    )
    for name in ("train_{}", "detection_{}_iou03"):
        for which in ("recall", "precision"):
            wanted = pytest.approx(row[f"detection_{which}"], nan_ok=True)
            assert row[name.format(which)] == wanted
    assert (row["missed"], row["false"], row["matches"]) == (units, predictions, 0)
    for name in (PERFECT | CHANCE) - DEFINED:
        assert math.isnan(row[name]), name


def test_trains_and_firings_may_be_missing(drawn, refused):
    masks, trains, firings = drawn
    confidence = np.ones(12)
    row = score(masks, None, None, confidence, masks, trains, firings, RATE).to_row()
    assert row["detection_recall"] == row["mask_iou"] == 1
    for name in ("rate_of_agreement", "train_correlation", "train_lag", "firing_recall",
                 "train_recall", "train_matches", "firing_agreement", "firing_chance"):  # fmt: skip
        assert math.isnan(row[name]), name
    row = score(masks, None, firings, confidence, masks, None, firings, RATE, (0, 1)).to_row()
    assert row["firing_recall"] == 1
    assert math.isnan(row["train_correlation"])
    row = score(masks, trains, None, confidence, masks, trains, firings, RATE).to_row()
    assert row["rate_of_agreement"] == row["train_recall"] == 1
    assert math.isnan(row["firing_lag"])
    assert math.isnan(row["firing_agreement"])
    assert math.isnan(row["firing_chance"])
    with refused("window: found none, wanted start and end"):
        score(masks, None, firings, confidence, masks, None, firings, RATE)


def test_nothing_found_needs_no_frames(drawn):
    masks = drawn[0]
    nothing = masks[:0], np.zeros((0, 0)), np.zeros((0, 0)), []
    assert score(*nothing, *drawn, RATE).to_row()["detection_recall"] == 0
    assert score(*nothing, masks[:0], None, None, RATE).to_row()["detection_recall"] == 1


def test_the_threshold_decides_what_is_found(strips):
    masks = strips("####"), strips("###.")
    for threshold, matches in ((0.7, 1), (0.75, 0)):
        result = score(masks[0], None, None, [1.0], masks[1], None, None, RATE, threshold=threshold)
        assert result.matching.matches == matches


def test_rows_of_sequences_can_be_summarised(drawn):
    masks, trains, firings = drawn
    found = masks[:9], trains[:9], firings[:9], np.ones(9)
    rows = [{**score(*found, *drawn, RATE).to_row(), "snr": snr} for snr in (10, 20, 10)]
    groups = summarise(rows)
    assert [(g["units"], g["snr"], g["sequences"]) for g in groups] == [(12, 10, 2), (12, 20, 1)]
    assert groups[0]["detection_recall_mean"] == 0.75
    assert groups[0]["detection_recall_sd"] == 0


def test_scores_cannot_be_changed(strips):
    with pytest.raises(dataclasses.FrozenInstanceError):
        _by_hand(strips).recall = 1.0


def test_what_does_not_fit_is_refused(drawn):
    masks, trains, firings = drawn
    good = [masks, trains, firings, np.ones(12), masks, trains, firings, RATE]
    for place, value, message in (
        (0, masks.astype(float), "predicted masks: found float64"),
        (4, masks[:, 1:], r"predicted masks: found \(64, 64\) pixels"),
        (
            1,
            trains[1:],
            r"predicted trains: found shape \(11, 400\), wanted a row for each of .*12",
        ),
        (5, trains[0], "true trains: found shape"),
        (2, firings[:3], "predicted firings: found shape"),
        (6, firings[0], "true firings: found shape"),
        (3, np.ones(3), "confidence: found 3 values"),
        (5, trains[:, 1:], "predicted train: found 400 frames"),
        (1, np.where(trains > 0.1, math.nan, trains), "train: found shape"),
        (7, 0.0, "frame rate: found 0.0 Hz"),
    ):
        with pytest.raises(InputError, match=message):
            score(*good[:place], value, *good[place + 1 :])


def test_metrics_need_no_torch():
    program = (
        "import sys, musim.training.identification.metrics;"
        "sys.exit(any(name in sys.modules for name in ('torch', 'numba', 'zarr')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_firings_are_scored_more_and_less_strictly_at_the_same_lag():
    random = np.random.default_rng(0)
    train, mask = random.standard_normal((1, 400)), np.ones((1, 2, 2), bool)
    true = np.array([[0.1, 0.2, 0.3, 0.4, 0.5]])
    # Late by 20 ms, and by 0, 0, 4, 8 and 14 ms more.
    found = true + 0.02 + np.array([[0, 0, 0.004, 0.008, 0.014]])
    row = score(mask, train, found, [1.0], mask, train, true, RATE).to_row()
    assert row["firing_agreement_15ms"] == 1
    assert row["firing_agreement_5ms"] < row["firing_agreement"] <= 1
    # Intervals of 0.1 s in the mean against 0.1035.
    assert row["train_firing_rate_error"] == pytest.approx(10 - 1 / 0.1035, abs=1e-6)
    assert row["train_interval_variation_error"] > 0


# The published scores, as they were before there were scores of firings


@pytest.mark.parametrize("firings", [None, "true", "late", "none"])
def test_the_published_scores_are_of_peaks_of_velocity_whatever_firings_are_found(strips, firings):
    """Fixed input: RoA and those by outlines are of peaks and pixels, and 15 ms are as they are."""
    # Four peaks in common, of which one is 6 frames (15 ms) off; 7 frames are too far.
    true = _train(30, 80, 130, 180, 230, 280)
    predicted = _train(30, 86, 130, 187, 230, 330)
    instants = np.array([0.075, 0.2, 0.325, 0.45, 0.575, 0.7])
    given = {"true": instants, "late": instants + 0.04, "none": np.full(6, np.nan)}
    row = score(
        strips("#####......."), predicted[None],
        None if firings is None else given[firings][None], [1.0],
        strips("###........."), true[None], instants[None], RATE,
    ).to_row()  # fmt: skip
    assert row["rate_of_agreement"] == 4 / 8
    published = ("detection_recall", "detection_precision", "mask_recall", "mask_precision")
    assert [row[name] for name in published] == [1, 1, 1, 3 / 5]
    # Firings as they are, without any lag, within 15 ms.
    recall = {None: math.nan, "true": 1.0, "late": 0.0, "none": 0.0}[firings]
    assert row["firing_recall"] == pytest.approx(recall, nan_ok=True)
    lagged = {None: math.nan, "true": 1.0, "late": 1.0, "none": 0.0}[firings]
    assert row["firing_recall_lagged"] == pytest.approx(lagged, nan_ok=True)
