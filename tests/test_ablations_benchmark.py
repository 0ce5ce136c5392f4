"""What the benchmark of ablations compares, and how its table counts."""

from functools import partial

import numpy as np
import pytest

from benchmarks.ablations import VARIANTS, WHOLE_IMAGES, Row, judged, recordings, table
from musim.training.identification.methods.blocks import blocks_of
from musim.training.identification.methods.learned.weights import learned_of
from musim.training.identification.methods.learned.windows import trains_of_windows
from musim.training.identification.noise import whiten
from tests.training.identification.learned.scene import recording, trains


def _scene():
    true = trains(3, frames=600)
    return recording(true), true.astype(np.float32)


def test_every_variant_is_counted_on_the_same_recording():
    given, true = _scene()
    ours = learned_of().judgement
    known = {name: None if name == "by hand" else ours for name in VARIANTS}
    rows = judged("scene", partial(_scene), known)
    assert [row.variant for row in rows] == list(VARIANTS)
    networks, _, _, whole, _ = rows
    assert networks.units == networks.found == networks.matches == len(true)
    assert all(len(row.sure) == len(row.true) >= row.found for row in rows)
    # Other candidates are judged where there are no windows.
    assert len(whole.true) != len(networks.true)
    found = whiten(given)
    blocks = blocks_of(found, given.pixel_size)
    _, ways = trains_of_windows(found, blocks, WHOLE_IMAGES)
    assert set(ways) == {0, 1, 2}
    assert np.bincount(ways).max() <= 40


def test_the_table_is_counted():
    def row(kind, variant, units, found, matches, sure, true):
        return Row(kind, variant, units, found, matches, np.array(sure), np.array(true))

    half = np.array([0.5]), np.array([True])
    rows = [
        row("easy", "networks", 4, 2, 2, *half), row("easy", "by hand", 4, 4, 1, *half),
        row("hard", "networks", 6, 0, 0, [0.25], [False]), row("hard", "by hand", 6, 2, 1, *half),
    ]  # fmt: skip
    assert table(rows).splitlines() == [
        "| kind | units | networks | by hand |",
        "|---|---:|---|---|",
        "| easy | 4 | 0.50 / 1.00 | 0.25 / 0.25 |",
        "| hard | 6 | 0.00 / – | 0.17 / 0.50 |",
        "| all | 10 | 0.20 / 1.00 | 0.20 / 0.33 |",
        f"| log loss (candidates) | | {-np.log([0.5, 0.75]).mean():.3f} (2) | 0.693 (2) |",
    ]


def test_recordings_are_of_makers_and_of_every_preset():
    kinds = recordings(2)
    assert {"discs", "fibres", "quick, easy", "quick, 20-25 units", "quick, hard"} <= set(kinds)
    assert "sheet" not in kinds
    assert all(len(each) == 2 for each in kinds.values())


@pytest.mark.parametrize("kind", ["quick, 20-25 units"])
def test_quick_recordings_have_the_units_asked_for(kind):
    given, true = recordings(1)[kind][0]()
    assert given.tvi.shape[1:] == (64, 64)
    assert 20 <= len(true) <= 25
