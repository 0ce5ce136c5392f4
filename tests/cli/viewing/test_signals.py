"""Signals are reduced to what is seen of them."""

import numpy as np
import pytest

from musim.cli.viewing.signals import mean_about, reduced


def test_short_signals_stay_as_they_are():
    signals = np.arange(12, dtype=np.float32).reshape(2, 6)
    frames, values = reduced(signals, 100, 6)
    np.testing.assert_array_equal(frames, np.arange(100, 106))
    np.testing.assert_array_equal(values, signals)


@pytest.mark.parametrize(("count", "points"), [(1000, 64), (1001, 7), (50, 48)])
def test_long_ones_keep_the_extremes_of_each_span(count, points):
    signals = np.random.default_rng(1).standard_normal((3, count)).astype(np.float32)
    signals[1, 5] = np.nan
    frames, values = reduced(signals, 10, points)
    assert len(frames) == values.shape[1] <= points
    assert (np.diff(frames) > 0).all()
    assert frames[0] == 10
    assert frames[-1] < 10 + count
    spans = points // 2
    for span in range(spans):
        part = signals[:, span * count // spans : (span + 1) * count // spans]
        np.testing.assert_array_equal(values[:, 2 * span], np.nanmin(part, axis=1))
        np.testing.assert_array_equal(values[:, 2 * span + 1], np.nanmax(part, axis=1))


def test_the_mean_about_firings_of_one_course_is_that_course():
    rate = 400.0
    times = np.arange(2000) / rate
    firings = np.array([0.01, 0.5013, 1.2, 2.7004, 4.95])
    course = np.exp(-(((times[:, None] - firings - 0.05) / 0.02) ** 2)).sum(axis=1)
    found = mean_about(firings, course.astype(np.float32), rate, (-0.05, 0.15))
    assert found["count"] == 3  # the first and the last lie too near the ends
    wanted = np.exp(-(((np.array(found["time"]) - 0.05) / 0.02) ** 2))
    np.testing.assert_allclose(found["mean"], wanted, atol=0.01)
    assert max(found["sd"]) < 0.01


def test_without_firings_nothing_is_known():
    found = mean_about(np.empty(0), np.zeros(100, np.float32), 400.0, (-0.02, 0.1))
    assert found["count"] == 0
    assert np.isnan(found["mean"]).all()
