"""Of units that are given 0.8, 80 % are true."""

import numpy as np
import pytest

from benchmarks.confidence import (
    One,
    analytic,
    fitted,
    found_in,
    line,
    parts_of,
    quick_experiment,
    truth_of,
)
from musim.training.identification.confidence.model import joint, signs_of
from musim.training.identification.metrics.calibration import area_under_curve, calibration_error

SEED = 4000
"""Neither learned from nor looked at."""


def small_set(of_each):
    """Recordings at several difficulties, of which the last ones mislead methods."""
    for number, (snr, rate) in enumerate([(10, (8, 13)), (-5, (15, 20))]):
        yield One("analytic", str(number), lambda s=snr, r=rate: analytic(SEED, 15, s, r),
                  ("refine", "velbss"))  # fmt: skip
    for preset in ("easy", "typical", "hard"):
        for index in range(of_each):
            yield One(f"quick, {preset}", str(index),
                      lambda i=index, p=preset: quick_experiment(SEED, i, p, small=True),
                      ("refine", "stica"))  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_confidence_means_what_it_says(tmp_path, scaled):
    recordings = list(small_set(scaled(2)))
    rows = [row for one in recordings for row in found_in(one, tmp_path)]
    parts, true = parts_of(rows), truth_of(rows)
    sure = joint(parts)
    assert 0.2 < true.mean() < 0.95
    # The error of so few units by chance alone, were they calibrated.
    random = np.random.default_rng(0)
    chance = np.mean([calibration_error(sure, random.random(len(sure)) < sure) for _ in range(50)])
    assert calibration_error(sure, true) < 0.08 + chance
    assert area_under_curve(sure, true) > 0.8
    assert area_under_curve(sure, true) > area_under_curve(parts.method_confidence, true)
    # What was found stays.
    assert [row for one in recordings for row in found_in(one, tmp_path)] == rows


def test_a_regression_finds_the_weights_that_made_the_truth():
    random = np.random.default_rng(1)
    signs = random.normal(size=(20_000, 3)) * (1, 2, 0.5) + (0, 1, 2)
    odds = 0.5 + signs @ (1.5, 0.7, -0.8)
    true = random.random(len(odds)) < 1 / (1 + np.exp(-odds))
    first, slopes = fitted(signs[:, :2], true)
    assert slopes == pytest.approx([1.5, 0.7], abs=0.12)
    _, kept = fitted(signs, true)
    assert kept[2] == 0  # what would count the wrong way does not count
    assert first == pytest.approx(0.5 - 0.8 * 2, abs=0.2)


def test_a_row_of_the_table_is_counted():
    unit = {
        "kind": "k", "recording": "r", "method": "m", "method_confidence": 0.9,
        "map_repeatability": 0.9, "train_repeatability": 0.9, "firing_repeatability": 0.9,
        "pulse_to_noise": 5.0, "local_share": 0.9, "local_share_of_all": 1.0, "mixture_share": 0.0,
        "stronger_likeness": 0.1, "interval_variation": 0.2, "area": 30.0, "epoch_jaccard": None,
        "epoch_agreement": None,
    }  # fmt: skip
    rows = [unit | {"true": True}, unit | {"true": False, "map_repeatability": 0.01}]
    parts = parts_of(rows)
    assert np.isnan(parts.epoch_jaccard).all()
    assert signs_of(parts).shape[0] == 2
    cells = [cell.strip() for cell in line("k", rows).strip("|").split("|")]
    assert cells[:3] == ["k", "2", "0.50"]
    assert float(cells[3]) == pytest.approx(joint(parts).mean(), abs=0.01)
    assert cells[6:] == ["1.00", "0.50"]
