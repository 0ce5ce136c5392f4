"""The edge of noise: white, filtered, and beside signal."""

import numpy as np
import pytest

from musim.training.identification.methods.published.noise_edge import (
    FLOOR,
    MARGIN,
    independent_samples,
    needed,
)
from musim.training.identification.methods.published.preparing import band_passed
from musim.training.identification.units import Recording


@pytest.mark.parametrize("signal", [0, 6])
@pytest.mark.parametrize("band", [(0.0, 100.0), (5.0, 40.0)])
def test_it_lies_where_the_strongest_direction_of_noise_is(band, signal):
    random = np.random.default_rng(5)
    tvi = random.standard_normal((300, 20, 20)).astype(np.float32)
    recording = Recording(tvi, 200.0, (1.0, 1.0))
    noise = band_passed(recording, *band).reshape(300, 400)
    strongest = np.linalg.svd(noise, compute_uv=False)[0]
    added = random.standard_normal((300, signal)) @ random.standard_normal((signal, 400))
    size = np.linalg.svd(noise + 2 * added, compute_uv=False)
    edge = needed(size, 400, independent_samples(recording, *band)) / MARGIN
    assert edge == pytest.approx(strongest, rel=0.15)


@pytest.mark.parametrize("shape", [(50, 400), (400, 50), (100, 100)])
def test_of_white_noise_of_any_shape(shape):
    noise = 3 * np.random.default_rng(2).standard_normal(shape)
    size = np.linalg.svd(noise, compute_uv=False)
    assert needed(size, *shape) / MARGIN == pytest.approx(size[0], rel=0.08)


def test_without_noise_it_is_next_to_nothing():
    assert needed(np.array([5.0, 4.0, 0.0, 0.0]), 10, 4) == pytest.approx(5 * FLOOR)
