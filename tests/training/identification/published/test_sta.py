"""Spike-triggered averages: what they must give, where they fail, and what is refused."""

import numpy as np
import pytest

from musim.datasets.event_tables import padded
from musim.training.identification.methods import identify, method_named
from tests.training.identification.published.cases import boxes, matched, recorded, trains


def test_maps_and_trains_of_units_that_fire_slowly():
    train, firing = trains((4.0, 5.0), 6.0)
    territory = boxes((16, 18), [(2, 2, 7, 7), (6, 7, 7, 8)])
    units = identify(recorded(territory, train), "sta", events=padded(firing))
    for likeness, iou in matched(units, territory, train):
        assert likeness > 0.95
        assert iou > 0.9
    assert units.confidence.min() > 0.8
    np.testing.assert_allclose(
        sorted(units.firing[:, 0]), sorted(one[0] for one in firing), atol=1e-12
    )


def test_the_train_is_too_small_where_twitches_fuse():
    sizes = []
    for rate in (3.0, 14.0):
        train, firing = trains((rate,), 6.0)
        territory = boxes((12, 12), [(2, 2, 7, 7)])
        units = identify(recorded(territory, train), "sta", events=padded(firing))
        sizes.append(float(units.train[0] @ train[0] / (train[0] @ train[0])))
    assert sizes[0] == pytest.approx(1, abs=0.1)
    assert abs(sizes[1] - 1) > 0.25


def test_firings_of_no_unit_there_are_not_believed():
    train, _ = trains((9.0,), 4.0)
    _, others = trains((7.0,), 4.0, seed=5)
    recording = recorded(boxes((12, 12), [(2, 2, 7, 7)]), train)
    assert identify(recording, "sta", events=padded(others)).confidence.max(initial=0) < 0.4


def test_what_lacks_firings_is_refused(refused):
    train, firing = trains((9.0,), 2.0)
    recording = recorded(boxes((12, 12), [(2, 2, 7, 7)]), train)
    with refused("found sta without firings", "`events`"):
        identify(recording, "sta")
    with refused("found 0 firings of a unit at most in 2 s, wanted 5 or more"):
        identify(recording, "sta", events=padded([firing[0] + 60]))
    with refused("found ica with `events`, wanted sta"):
        identify(recording, "ica", events=padded(firing))
    with refused("found sta without firings"):
        method_named("sta").check_events(False, False)
