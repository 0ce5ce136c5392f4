"""Averages over blocks of pixels, and the count of components that are more than noise."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from musim.training.identification.methods.blocks import (
    COARSEST,
    Blocks,
    average,
    blocks_of,
    factors_of,
    signal_directions,
)
from musim.training.identification.noise import Noise, Whitened

SHAPE = (60, 56)
COMPONENTS = 24


def _slow_average(image, factors):
    """Average block by block; beyond the edge lies what is at the edge."""
    rows, columns = (-(-n // f) for n, f in zip(image.shape, factors, strict=True))
    result = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            for di in range(factors[0]):
                for dj in range(factors[1]):
                    row = min(i * factors[0] + di, image.shape[0] - 1)
                    column = min(j * factors[1] + dj, image.shape[1] - 1)
                    result[i, j] += image[row, column]
    return result / (factors[0] * factors[1])


@pytest.mark.parametrize("factors", [(1, 1), (2, 2), (3, 2), (1, 4)])
@pytest.mark.parametrize("shape", [(6, 8), (7, 9), (2, 3)])
def test_averages_are_those_of_a_slow_loop(shape, factors):
    images = np.random.default_rng(0).standard_normal((3, *shape)).astype(np.float32)
    found = average(images, factors)
    assert found.dtype == np.float64
    expected = np.array([_slow_average(image.astype(float), factors) for image in images])
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("pixel_size", [(0.625, 0.625), (0.31, 0.1), (2.0, 0.3), (0.05, 0.65)])
def test_blocks_are_as_large_as_they_may_be(pixel_size):
    for factor, pixel in zip(factors_of(pixel_size), pixel_size, strict=True):
        assert factor * pixel <= COARSEST or factor == 1
        assert (factor + 1) * pixel > COARSEST


def test_a_recordings_components_are_averaged_each_for_itself():
    values = np.random.default_rng(1).standard_normal((7 * 9, 5)).astype(np.float32)
    found = Whitened(values, Noise(np.eye(5), np.ones((7, 9)), 1.0), (30, 7, 9))
    blocks = blocks_of(found, (0.3, 0.2))
    assert (blocks.shape, blocks.size) == ((4, 3), (0.6, pytest.approx(0.6)))
    for component in range(2):
        image = values[:, component].reshape(7, 9).astype(float)
        np.testing.assert_allclose(
            blocks.values[:, component].reshape(4, 3), _slow_average(image, (2, 3)), atol=1e-6
        )
    np.testing.assert_array_equal(
        blocks.images(blocks.values.T)[2].ravel(), blocks.values[:, 2]
    )  # fmt: skip


def _noise(generator, smooth, components=COMPONENTS, shape=SHAPE):
    """Return noise (block, component) of SD 1, alike over `smooth` blocks."""
    fields = generator.standard_normal((components, *shape))
    if smooth:
        fields = gaussian_filter(fields, (0, smooth, smooth))
    fields /= fields.std()
    return fields.reshape(components, -1).T


def _planted(count, smooth, strength, seed):
    """Return blocks that hold components of given strength, and the directions of those."""
    generator = np.random.default_rng(seed)
    values = _noise(generator, smooth)
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    trains = np.linalg.qr(generator.standard_normal((COMPONENTS, max(count, 1))))[0].T[:count]
    for train in trains:
        row, column = generator.uniform(0, SHAPE[0]), generator.uniform(0, SHAPE[1])
        disc = (np.hypot(rows - row, columns - column) < generator.uniform(4, 7)).astype(float)
        values += strength * np.outer(disc.ravel(), train)
    return Blocks(values, SHAPE, (0.6, 0.6)), trains


@pytest.mark.parametrize("smooth", [0.0, 1.0, 1.5])
@pytest.mark.parametrize("count", [0, 1, 3, 6])
def test_as_many_directions_as_were_planted(count, smooth):
    # How much noise a direction holds grows with the size of what is alike in it.
    strength = 20.0 + 40.0 * smooth
    for seed in range(2):
        blocks, trains = _planted(count, smooth, strength, seed)
        directions, noise = signal_directions(blocks)
        assert len(directions) == count
        np.testing.assert_allclose(directions @ directions.T, np.eye(count), atol=1e-9)
        # They span the planted ones.
        spanned = np.square(trains @ directions.T).sum(axis=1)
        assert (spanned > 0.9).all()
        strengths = np.sqrt(np.square(blocks.values @ directions.T).sum(axis=0))
        assert (np.diff(strengths) <= 0).all()
        assert (strengths > noise).all()


@pytest.mark.parametrize("smooth", [0.0, 1.0, 1.5])
def test_the_largest_of_noise_is_that_of_noise(smooth):
    for seed in range(2):
        blocks, _ = _planted(0, smooth, 0.0, 100 + seed)
        _, noise = signal_directions(blocks)
        largest = np.sqrt(np.linalg.eigvalsh(blocks.values.T @ blocks.values)[-1])
        assert noise == pytest.approx(largest, rel=0.15)


def test_no_more_directions_than_asked_for_and_none_in_nothing():
    blocks, _ = _planted(6, 0.0, 20.0, 0)
    most, _ = signal_directions(blocks, 2)
    whole, _ = signal_directions(blocks)
    np.testing.assert_array_equal(most, whole[:2])
    directions, noise = signal_directions(Blocks(np.zeros((60 * 56, 7)), SHAPE, (0.6, 0.6)))
    assert (directions.shape, noise) == ((0, 7), 0.0)
