"""What a unit is split into has trains of its own, where motion spreads too."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from musim.simulator import Parameters, Range, draw
from musim.training.identification.curation.train_reading import TrainReader
from musim.training.identification.units import Recording

PARAMETERS = Parameters(
    units=Range(4, 4), frames=800, synchrony=Range(0, 0), pixels=(32, 32), size=(20.0, 20.0)
)
PLACES = ((9, 9), (9, 19), (23, 9), (23, 22))


@pytest.fixture(scope="module")
def scene():
    """A recording of four units, the motion of which spreads, their discs, and their trains."""
    truth = draw(PARAMETERS, seed=1)
    rows, columns = np.mgrid[:32, :32]
    discs = np.array([np.hypot(rows - row, columns - column) < 5 for row, column in PLACES])
    fields = np.array([gaussian_filter(one, 3) for one in discs.astype(float)])
    courses = truth.twitch_train / truth.twitch_train.std(axis=1, keepdims=True)
    noise = np.random.default_rng(0).standard_normal((800, 32, 32))
    tvi = np.einsum("ut,udw->tdw", courses, fields) + 0.2 * noise
    recording = Recording(tvi.astype(np.float32), 400.0, PARAMETERS.pixel_size)
    return recording, discs.astype(np.float32), courses.astype(np.float32)


def likeness(one, other):
    return float(np.corrcoef(one, other)[0, 1])


def test_what_was_two_units_is_told_apart_as_it_is_split(scene):
    recording, discs, courses = scene
    both = courses[0] + courses[1]
    known = np.stack([both, both, courses[2], courses[3]])
    trains, firings = TrainReader(recording, known[1:]).read(discs, known, [0, 1])
    assert trains.shape == (2, 800)
    assert len(firings) == 2
    for unit in range(2):
        assert likeness(trains[unit], courses[unit]) > 0.97 > likeness(both, courses[unit]) + 0.1


def test_halves_of_one_unit_move_as_it_does(scene):
    recording, discs, courses = scene
    upper = discs[0] * (np.arange(32) < PLACES[0][0])[:, None]
    territory = np.stack([upper, discs[0] - upper, *discs[1:]])
    known = courses[[0, 0, 1, 2, 3]]
    trains, _ = TrainReader(recording, courses).read(territory, known, [0, 1])
    for train in trains:
        assert likeness(train, courses[0]) > 0.97
