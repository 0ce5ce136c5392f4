"""What of the motion where a unit lies is its own."""

import numpy as np
import pytest

from musim.training.identification.confidence.energy import _mixture, shares_of
from musim.training.identification.confidence.places import places_of
from musim.training.identification.noise import whiten
from musim.training.identification.units import Recording, Units
from tests.training.identification.confidence.made import (
    FRAMES,
    PIXEL,
    RATE,
    SHAPE,
    disc,
    instants,
    padded,
    train_of,
    two_units,
    with_more,
)


def shares(recording, units):
    places = places_of(units.territory)
    return shares_of(whiten(recording), places, units.train, RATE, recording.pixel_size)


def sharing(strengths, seed=0):
    """Two units of one place whose energies are as these numbers, in noise, found both."""
    place = disc((6.0, 6.0), 3.5)
    firing = [instants(10, 1), instants(8, 2)]
    train = np.stack([train_of(one) for one in firing])
    mixed = np.sqrt(np.array(strengths)) @ train
    noise = 0.3 * np.random.default_rng(seed).standard_normal((FRAMES, *SHAPE))
    tvi = (mixed[:, None, None] * place + noise).astype(np.float32)
    units = Units(np.stack([place, place]), train, padded(firing), np.ones(2))
    return Recording(tvi, RATE, PIXEL), units


def test_units_apart_explain_all_where_they_lie():
    found = shares(*two_units(noise=0.5))
    np.testing.assert_allclose(found.own, 1, atol=0.05)
    np.testing.assert_allclose(found.every, 1, atol=0.05)
    np.testing.assert_allclose(found.mixture, 0, atol=0.1)


@pytest.mark.parametrize("strengths", [(1.0, 1.0), (3.0, 1.0), (1.0, 9.0)])
def test_units_of_one_place_share_its_energy(strengths):
    recording, units = sharing(strengths)
    found = shares(recording, units)
    # What both do together is neither's: the trains are not quite uncorrelated.
    wanted = np.array(strengths) / sum(strengths)
    np.testing.assert_allclose(found.own, wanted, atol=0.1)
    np.testing.assert_allclose(found.every, 1, atol=0.05)


def test_a_unit_that_is_not_there_explains_nothing():
    recording, units = two_units(noise=0.5)
    other = train_of(instants(12, 9))
    found = shares(recording, with_more(units, units.territory[0], other, instants(12, 9)))
    assert found.own[2] < 0.05
    assert found.own[0] > 0.9


def test_a_mixture_of_others_is_known_for_one():
    recording, units = two_units(noise=0.5)
    mixed = (units.train[0] + units.train[1]) / np.sqrt(2)
    other = train_of(instants(12, 9))
    found = shares(recording, with_more(units, units.territory[0], other, instants(12, 9)))
    assert found.mixture[2] < 0.3
    found = shares(recording, with_more(units, units.territory[0], mixed, units.firing[0]))
    assert found.mixture.min() > 0.95


@pytest.mark.parametrize("units", [2, 20, 60])
def test_trains_that_have_nothing_in_common_are_no_mixtures(units):
    # Of 60 values, many units explain most by chance; of 400, few do.
    random = np.random.default_rng(units)
    for values in (60, 400):
        courses = random.normal(size=(units, values)) * np.linspace(3, 0.1, values)
        courses /= np.linalg.norm(courses, axis=1)[:, None]
        assert _mixture(courses).mean() < 0.1
        mixed = courses.copy()
        mixed[0] = mixed[1:].sum(axis=0)
        if units == 20 and values == 400:
            assert _mixture(mixed)[0] > 0.95


def test_the_fainter_of_two_alike_is_the_copy():
    recording, units = two_units(noise=0.5)
    late = np.roll(units.train[0], 4)
    late[:4] = 0
    # What is late by 20 ms moves a fringe of the image, more faintly.
    fringe = disc((3.5, 9.0), 1.5)
    tvi = recording.tvi + np.einsum("t,zx->tzx", 0.5 * late, fringe).astype(np.float32)
    found = shares(Recording(tvi, RATE, PIXEL), with_more(units, fringe, late, units.firing[0]))
    assert found.likeness[2] > 0.95
    assert found.likeness[:2].max() < 0.6
    assert found.likeness[:2].min() == 0  # nothing is stronger than the strongest


def test_scale_and_order_change_nothing():
    recording, units = two_units(noise=0.5)
    found = shares(recording, units)
    loud = Recording(recording.tvi * np.float32(32), RATE, PIXEL)
    swapped = units.taken(np.array([1, 0]))
    for name in ("own", "every", "mixture", "likeness"):
        np.testing.assert_allclose(
            getattr(shares(loud, units), name), getattr(found, name), atol=1e-4
        )
        np.testing.assert_allclose(
            getattr(shares(recording, swapped), name)[::-1], getattr(found, name), atol=1e-6
        )


def test_one_unit_alone_and_one_that_lies_nowhere():
    recording, units = two_units(noise=0.5)
    alone = shares(recording, units.taken(np.array([0])))
    assert (alone.mixture, alone.likeness) == (0, 0)
    nowhere = with_more(units, np.zeros(SHAPE), units.train[0], units.firing[0])
    found = shares(recording, nowhere)
    assert np.isnan([found.own[2], found.every[2]]).all()
    assert found.mixture[2] > 0.95


def test_a_train_that_is_still_is_no_mixture():
    recording, units = two_units(noise=0.5)
    found = shares(recording, with_more(units, units.territory[0], np.zeros(FRAMES), [0.1, 0.2]))
    assert (found.mixture[2], found.own[2]) == (0, 0)
    np.testing.assert_allclose(found.own[:2], 1, atol=0.05)
