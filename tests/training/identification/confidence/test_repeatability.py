"""Units that are there again in each half of a recording."""

import math

import numpy as np
import pytest

from musim.training.identification.confidence.places import around, places_of
from musim.training.identification.confidence.repeatability import jaccard, repeated
from musim.training.identification.noise import Noise, whiten
from musim.training.identification.units import Recording
from tests.training.identification.confidence.made import (
    FRAMES,
    PIXEL,
    RATE,
    SHAPE,
    disc,
    noise_train,
    two_units,
    with_more,
)


def again(recording, units):
    near = around(places_of(units.territory), recording.pixel_size)
    return repeated(recording, near, units.train, whiten(recording).noise)


def test_a_true_unit_repeats_and_noise_does_not():
    recording, units = two_units(noise=1.0)
    place = disc((9.0, 3.0), 1.8) > 0
    more = with_more(units, place, noise_train(recording, place), units.firing[0])
    found = again(recording, more)
    # Its map is partly there again, being made of the very pixels; what other pixels tell is not.
    assert (found.maps[:2] > 0.85).all()
    assert found.maps[2] < 0.75
    assert (found.trains[:2] > 0.95).all()
    assert found.trains[2] < 0.5
    for unit in range(2):
        assert np.corrcoef(found.read[unit], units.train[unit])[0, 1] > 0.95


def test_without_noise_everything_repeats_and_trains_are_read_as_they_are():
    recording, units = two_units(noise=0.0)
    quiet = Noise(np.eye(1), np.ones(SHAPE), 1.0)
    near = around(places_of(units.territory), PIXEL)
    found = repeated(recording, near, units.train, quiet)
    np.testing.assert_allclose(found.maps, 1)
    np.testing.assert_allclose(found.trains, 1, atol=1e-6)
    # A thousandth of a map's energy keeps those that are alike apart.
    np.testing.assert_allclose(found.read, units.train, atol=0.02)


def test_a_map_that_moves_between_halves_does_not_repeat():
    recording, units = two_units(noise=0.2)
    tvi = recording.tvi.copy()
    moved = np.roll(units.territory[1], -5, axis=1)
    later = slice(FRAMES // 2, None)
    tvi[later] += np.einsum("t,zx->tzx", units.train[1, later], moved - units.territory[1])
    found = again(Recording(tvi, RATE, PIXEL), units)
    still = again(recording, units)
    assert found.maps[1] < 0.6
    assert still.maps[1] > 0.9
    assert found.maps[0] == pytest.approx(still.maps[0], abs=0.05)


def test_maps_and_trains_are_those_of_a_slow_version():
    recording, units = two_units(noise=0.5, frames=280)
    frames, pixels = 280, SHAPE[0] * SHAPE[1]
    near = around(places_of(units.territory), PIXEL)
    noise = whiten(recording).noise
    found = repeated(recording, near, units.train, noise)
    tvi = recording.tvi.reshape(frames, pixels).astype(float)
    maps = {}
    for name, span in (("first", slice(0, 140)), ("last", slice(140, 280))):
        design = np.column_stack([units.train[:, span].T, np.ones(140)])
        maps[name] = np.linalg.lstsq(design, tvi[span], rcond=None)[0][:2]
    weight = 1 / noise.sd.reshape(-1)
    for used, span in (("last", slice(0, 140)), ("first", slice(140, 280))):
        masked = (maps[used] * near.reshape(2, -1)).T * weight[:, None]
        for frame in range(span.start, span.stop, 23):
            read = np.linalg.lstsq(masked, tvi[frame] * weight, rcond=None)[0]
            np.testing.assert_allclose(found.read[:, frame], read, atol=0.02)


@pytest.mark.parametrize("axis", [1, 2])
def test_flipping_the_image_changes_nothing(axis):
    recording, units = two_units(noise=0.8)
    flipped = Recording(np.flip(recording.tvi, axis).copy(), RATE, PIXEL)
    turned = units.taken(np.arange(2))
    turned = type(units)(
        np.flip(units.territory, axis).copy(), units.train, units.firing, units.confidence
    )
    one, other = again(recording, units), again(flipped, turned)
    np.testing.assert_allclose(one.maps, other.maps, atol=1e-6)
    # The chequerboard of pixels is another one where its last row is cut.
    np.testing.assert_allclose(one.trains, other.trains, atol=0.02)
    np.testing.assert_allclose(one.read, other.read, atol=1e-4)


def test_scale_and_order_change_nothing():
    recording, units = two_units(noise=0.8)
    found = again(recording, units)
    scaled = Recording(recording.tvi * np.float32(64), RATE, PIXEL)
    loud = again(scaled, units)
    np.testing.assert_allclose(loud.maps, found.maps)
    np.testing.assert_allclose(loud.trains, found.trains, atol=1e-4)
    swapped = again(recording, units.taken(np.array([1, 0])))
    np.testing.assert_allclose(swapped.maps, found.maps[::-1])
    np.testing.assert_allclose(swapped.trains, found.trains[::-1], atol=1e-5)
    np.testing.assert_allclose(swapped.read, found.read[::-1], atol=1e-4)


@pytest.mark.parametrize(("frames", "known"), [(98, False), (102, True)])
def test_epochs_shorter_than_a_twitch_tell_nothing(frames, known):
    recording, units = two_units(frames=frames)
    assert (again(recording, units) is not None) is known


def test_a_unit_without_a_train_or_a_place_is_not_there_again():
    recording, units = two_units()
    silent = with_more(units, disc((9, 3), 1.5), np.zeros(FRAMES), units.firing[0])
    assert again(recording, silent).trains[2] == 0
    nowhere = with_more(units, np.zeros(SHAPE), units.train[0], units.firing[0])
    found = again(recording, nowhere)
    assert found.maps[2] == 0
    assert np.isfinite(found.read).all()


def test_the_jaccard_index_is_common_over_all():
    one, other = np.zeros((2, 4), bool), np.zeros((2, 4), bool)
    assert jaccard(one, other) == 0
    one[0, :3], other[0, 1:] = True, True
    assert jaccard(one, other) == 2 / 4
    assert jaccard(one, one) == 1


def test_what_is_around_a_unit_reaches_half_its_radius():
    place = disc((6.0, 6.0), 3.0) > 0
    near = around(place[None], PIXEL)[0]
    area = near.sum() * math.prod(PIXEL)
    assert area == pytest.approx(math.pi * 4.5**2, rel=0.15)
    assert near[place].all()


def test_a_faint_territory_lies_where_it_is_above_half_its_peak():
    faint = disc((6.0, 6.0), 3.0)[None] * np.float32(0.4)
    np.testing.assert_array_equal(places_of(faint), faint > 0)
    assert not places_of(np.zeros((1, 4, 4))).any()
