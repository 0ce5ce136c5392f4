import itertools
import math

import numpy as np
import pytest

from musim.simulator import Parameters, Range, draw
from musim.simulator.twitch import twitch_velocity
from musim.training.identification import firing_density_kernels as kernels
from musim.training.identification import firing_moves_kernels as moves
from musim.training.identification.deconvolution import (
    TWITCH_LENGTH,
    USUAL,
    Chain,
    Grid,
    deconvolve,
    free_twitch,
    noise_of,
    usual_amplitude,
)
from musim.training.identification.firings import is_regular, way_named, with_firings
from musim.training.identification.leakage import without_leakage
from musim.training.identification.metrics.firing import score_all_at_best_lag
from musim.training.identification.units import Recording, Units

RATE = 400.0


def _train(instants, frames=400, noise=0.0, **twitch):
    time = np.arange(frames) / RATE
    train = np.sum([twitch_velocity(time - t, **twitch) for t in instants], axis=0)
    random = np.random.default_rng(3)
    return (train + noise * train.std() * random.standard_normal(frames)).astype(np.float32)


def _found(train, **options):
    (row,) = deconvolve(train[None], RATE, **options)
    return row[~np.isnan(row)]


def test_one_twitch_is_one_firing():
    # 1 s with a single twitch is no train: its onset is told all the same.
    found = _found(_train([0.4], noise=0.01))
    assert np.abs(found - 0.4).min() < 0.008


@pytest.mark.parametrize("distance", [0.06, 0.12, 0.3])
def test_two_twitches_at_a_distance_are_two_firings(distance):
    found = _found(_train([0.35, 0.35 + distance], noise=0.01))
    for instant in (0.35, 0.35 + distance):
        assert np.abs(found - instant).min() < 0.008


@pytest.mark.parametrize("rate", [9.0, 16.0])
def test_a_regular_train_is_found(rate):
    instants = np.arange(-0.3, 0.97, 1 / rate)
    found = _found(_train(instants, noise=0.03))
    inside = instants[(instants > 0) & (instants < 0.93)]
    assert np.abs(found[:, None] - inside).min(axis=0).max() < 0.008
    assert abs(len(found) - (instants > 0).sum()) <= 1


def test_fused_twitches_are_told_apart_where_a_grid_cannot():
    parameters = Parameters(units=Range(4, 4), firing_rate=Range(16, 20), synchrony=Range(0, 0))
    truth = draw(parameters, seed=2)
    noise = np.random.default_rng(0).standard_normal(truth.twitch_train.shape)
    trains = truth.twitch_train + 0.04 * truth.twitch_train.std(axis=1)[:, None] * noise
    found = deconvolve(trains.astype(np.float32), RATE)
    scores = score_all_at_best_lag(found, truth.firing, (0.0, 1.0), bound=0.02)
    agreement = [scores[unit][unit].agreement for unit in range(4)]
    assert np.mean(agreement) > 0.8
    # Onsets, not the peaks of velocity: no lag.
    assert abs(np.mean([scores[unit][unit].lag for unit in range(4)])) < 0.004


def test_the_same_trains_give_the_same_firings_padded_with_nan():
    trains = np.array([_train([0.1, 0.2, 0.3, 0.42, 0.5], noise=0.05), np.zeros(400)], np.float32)
    first, second = deconvolve(trains, RATE), deconvolve(trains, RATE)
    np.testing.assert_array_equal(first, second)
    assert np.isnan(first[1]).all()  # what does not move does not fire
    assert deconvolve(trains[:0], RATE).shape == (0, 0)


def test_long_trains_are_taken_in_pieces():
    instants = np.arange(0.1, 9.9, 0.1)
    found = _found(_train(instants, 4000, noise=0.02))
    near = np.abs(found[:, None] - instants).min(axis=0) < 0.008
    assert near.mean() > 0.95
    assert abs(len(found) - len(instants)) < 6


