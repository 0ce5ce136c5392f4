import dataclasses
import itertools
import math

import numpy as np
import pytest
import scipy

from musim.simulator import Parameters, Range, draw
from musim.simulator.imaging.filtering import BandPass
from musim.simulator.twitch import twitch_velocity
from musim.training.identification import deconvolution
from musim.training.identification.deconvolution import REFRACTORY, deconvolve
from musim.training.identification.firing_priors import interval_probabilities, usual_amplitude
from musim.training.identification.firings import is_regular, way_named, with_firings
from musim.training.identification.leakage import without_leakage
from musim.training.identification.metrics.firing import score_all_at_best_lag
from musim.training.identification.twitch_shapes import Grid, shapes_of, whole_step
from musim.training.identification.units import Recording, Units

RATE = 400.0

BAND = BandPass(low=5.0, high=50.0, frame_rate=RATE)


def _train(instants, frames=400, noise=0.0, band=None, **twitch):
    # As much beside it as a band-pass looks at.
    time = np.arange(-400, frames + 400) / RATE
    train = np.sum([twitch_velocity(time - t, **twitch) for t in instants], axis=0)
    if band is not None:
        train = scipy.signal.sosfiltfilt(band.sections.copy(), train)
    train = train[400:-400]
    random = np.random.default_rng(3)
    return (train + noise * train.std() * random.standard_normal(frames)).astype(np.float32)


def _found(train, **options):
    (row,) = deconvolve(train[None], RATE, **options)
    return row[~np.isnan(row)]


BOTH = pytest.mark.parametrize("band", [None, BAND], ids=["plain", "band-passed"])


@BOTH
def test_one_twitch_is_one_firing(band):
    # 1 s with a single twitch is no train: its onset is told all the same.
    found = _found(_train([0.4], noise=0.01, band=band), band=band)
    assert np.abs(found - 0.4).min() < 0.008


@BOTH
@pytest.mark.parametrize("distance", [0.06, 0.12, 0.3])
def test_two_twitches_at_a_distance_are_two_firings(distance, band):
    found = _found(_train([0.35, 0.35 + distance], noise=0.01, band=band), band=band)
    for instant in (0.35, 0.35 + distance):
        assert np.abs(found - instant).min() < 0.008


@BOTH
@pytest.mark.parametrize("rate", [9.0, 16.0])
def test_a_regular_train_is_found(rate, band):
    instants = np.arange(-0.3, 0.97, 1 / rate)
    found = _found(_train(instants, noise=0.03, band=band), band=band)
    inside = instants[(instants > 0) & (instants < 0.9)]
    away = found[:, None] - inside
    away = np.take_along_axis(away, np.abs(away).argmin(axis=0)[None], axis=0)[0]
    assert np.abs(away).max() < 0.008
    # A train without any variation hardly tells a twitch's onset from its contraction time.
    assert abs(away.mean()) < 0.004
    assert abs(len(found) - (instants > 0).sum()) <= 1


@pytest.mark.parametrize("corners", [(0.3, 100.0), (8.0, 25.0)])
def test_other_band_passes_are_followed(corners):
    band = BandPass(low=corners[0], high=corners[1], frame_rate=RATE, order=2)
    instants = np.cumsum(np.random.default_rng(0).normal(0.09, 0.014, 15)) - 0.3
    found = _found(_train(instants, noise=0.02, band=band), band=band)
    inside = instants[(instants > 0.02) & (instants < 0.9)]
    assert np.abs(found[:, None] - inside).min(axis=0).max() < 0.01
    assert abs(len(found) - (instants > 0).sum()) <= 1


def test_a_band_pass_that_is_not_said_is_seen():
    train = _train(np.arange(-0.3, 0.97, 0.1), noise=0.03, band=BAND)
    np.testing.assert_array_equal(_found(train), _found(train, band=BAND))


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


def test_instants_have_no_bias_at_10_db():
    # Between frames, with a contraction time that is not the usual one.
    random, away = np.random.default_rng(5), []
    for seed in range(4):
        instants = np.cumsum(random.normal(0.09, 0.014, 16)) - 0.3
        train = _train(instants, noise=0.1, contraction_time=76.0 + 4 * seed)
        found = _found(train)
        for one in instants[(instants > 0.05) & (instants < 0.9)]:
            nearest = found[np.abs(found - one).argmin()] - one
            assert abs(nearest) < 0.02
            away.append(nearest)
    assert abs(np.mean(away)) < 0.001


def test_twitches_that_vary_are_no_more_firings():
    parameters = Parameters(
        units=4, firing_rate="9-12", synchrony=Range(0, 0), snr=20,
        amplitude_variation=Range(0.2, 0.2), duration_variation=Range(0.2, 0.2),
    )  # fmt: skip
    truth = draw(parameters, seed=1)
    found = deconvolve(truth.twitch_train, RATE)
    scores = score_all_at_best_lag(found, truth.firing, (0.0, 1.0), bound=0.02)
    assert np.mean([scores[unit][unit].agreement for unit in range(4)]) > 0.85


