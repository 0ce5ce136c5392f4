import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musim.simulator import InputError, Parameters, Range, draw, render
from musim.simulator.acceleration import BLOCK
from musim.simulator.noise import standard_normal
from musim.simulator.rendering import render_arrays, signal
from musim.simulator.rendering_kernels import pack_blocks, render_window, sum_of_squares
from musim.simulator.seeds import noise_key
from musim.simulator.territory import boxes_of

GRIDS = [(5, 7), (3, 3), (64, 64), (17, 16), (1, 1), (1, 40), (33, 2), (8, 4)]


def _scene(seed, units, frames, grid):
    """Return random territories, many of them empty in places, trains and a key."""
    random = np.random.default_rng(seed)
    territory = random.random((units, *grid), np.float32)
    territory[random.random(territory.shape) < 0.5] = 0
    for unit in range(units):
        territory[unit, : random.integers(0, grid[0] + 1)] = 0
    trains = random.standard_normal((units, frames)).astype(np.float32)
    return territory, trains, noise_key(seed, 0)


@st.composite
def windows(draw, length):
    start = draw(st.integers(0, length - 1))
    return slice(start, draw(st.integers(start + 1, length)))


@given(st.integers(1, 4), st.integers(1, 40), st.integers(0, 2**32))
def test_blocks_hold_every_pixel_that_a_unit_covers(units, pixels, seed):
    random = np.random.default_rng(seed)
    territory = random.random((units, pixels), np.float32)
    territory[random.random(territory.shape) < 0.9] = 0
    room = units * 3
    unit, start = np.full(room, -1), np.full(room, -1)
    weights = np.full((room, BLOCK), np.nan, np.float32)
    count = pack_blocks(territory, unit, start, weights)
    found = np.zeros((units, -(-pixels // BLOCK) * BLOCK), np.float32)
    for block in range(count):
        assert weights[block].any()
        found[unit[block], start[block] : start[block] + BLOCK] += weights[block]
    np.testing.assert_array_equal(found[:, :pixels], territory)
    assert not found[:, pixels:].any()
    assert (np.diff(unit[:count]) >= 0).all()
    assert (unit[count:] == -1).all()


def test_blocks_without_room_are_counted():
    territory = np.ones((3, 40), np.float32)
    unit, start = np.zeros(2, np.int64), np.zeros(2, np.int64)
    weights = np.zeros((2, BLOCK), np.float32)
    assert pack_blocks(territory, unit, start, weights) == 9
    assert start.tolist() == [0, 16]


def test_more_blocks_than_expected_are_rendered_all_the_same():
    random = np.random.default_rng(0)
    territory = random.random((2, 64, 64), np.float32) + np.float32(0.1)
    trains = random.standard_normal((2, 3)).astype(np.float32)
    found = render_arrays(territory, trains, noise_key(0, 0), 0.0)
    expected = np.einsum("kt,kzx->tzx", trains.astype(float), territory)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_kernel_renders_the_sum_over_units():
    territory, trains, key = _scene(0, 5, 8, (5, 7))
    flat = territory.reshape(5, 35)
    blocks = np.empty(40, np.int64), np.empty(40, np.int64), np.empty((40, BLOCK), np.float32)
    count = pack_blocks(flat, *blocks)
    out = np.full((6, 35), np.nan, np.float32)
    window = np.array([5, 7, 0, 0, 7])
    packed = (array[:count] for array in blocks)
    by_time = np.ascontiguousarray(trains.T)
    render_window(*packed, by_time, 1, window, key, np.float32(0), out)
    expected = np.einsum("kt,kp->tp", trains[:, 1:7].astype(float), flat)
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("frames", [1, 4, 7, 30])
def test_a_sequence_is_the_sum_over_units(grid, frames):
    territory, trains, key = _scene(1, 6, frames, grid)
    expected = np.einsum("kt,kzx->tzx", trains.astype(float), territory)
    found = render_arrays(territory, trains, key, 0.0)
    assert found.shape == (frames, *grid)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("grid", GRIDS)
def test_the_sequences_of_single_units_sum_to_the_mix_bit_for_bit(grid):
    territory, trains, key = _scene(2, 7, 9, grid)
    total = np.zeros((9, *grid), np.float32)
    for unit in range(7):
        total += render_arrays(territory[unit : unit + 1], trains[unit : unit + 1], key, 0.0)
    assert render_arrays(territory, trains, key, 0.0).tobytes() == total.tobytes()


def test_drawn_units_sum_to_their_mix_bit_for_bit():
    truth = draw(Parameters(mask="soft", frames=50), seed=4)
    total = np.zeros((50, 64, 64), np.float32)
    for unit in range(truth.unit_count):
        one = dataclasses.replace(
            truth,
            territory=truth.territory[unit : unit + 1],
            twitch_train=truth.twitch_train[unit : unit + 1],
        )
        total += render(one, noise=False)
    assert render(truth, noise=False).tobytes() == total.tobytes()


@given(st.sampled_from(GRIDS), st.integers(1, 13), st.sampled_from([0.0, 0.5]), st.data())
def test_any_window_is_that_window_of_the_whole(grid, frames, noise_sd, data):
    scene = _scene(frames, 5, frames, grid)
    time, depth, width = (data.draw(windows(length)) for length in (frames, *grid))
    whole = render_arrays(*scene, noise_sd)
    window = render_arrays(*scene, noise_sd, time=time, depth=depth, width=width)
    assert window.tobytes() == whole[time, depth, width].tobytes()


@given(st.data())
def test_any_window_of_a_drawn_sequence_is_that_window_of_the_whole(data):
    truth = draw(Parameters(units=Range(6, 6), frames=41), seed=1)
    time, depth, width = (data.draw(windows(length)) for length in (41, 64, 64))
    window = render(truth, time=time, depth=depth, width=width)
    assert window.tobytes() == render(truth)[time, depth, width].tobytes()


@pytest.mark.parametrize("grid", GRIDS)
def test_a_sequence_put_together_from_frames_is_the_whole(grid):
    scene = _scene(3, 4, 11, grid)
    frames = [render_arrays(*scene, 0.3, time=slice(t, t + 1)) for t in range(11)]
    assert np.concatenate(frames).tobytes() == render_arrays(*scene, 0.3).tobytes()


def test_windows_count_from_the_end_like_slices():
    scene = _scene(0, 3, 9, (5, 7))
    whole = render_arrays(*scene, 0.1)
    window = render_arrays(*scene, 0.1, time=slice(-3, None), depth=slice(None, -1))
    np.testing.assert_array_equal(window, whole[-3:, :-1])


def test_units_are_added_to_the_noise_in_their_order(truth):
    assert truth.noise_sd > 0
    shape = (30, 9, 7)
    total = np.float32(truth.noise_sd) * standard_normal(truth.noise_key, shape)
    for unit in range(truth.unit_count):
        total += truth.twitch_train[unit, :, None, None] * truth.territory[unit]
    assert render(truth).tobytes() == total.tobytes()


@given(st.integers(0, 6), st.sampled_from(GRIDS), st.integers(1, 50), st.integers(0, 2**32))
def test_the_signal_is_the_rendering_without_noise_bit_for_bit(units, grid, frames, seed):
    territory, trains, key = _scene(seed, units, frames, grid)
    wanted = render_arrays(territory, trains, key, 0.0)
    np.testing.assert_array_equal(signal(territory, trains), wanted, strict=True)


def test_without_noise_nothing_is_added(tiny):
    silent = draw(dataclasses.replace(tiny, snr=Range(np.inf, np.inf)), seed=1)
    assert silent.noise_sd == 0
    assert render(silent).tobytes() == render(silent, noise=False).tobytes()


def test_empty_units_and_unknown_trains_change_nothing():
    territory, trains, key = _scene(0, 3, 9, (5, 7))
    padded = np.concatenate([territory, np.zeros((2, 5, 7), np.float32)])
    padded_trains = np.concatenate([trains, np.full((2, 9), np.nan, np.float32)])
    found = render_arrays(padded, padded_trains, key, 0.1)
    assert found.tobytes() == render_arrays(territory, trains, key, 0.1).tobytes()


def test_without_units_there_is_noise_alone():
    empty = np.zeros((0, 5, 7), np.float32), np.zeros((0, 6), np.float32)
    key = noise_key(0, 0)
    found = render_arrays(*empty, key, 1.0)
    np.testing.assert_array_equal(found, standard_normal(key, (6, 5, 7)))


@pytest.mark.parametrize("grid", [(5, 7), (8, 8)])
def test_a_window_is_written_where_asked(grid):
    scene = _scene(0, 3, 9, grid)
    time = slice(2, 8)
    out = np.full((6, *grid), np.nan, np.float32)
    assert render_arrays(*scene, 0.1, time=time, out=out) is out
    np.testing.assert_array_equal(out, render_arrays(*scene, 0.1, time=time))


def _read_only(array):
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "out",
    [
        np.empty((30, 9, 8), np.float32),
        np.empty((30, 63), np.float32),
        np.empty((30, 9, 7), np.float64),
        np.empty((7, 9, 30), np.float32).T,
        np.empty((30, 9, 14), np.float32)[:, :, ::2],
        _read_only(np.empty((30, 9, 7), np.float32)),
    ],
)
def test_an_out_that_does_not_fit_is_refused(truth, out, refused):
    with refused("out: found ", ", wanted ", "(30, 9, 7)"):
        render(truth, out=out)


@pytest.mark.parametrize("name", ["time", "depth", "width"])
@pytest.mark.parametrize(
    "window", [slice(0, 4, 2), slice(None, None, -1), slice(3, 3), slice(4, 2), slice(99, None)]
)
def test_windows_with_steps_or_nothing_in_them_are_refused(truth, name, window):
    with pytest.raises(InputError, match=f"{name}: found slice.*, wanted a window without steps"):
        render(truth, **{name: window})


@given(st.integers(1, 5), st.sampled_from(GRIDS), st.integers(1, 40), st.integers(0, 2**32))
def test_the_sum_of_squares_is_that_of_the_rendered_sequence(units, grid, frames, seed):
    territory, trains, _ = _scene(seed, units, frames, grid)
    sequence = np.einsum("kt,kzx->tzx", trains.astype(float), territory)
    found = sum_of_squares(territory, boxes_of(territory), trains)
    assert found == pytest.approx((sequence**2).sum(), rel=1e-9, abs=1e-9)


def test_units_that_cancel_have_no_power():
    territory, trains, _ = _scene(0, 1, 9, (5, 7))
    opposite = np.concatenate([trains, -trains])
    twice = np.concatenate([territory, territory])
    assert sum_of_squares(twice, boxes_of(twice), opposite) == 0


def _dot(a, b):
    """Return the dot product in four lanes, as the kernel does."""
    whole = a.size // 4 * 4
    products = a.astype(float) * b
    lanes = [0.0] * 4
    for i, product in enumerate(products):
        lanes[i % 4 if i < whole else 0] += float(product)
    return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])


@given(st.integers(1, 5), st.sampled_from(GRIDS), st.integers(0, 2**32))
def test_the_sum_of_squares_keeps_its_last_bit(units, grid, seed):
    territory, trains, _ = _scene(seed, units, 10, grid)
    places = territory.reshape(units, -1)
    total = 0.0
    for unit in range(units):
        for other in range(unit, units):
            ends = [
                np.flatnonzero(places[one])[[0, -1]] for one in (unit, other) if places[one].any()
            ]
            if len(ends) < 2:
                continue
            # From the first pixel that both may have to the last.
            low, high = max(ends[0][0], ends[1][0]), min(ends[0][1], ends[1][1]) + 1
            shared = _dot(places[unit, low:high], places[other, low:high]) if low < high else 0
            total += (1 if unit == other else 2) * shared * _dot(trains[unit], trains[other])
    assert sum_of_squares(territory, boxes_of(territory), trains) == max(total, 0)
