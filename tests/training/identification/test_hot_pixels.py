"""What stands far out of its surroundings is no tissue: single pixels, blocks, rows, columns."""

import dataclasses

import numpy as np
import pytest

from musim.simulator import Parameters, draw, render
from musim.training.identification.blind_pixels import blind_pixels
from musim.training.identification.methods import identify
from musim.training.identification.units import Recording

SIZE = (0.625, 0.625)
PARAMETERS = Parameters(
    units=(3, 3), snr=20, pixels=(32, 32), size=(20, 20), diameter=(4, 6), frames=400
)
ALL = slice(None)
PLACES = {
    "block": (slice(9, 11), slice(20, 22)),
    "large block": (slice(9, 12), slice(20, 23)),
    "row": (slice(20, 21), ALL),
    "first row": (slice(0, 1), ALL),
    "two rows": (slice(20, 22), ALL),
    "column": (ALL, slice(13, 14)),
    "last column": (ALL, slice(31, 32)),
}


@pytest.fixture(scope="module")
def truth():
    return draw(PARAMETERS, seed=4)


@pytest.fixture(scope="module")
def plain(truth):
    return Recording(render(truth), PARAMETERS.frame_rate, PARAMETERS.pixel_size)


def heated(tvi, place, size, together=False):
    """Let a place be noise of so many times the recording's SD."""
    hot = tvi.copy()
    part = hot[:, *place]
    random = np.random.default_rng(5)
    noise = random.standard_normal((len(part), 1, 1) if together else part.shape)
    part[:] = size * tvi.std() * noise
    return hot


@pytest.mark.parametrize("size", [30, 1e4])
@pytest.mark.parametrize("name", PLACES)
def test_what_stands_out_is_found_and_nothing_else(plain, name, size):
    place = PLACES[name]
    wanted = np.zeros(plain.tvi.shape[1:], bool)
    wanted[place] = True
    np.testing.assert_array_equal(blind_pixels(heated(plain.tvi, place, size), SIZE), wanted)


@pytest.mark.parametrize("name", ["row", "column", "two rows"])
def test_a_line_of_one_course_stands_out_as_well(plain, name):
    blind = blind_pixels(heated(plain.tvi, PLACES[name], 30, together=True), SIZE)
    assert blind.sum() == blind[PLACES[name]].sum() == blind[PLACES[name]].size


@pytest.mark.parametrize("snr", [10, 30, 40])
def test_units_are_not_hot_however_little_noise_there_is(snr):
    parameters = dataclasses.replace(PARAMETERS, snr=snr, units=(8, 8), diameter=(2.5, 4))
    for seed in range(3):
        assert not blind_pixels(render(draw(parameters, seed=seed)), SIZE).any()


def test_a_moving_place_as_large_as_a_unit_is_tissue(plain):
    tvi = heated(plain.tvi, PLACES["large block"], 1000, together=True)
    assert not blind_pixels(tvi, SIZE).any()
    small = heated(plain.tvi, PLACES["block"], 1e4, together=True)
    assert blind_pixels(small, SIZE).sum() == 4


def test_lines_between_dead_ones_are_tissue():
    tvi = np.random.default_rng(6).standard_normal((200, 32, 32)).astype(np.float32)
    tvi[:, 3::4] = 0
    dead = np.zeros((32, 32), bool)
    dead[3::4] = True
    np.testing.assert_array_equal(blind_pixels(tvi, SIZE), dead)
    tvi[:, :16] *= 30  # a step is no line
    np.testing.assert_array_equal(blind_pixels(tvi, SIZE), dead)


def test_short_lines_are_no_lines():
    tvi = np.random.default_rng(7).standard_normal((200, 4, 4)).astype(np.float32)
    tvi[:, :, 1] = 20 * tvi[:, :1, 1]
    assert not blind_pixels(tvi, SIZE).any()


@pytest.mark.parametrize("method", ["refine", "ica", "edges+refine"])
def test_hot_places_hide_no_units(plain, truth, method):
    tvi = heated(heated(plain.tvi, PLACES["row"], 1e4), PLACES["large block"], 100)
    units = identify(dataclasses.replace(plain, tvi=tvi), method)
    alike = np.abs(np.corrcoef(np.concatenate([units.train, truth.twitch_train])))
    assert units.count == 3
    assert sorted(alike[:3, 3:].argmax(axis=1)) == [0, 1, 2]
    assert alike[:3, 3:].max(axis=1).min() > 0.9
    assert "blind-pixels" in units.remarks
    assert (units.territory[:, 20] == 0).all()
