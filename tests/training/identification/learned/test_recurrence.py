"""Candidates that are the same train are gathered, and chance is left out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musim.training.identification.methods.learned import recurrence
from musim.training.identification.methods.learned.recurrence import gathered


def _planted(counts, noise, columns=60, seed=0):
    """Return candidates: each of some trains so many times, with noise, signs and scales."""
    random = np.random.default_rng(seed)
    true = random.standard_normal((len(counts), columns))
    true /= np.linalg.norm(true, axis=1, keepdims=True)
    rows = np.repeat(true, counts, axis=0)
    rows = rows + noise * random.standard_normal(rows.shape) / np.sqrt(columns)
    sign = random.choice([-1, 1], len(rows)) * random.uniform(0.1, 10, len(rows))
    return true, rows * sign[:, None]


def test_each_train_comes_once_the_most_found_first():
    true, rows = _planted((3, 9, 5), 0.3)
    kind = np.r_[[0, 0, 1], [0] * 9, [0, 1, 2, 2, 3]]
    found = gathered(rows, kind)
    cosine = np.abs(found.trains @ true.T)
    np.testing.assert_array_equal(cosine.argmax(axis=1), [1, 2, 0])
    assert cosine.max(axis=1).min() > 0.97
    np.testing.assert_array_equal(found.support[:, 0], [9, 5, 3])
    np.testing.assert_array_equal(found.support[:, 2], [1, 4, 2])
    assert ((found.support[:, 1] > 0.85) & (found.support[:, 1] < 1)).all()
    np.testing.assert_allclose(np.linalg.norm(found.trains, axis=1), 1.0)


def test_their_mean_is_nearer_to_the_train_than_any_of_them():
    true, rows = _planted((12,), 0.5)
    single = np.abs(rows @ true[0]) / np.linalg.norm(rows, axis=1)
    assert abs(float(gathered(rows, np.zeros(12, int)).trains[0] @ true[0])) > single.max()


def test_what_comes_once_is_chance():
    _, rows = _planted((1, 1, 1), 0.0)
    assert gathered(rows, np.zeros(3, int)).trains.shape == (0, 60)
    assert gathered(np.zeros((4, 60)), np.zeros(4, int)).support.shape == (0, 3)
    assert gathered(np.zeros((0, 60)), np.zeros(0, int)).trains.shape == (0, 60)


def test_no_more_than_the_most_found_are_kept(monkeypatch):
    monkeypatch.setattr(recurrence, "MOST", 2)
    true, rows = _planted((3, 9, 5), 0.1)
    found = gathered(rows, np.zeros(17, int))
    np.testing.assert_array_equal(np.abs(found.trains @ true.T).argmax(axis=1), [1, 2])


@given(st.integers(0, 2**32 - 1), st.floats(1e-3, 1e3))
def test_order_sign_and_scale_do_not_matter(seed, scale):
    _, rows = _planted((4, 7), 0.3, seed=1)
    random = np.random.default_rng(seed)
    order = random.permutation(len(rows))
    other = rows[order] * scale * random.choice([-1, 1], len(rows))[:, None]
    one, two = (gathered(each, np.zeros(len(rows), int)) for each in (rows, other))
    assert np.abs((one.trains * two.trains).sum(axis=1)) == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(one.support, two.support, rtol=1e-5)
