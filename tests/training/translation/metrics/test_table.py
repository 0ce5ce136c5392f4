"""The table: all pairs and no others, means and SDs, the paper's rows, and how they are written."""

import csv
import io
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musim.training.csv_tables import csv_text
from musim.training.translation.metrics import METRICS, PAPER, Features, FeatureSettings, compare
from musim.training.translation.metrics.features import histogram, k_space
from musim.training.translation.metrics.spatial import (
    bhattacharyya,
    correlations,
    structural_similarities,
)
from musim.training.translation.metrics.table import (
    EXPERIMENTAL,
    NO_TRANSLATION,
    PAIR_METRICS,
    Row,
    Score,
    cross_row,
    plain,
    pool,
    score_of,
    table_row,
    within_row,
)

SETTINGS = FeatureSettings(bins=8, window=3)


def features(seed):
    random = np.random.default_rng(seed)
    return Features(random.lognormal(size=(12, 11)).astype(np.float32), np.arange(0.0, 64, 4),
                    random.lognormal(size=16))  # fmt: skip


FIRST, SECOND = [features(seed) for seed in range(3)], [features(seed) for seed in range(3, 7)]


def slowly(one, other):
    """The four scores of one pair."""
    a, b = (histogram(each.variance, SETTINGS) for each in (one, other))
    images = [k_space(each.variance, SETTINGS)[None] for each in (one, other)]
    inside = (one.frequency >= 5) & (one.frequency <= 50)
    spectra = [np.log(each.spectrum[inside]) for each in (one, other)]
    return {
        "histogram_distance": bhattacharyya(a[None], b[None])[0, 0],
        "histogram_correlation": correlations(a[None], b[None])[0, 0],
        "k_space_similarity": structural_similarities(*images, 3)[0, 0],
        "spectrum_correlation": np.corrcoef(*spectra)[0, 1],
    }


def test_every_pair_is_compared():
    found = compare(FIRST, SECOND, SETTINGS)
    assert list(found) == list(PAIR_METRICS)
    for row, one in enumerate(FIRST):
        for column, other in enumerate(SECOND):
            for name, value in slowly(one, other).items():
                assert found[name][row, column] == pytest.approx(value, abs=1e-12)


def test_rows_run_over_all_pairs():
    pairs = [slowly(one, other) for one in FIRST for other in SECOND]
    row = cross_row("mine", FIRST, SECOND, SETTINGS)
    assert (row.direction, row.name, row.sequences, row.pairs) == ("Sim to Exp", "mine", 3, 12)
    for name, score in row.scores.items():
        values = [pair[name] for pair in pairs]
        assert (score.mean, score.sd) == pytest.approx((np.mean(values), np.std(values, ddof=1)))
        assert score.count == 12


def test_a_domain_is_compared_with_itself_without_its_own_sequences():
    pairs = [slowly(SECOND[i], SECOND[j]) for i in range(4) for j in range(4) if i != j]
    row = within_row(SECOND, SETTINGS)
    assert (row.direction, row.name) == (EXPERIMENTAL, NO_TRANSLATION)
    assert (row.sequences, row.pairs) == (4, 6)
    for name, score in row.scores.items():
        assert score.mean == pytest.approx(np.mean([pair[name] for pair in pairs]))
    # A single sequence has no other: nothing is known, and it is not 1.
    row = within_row(SECOND[:1], SETTINGS)
    assert row.pairs == 0
    assert {str(score) for score in row.scores.values()} == {"–"}


def test_scores_by_hand():
    score = score_of([[1.0, 2.0], [math.nan, 6.0]])
    assert score == Score(3.0, math.sqrt(7.0), 3)
    assert str(score) == "3.00 (2.65)"
    assert str(score_of([0.5])) == "0.50"
    assert score_of([]).count == score_of([math.nan]).count == 0


@given(st.lists(st.lists(st.floats(-100, 100), max_size=5), max_size=5))
def test_pooled_scores_are_those_of_all_values(groups):
    found = pool([score_of(group) for group in groups])
    wanted = score_of([value for group in groups for value in group])
    assert found.count == wanted.count
    assert found.mean == pytest.approx(wanted.mean, abs=1e-9, nan_ok=True)
    assert found.sd == pytest.approx(wanted.sd, abs=1e-6, nan_ok=True)


def test_the_papers_rows():
    # Ali et al. 2022, Table 1, as printed.
    printed = """\
0.33 (0.11) 0.54 (0.26) 0.32 (0.18) 0.96 (0.01)
0.43 (0.10) 0.32 (0.19) 0.49 (0.12) 0.90 (0.02) 0.61 (0.09) -2.00 (64.60)
0.39 (0.11) 0.39 (0.20) 0.65 (0.14) 0.96 (0.01) 0.51 (0.07) -1.90 (70.80)
0.25 (0.09) 0.67 (0.21) 0.49 (0.08) 0.90 (0.02) 0.89 (0.04) 1.30 (2.40)
0.27 (0.12) 0.65 (0.25) 0.63 (0.09) 0.97 (0.01) 0.93 (0.03) -1.70 (2.20)
0.25 (0.10) 0.69 (0.23) 0.65 (0.10) 0.97 (0.01) 0.93 (0.03) 1.40 (2.20)
0.26 (0.11) 0.66 (0.25) 0.74 (0.12) 0.98 (0.01)"""
    rows = [" ".join(str(row.scores[name]) for name in METRICS if name in row.scores)
            for row in PAPER]  # fmt: skip
    assert rows == printed.splitlines()
    assert [row.name for row in PAPER if row.direction == "Exp to Exp"] == [NO_TRANSLATION]
    assert len({(row.direction, row.name) for row in PAPER}) == 7


def test_rows_are_written_by_column():
    row = Row("Sim to Exp", "a,b", {"lag": Score(-1.25, math.nan, 1)}, 2, 8)
    values = table_row(row)
    assert list(values)[:4] == ["direction", "translation", "sequences", "pairs"]
    assert list(values)[4:] == [each for name in METRICS for each in (name, f"{name}_sd")]
    (read,) = csv.DictReader(io.StringIO(csv_text([values])))
    assert (read["translation"], read["pairs"], read["lag"], read["lag_sd"]) == (
        "a,b", "8", "-1.25", ""
    )  # fmt: skip
    assert read["cross_correlation"] == ""
    assert csv_text([]) == ""


def test_json_knows_no_nan():
    found = plain({"a": [1.5, math.nan], "b": ({"c": math.nan},), "d": "x"})
    assert found == {"a": [1.5, None], "b": [{"c": None}], "d": "x"}
    json.dumps(found, allow_nan=False)
