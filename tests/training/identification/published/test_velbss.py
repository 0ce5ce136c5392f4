"""velBSS: its directions, its contrasts, what it must find, and what it cannot."""

import numpy as np
import pytest

from musim.training.identification.methods import identify
from musim.training.identification.methods.fast_ica import fast_ica
from musim.training.identification.methods.published.parts import Part
from musim.training.identification.methods.published.velbss import whitened
from tests.training.identification.published.cases import boxes, matched, recorded, trains


@pytest.mark.parametrize("shape", [(20, 60), (60, 20)])
def test_directions_are_the_singular_ones(shape):
    random = np.random.default_rng(3)
    signal = random.standard_normal((shape[0], 4)) * [9, 7, 5, 3]
    velocity = (signal @ random.standard_normal((4, shape[1]))).astype(np.float32)
    velocity += 0.1 * random.standard_normal(shape).astype(np.float32)
    white = whitened(Part(velocity[:, None]), 9, 10.0)
    assert white.shape[1] == 4
    _, _, images = np.linalg.svd(velocity)
    turned = images[:4] @ white / np.sqrt(shape[1])
    np.testing.assert_allclose(np.abs(turned), np.eye(4), atol=1e-3)
    assert whitened(Part(velocity[:, None]), 2, 10.0).shape[1] == 2


@pytest.mark.parametrize("contrast", ["logcosh", "cube", "square"])
def test_skewed_sources_are_unmixed(contrast):
    random = np.random.default_rng(1)
    sources = random.exponential(size=(4000, 3)) ** 1.5
    sources = (sources - sources.mean(axis=0)) / sources.std(axis=0)
    mixed = sources @ random.normal(size=(3, 3))
    energy, turn = np.linalg.eigh(np.cov(mixed.T))
    white = mixed @ turn / np.sqrt(energy)
    found = white @ fast_ica(white, contrast).T
    likeness = np.abs(np.corrcoef(found.T, sources.T)[:3, 3:])
    assert (np.sort(likeness, axis=1)[:, -1] > 0.98).all()


@pytest.mark.parametrize("settings", [{}, {"window": 12, "components": 8}])
def test_units_beside_each_other_are_found(settings):
    train, _ = trains((9.0, 11.0, 12.5), 2.0)
    territory = boxes((24, 30), [(3, 3, 8, 8), (13, 9, 9, 8), (6, 19, 9, 9)])
    units = identify(recorded(territory, train), "velbss", settings=settings)
    for likeness, iou in matched(units, territory, train):
        assert likeness > 0.85
        assert iou > 0.8


def test_units_of_one_place_are_not_told_apart():
    train, _ = trains((9.0, 11.0), 2.0)
    territory = boxes((24, 24), [(6, 6, 9, 9), (6, 6, 9, 9)])
    units = identify(recorded(territory, train), "velbss")
    assert sum(likeness > 0.95 for likeness, _ in matched(units, territory, train)) == 0


def test_noise_has_no_units():
    still = recorded(np.zeros((1, 24, 24)), np.zeros((1, 400)))
    assert identify(still, "velbss").count == 0
