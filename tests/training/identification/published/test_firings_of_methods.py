"""Whose firings a published method's units have: those of the usual way, or its own."""

import numpy as np
import pytest

from musim.datasets.event_tables import padded
from musim.training.identification.firings import with_firings
from musim.training.identification.methods import identify
from tests.training.identification.published.cases import boxes, recorded, trains

SETTINGS = {"stica": {"window": 12, "components": 6}, "nmf": {"components": 10}}


@pytest.fixture(scope="module")
def fast():
    """Return a recording of units whose twitches fuse, and their firings."""
    train, firing = trains((22.0, 26.0), 2.0)
    return recorded(boxes((16, 18), [(2, 2, 5, 5), (9, 10, 5, 6)]), train, noise=0.02), firing


def by_place(units):
    """Return firings, those of the upper unit first: how sure a unit is rests on its firings."""
    return units.firing[np.argsort([np.flatnonzero(one.any(axis=1))[0] for one in units.masks])]


@pytest.mark.parametrize("method", ["stica", "velbss", "nmf"])
def test_firings_are_found_in_trains_as_those_of_other_methods_are(fast, method):
    usual, grid = (
        identify(fast[0], method, settings=SETTINGS.get(method), firings=way)
        for way in (None, "grid")
    )
    assert usual.count == 2
    assert grid.count == 2
    found = by_place(with_firings(fast[0], grid))
    np.testing.assert_array_equal(by_place(usual), found)
    assert not np.array_equal(found, by_place(grid), equal_nan=True)


def test_cbss_has_its_own_unless_a_way_is_asked_for(fast):
    own, grid, family = (identify(fast[0], "cbss", firings=way) for way in (None, "grid", "family"))
    np.testing.assert_array_equal(by_place(own), by_place(grid))
    found = by_place(with_firings(fast[0], own, "family"))
    np.testing.assert_array_equal(by_place(family), found)
    assert not np.array_equal(by_place(own), found, equal_nan=True)


def test_sta_has_those_that_are_given_whatever_is_asked_for(fast):
    events = padded(fast[1])
    found = identify(fast[0], "sta", events=events, firings="free")
    np.testing.assert_allclose(np.sort(found.firing[:, 0]), np.sort(events[:, 0]), atol=1e-12)