def test_neither_order_nor_size_nor_offset_of_trains_matters():
    trains = np.array([_train(np.arange(0.03, 0.97, d), noise=0.05) for d in (0.05, 0.08, 0.11)])
    found = deconvolve(trains, RATE)
    again = deconvolve((1000 * trains[::-1] - 40).astype(np.float32), RATE)[::-1]
    np.testing.assert_allclose(again, found, atol=2e-4)


def test_firings_keep_a_refractory_period():
    noise = np.random.default_rng(1).standard_normal((3, 400)).astype(np.float32)
    for row in deconvolve(noise, RATE):
        # Paths keep it; the fit may move each a little.
        assert np.diff(row[~np.isnan(row)]).min(initial=1.0) > 0.5 * REFRACTORY


@pytest.mark.parametrize("free", [False, True])
def test_another_waveform_is_deconvolved_too(free):
    time = np.arange(0, 0.4, 1 / RATE)
    rise = np.where(time < 0.07, 0.5 - 0.5 * np.cos(np.pi * time / 0.07), 1.0)
    shape = np.gradient(rise * np.exp(-np.square(np.maximum(time - 0.07, 0) / 0.06) / 2))
    instants = np.cumsum(np.random.default_rng(2).normal(24, 4, 28)).astype(int) - 120
    train = np.zeros(700)
    train[instants + 120] = 1.0
    train = np.convolve(train, shape)[120:520].astype(np.float32)
    found = deconvolve(train[None], RATE, free=free)
    (score,) = score_all_at_best_lag(found, instants[None] / RATE, (0.0, 1.0), bound=0.05)[0]
    assert score.agreement > 0.85


# Against what is slow and obvious.


def test_intervals_have_a_density_and_what_is_left_of_it():
    densities, survivals = interval_probabilities(0.05, 1e-4)
    times = np.arange(len(densities)) * 1e-4
    probability = np.exp(densities)
    assert 0.95 < probability.sum() < 1
    assert probability @ times / probability.sum() == pytest.approx(0.051, abs=0.002)
    for place in (300, 500, 800):
        assert math.exp(survivals[place]) == pytest.approx(1 - probability[:place].sum(), abs=0.01)


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
    grid = Grid(rate)
    shapes = shapes_of(whole_step(0.0825), 0.0, grid)
    found = usual_amplitude(interval, grid.step, shapes)
    assert found == pytest.approx(1 / course[:19_000].std(), rel=0.05)
    # What varies has energy of its own.
    assert usual_amplitude(interval, grid.step, shapes_of(whole_step(0.0825), 0.2, grid)) < found


def test_what_leaks_from_other_units_is_taken_off():
    random = np.random.default_rng(0)
    courses = random.standard_normal((3, 400))
    leaked = courses + 0.1 * courses[[1, 2, 0]] + 0.01 * random.standard_normal((3, 400))
    cleaned = without_leakage(leaked, courses)
    assert np.abs(leaked - courses).std() > 5 * np.abs(cleaned - courses).std()
    np.testing.assert_array_equal(without_leakage(courses[:1], courses[:1]), courses[:1])


# The choice.


def test_regular_firings_are_kept():
    assert is_regular(np.array([0.1, 0.2, 0.29, 0.4, np.nan]))
    assert not is_regular(np.array([0.1, 0.2, 0.22, 0.4, 0.7]))
    assert not is_regular(np.array([0.1, 0.2, np.nan]))


def test_regular_firings_stay_where_twitches_do_not_explain_a_train():
    noise = np.random.default_rng(4).standard_normal((2, 400)).astype(np.float32)
    given = np.full((2, 9), np.nan)
    given[0] = np.arange(0.05, 0.95, 0.1)
    given[1, :2] = 0.1, 0.7
    recording = Recording(np.zeros((400, 4, 4), np.float32), RATE, (1.0, 1.0))
    units = Units(np.zeros((2, 4, 4), np.float32), noise, given, np.ones(2))
    assert with_firings(recording, units, "grid") is units
    chosen = with_firings(recording, units)
    np.testing.assert_allclose(chosen.firing[0, :9], given[0], atol=0.00126)  # of places
    assert np.isfinite(chosen.firing[1]).sum() > 2
    # Where they explain it, others are found.
    instants = np.cumsum(np.random.default_rng(0).normal(0.06, 0.01, 22)) - 0.3
    train = np.array([_train(instants, noise=0.05)] * 2)
    chosen = with_firings(recording, dataclasses.replace(units, train=train))
    assert np.isfinite(chosen.firing).sum(axis=1).min() > 12
    # What is too slow keeps what the method gave, unless it is asked for.
    slow = Recording(recording.tvi, 20.0, (1.0, 1.0))
    assert with_firings(slow, units) is units


def test_the_recordings_band_pass_is_told(monkeypatch):
    seen = []
    monkeypatch.setattr(deconvolution, "deconvolve", lambda *_, band, **__: seen.append(band))
    recording = Recording(np.zeros((400, 4, 4), np.float32), RATE, (1.0, 1.0), BAND)
    train = np.zeros((1, 400), np.float32)
    units = Units(np.zeros((1, 4, 4), np.float32), train, np.zeros((1, 0)), np.ones(1))
    for name in ("family", "free"):
        with_firings(recording, units, name)
    assert seen == [BAND, BAND]