def test_what_cannot_be_told_is_refused(refused):
    with refused("found 50 Hz", "wanted 60 Hz or more"):
        deconvolve(np.ones((1, 100), np.float32), 50.0)
    with refused("found 0.25 s", "wanted 0.345 s or more, three intervals"):
        deconvolve(np.ones((1, 100), np.float32), RATE)
    with refused("firings: found 'nerve'", "wanted one of family, free, grid"):
        way_named("nerve")


# Against what is slow and obvious.


def _table(contraction=0.08, ratio=5 / 3, together=4):
    table = np.zeros((kernels.PLACES, 32))
    kernels.fill_twitches(table, contraction, ratio, 100.0, together, 100.0 * together)
    return table


def test_rows_are_twitches_that_began_between_frames():
    table = _table(together=1)
    for row in (0, 7, kernels.PLACES - 1):
        time = (np.arange(32) + row / kernels.PLACES) / 100
        expected = twitch_velocity(time, contraction_time=80.0)
        np.testing.assert_allclose(table[row] / table[0, 5], expected / twitch_velocity(
            np.array([0.05]), contraction_time=80.0), atol=1e-9)  # fmt: skip
    assert np.square(table).sum() == pytest.approx(kernels.PLACES)


@pytest.mark.parametrize("place", [-200, -1, 0, 1, 40, 1599, 1600])
def test_twitches_are_added_and_multiplied_where_they_are(place):
    table, course = _table(), np.random.default_rng(0).standard_normal(50)
    expected = np.zeros(50)
    for frame in range(50):
        since = frame * kernels.PLACES - place
        if 0 <= since < 32 * kernels.PLACES:
            expected[frame] = table[since % kernels.PLACES, since // kernels.PLACES]
    added = np.zeros(50)
    kernels.add(added, table, place, 2.0)
    np.testing.assert_allclose(added, 2 * expected)
    found = kernels.product(course, table, place)
    np.testing.assert_allclose(found, (expected @ course, expected @ expected))


def test_intervals_have_a_density_and_what_is_left_of_it():
    step = 1e-4
    logarithms = np.log(np.maximum(np.arange(200_000), 0.1) * step)
    state = np.zeros(8)
    state[[kernels.INTERVAL, kernels.INTERVAL_SD]] = 0.05, 0.2
    places = np.arange(1, 200_000)
    density = np.exp([kernels.interval_density(p, logarithms, state) for p in places])
    # The larger of two parts, not their sum: a little is missing.
    assert 0.93 < density.sum() * step < 1
    for place in (300, 500, 800):
        left = kernels.survival(place, logarithms, state)
        assert math.exp(left) == pytest.approx(density[place:].sum() * step, abs=0.05)
    assert kernels.survival(0, logarithms, state) == 0


def test_firings_give_way_to_others():
    for before, after in itertools.product(range(3), repeat=2):
        firings, amplitudes = np.arange(10), np.arange(10.0)
        moves.replace(firings, amplitudes, 6, 2, before, np.array([70, 71]), np.array([7.0, 7.1]),
                        after)  # fmt: skip
        expected = [0, 1, *[70, 71][:after], *range(2 + before, 6)]
        assert firings[: len(expected)].tolist() == expected
        assert amplitudes[2 + after : len(expected)].tolist() == list(range(2 + before, 6))


def test_two_firings_are_where_trying_all_places_finds_them():
    train = _train([0.3, 0.41], frames=240, noise=0.02)
    grid = np.arange(0.2, 0.5, 0.005)
    time = np.arange(240) / RATE
    courses = np.array([twitch_velocity(time - t) for t in grid])
    courses -= courses.mean(axis=1)[:, None]
    centred = train - train.mean()

    def misfit(pair):
        _, left, *_ = np.linalg.lstsq(courses[list(pair)].T, centred, rcond=None)
        return float(left[0])

    best = min(itertools.combinations(range(len(grid)), 2), key=misfit)
    found = _found(train)
    for instant in grid[list(best)]:
        assert np.abs(found - instant).min() < 0.01


def test_the_usual_amplitude_is_that_of_simulated_trains():
    interval, rate = 0.06, 100.0
    random = np.random.default_rng(1)
    instants = np.cumsum(random.normal(interval, 0.2 * interval, 4000))
    time = np.arange(20_000) / rate
    course = np.zeros(len(time))
    twitch = twitch_velocity(np.arange(64) / rate)
    for instant in instants[instants < 195]:
        first = math.ceil(instant * rate)
        course[first : first + 64] += twitch_velocity(time[first : first + 64] - instant)
    course /= math.sqrt(np.square(twitch).sum())
    assert usual_amplitude(interval, rate) == pytest.approx(1 / course[:19_000].std(), rel=0.05)


def test_noise_is_told_from_frequencies_without_twitches():
    noise = 0.1 * np.random.default_rng(0).standard_normal(4000)
    train = _train(np.arange(0.1, 9.9, 0.1), 4000)
    found = noise_of((train + noise)[None].astype(np.float32), RATE)
    assert found[0] == pytest.approx(0.01, rel=0.1)


def test_what_leaks_from_other_units_is_taken_off():
    random = np.random.default_rng(0)
    courses = random.standard_normal((3, 400))
    leaked = courses + 0.1 * courses[[1, 2, 0]] + 0.01 * random.standard_normal((3, 400))
    cleaned = without_leakage(leaked, courses)
    assert np.abs(leaked - courses).std() > 5 * np.abs(cleaned - courses).std()
    np.testing.assert_array_equal(without_leakage(courses[:1], courses[:1]), courses[:1])


def test_a_free_twitch_comes_nearer_to_another_waveform():
    grid, random = Grid(400, 100.0, 1), np.random.default_rng(0)
    table, true = _table(together=1), np.zeros((kernels.PLACES, 32))
    since = (np.arange(32) + np.arange(kernels.PLACES)[:, None] / kernels.PLACES) / 100
    true[:] = np.sin(2 * np.pi * since / 0.2) * (since < 0.2)
    true /= math.sqrt(np.square(true).sum() / kernels.PLACES)
    firings = np.sort(random.integers(0, 380 * kernels.PLACES, 40))
    train = np.zeros(400)
    for place in firings:
        kernels.add(train, true, place, 1.0)
    train -= train.mean()
    chain = Chain(table, firings, np.ones(40), 40, USUAL[0].copy())
    found = free_twitch(train, chain, grid)
    assert np.square(found - true).sum() < 0.3 * np.square(table - true).sum()
    assert np.square(found).sum() == pytest.approx(kernels.PLACES)
    assert TWITCH_LENGTH * grid.rate == 32


# The choice.


def test_regular_firings_are_kept():
    assert is_regular(np.array([0.1, 0.2, 0.29, 0.4, np.nan]))
    assert not is_regular(np.array([0.1, 0.2, 0.22, 0.4, 0.7]))
    assert not is_regular(np.array([0.1, 0.2, np.nan]))


def test_ways_begin_with_what_the_method_gave():
    train = np.array([_train(np.arange(0.05, 0.95, 0.1)), _train([0.1, 0.2, 0.5, 0.9])])
    firing = np.full((2, 9), np.nan)
    firing[0] = np.arange(0.05, 0.95, 0.1)
    firing[1, :2] = 0.1, 0.7
    recording = Recording(np.zeros((400, 4, 4), np.float32), RATE, (1.0, 1.0))
    units = Units(np.zeros((2, 4, 4), np.float32), train, firing, np.ones(2))
    assert with_firings(recording, units, "grid") is units
    chosen = with_firings(recording, units)
    np.testing.assert_array_equal(chosen.firing[0, :9], firing[0])
    assert np.isfinite(chosen.firing[1]).sum() > 2
    # What is too slow keeps what the method gave, unless it is asked for.
    slow = Recording(recording.tvi, 20.0, (1.0, 1.0))
    assert with_firings(slow, units) is units
