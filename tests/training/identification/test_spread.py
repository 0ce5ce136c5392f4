"""Units whose motion spreads: trains first, then outlines; copies and arteries are left out."""

import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from benchmarks.recordings import make
from musim.simulator import Parameters, Range, draw
from musim.training.identification.methods import identify
from musim.training.identification.methods.blocks import Blocks
from musim.training.identification.methods.spread import (
    enlarged,
    maps_of,
    spread_units,
    territories_of,
    units_of_spread,
    with_trains,
)
from musim.training.identification.metrics import match_trains
from musim.training.identification.noise import whiten
from musim.training.identification.units import Recording

RATE = 400.0
SIZE = (0.625, 0.625)
SHAPE = (40, 40)
ROWS, COLUMNS = np.mgrid[: SHAPE[0], : SHAPE[1]]


def _disc(row, column, radius):
    """Return a disc of a radius in mm."""
    return (np.hypot(ROWS - row, COLUMNS - column) * SIZE[0] < radius).astype(float)


TERRITORIES = np.array([_disc(10, 10, 3.0), _disc(14, 29, 3.5), _disc(30, 18, 4.0)])
FIELDS = np.array(
    [gaussian_filter(one, 1.6) - 0.5 * gaussian_filter(one, 8) for one in TERRITORIES]
)


def _trains(seed, frames=400):
    parameters = Parameters(
        units=Range(3, 3), synchrony=Range(0, 0), frames=frames, frame_rate=RATE
    )
    return draw(parameters, seed=seed).twitch_train.astype(float)


def _recording(trains, *others, seed=0):
    """Return a recording of three units and other (field, course), 10 dB above white noise."""
    clean = np.einsum("ut,udw->tdw", trains, FIELDS)
    power = np.square(clean).mean()
    for field, course in others:
        clean += course[:, None, None] * field
    noise = np.random.default_rng(seed).standard_normal(clean.shape)
    return Recording((clean + noise * math.sqrt(power / 10)).astype(np.float32), RATE, SIZE)


def _iou(one, other):
    return (one & other).sum() / max((one | other).sum(), 1)


def _check_all_found(units, trains, iou=0.5, correlation=0.9):
    """Every unit is found by its train, its territory lies over its own, and none is invented."""
    matching = match_trains(units.train, trains, RATE)
    assert matching.matches == units.count == len(trains)
    assert (np.abs(matching.correlation) > correlation).all()
    assert matching.inverted == 0
    for mask, true in zip(units.masks[matching.predicted], matching.true, strict=True):
        assert _iou(mask, TERRITORIES[true] > 0) > iou


@pytest.mark.parametrize(("seed", "frames"), [(0, 400), (1, 400), (2, 800)])
def test_all_units_are_found_and_none_is_invented(seed, frames):
    trains = _trains(seed, frames)
    recording = _recording(trains, seed=seed)
    found = whiten(recording)
    spread = spread_units(recording, found)
    units = units_of_spread(recording, found, spread)
    _check_all_found(units, trains, iou=0.8)
    assert units.remarks == spread.remarks == ()
    assert (np.diff(units.confidence) <= 0).all()
    assert ((units.confidence > 0.5) & (units.confidence <= 1)).all()
    assert ((units.outline_confidence > 0.5) & (units.outline_confidence <= 1)).all()
    assert set(np.unique(units.territory)) == {0.0, 1.0}
    assert units.territory.dtype == units.train.dtype == np.float32
    # The default method comes to the same.
    answer = identify(recording)
    _check_all_found(answer, trains, iou=0.8)
    assert answer.remarks == ()


def test_trains_have_the_velocity_of_their_units():
    trains = _trains(1)
    recording = _recording(trains, seed=1)
    found = whiten(recording)
    units = units_of_spread(recording, found, spread_units(recording, found))
    matching = match_trains(units.train, trains, RATE)
    for one, other in zip(matching.predicted, matching.true, strict=True):
        inside = FIELDS[other][TERRITORIES[other] > 0]
        scale = units.train[one] @ trains[other] / (trains[other] @ trains[other])
        assert np.quantile(inside, 0.1) < scale < np.quantile(inside, 0.95)


