"""The edge of noise: white, coloured, deeper ever louder, filtered, and beside signal."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from musim.training.identification.methods import identify
from musim.training.identification.methods.published.noise_edge import band_noise, directions
from musim.training.identification.methods.published.preparing import band_passed
from musim.training.identification.units import Recording
from tests.training.identification.published.cases import boxes, trains

COLOURS = {
    "white": ((0, 0, 0), 1.0),
    "louder with depth": ((0, 0, 0), np.linspace(1, 3, 32)[:, None]),
    "over 1.5 frames and 1 px": ((1.5, 1, 1), 1.0),
    "over 4 frames and 2 px, louder with depth": ((4, 2, 2), np.linspace(1, 3, 32)[:, None]),
}


def noise_of(colour, frames=300, seed=5):
    blur, loudness = COLOURS[colour]
    white = np.random.default_rng(seed).standard_normal((frames, 32, 32))
    return (gaussian_filter(white, blur, mode="wrap") * loudness).astype(np.float32)


def edge_of(velocity, window=np.s_[:, :]):
    flat = velocity.reshape(len(velocity), -1)
    return band_noise(velocity, directions(flat)).strongest(window)


@pytest.mark.parametrize("signal", [0, 6])
@pytest.mark.parametrize("colour", COLOURS)
def test_it_lies_where_the_strongest_direction_of_noise_is(colour, signal):
    noise = band_passed(Recording(noise_of(colour), 200.0, (1.0, 1.0)), 5.0, 100.0)
    random = np.random.default_rng(3)
    courses = random.standard_normal((300, signal))
    added = np.einsum("tu,uzx->tzx", courses, random.standard_normal((signal, 32, 32)))
    given = (noise + 2 * noise.std() * added).astype(np.float32)
    for window in (np.s_[:, :], np.s_[:16, :16], np.s_[16:, 16:]):
        alone = noise[:, *window].reshape(300, -1)
        ratio = edge_of(given, window) / np.linalg.svd(alone, compute_uv=False)[0]
        assert 0.9 < ratio < 1.35


@pytest.mark.parametrize("band", [(0.0, 100.0), (5.0, 40.0)])
@pytest.mark.parametrize("shape", [(50, 20, 20), (400, 7, 7), (100, 16, 16)])
def test_of_any_shape_and_band(band, shape):
    noise = np.random.default_rng(2).standard_normal(shape).astype(np.float32)
    velocity = band_passed(Recording(3 * noise, 200.0, (1.0, 1.0)), *band)
    strongest = np.linalg.svd(velocity.reshape(len(velocity), -1), compute_uv=False)[0]
    assert edge_of(velocity) == pytest.approx(strongest, rel=0.25)


def test_without_noise_it_is_next_to_nothing():
    random = np.random.default_rng(1)
    velocity = random.standard_normal((60, 4)) @ random.standard_normal((4, 100))
    velocity = velocity.astype(np.float32).reshape(60, 10, 10)
    assert edge_of(velocity) < 1e-3 * np.linalg.norm(velocity)


@pytest.mark.parametrize("method", ["stica", "velbss", "nmf"])
def test_coloured_noise_has_no_units_and_hides_none(method):
    settings = {"window": 16} if method == "stica" else {}
    noise = noise_of("over 1.5 frames and 1 px", 400)
    noise /= noise.std()
    still = Recording(noise, 200.0, (1.0, 1.0))
    assert identify(still, method, settings=settings).count == 0
    train, _ = trains((9.0, 11.0), 2.0)
    territory = boxes((32, 32), [(4, 4, 6, 7), (20, 18, 7, 6)])
    moved = np.einsum("uzx,ut->tzx", territory, train) + 0.3 * noise
    found = identify(Recording(moved.astype(np.float32), 200.0, (1.0, 1.0)), method,
                     settings=settings)  # fmt: skip
    assert found.count == 2
