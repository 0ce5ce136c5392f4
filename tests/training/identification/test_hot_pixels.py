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


def still(frames=400, image=(32, 32)):
    return np.random.default_rng(8).standard_normal((frames, *image)).astype(np.float32)


@pytest.mark.parametrize(("times", "hot"), [(4.5, False), (7, True)])
def test_places_that_do_not_move_together_are_hot_from_thirty_times_the_variance(times, hot):
    tvi = still()
    tvi[:, 9:11, 20:22] *= times
    assert blind_pixels(tvi, SIZE).sum() == 4 * hot


@pytest.mark.parametrize(("correlation", "hot"), [(0.35, True), (0.7, False)])
def test_neighbours_move_together_from_a_correlation_of_a_half(correlation, hot):
    tvi = still()
    place = tvi[:, 9:13, 20:24]
    common = np.random.default_rng(9).standard_normal((len(tvi), 1, 1))
    signs = np.where(np.arange(4) % 2, -1, 1)  # the one and the other way, as parts of a unit may
    place[:] = 10 * (np.sqrt(correlation) * common * signs + np.sqrt(1 - correlation) * place)
    assert blind_pixels(tvi, SIZE).sum() == 16 * hot


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("times", "rows", "width", "pixel_size", "hot"),
    [
        (2.5, 1, 32, SIZE, False), (4, 1, 32, SIZE, True),  # ten times the variance of others
        (4, 3, 32, SIZE, True), (4, 4, 32, SIZE, False),  # 1.25 mm lie in three rows at most
        (4, 1, 17, SIZE, True), (4, 1, 15, SIZE, False),  # 10 mm long
        (4, 4, 16, (0.3, 1.0), True), (4, 3, 32, (1.0, 0.4), False),
    ],
)  # fmt: skip
def test_what_is_a_line(times, rows, width, pixel_size, hot, turned):
    tvi = still(image=(32, width))
    tvi[:, 20 : 20 + rows] *= times
    if turned:
        tvi, pixel_size = np.ascontiguousarray(tvi.swapaxes(1, 2)), pixel_size[::-1]
    blind = blind_pixels(tvi, pixel_size)
    blind = blind.T if turned else blind
    assert blind.sum() == blind[20 : 20 + rows].sum() == rows * width * hot


def test_a_few_strong_pixels_make_no_line():
    tvi = still()
    tvi[:, 20, ::4] *= 25  # one by one, and less than a single pixel has to
    assert not blind_pixels(tvi, SIZE).any()


@pytest.mark.parametrize("rows", [20, 31])
def test_the_larger_part_of_an_image_does_not_stand_out(rows):
    tvi = still()
    tvi[:, :rows] *= 10
    assert not blind_pixels(tvi, SIZE).any()


def test_hot_pixels_that_touch_at_a_corner_are_one_place():
    tvi = still()
    for place in ((9, 20), (10, 21), (11, 20)):
        tvi[:, *place] *= 10
    assert blind_pixels(tvi, SIZE).sum() == 3


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