@pytest.mark.parametrize("delay", [4, 8, 12])
@pytest.mark.parametrize("seed", range(2))
def test_a_late_inverted_copy_beside_a_unit_is_no_unit(seed, delay):
    trains = _trains(seed)
    copy = gaussian_filter(_disc(32, 33, 3.0), 1.6)
    course = -0.8 * np.roll(trains[2], delay)
    units = identify(_recording(trains, (copy, course), seed=seed))
    _check_all_found(units, trains)
    assert units.remarks == ("copies-left-out",)


def _artery(rate, frames):
    """Return the velocity of a vessel's wall: a fast rise with every beat and a slow fall."""
    phase = (np.arange(frames) / RATE * rate + 0.3) % 1.0
    course = np.where(phase < 0.12, phase / 0.12, np.exp(-(phase - 0.12) / 0.25))
    velocity = np.gradient(gaussian_filter1d(course, 0.01 * RATE))
    return velocity / velocity.std()


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("walls", [1, 2])
def test_an_artery_is_no_unit(walls, seed):
    trains = _trains(seed, 800)
    vessel = gaussian_filter(_disc(32, 33, 2.5), 1.3)
    field = vessel / vessel.max()
    if walls == 2:
        field = np.gradient(field, axis=0)
        field *= 2 / np.abs(field).max()
    course = 1.5 * trains.std() * _artery(1.2, 800)
    units = identify(_recording(trains, (field, course), seed=seed))
    # Where the vessel is large, what is slow is taken from all.
    _check_all_found(units, trains, correlation=0.75)
    assert "pulsation-left-out" in units.remarks


@pytest.mark.parametrize("smooth", [0.0, 1.0])
def test_there_is_no_unit_where_nothing_moves(smooth):
    for seed in range(3):
        noise = np.random.default_rng(seed).standard_normal((400, *SHAPE))
        if smooth:
            noise = gaussian_filter(noise, (0, smooth, smooth))
        recording = Recording(noise.astype(np.float32), RATE, SIZE)
        found = whiten(recording)
        units = units_of_spread(recording, found, spread_units(recording, found))
        assert units.count == 0
        assert units.territory.shape == (0, *SHAPE)
        assert units.train.shape == (0, 400)


def test_given_trains_get_their_maps_and_certainties():
    trains = _trains(2)
    recording = _recording(trains, seed=2)
    found = whiten(recording)
    noise = np.random.default_rng(0).standard_normal((1, 400))
    given = found.values_of(np.concatenate([-3 * trains, trains.std() * noise]).astype(np.float32))
    before = given.copy()
    spread = with_trains(recording, found, given)
    np.testing.assert_array_equal(given, before)
    assert spread.trains.shape == (4, found.values.shape[1])
    # Only what stands out from noise is left, and it stands upright.
    np.testing.assert_allclose(
        spread.trains @ spread.directions.T @ spread.directions, spread.trains, atol=1e-8
    )
    for image, field in zip(spread.maps[:3], FIELDS, strict=True):
        assert np.corrcoef(image.ravel(), field.ravel())[0, 1] > 0.95
    assert (spread.confidence[:3] > 0.8).all()
    assert with_trains(recording, found, given[:0]).maps.shape == (0, *SHAPE)
    assert with_trains(recording, found, 0 * given).maps.shape == (0, *SHAPE)


