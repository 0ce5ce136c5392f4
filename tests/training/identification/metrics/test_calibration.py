"""Calibration error by hand, and of predictions that are as sure as they are right."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musim.training.identification.metrics.calibration import (
    area_under_curve,
    calibration_error,
    log_loss,
)


def _error_slowly(confidence, true, bins):
    total = 0.0
    for place in range(bins):
        inside = [
            (c, t)
            for c, t in zip(confidence, true, strict=True)
            if place <= c * bins < place + 1 or (place == bins - 1 and c == 1)
        ]
        if inside:
            mean, share = (np.mean(values) for values in zip(*inside, strict=True))
            total += len(inside) / len(confidence) * abs(mean - share)
    return total


def test_by_hand():
    # Bin 0.8 to 0.9: mean 0.85, half are true. Bin 0.1 to 0.2: mean 0.1, none is. 1.0: it is.
    error = calibration_error([0.8, 0.89, 0.86, 0.85, 0.1, 1.0], [1, 0, 0, 1, 0, 1])
    assert error == pytest.approx((4 * 0.35 + 1 * 0.1 + 0) / 6)


def test_edges_belong_to_the_bin_above():
    # 0.3 with 0.39, not with 0.2: the two that are off in opposite ways cancel in one bin alone.
    assert calibration_error([0.3, 0.39], [1, 0]) == pytest.approx(0.31 / 2)
    assert calibration_error([0.3, 0.2], [1, 0]) == pytest.approx((0.7 + 0.2) / 2)
    # 1 lies in the last bin, with 0.9.
    assert calibration_error([1.0, 0.9], [0, 1]) == pytest.approx(0.9 / 2)


def test_of_units_given_0_8_four_in_five_are_true():
    assert calibration_error([0.8] * 10, [1] * 8 + [0] * 2) == pytest.approx(0, abs=1e-12)
    assert calibration_error([0.0, 1.0], [0, 1]) == 0
    assert calibration_error([0.0, 1.0], [1, 0]) == 1


@given(
    st.lists(st.tuples(st.integers(0, 64).map(lambda n: n / 64), st.booleans()), min_size=1),
    st.sampled_from([1, 2, 10]),
)
def test_the_slow_version_says_the_same(predictions, bins):
    confidence, true = zip(*predictions, strict=True)
    found = calibration_error(confidence, true, bins)
    assert found == pytest.approx(_error_slowly(confidence, true, bins))
    assert 0 <= found <= 1
    assert calibration_error(confidence[::-1], true[::-1], bins) == pytest.approx(found)


def test_without_predictions_nothing_is_known():
    assert math.isnan(calibration_error([], []))


@pytest.mark.parametrize("confidence", [[1.1], [-0.1], [math.nan], [0.5, 0.5]])
def test_what_is_no_confidence_is_refused(confidence, refused):
    with refused("confidence: found shape"):
        calibration_error(confidence, [1])


def test_the_area_is_how_often_the_true_one_is_surer():
    assert area_under_curve([0.9, 0.8, 0.8, 0.1], [True, True, False, False]) == (2 + 1.5) / 4
    assert math.isnan(area_under_curve([0.9, 0.8], [1, 1]))
    assert math.isnan(area_under_curve([], []))


@given(st.lists(st.tuples(st.integers(0, 8).map(lambda n: n / 8), st.booleans()), max_size=40))
def test_area_and_loss_are_those_of_scikit_learn(predictions):
    from sklearn import metrics

    sure = [0.01 + 0.9 * c for c, _ in predictions]
    true = [t for _, t in predictions]
    if len(set(true)) < 2:
        return
    assert area_under_curve(sure, true) == pytest.approx(metrics.roc_auc_score(true, sure))
    assert log_loss(sure, true) == pytest.approx(metrics.log_loss(true, sure))


def test_loss_of_what_was_sure_and_wrong_is_large_and_finite():
    assert log_loss([0.5, 0.25], [1, 0]) == pytest.approx(-(math.log(0.5) + math.log(0.75)) / 2)
    assert log_loss([1.0, 0.0], [1, 0]) == 0
    assert 30 < log_loss([0.0], [1]) < 40
    assert math.isnan(log_loss([], []))


@pytest.mark.parametrize("measure", [area_under_curve, calibration_error, log_loss])
def test_a_truth_for_each_is_wanted(measure, refused):
    with refused("confidence: found shape (2,) for 3 predictions"):
        measure([0.5, 0.5], [1, 0, 1])
