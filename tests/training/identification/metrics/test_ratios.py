import math

import numpy as np
import pytest

from musim.training.identification.metrics.ratios import (
    agreement_rate,
    known,
    mean_of_known,
    precision_and_recall,
)


@pytest.mark.parametrize(
    ("counts", "precision", "recall"),
    [
        ((3, 1, 2), 3 / 4, 3 / 5),
        ((4, 0, 0), 1, 1),
        ((0, 2, 3), 0, 0),
        ((0, 0, 0), 1, 1),
        ((0, 0, 3), math.nan, 0),
        ((0, 3, 0), 0, math.nan),
    ],
)
def test_precision_and_recall(counts, precision, recall):
    assert precision_and_recall(*counts) == pytest.approx((precision, recall), nan_ok=True)


def test_agreement_rate():
    assert agreement_rate(7, 3, 2) == 7 / 12
    assert agreement_rate(0, 1, 0) == 0
    assert agreement_rate(0, 0, 0) == 1


def test_means_leave_out_what_is_not_known():
    assert known([1.0, math.nan, 3.0]).tolist() == [1, 3]
    assert mean_of_known(np.array([1.0, math.nan, 4.0])) == 2.5
    assert math.isnan(mean_of_known([]))
    assert math.isnan(mean_of_known([math.nan]))


def test_a_silent_detector_gains_no_precision():
    # Right once in two where it speaks, silent in a sequence of three units.
    scores = [precision_and_recall(1, 1, 0), precision_and_recall(0, 0, 3)]
    precision, recall = (mean_of_known(values) for values in zip(*scores, strict=True))
    assert (precision, recall) == (0.5, 0.5)
