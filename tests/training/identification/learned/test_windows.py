"""Windows of the image: which there are, and what is found in them."""

import math

import numpy as np
import pytest

from musim.training.identification.methods.blocks import Blocks, blocks_of
from musim.training.identification.methods.learned import windows
from musim.training.identification.methods.learned.windows import (
    KINDS,
    trains_of_windows,
)
from musim.training.identification.metrics import match_trains
from musim.training.identification.noise import whiten
from tests.training.identification.learned.scene import RATE, SIZE, recording, trains


def _numbered(shape, size=(1.0, 1.0)):
    return Blocks(np.arange(math.prod(shape), dtype=float)[:, None], shape, size)


@pytest.mark.parametrize(
    ("shape", "size"),
    [((40, 40), (1, 1)), ((13, 31), (1, 1)), ((30, 64), (0.6, 0.9)), ((5, 9), (1, 1))],
)
def test_windows_cover_the_image_and_lie_no_further_apart_than_a_step(shape, size):
    blocks = _numbered(shape, size)
    found = [(one.values, one.shape) for one in windows._windows(blocks, 12.0, 6.0)]
    rows = sorted({int(values[0, 0]) // shape[1] for values, _ in found})
    columns = sorted({int(values[0, 0]) % shape[1] for values, _ in found})
    for first, count, one in zip((rows, columns), shape, size, strict=True):
        length = min(round(12.0 / one), count)
        assert first[0] == 0
        assert first[-1] == count - length
        # Rounded to blocks.
        assert (np.diff(first) <= 6.0 / one + 1).all()
    assert len(found) == len(rows) * len(columns)
    for values, inside in found:
        corner = int(values[0, 0])
        wanted = np.arange(math.prod(shape)).reshape(shape)[
            corner // shape[1] :, corner % shape[1] :
        ][: inside[0], : inside[1]]
        np.testing.assert_array_equal(values[:, 0], wanted.ravel())


@pytest.mark.parametrize("kind", range(len(KINDS)))
def test_each_way_finds_units_that_lie_apart(kind):
    true = trains()
    found = whiten(recording(true))
    candidates, kinds = trains_of_windows(found, blocks_of(found, SIZE), (KINDS[kind],))
    assert (kinds == 0).all()
    assert len(kinds) == len(candidates)
    best = np.abs(match_trains(found.trains(candidates), true, RATE).correlations).max(axis=0)
    assert (best > 0.95).all()


def test_there_are_no_more_components_than_directions_that_move():
    # One unit and no noise: one direction.
    image = np.zeros((20, 20))
    image[5:15, 5:15] = 1
    blocks = Blocks(np.outer(image.ravel(), np.linspace(1, 2, 12)), (20, 20), SIZE)
    for window in windows._windows(blocks, 6.0, 4.0):
        directions = windows._strongest(window.values, 4)
        moves = bool(window.values.any())
        assert directions.shape == (int(moves), 12)
        np.testing.assert_allclose(np.abs(directions @ np.linspace(1, 2, 12)),
                                   np.linalg.norm(np.linspace(1, 2, 12)))  # fmt: skip


@pytest.mark.parametrize("samples", [30, 90])
def test_directions_of_a_window_are_those_of_its_singular_values(samples):
    # Fewer blocks than components, and more.
    values = np.random.default_rng(0).standard_normal((samples, 50)) * np.geomspace(1, 9, 50)
    found = windows._strongest(values, 5)
    wanted = np.linalg.svd(values)[2][:5]
    np.testing.assert_allclose(np.abs((found * wanted).sum(axis=1)), 1.0, rtol=1e-6)
    # No more than the blocks can tell.
    assert len(windows._strongest(values[:7], 5)) == 2
    assert windows._strongest(values[:2], 5).shape == (0, 50)


def test_a_recording_that_is_smaller_than_any_window_is_one():
    blocks = _numbered((6, 5))
    for kind in KINDS:
        assert len(list(windows._windows(blocks, kind.width, kind.step))) == 1
