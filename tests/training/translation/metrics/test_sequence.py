"""What is kept of a sequence, and of a sequence and its translation."""

import numpy as np
import pytest

from musim.simulator import Parameters, Range, draw, render
from musim.training.translation.metrics import (
    AlarmSettings,
    FeatureSettings,
    checkerboard,
    cross_correlate,
    inverted_share,
    label_survival,
    measure,
    similarity_map,
)
from musim.training.translation.metrics.sequence import beside, keep, most_active

SETTINGS = FeatureSettings(segment=0.1, lag=0.02)
RATE = 400.0


@pytest.fixture(scope="module")
def truth():
    parameters = Parameters(units=Range(3, 3), pixels=(66, 64), size=(33.0, 32.0), frames=60)
    return draw(parameters, seed=2)


def test_most_active():
    sequence = np.zeros((9, 4, 5), np.float32)
    sequence[[1, 4, 7], 2, 3] = 2, -1, 0.5
    sequence[5, 0, 0] = 1.5
    assert most_active(sequence) == ((2, 3), [1, 5, 7])


def test_a_sequence_is_kept_as_its_parts_measure_it(truth):
    sequence = render(truth)
    found = keep(sequence, RATE, SETTINGS, (5, 7), [3, 30])
    features = measure(sequence, RATE, SETTINGS)
    for name, values in vars(features).items():
        np.testing.assert_array_equal(found[name], values)
    standard = (sequence - sequence.mean(dtype=float)) / sequence.std(dtype=float)
    np.testing.assert_allclose(found["signal"], standard[:, 5, 7], atol=1e-5)
    np.testing.assert_allclose(found["frames"], standard[[3, 30]], atol=1e-5)
    assert found["instants"].tolist() == [3 / RATE, 30 / RATE]
    wanted = checkerboard(sequence)
    assert found["checkerboard"] == pytest.approx(wanted.strength)
    assert found["checkerboard_period"] == list(wanted.period)
    assert keep(sequence, RATE, SETTINGS, (0, 0), [])["frames"].shape == (0, 66, 64)


def test_a_translation_is_compared_as_its_parts_do(truth):
    before = render(truth)
    after = np.roll(before, 1, axis=0) * np.where(np.arange(64) < 32, 1, -1)
    found = beside(before, after, RATE, truth, SETTINGS, AlarmSettings())
    correlation = cross_correlate(before, after, RATE, SETTINGS.lag)
    for name, values in (("cross_correlation", correlation.maximum), ("lag", correlation.lag)):
        assert found[name]["mean"] == pytest.approx(np.nanmean(values))
        assert found[name]["sd"] == pytest.approx(np.nanstd(values, ddof=1))
        assert found[name]["count"] == np.isfinite(values).sum()
    assert found["inverted"] == inverted_share(correlation, AlarmSettings()) > 0
    maps = similarity_map(before, after)
    np.testing.assert_array_equal(found["difference"], maps.difference)
    np.testing.assert_array_equal(found["distance"], maps.distance)
    units = label_survival(truth, before, after, RATE)
    assert found["units"] == [vars(unit) for unit in units] != []
    assert beside(before, after, RATE, None, SETTINGS, AlarmSettings())["units"] == []
