"""stICA: its contrast by its slope, what it must find, and what it cannot."""

import numpy as np
import pytest
import scipy

from musim.training.identification.methods import identify
from musim.training.identification.methods.published.stica import (
    _contrast,
    independent,
    reduced,
)
from tests.training.identification.published.cases import boxes, matched, recorded, trains

SMALL = {"window": 12, "components": 6}


@pytest.mark.parametrize("weight", [0.0, 0.4, 1.0])
def test_the_slope_of_the_contrast_is_its_derivative(weight):
    random = np.random.default_rng(2)
    spatial, temporal = random.laplace(size=(30, 3)), random.laplace(size=(40, 3))
    at = np.concatenate([(np.eye(3) + 0.3 * random.normal(size=(3, 3))).ravel(), [0.1, -0.2, 0.3]])
    _, slope = _contrast(at, spatial, temporal, weight)
    numeric = scipy.optimize.approx_fprime(
        at, lambda x: _contrast(x, spatial, temporal, weight)[0], 1e-6
    )
    np.testing.assert_allclose(slope, numeric, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
def test_sparse_sources_are_unmixed(weight):
    random = np.random.default_rng(4)
    images, courses = random.laplace(size=(400, 3)), random.laplace(size=(500, 3))
    spatial, size, temporal = reduced(images @ courses.T, 3)
    unmixing = independent(spatial * np.sqrt(size), temporal * np.sqrt(size), weight)
    likeness = np.abs(np.corrcoef((spatial * np.sqrt(size) @ unmixing).T, images.T)[:3, 3:])
    assert (np.sort(likeness, axis=1)[:, -1] > 0.97).all()


def test_units_are_found_over_windows():
    train, _ = trains((9.0, 11.0, 12.5), 2.0)
    territory = boxes((30, 40), [(3, 3, 6, 7), (8, 13, 7, 6), (18, 29, 7, 7)])
    units = identify(recorded(territory, train), "stica", settings={"components": 10})
    for likeness, iou in matched(units, territory, train):
        assert likeness > 0.95
        assert iou > 0.8
    assert units.confidence[:3].min() > 0.9


def test_a_unit_that_fills_its_windows_is_not_sparse_there_and_is_lost():
    train, _ = trains((9.0, 11.0, 12.5), 2.0)
    territory = boxes((24, 30), [(3, 3, 8, 10), (10, 9, 9, 8), (12, 19, 9, 9)])
    units = identify(recorded(territory, train), "stica", settings=SMALL)
    assert min(iou for _, iou in matched(units, territory, train)) < 0.5


def test_units_that_always_fire_together_are_one():
    train, _ = trains((10.0,), 2.0)
    territory = boxes((24, 24), [(4, 4, 7, 7), (12, 9, 7, 7)])
    units = identify(recorded(territory, np.repeat(train, 2, axis=0)), "stica", settings=SMALL)
    assert units.count == 1
    assert units.masks[0][8, 8]
    assert units.masks[0][14, 12]


def test_noise_has_no_units():
    still = recorded(np.zeros((1, 24, 24)), np.zeros((1, 400)))
    assert identify(still, "stica", settings=SMALL).count == 0


def test_what_it_cannot_look_at_is_refused(refused):
    train, _ = trains((10.0,), 2.0)
    territory = boxes((16, 24), [(4, 4, 7, 7)])
    recording = recorded(territory, train)
    with refused("found 16 x 24 px, wanted 20 x 20 or more", "`settings.window`, as 16"):
        identify(recording, "stica")
    with refused("found 0.3 s, wanted 0.35 s or more, a whole twitch"):
        identify(recorded(territory, train[:, :60]), "stica", settings={"window": 12})
    with refused("found 120 Hz, wanted less than 100 Hz", "`settings.lowest`"):
        identify(recording, "stica", settings={"window": 12, "lowest": 120, "highest": 300})
    with refused("setting: found 'windo', wanted window"):
        identify(recording, "stica", settings={"windo": 3})
    with refused("found window for ica, which has none, wanted a method that has: stica"):
        identify(recording, "ica", settings={"window": 3})