def test_maps_are_least_squares_upright_and_of_size_1():
    random = np.random.default_rng(3)
    trains = random.standard_normal((3, 20))
    values = FIELDS.reshape(3, -1).T @ trains
    blocks = Blocks(values, SHAPE, SIZE)
    given = trains * [[-5.0], [0.1], [2.0]]
    maps = maps_of(blocks, given)
    # Maps and trains still give the recording, with their sizes shared otherwise.
    np.testing.assert_allclose(maps.reshape(3, -1).T @ given, values, atol=1e-9)
    for image, field, train, true in zip(maps, FIELDS, given, trains, strict=True):
        assert np.corrcoef(image.ravel(), field.ravel())[0, 1] == pytest.approx(1.0)
        assert np.median(image[field > 0.5 * field.max()]) == pytest.approx(1.0, abs=0.05)
        assert train @ true > 0


def _slow_enlarged(image, shape, pixel_size, size):
    result = np.zeros(shape)
    for i in range(shape[0]):
        for j in range(shape[1]):
            at = []
            for place, pixel, block, blocks in zip(
                (i, j), pixel_size, size, image.shape, strict=True
            ):
                at.append(min(max((place + 0.5) * pixel / block - 0.5, 0.0), blocks - 1.0))
            top, left = (math.floor(one) for one in at)
            down, right = at[0] - top, at[1] - left
            bottom, end = min(top + 1, image.shape[0] - 1), min(left + 1, image.shape[1] - 1)
            result[i, j] = (1 - down) * (
                (1 - right) * image[top, left] + right * image[top, end]
            ) + down * ((1 - right) * image[bottom, left] + right * image[bottom, end])
    return result


@pytest.mark.parametrize(
    ("blocks", "shape", "pixel_size", "size"),
    [
        ((5, 4), (10, 12), (0.3, 0.2), (0.6, 0.6)),
        ((5, 4), (9, 11), (0.3, 0.2), (0.6, 0.6)),  # the last blocks are not full
        ((6, 7), (6, 7), (0.6, 0.5), (0.6, 0.5)),
        ((1, 3), (2, 9), (0.3, 0.2), (0.6, 0.6)),
    ],
)
def test_enlarging_is_that_of_a_slow_loop(blocks, shape, pixel_size, size):
    image = np.random.default_rng(0).standard_normal(blocks)
    found = enlarged(image, shape, pixel_size, size)
    np.testing.assert_allclose(found, _slow_enlarged(image, shape, pixel_size, size), atol=1e-12)
    if blocks == shape:
        np.testing.assert_allclose(found, image)
    np.testing.assert_allclose(enlarged(np.full(blocks, 3.0), shape, pixel_size, size), 3.0)


def test_territories_of_fine_pixels_lie_where_units_do():
    trains = _trains(0, 200)
    coarse = _recording(trains, seed=0)
    # Each pixel as 2 x 2 of half the size, with noise of their own.
    fine = np.repeat(np.repeat(coarse.tvi, 2, axis=1), 2, axis=2)
    fine += 0.02 * fine.std() * np.random.default_rng(1).standard_normal(fine.shape).astype("f4")
    recording = Recording(fine, RATE, (SIZE[0] / 2, SIZE[1] / 2))
    found = whiten(recording)
    spread = spread_units(recording, found)
    assert spread.blocks.shape == SHAPE
    assert spread.blocks.size == SIZE
    territory, outline = territories_of(recording, spread)
    assert territory.shape == (len(spread.maps), 80, 80)
    assert ((outline > 0) & (outline < 1)).all()
    large = np.repeat(np.repeat(TERRITORIES, 2, axis=1), 2, axis=2) > 0
    for true in large:
        assert max(_iou(one > 0, true) for one in territory) > 0.75


@pytest.mark.parametrize(
    "maker", ["spread", pytest.param("discs", marks=pytest.mark.slow)]
)  # fmt: skip
def test_units_of_other_makers_are_found_by_their_trains(maker):
    made = make(maker, 4)
    units = identify(Recording(made.tvi, made.frame_rate, made.pixel_size))
    matching = match_trains(units.train, made.train, made.frame_rate)
    assert matching.matches == units.count == len(made.train)
