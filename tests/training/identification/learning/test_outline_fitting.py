"""A network learns to outline units, the same every time, and how sure its outlines are."""

import numpy as np
import pytest

from musim.training.identification.learning.outline_fitting import fit_outlines, measured
from musim.training.identification.learning.outlines import Outlines, outlines_of
from musim.training.identification.methods.blocks import Blocks
from musim.training.identification.methods.learned.outlines import IMAGE, SIDE, VIEWS
from tests.training.identification.learning.tiny import tiny

pytestmark = pytest.mark.torch

ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2


def _units(count, seed, blurred=0.0):
    """Return discs, seen as they are but for noise, some of them as noise alone."""
    random = np.random.default_rng(seed)
    radius = random.uniform(3, 9, count)[:, None, None]
    disc = np.hypot(ROWS, COLUMNS)[None] < radius
    views = 0.15 * random.standard_normal((count, len(VIEWS), SIDE, SIDE))
    views[:, IMAGE] = 1.0
    lost = random.random(count) < blurred
    views[~lost, :2] += disc[~lost, None]
    return Outlines(views.astype(np.float16), (255 * disc).astype(np.uint8)), lost


def _fitted(learned, apart, rows=None):
    settings = tiny(outline_channels=4, outline_epochs=4, outline_learning_rate=0.02)
    note = (lambda row: None) if rows is None else rows.append
    return fit_outlines(learned, apart, settings, note)


def test_what_can_be_seen_is_outlined_and_what_cannot_is_uncertain():
    learned, (apart, lost) = _units(64, 0)[0], _units(40, 1, blurred=0.4)
    rows = []
    outliner = _fitted(learned, apart, rows)
    seen, unseen = (
        measured(outliner, Outlines(apart.views[one], apart.territory[one]))
        for one in (~lost, lost)
    )
    assert seen["overlap"] > 0.85
    assert seen["right"] > 0.95
    assert unseen["right"] < 0.5
    assert seen["units"] + unseen["units"] == 40
    assert measured(outliner, apart)["calibration_error"] < 0.2
    assert rows[-1]["loss"] < 0.8 * rows[0]["loss"]
    assert len(rows) == 4
    sure = outliner.confidence(np.array([0.05, 0.95]))
    assert sure[0] < 0.5
    assert sure[1] > 0.8
    assert min(row["loss_apart"] for row in rows) > 0
    assert _fitted(learned, apart).to_json() == outliner.to_json()


def test_units_are_seen_with_their_territories_about_their_middle():
    size, shape = (0.5, 0.5), (60, 50)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    discs = np.array([
        np.hypot(rows - row, columns - column) < radius / 0.5
        for row, column, radius in ((20, 14, 3.0), (40, 30, 4.0))
    ]).astype(float)  # fmt: skip
    trains = np.random.default_rng(0).standard_normal((2, 30))
    blocks = Blocks(discs.reshape(2, -1).T @ trains, shape, size)
    fine = np.repeat(np.repeat(discs, 2, axis=1), 2, axis=2)
    # Found upside down, of any size.
    found = outlines_of(blocks, -3 * trains, fine, (0.25, 0.25))
    area = (found.territory / 255).sum(axis=(1, 2)) * 0.6**2
    np.testing.assert_allclose(area, np.pi * np.array([9, 16]), rtol=0.05)
    for views, territory in zip(found.views, found.territory, strict=True):
        middle = np.argwhere(territory > 127).mean(axis=0)
        np.testing.assert_allclose(middle, (SIDE - 1) / 2, atol=0.6)
        inside = territory > 250
        assert views[0][inside].mean() == pytest.approx(1.0, abs=0.1)
    # A true territory that lies elsewhere teaches nothing.
    away = np.zeros_like(fine)
    away[:, :2, -2:] = 1.0
    assert len(outlines_of(blocks, trains, away, (0.25, 0.25))) == 0
    assert len(outlines_of(blocks, trains[:0], fine[:0], (0.25, 0.25))) == 0


def test_those_of_no_example_are_none():
    together = Outlines.together([])
    assert len(together) == 0
    assert len(Outlines.together([_units(3, 0)[0], _units(2, 1)[0]])) == 5
