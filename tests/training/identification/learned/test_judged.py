"""The method as a whole: units are found, copies and noise are not."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from musim.training.identification.methods import identify
from musim.training.identification.methods.learned.judged import judged_units, seen_in
from musim.training.identification.metrics import match_trains
from musim.training.identification.noise import whiten
from musim.training.identification.units import Recording
from tests.training.identification.learned.scene import RATE, SHAPE, SIZE, maps, recording, trains


def test_units_whose_motion_spreads_are_found_once_each():
    true = trains(3, frames=600)
    units = identify(recording(true), "learned")
    matching = match_trains(units.train, true, RATE)
    assert matching.matches == units.count == len(true)
    assert (np.abs(matching.correlation) > 0.9).all()
    assert matching.inverted == 0


def test_more_is_seen_than_is_found():
    given = recording(trains(3, frames=600))
    found = whiten(given)
    seen, blocks, directions = seen_in(given, found)
    spread = judged_units(given, found)
    assert len(seen.trains) > len(spread.trains) == len(maps())
    assert directions.shape[1] == seen.trains.shape[1] == blocks.values.shape[1]
    assert ((spread.confidence >= 0.5) & (spread.confidence <= 1)).all()


@pytest.mark.parametrize("over", [(0, 0, 0), (1.5, 1, 1), (4, 2.5, 2.5)])
def test_noise_holds_no_units(over):
    noise = gaussian_filter(np.random.default_rng(1).standard_normal((500, *SHAPE)), over)
    assert identify(Recording(noise.astype(np.float32), RATE, SIZE), "learned").count == 0


def test_a_beating_vessel_is_no_unit():
    true = trains(3, frames=1000)
    time = np.arange(1000) / RATE
    beat = sum(
        np.exp(-np.square((time - at) / 0.02) / 2) * np.sign(time - at - 0.02)
        for at in np.arange(0.3, 2.5, 0.85)
    )
    courses = np.concatenate([true, 2 * beat[None] * np.abs(true).max()])
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    vessel = np.exp(-(np.square(rows - 24) + np.square(columns - 20)) / 18.0)
    given = recording(courses, np.concatenate([maps(), vessel[None]]))
    found = whiten(given)
    spread = judged_units(given, found)
    courses = found.trains(spread.trains)
    # By its looks or by its beat.
    assert match_trains(courses, beat[None], RATE).matches == 0
    assert match_trains(courses, true, RATE).recall == 1
