"""Non-negative factors: against what they are made of, what must be found, and what cannot."""

import numpy as np
import pytest
import scipy

from musim.training.identification.methods import identify
from musim.training.identification.methods.published.nmf import _entropy, factors, skewed
from tests.training.identification.published.cases import boxes, matched, recorded, trains


def test_factors_are_not_negative_and_explain_what_is_made_of_such():
    random = np.random.default_rng(2)
    images, courses = random.random((60, 3)) ** 4, random.random((50, 3)) ** 4
    values = (images @ courses.T).astype(np.float32)
    found = factors(values, 3)
    assert all((one >= 0).all() for one in found)
    left = values - found[0] @ found[1].T
    assert np.square(left).sum() < 1e-3 * np.square(values).sum()


def test_the_density_has_its_mode_at_0_and_a_slope_that_is_its_derivative():
    at = np.linspace(-2, 4, 13)[:, None]
    energy = np.array([_entropy(one[None])[0] for one in at])
    assert energy.argmin() == 4  # at 0
    numeric = scipy.optimize.approx_fprime(at.ravel(), lambda x: _entropy(x[:, None])[0], 1e-6)
    np.testing.assert_allclose(_entropy(at)[1].ravel() / len(at), numeric, atol=1e-5)


def test_images_that_are_mostly_nothing_are_unmixed():
    images = boxes((20, 20), [(1, 1, 5, 5), (4, 4, 6, 6), (12, 10, 6, 5)]).reshape(3, -1).T
    mixed, _, _ = np.linalg.svd(images @ np.random.default_rng(1).normal(size=(3, 3)), False)
    found = mixed * 20 @ skewed(mixed * 20)
    likeness = np.abs(np.corrcoef(found.T, images.T)[:3, 3:])
    assert (np.sort(likeness, axis=1)[:, -1] > 0.97).all()


def test_units_that_overlap_are_found():
    train, _ = trains((9.0, 11.0, 12.5), 2.0)
    territory = boxes((24, 30), [(3, 3, 8, 10), (9, 9, 9, 8), (12, 19, 9, 9)])
    units = identify(recorded(territory, train), "nmf", settings={"components": 10})
    for likeness, iou in matched(units, territory, train):
        assert likeness > 0.85
        assert iou > 0.7


def test_units_that_always_fire_together_are_one():
    train, _ = trains((10.0,), 2.0)
    territory = boxes((24, 24), [(4, 4, 7, 7), (12, 9, 7, 7)])
    units = identify(
        recorded(territory, np.repeat(train, 2, axis=0)), "nmf", settings={"components": 10}
    )
    assert units.count == 1


@pytest.mark.parametrize("components", [1, 10])
def test_noise_has_no_units(components):
    still = recorded(np.zeros((1, 24, 24)), np.zeros((1, 400)))
    assert identify(still, "nmf", settings={"components": components}).count == 0
