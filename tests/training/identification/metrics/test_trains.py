"""Matching by trains: by hand, against all pairs one by one, and what must change nothing."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musim.simulator import InputError, Parameters, Range, draw
from musim.training.identification.metrics import match_trains
from musim.training.identification.metrics.agreement import lagged_correlation
from musim.training.identification.metrics.trains import correlate_all

RATE = 400.0


@pytest.fixture(scope="module")
def trains():
    """Trains of 8 units, of rows that begin and end at rest so that a shift loses nothing."""
    moving = draw(Parameters(units=Range(8, 8)), seed=4).twitch_train
    return np.pad(moving.astype(np.float64), ((0, 0), (20, 20)))


def _single(frame, frames=100):
    train = np.zeros(frames)
    train[frame] = 1.0
    return train


def _correlate_slowly(predicted, true, rate, bound):
    """Of every pair the larger of the train's and its mirror image's; of equals the first lag."""
    correlations = np.zeros((len(predicted), len(true)))
    lags = np.zeros(correlations.shape)
    for i, ours in enumerate(predicted):
        for j, theirs in enumerate(true):
            upright, lag = lagged_correlation(ours, theirs, rate, bound)
            inverted, other = lagged_correlation(-ours, theirs, rate, bound)
            first = upright > inverted + 1e-12
            correlations[i, j] = upright if first else -inverted
            lags[i, j] = lag if first else other
    return correlations, lags


# By hand


def test_by_hand():
    # Of 100 frames one is 1: r of two such is 1 at the lag between them, else -1/99 or less so.
    true = np.array([_single(20), _single(50), _single(80)])
    predicted = np.array([_single(53), -_single(18), _single(30), _single(20)])
    found = match_trains(predicted, true, RATE)
    # The fourth fits the first unit best (no lag, no sign), as the second does at a lag.
    assert found.correlations[[0, 1, 3], [1, 0, 0]] == pytest.approx([1, -1, 1])
    assert found.lags[[0, 1, 3], [1, 0, 0]].tolist() == [3 / RATE, -2 / RATE, 0]
    assert found.matches == 2
    assert found.predicted[0] == 0
    assert found.true.tolist() == [1, 0]
    assert found.missed.tolist() == [2]
    assert 2 in found.false
    assert (found.precision, found.recall) == (2 / 4, 2 / 3)
    assert found.mean_correlation == pytest.approx(1)
    # Frames in common at a lag of 8 leave 92: of 1 and none that is -1/91.
    assert np.abs(found.correlations[2]).max() < 0.011
    assert found.wrong.shape == (2, 2)
    assert 0 < found.chance < 0.011
    assert found.wrong_share == 0


def test_an_inverted_train_matches_and_is_counted(trains):
    signs = np.array([1, -1, 1, 1, -1, -1, 1, 1])
    found = match_trains(signs[:, None] * trains, trains, RATE)
    assert found.true.tolist() == list(range(8))
    assert found.inverted == 3
    assert found.correlation == pytest.approx(signs)
    assert found.mean_correlation == pytest.approx(1)


def test_chance_is_what_the_likeliest_wrong_unit_scores():
    # Trains of three waves that are orthogonal over whole periods; no lag is allowed.
    time = np.arange(400) / 400
    one, two, three = (np.sin(2 * np.pi * k * time) for k in (3, 5, 7))
    true = np.array([one, two, (two + three) / math.sqrt(2)])
    predicted = np.array([one, two, three])
    found = match_trains(predicted, true, RATE, lag_bound=0)
    half = 1 / math.sqrt(2)
    np.testing.assert_allclose(
        found.correlations, [[1, 0, 0], [0, 1, half], [0, 0, half]], atol=1e-12
    )
    assert found.true.tolist() == [0, 1, 2]
    np.testing.assert_allclose(found.wrong, [[0, 0], [0, half], [0, 0]], atol=1e-12)
    assert found.chance == pytest.approx(half / 3)
    assert found.wrong_share == 1 / 6
    # At a higher threshold the third is nobody's, and no pair of its counts.
    found = match_trains(predicted, true, RATE, lag_bound=0, threshold=0.75)
    assert (found.matches, found.wrong.shape, found.wrong_share) == (2, (2, 2), 0)


def test_as_many_matches_as_can_be():
    time = np.arange(400) / 400
    one, two, three = (np.sin(2 * np.pi * k * time) for k in (3, 5, 7))
    # The first fits both units, the first of them best; the second fits the first alone.
    true = np.array([one + 0.9 * two, two + 0.2 * one])
    predicted = np.array([one + two, one + 0.4 * three])
    found = match_trains(predicted, true, RATE, lag_bound=0)
    sizes = np.abs(found.correlations)
    assert sizes[0, 0] > sizes[0, 1] > 0.7
    assert sizes[1, 0] > 0.6 > sizes[1, 1]
    found = match_trains(predicted, true, RATE, lag_bound=0, threshold=0.6)
    assert found.true.tolist() == [1, 0]


@pytest.mark.parametrize("shift", [-9, -8, 0, 8, 9])
def test_twenty_milliseconds_are_allowed_and_no_more(trains, shift):
    found = match_trains(np.roll(trains, shift, axis=1), trains, RATE)
    assert (found.correlation.min() > 1 - 1e-9) == (abs(shift) <= 8)
    if abs(shift) <= 8:
        assert found.lag.tolist() == [shift / RATE] * 8


@pytest.mark.parametrize(("predictions", "units"), [(0, 3), (3, 0), (0, 0), (1, 1)])
def test_what_is_not_there(trains, predictions, units):
    found = match_trains(trains[:predictions], trains[:units], RATE)
    assert found.correlations.shape == (predictions, units)
    wanted = {(0, 3): (math.nan, 0), (3, 0): (0, math.nan)}.get((predictions, units), (1, 1))
    assert (found.precision, found.recall) == pytest.approx(wanted, nan_ok=True)
    assert math.isnan(found.mean_correlation) == (found.matches == 0)
    # With one unit there is no wrong one.
    assert math.isnan(found.chance)
    assert math.isnan(found.wrong_share)
    assert found.inverted == 0


def test_no_units_need_no_frames(trains):
    assert match_trains(np.zeros((0, 0)), trains, RATE).recall == 0
    assert match_trains(trains, np.zeros((0, 0)), RATE).precision == 0


def test_constant_trains_match_none(trains):
    still = np.full(trains.shape, 0.3)
    assert match_trains(still, trains, RATE).matches == 0
    assert match_trains(trains, still, RATE).matches == 0
    assert (match_trains(still, still, RATE).correlations == 0).all()


# Against the slow version


VALUES = st.sampled_from([-1.0, 0.0, 0.1, 0.3, 2.0])


@given(st.integers(1, 12), st.integers(1, 3), st.integers(1, 3), st.integers(0, 6), st.data())
def test_all_pairs_are_the_pairs_one_by_one(frames, predictions, units, steps, data):
    def rows(count):
        row = st.lists(VALUES, min_size=frames, max_size=frames)
        return np.array(data.draw(st.lists(row, min_size=count, max_size=count)))

    predicted, true = rows(predictions), rows(units)
    found, lags = correlate_all(predicted, true, 100.0, steps / 100)
    wanted, wanted_lags = _correlate_slowly(predicted, true, 100.0, steps / 100)
    np.testing.assert_allclose(np.abs(found), np.abs(wanted), atol=1e-9)
    # Where a train fits upright as well as inverted, either is right.
    at_lag = np.array(
        [
            [_at(ours, theirs, round(lag * 100)) for theirs, lag in zip(true, row, strict=True)]
            for ours, row in zip(predicted, lags, strict=True)
        ]
    )
    np.testing.assert_allclose(found, at_lag, atol=1e-9)
    alike = np.isclose(np.abs(lags), np.abs(wanted_lags))
    assert (np.abs(lags)[~alike] <= np.abs(wanted_lags)[~alike]).all()


def _at(ours, theirs, lag):
    """Correlation at one lag, as numpy has it."""
    late, early = (ours, theirs) if lag >= 0 else (theirs, ours)
    pair = late[abs(lag) :], early[: len(early) - abs(lag)]
    if min(map(np.ptp, pair)) == 0:
        return 0.0
    return np.corrcoef(*pair)[0, 1]


def test_real_trains_against_the_slow_version(trains):
    random = np.random.default_rng(3)
    noisy = trains + 0.5 * trains.std() * random.standard_normal(trains.shape)
    found, lags = correlate_all(noisy[:5] * 1e-200, trains * 1e100, RATE, 0.02)
    wanted, wanted_lags = _correlate_slowly(noisy[:5], trains, RATE, 0.02)
    np.testing.assert_allclose(found, wanted, atol=1e-12)
    np.testing.assert_array_equal(lags, wanted_lags)


# What changes nothing


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_order_scale_sign_and_small_shifts_change_no_score(trains, seed):
    random = np.random.default_rng(seed)
    noisy = trains[:6] + 0.7 * trains.std() * random.standard_normal(trains[:6].shape)
    straight = match_trains(noisy, trains, RATE)
    rows, columns = random.permutation(6), random.permutation(8)
    scales = random.uniform(0.1, 10, (6, 1))
    mixed = match_trains((noisy * scales)[rows], trains[columns], RATE)
    np.testing.assert_allclose(mixed.correlations, straight.correlations[np.ix_(rows, columns)])
    pairs = {(rows[p], columns[t]) for p, t in zip(mixed.predicted, mixed.true, strict=True)}
    assert pairs == set(zip(straight.predicted, straight.true, strict=True))
    assert mixed.chance == pytest.approx(straight.chance)
    inverted = match_trains(-noisy, trains, RATE)
    np.testing.assert_array_equal(inverted.true, straight.true)
    assert inverted.inverted == straight.matches - straight.inverted
    # A shift of all by less than the bound moves the lag and no more than frames at the ends.
    clean = match_trains(trains[:6], trains, RATE)
    shifted = match_trains(np.roll(trains[:6], int(random.integers(-8, 9)), axis=1), trains, RATE)
    np.testing.assert_array_equal(shifted.true, clean.true)
    np.testing.assert_allclose(np.abs(shifted.correlation), 1, atol=1e-9)


# What does not go


@pytest.mark.parametrize(
    ("predicted", "true", "options", "words"),
    [
        (np.zeros(5), np.zeros((1, 5)), {}, "predicted trains: found shape"),
        (np.zeros((1, 5)), np.full((1, 5), np.nan), {}, "true trains: found .* 5 values"),
        (np.zeros((2, 0)), np.zeros((2, 0)), {}, "predicted trains: found shape"),
        (np.zeros((1, 5)), np.zeros((1, 4)), {}, "found 5 frames, wanted the true trains' 4"),
        (np.zeros((1, 5)), np.zeros((1, 5)), {"threshold": 1.0}, "threshold: found 1.0"),
        (np.zeros((1, 5)), np.zeros((1, 5)), {"threshold": math.nan}, "threshold: found nan"),
        (np.zeros((1, 5)), np.zeros((1, 5)), {"lag_bound": -1}, "lag bound: found -1"),
    ],
)
def test_what_is_no_trains_is_refused(predicted, true, options, words):
    with pytest.raises(InputError, match=words) as caught:
        match_trains(predicted, true, RATE, **options)
    assert len(str(caught.value).splitlines()) == 1


def test_the_frame_rate_is_positive(refused):
    with refused("frame rate: found 0 Hz"):
        match_trains(np.zeros((1, 5)), np.zeros((1, 5)), 0)
