"""Signs that tell units from chance and texture."""

import numpy as np
import pytest

from musim.training.identification.methods.candidates import Candidates
from musim.training.identification.methods.evidence import (
    CERTAINTY,
    WEIGHTS,
    certainty,
    place_of,
    probability,
    signs_of,
    smoothed,
    upright,
)

SIZE = (0.6, 0.6)
SHAPE = (40, 40)


def _blob(row, column, sd=3.0):
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return np.exp(-(np.square(rows - row) + np.square(columns - column)) / (2 * sd**2))


def _signs(image, stability=0.9, noise=1.0, train=(3.0, 4.0)):
    candidates = Candidates(
        np.array([train]), image[None], np.array([stability]), np.zeros(1, np.int64)
    )
    return signs_of(candidates, noise, SIZE)[0]


def test_one_blob_is_one_place_without_a_trough():
    odds, core, foot, trough, above = _signs(_blob(20, 18))
    assert odds == pytest.approx(np.log(0.92 / 0.12))
    # Of a Gaussian's squares, those above a share s of the peak are 1 - s^2 of all.
    assert core == pytest.approx(0.75, abs=0.04)
    assert foot == pytest.approx(0.99, abs=0.01)
    assert trough == pytest.approx(0.0, abs=1e-6)
    # 5 mm/s or so times the root of pi sd^2.
    assert above == pytest.approx(np.log(5 * np.sqrt(np.pi * 9)), abs=0.01)


def test_of_two_blobs_the_higher_is_looked_at():
    _, core, foot, trough, _ = _signs(_blob(10, 10) + 0.8 * _blob(30, 30))
    share = 1 / (1 + 0.64)
    assert core == pytest.approx(0.75 * share, abs=0.04)
    assert foot == pytest.approx(0.99 * share, abs=0.03)
    assert trough == pytest.approx(0.0, abs=1e-6)


def test_a_dipole_has_a_trough():
    _, core, foot, trough, _ = _signs(_blob(10, 20) - 0.7 * _blob(30, 20))
    share = 1 / (1 + 0.49)
    assert trough == pytest.approx(0.7, abs=0.02)
    assert core == pytest.approx(0.75 * share, abs=0.04)
    assert foot == pytest.approx(0.99 * share, abs=0.03)


def test_signs_know_neither_up_nor_down_nor_how_scale_is_shared():
    image = _blob(10, 20) - 0.7 * _blob(30, 20)
    expected = _signs(image)
    np.testing.assert_allclose(_signs(-image), expected)
    np.testing.assert_allclose(_signs(image / 8, train=(24.0, 32.0)), expected)
    lower = _signs(image, noise=10.0)
    assert lower[4] == pytest.approx(expected[4] - np.log(10))
    np.testing.assert_allclose(lower[:4], expected[:4])


def test_an_empty_map_has_finite_signs():
    signs = _signs(np.zeros(SHAPE), stability=0.0, noise=0.0)
    assert np.isfinite(signs).all()
    assert probability(signs[None])[0] < 0.01
    none = Candidates(
        np.zeros((0, 2)), np.zeros((0, *SHAPE)), np.zeros(0), np.zeros(0, np.int64)
    )  # fmt: skip
    assert probability(signs_of(none, 1.0, SIZE)).shape == (0,)


def test_upright_is_the_sign_of_the_larger():
    assert upright(np.array([[2.0, -1.0]])) == 1
    assert upright(np.array([[1.0, -2.0]])) == -1
    assert upright(np.zeros((2, 2))) == 1


def test_the_place_around_the_peak_is_connected():
    image = np.zeros((7, 9))
    image[1:4, 1:4] = 0.6
    image[2, 2] = 1.0
    image[1:4, 6:8] = 0.9
    image[4, 4] = 0.6  # touches by a corner alone
    expected = np.zeros((7, 9), bool)
    expected[1:4, 1:4] = True
    np.testing.assert_array_equal(place_of(image, 0.5), expected)
    expected[:] = False
    expected[2, 2] = True
    np.testing.assert_array_equal(place_of(image, 0.7), expected)


def test_maps_are_smoothed_in_millimetres():
    image = np.zeros((41, 41))
    image[20, 20] = 1.0
    smooth = smoothed(image, (0.3, 0.6))
    rows, columns = (np.arange(41) - 20) * 0.3, (np.arange(41) - 20) * 0.6
    assert smooth.sum() == pytest.approx(1.0)
    for axis, places in ((1, rows), (0, columns)):
        spread = np.sqrt(smooth.sum(axis=axis) @ np.square(places))
        assert spread == pytest.approx(0.6, rel=0.03)


def test_probabilities_follow_each_sign_as_its_weight_says():
    random = np.random.default_rng(0)
    signs = random.standard_normal((50, len(WEIGHTS) - 1)) * [1.5, 0.2, 0.2, 0.3, 1.0]
    before = probability(signs)
    assert ((before > 0) & (before < 1)).all()
    for place, weight in enumerate(WEIGHTS[1:]):
        more = signs.copy()
        more[:, place] += 0.3
        assert (np.sign(probability(more) - before) == np.sign(weight)).all()
    assert probability(np.zeros((1, 5)))[0] == pytest.approx(1 / (1 + np.exp(-WEIGHTS[0])))
    # What holds one place in both halves is rather a unit than what does not.
    unit = _signs(_blob(20, 18), stability=0.95, noise=1.0)
    chance = _signs(_blob(10, 10) + 0.9 * _blob(30, 30) - 0.8 * _blob(10, 30), stability=0.3)
    sure, unsure = probability(np.array([unit, chance]))
    assert sure > 0.8
    assert unsure < 0.4


def test_certainty_rises_with_probability():
    signs = np.random.default_rng(1).standard_normal((50, len(WEIGHTS) - 1))
    before, after = probability(signs), certainty(signs)
    np.testing.assert_array_equal(np.argsort(before), np.argsort(after))
    odds = np.log(before / (1 - before))
    expected = 1 / (1 + np.exp(-(CERTAINTY[0] + CERTAINTY[1] * odds)))
    np.testing.assert_allclose(after, expected)
