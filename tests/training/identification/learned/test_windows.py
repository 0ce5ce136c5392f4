"""Windows of the image: which there are, and what is found in them."""

import math

import numpy as np
import pytest

from musim.training.identification.methods.blocks import Blocks, blocks_of
from musim.training.identification.methods.candidates import VIEWS
from musim.training.identification.methods.learned import windows
from musim.training.identification.methods.learned.windows import (
    KINDS,
    Windows,
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
    kind = Windows(12.0, 6.0, 4, VIEWS[0])
    blocks = _numbered(shape, size)
    found = list(windows._windows(blocks, kind))
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
def test_each_way_finds_units_that_lie_apart(kind, monkeypatch):
    monkeypatch.setattr(windows, "KINDS", (KINDS[kind],))
    true = trains()
    found = whiten(recording(true))
    candidates, kinds = trains_of_windows(found, blocks_of(found, SIZE))
    assert (kinds == 0).all()
    assert len(kinds) == len(candidates)
    best = np.abs(match_trains(found.trains(candidates), true, RATE).correlations).max(axis=0)
    assert (best > 0.95).all()


def test_there_are_no_more_components_than_directions_that_move():
    # One unit and no noise: one direction.
    image = np.zeros((20, 20))
    image[5:15, 5:15] = 1
    blocks = Blocks(np.outer(image.ravel(), np.linspace(1, 2, 12)), (20, 20), SIZE)
    found = whiten(recording(trains()))
    for kind in KINDS:
        for values, shape in windows._windows(blocks, kind):
            if kind.view is not None:
                part = windows._trains(found, Blocks(values, shape, SIZE), kind)
                assert len(part) <= 1
                assert np.isfinite(part).all()


def test_a_recording_that_is_smaller_than_any_window_is_one():
    blocks = _numbered((6, 5))
    for kind in KINDS:
        assert len(list(windows._windows(blocks, kind))) == 1
