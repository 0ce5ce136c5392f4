import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musim.training.identification.metrics import summarise

ROWS = [
    {"units": 5, "snr": math.inf, "recall": 1.0, "precision": math.nan},
    {"units": 5, "snr": 10.0, "recall": 0.5, "precision": math.nan},
    {"units": 1, "snr": 10.0, "recall": 1.0, "precision": 0.25},
    {"units": 5, "snr": math.inf, "recall": 0.5, "precision": 0.75},
    {"units": 5, "snr": math.inf, "recall": 0.0, "precision": 0.25},
]


def test_by_hand():
    one, noisy, clean = summarise(ROWS)
    assert [(group["units"], group["snr"]) for group in (one, noisy, clean)] == [
        (1, 10),
        (5, 10),
        (5, math.inf),
    ]
    assert list(clean) == [
        "units", "snr", "sequences", "recall_mean", "recall_sd", "recall_count",
        "precision_mean", "precision_sd", "precision_count",
    ]  # fmt: skip
    assert [clean["sequences"], clean["recall_count"], clean["precision_count"]] == [3, 3, 2]
    assert (clean["recall_mean"], clean["precision_mean"]) == (0.5, 0.5)
    assert clean["recall_sd"] == 0.5  # with n - 1
    assert clean["precision_sd"] == pytest.approx(math.sqrt(0.125))
    assert (one["recall_mean"], one["recall_count"]) == (1, 1)
    assert math.isnan(one["recall_sd"])
    assert (noisy["precision_count"], noisy["sequences"]) == (0, 1)
    assert math.isnan(noisy["precision_mean"])


def test_other_groups():
    by_units = summarise(ROWS, by=["units"])
    assert [group["sequences"] for group in by_units] == [1, 4]
    assert by_units[1]["snr_mean"] == math.inf
    assert math.isnan(by_units[1]["snr_sd"])
    (all_of_them,) = summarise([{"recall": row["recall"]} for row in ROWS], by=[])
    assert all_of_them["recall_mean"] == pytest.approx(0.6)
    assert summarise([]) == []


@given(st.lists(st.tuples(st.integers(0, 2), st.floats(-1, 1)), max_size=12), st.integers(0, 99))
def test_groups_are_those_of_the_standard_library(pairs, seed):
    rows = [{"units": np.int64(units), "score": score} for units, score in pairs]
    mixed = [rows[i] for i in np.random.default_rng(seed).permutation(len(rows))]
    groups = summarise(mixed, by=["units"])
    assert [group["units"] for group in groups] == sorted({units for units, _ in pairs})
    for group in groups:
        values = [score for units, score in pairs if units == group["units"]]
        assert group["sequences"] == group["score_count"] == len(values)
        assert group["score_mean"] == pytest.approx(statistics.mean(values), abs=1e-12)
        if len(values) > 1:
            assert group["score_sd"] == pytest.approx(statistics.stdev(values), abs=1e-12)


def test_rows_that_cannot_be_grouped_are_refused(refused):
    with refused("rows: found no 'depth' to group by", "units, snr"):
        summarise(ROWS, by=["depth"])
    with refused("rows: found 'dice' in some only (row 5)"):
        summarise([*ROWS, {**ROWS[0], "dice": 1.0}])
    with refused("rows: found 'recall' in some only (row 1)"):
        summarise([ROWS[0], {"units": 1, "snr": 1, "precision": 1}])
    with refused("rows: found NaN to group by (row 0)"):
        summarise([{**ROWS[0], "snr": math.nan}])
