"""Confidence of the units that a method finds."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musim.training.identification.confidence.gathering import parts_of
from musim.training.identification.confidence.joint import with_confidence
from musim.training.identification.confidence.least import cut_below
from musim.training.identification.confidence.model import reasons_of
from musim.training.identification.methods import METHODS, Method, identify
from musim.training.identification.units import Recording, Units
from tests.training.identification.confidence.made import (
    PIXEL,
    RATE,
    disc,
    noise_train,
    two_units,
    with_more,
)


@pytest.fixture(scope="module")
def made():
    """A recording, its two units, and one made of noise that the method is surest of."""
    recording, units = two_units(noise=1.0)
    place = disc((9.0, 3.0), 1.8) > 0
    return recording, with_more(units, place, noise_train(recording, place), units.firing[0])


@pytest.fixture
def method(monkeypatch):
    """Let the method "stub" find given units."""

    def install(units, **more):
        monkeypatch.setitem(METHODS, "stub", Method("stub", "", lambda recording: units, **more))

    return install


def test_true_units_are_believed_and_noise_is_not(made, method):
    recording, units = made
    method(units)
    found = identify(recording, "stub")
    assert (found.confidence[:2] > 0.8).all()
    assert found.confidence[2] < 0.4
    assert (np.diff(found.confidence) <= 0).all()
    # What was surest is the last one now, with all that belongs to it.
    np.testing.assert_array_equal(found.train[2], units.train[2])
    np.testing.assert_array_equal(found.territory[2], units.territory[2])
    assert found.parts.method_confidence[2] == 0.95
    reasons = reasons_of(found.parts, found.confidence)
    assert reasons[:2] == ((), ())
    assert reasons[2]


def test_a_method_may_keep_its_own(made, method):
    recording, units = made
    method(units, keeps_confidence=True)
    found = identify(recording, "stub")
    np.testing.assert_array_equal(found.confidence, units.confidence)
    np.testing.assert_array_equal(found.train, units.train)
    assert found.parts.map_repeatability.shape == (3,)


def test_what_is_less_sure_is_cut_and_counted(made, method):
    recording, units = made
    method(units)
    found = identify(recording, "stub", min_confidence=0.5)
    assert (found.count, found.cut) == (2, 1)
    whole = identify(recording, "stub")
    assert (whole.count, whole.cut) == (3, 0)
    np.testing.assert_array_equal(found.confidence, whole.confidence[:2])
    assert found.parts.area.shape == (2,)
    # What is cut explains nothing.
    assert found.explained_share <= whole.explained_share
    none = identify(recording, "stub", min_confidence=1.0)
    assert (none.count, none.cut) == (0, 3)


@pytest.mark.parametrize("least", [-0.1, 1.1, math.nan])
def test_a_least_confidence_is_a_probability(made, method, least, refused):
    recording, units = made
    method(units)
    with refused("`min_confidence`: found", "wanted a number of 0 to 1"):
        identify(recording, "stub", min_confidence=least)


def test_a_short_recording_says_so_and_keeps_what_the_method_says(made, method):
    recording, units = two_units(frames=90)
    method(units)
    found = identify(recording, "stub")
    assert "too-short-to-repeat" in found.remarks
    np.testing.assert_array_equal(found.confidence, units.confidence)
    assert np.isnan(found.parts.map_repeatability).all()
    assert np.isfinite(found.parts.local_share).all()


def test_no_unit_has_no_numbers(method):
    recording, _ = two_units()
    method(Units(np.zeros((0, 24, 24), "f4"), np.zeros((0, 300), "f4"), np.zeros((0, 0)),
                 np.zeros(0)))  # fmt: skip
    found = identify(recording, "stub", min_confidence=0.5)
    assert (found.count, found.cut) == (0, 0)
    assert "too-short-to-repeat" not in found.remarks


@given(order=st.permutations(range(3)), scale=st.sampled_from([0.25, 1.0, 64.0]),
       axis=st.sampled_from([None, 0, 1]))  # fmt: skip
@settings(max_examples=12, deadline=None)
def test_order_scale_and_flips_change_no_confidence(made, order, scale, axis):
    recording, units = made
    usual = with_confidence(recording, units)
    tvi, territory = recording.tvi * np.float32(scale), units.territory
    if axis is not None:
        tvi, territory = np.flip(tvi, axis + 1).copy(), np.flip(territory, axis + 1).copy()
    other = Units(territory, units.train, units.firing, units.confidence)
    moved = other.taken(np.array(order))
    found = with_confidence(Recording(tvi, RATE, PIXEL), moved)
    np.testing.assert_allclose(found.confidence, usual.confidence, atol=0.03)
    np.testing.assert_array_equal(found.train, usual.train)


def test_numbers_are_those_of_a_slow_version(made):
    recording, units = made
    parts = parts_of(recording, units)
    np.testing.assert_allclose(parts.area, (units.territory > 0.5).sum(axis=(1, 2)) * 0.25)
    for unit, firing in enumerate(units.firing):
        gaps = np.diff(firing[np.isfinite(firing)])
        assert parts.interval_variation[unit] == pytest.approx(gaps.std(ddof=1) / gaps.mean())
    np.testing.assert_array_equal(parts.method_confidence, units.confidence)
    assert (parts.firing_repeatability[:2] > 0.7).all()
    assert parts.firing_repeatability[2] < 0.5


def test_cutting_twice_counts_all(made):
    _, units = made
    once = cut_below(units, 0.85)
    twice = cut_below(once, 0.93)
    assert (once.count, once.cut, twice.count, twice.cut) == (2, 1, 1, 2)
