"""What is drawn is distributed as asked, over many draws.

Seeds are fixed, so every test passes or fails for good. The limits are such that a sound simulator
stays within them with a probability of 1 - 1e-4 or more: ``LEAST_P`` is that of a p-value,
``MOST_Z`` that of a standardised normal, ``MOST_Z_OF_MANY`` that of the largest of up to 30, and
``MOST_R`` times the root of the number of pairs that of a correlation, of which few or tens are
looked at. MUSIM_SLOW_SCALE scales the number of draws.
"""

import itertools
import math

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import binomtest, chisquare, ks_2samp, kstest, truncnorm

from musim.simulator import Parameters, Range, draw, render
from musim.simulator.firing import draw_firings
from musim.simulator.noise import standard_normal
from musim.simulator.seeds import noise_key
from musim.simulator.twitch import twitch_length

pytestmark = pytest.mark.slow

LEAST_P = 1e-4
MOST_Z = 3.89
MOST_Z_OF_MANY = 4.7
MOST_R = 4.5

# Large pixels make draws fast. With soft masks every unit covers some, so none is drawn again.
QUICK = {"pixels": (8, 8), "mask": "soft", "snr": Range(np.inf, np.inf)}
VALUES = {
    "diameter": (2.5, 10),
    "centre_depth": (0, 40),
    "centre_width": (0, 40),
    "firing_rate": (8, 13),
    "contraction_time": (75, 90),
    "displacement": (5, 15),
}


def _z_of_mean(values):
    """Return a mean over its standard error."""
    return values.mean() / (values.std(ddof=1) / math.sqrt(values.size))


@pytest.fixture(scope="module")
def units(scaled):
    """Numbers of units of many sequences, and the values of all of these units."""
    parameters = Parameters(frames=4, **QUICK)
    truths = (draw(parameters, seed=11, index=index) for index in range(scaled(100_000)))
    rows = [(truth.unit_count, *(getattr(truth, name) for name in VALUES)) for truth in truths]
    count, *values = zip(*rows, strict=True)
    return np.array(count), {
        name: np.concatenate(value) for name, value in zip(VALUES, values, strict=True)
    }


def test_every_number_of_units_is_as_frequent(units):
    count = np.bincount(units[0], minlength=31)
    assert count[:5].sum() == 0
    assert count.size == 31
    assert chisquare(count[5:]).pvalue > LEAST_P


@pytest.mark.parametrize("name", VALUES)
def test_values_of_units_are_uniform(units, name):
    low, high = VALUES[name]
    assert kstest((units[1][name] - low) / (high - low), "uniform").pvalue > LEAST_P


def test_values_of_units_have_nothing_to_do_with_one_another(units):
    values = np.stack(list(units[1].values()))
    most = MOST_R / math.sqrt(values.shape[1])
    own = np.corrcoef(values)
    assert np.abs(own - np.eye(len(own))).max() < most
    next_ones = np.corrcoef(values[:, :-1], values[:, 1:])[: len(values), len(values) :]
    assert np.abs(next_ones).max() < most


@pytest.mark.parametrize("variation", [0.1, 0.2, 0.5])
def test_intervals_are_truncated_normals_of_the_drawn_rate(scaled, variation):
    parameters = Parameters(
        frames=40_000,
        synchrony=Range(0, 0),
        interval_variation=Range(variation, variation),
        firing_rate=Range(10, 10) if variation > 0.25 else Range(8, 13),
    )
    drawn = draw_firings(parameters, max(scaled(1400), 20), 0.5, 12, 0)
    # As many intervals of each train, so that none is chosen for its length.
    times = drawn.times[:, :751]
    assert not np.isnan(times).any()
    excursions = (np.diff(times) * drawn.firing_rate[:, None] - 1) / variation
    limit = min(3.9, (1 - 0.005 * 10) / variation) if variation > 0.25 else 3.9
    assert kstest(excursions.ravel(), truncnorm(-limit, limit).cdf).pvalue > LEAST_P
    size = math.sqrt(excursions.size)
    variance = truncnorm.var(-limit, limit)
    assert abs(excursions.mean()) < MOST_Z * math.sqrt(variance) / size
    fourth = truncnorm.moment(4, -limit, limit)
    spread = math.sqrt(fourth - variance**2) / (2 * math.sqrt(variance)) / size
    assert abs(excursions.std() - math.sqrt(variance)) < MOST_Z * spread
    successive = np.corrcoef(excursions[:, :-1].ravel(), excursions[:, 1:].ravel())[0, 1]
    assert abs(successive) < MOST_R / size


@pytest.fixture(scope="module")
def trains(scaled):
    """Rates and firing times of many units of one second, each for itself."""
    parameters = Parameters(synchrony=Range(0, 0))
    lead = twitch_length(parameters)
    drawn = [
        draw_firings(parameters, 1000, lead, 13, index) for index in range(max(scaled(200), 2))
    ]
    return [(each.firing_rate, each.times) for each in drawn]


def _counts(trains, start, stop):
    """Return each unit's rate and number of firings in [start, stop)."""
    rate = np.concatenate([rate for rate, _ in trains])
    count = np.concatenate([((t >= start) & (t < stop)).sum(axis=1) for _, t in trains])
    return rate, count


def test_a_unit_fires_at_its_rate_at_any_time_of_a_sequence(trains):
    for start in np.arange(0, 1, 0.05):
        rate, count = _counts(trains, start, start + 0.05)
        assert abs(_z_of_mean(count - rate * 0.05)) < MOST_Z_OF_MANY, start


def test_firings_are_uniform_over_the_sequence(trains):
    times = np.concatenate([t[t >= 0] for _, t in trains])
    assert kstest(times, "uniform").pvalue > LEAST_P


def test_as_many_firings_fall_into_the_first_as_into_the_last_100_ms(trains):
    first, last = (_counts(trains, start, start + 0.1)[1] for start in (0, 0.9))
    assert abs(_z_of_mean(first - last)) < MOST_Z
    # Halves of the units, so that the two samples have nothing to do with one another.
    table = [np.bincount(half, minlength=4)[:4] for half in (first[::2], last[1::2])]
    total = np.sum(table, axis=0)
    kept = total > 20
    expected = total[kept] / total[kept].sum()
    statistic = sum(
        ((row[kept] - expected * row[kept].sum()) ** 2 / (expected * row[kept].sum())).sum()
        for row in table
    )
    most = {2: 15.2, 3: 18.5, 4: 21.2}[int(kept.sum())]  # chi-square, p = 1e-4, 1 to 3 degrees
    assert statistic < most


def test_synchrony_leaves_the_first_and_the_last_100_ms_alike(scaled):
    parameters = Parameters(synchrony=Range(0.1, 0.1))
    lead = twitch_length(parameters)
    difference = []
    for index in range(max(scaled(5000), 20)):
        times = draw_firings(parameters, 20, lead, 14, index).times
        first, last = ((times >= start) & (times < start + 0.1) for start in (0, 0.9))
        difference.append(first.sum() - last.sum())
    assert abs(_z_of_mean(np.array(difference))) < MOST_Z


def test_the_signal_is_as_strong_at_the_start_as_at_the_end(scaled):
    parameters = Parameters(**QUICK)
    power = []
    for index in range(max(scaled(6000), 50)):
        sequence = render(draw(parameters, seed=15, index=index)).astype(float)
        power.append((sequence**2).reshape(10, -1).mean(axis=1))
    power = np.array(power)
    share = power / power.mean(axis=1, keepdims=True)
    for tenth in range(10):
        assert abs(_z_of_mean(share[:, tenth] - 1)) < MOST_Z_OF_MANY, tenth
    assert abs(_z_of_mean(power[:, 0] - power[:, -1])) < MOST_Z
    assert ks_2samp(power[::2, 0], power[1::2, -1]).pvalue > LEAST_P


@pytest.mark.parametrize("share", [0.0, 0.02, 0.1, 0.3])
def test_the_share_asked_for_coincides_and_none_by_chance(scaled, share):
    parameters = Parameters(frames=40_000, synchrony=Range(share, share))
    moved = firings = 0
    for index in range(max(scaled(20), 1)):
        times = draw_firings(parameters, 30, 0.5, 16, index).times
        times = np.sort(times[times >= 0])
        # Of firings together, one stayed and the others came.
        moved += int((np.diff(times) < 1e-9).sum())
        firings += times.size
    if share == 0:
        assert moved <= 5  # 0.2 are expected
    else:
        assert binomtest(moved, firings, share).pvalue > LEAST_P


def test_synchrony_keeps_the_mean_rate(scaled):
    parameters = Parameters(frames=4000, synchrony=Range(0.1, 0.1))
    excess = []
    for index in range(max(scaled(1000), 10)):
        drawn = draw_firings(parameters, 20, 0.5, 17, index)
        expected = drawn.firing_rate * parameters.duration
        excess.append(((drawn.times >= 0).sum(axis=1) - expected).sum())
    assert abs(_z_of_mean(np.array(excess))) < MOST_Z


def test_the_measured_snr_is_the_one_asked_for(scaled):
    parameters = Parameters(snr=Range(10, 30))
    deviations = []
    for index in range(max(scaled(300), 10)):
        truth = draw(parameters, seed=18, index=index)
        clean = render(truth, noise=False).astype(float)
        noise = render(truth) - clean
        deviations.append(10 * np.log10(np.mean(clean**2) / np.mean(noise**2)) - truth.snr)
    assert abs(np.mean(deviations)) < 0.05
    # The noise's power is a mean of squares of this many normals.
    spread = 10 / math.log(10) * math.sqrt(2 / clean.size)
    assert abs(np.mean(deviations)) < MOST_Z * spread / math.sqrt(len(deviations))


BLOCK = (256, 128, 128)


def _noise_blocks(scaled, seed=19):
    """Yield blocks of noise of sequences, 1e8 values in all."""
    for index in range(max(scaled(24), 1)):
        yield standard_normal(noise_key(seed, index), BLOCK)


def test_noise_has_the_moments_of_a_normal(scaled):
    sums, count = np.zeros(6), 0
    for block in _noise_blocks(scaled):
        values = block.ravel().astype(float)
        power = np.ones_like(values)
        for order in range(6):
            power *= values
            sums[order] += power.sum()
        count += values.size
    expected = np.array([0, 1, 0, 3, 0, 15])
    variance = np.array([1, 2, 15, 96, 945, 10_170])
    z = (sums / count - expected) / np.sqrt(variance / count)
    assert np.abs(z).max() < MOST_Z_OF_MANY


def test_noise_has_the_tails_of_a_normal(scaled):
    limits = (3, 4, 5)
    found, count, largest = np.zeros((2, 3), int), 0, 0.0
    for block in _noise_blocks(scaled):
        for i, limit in enumerate(limits):
            found[:, i] += (block < -limit).sum(), (block > limit).sum()
        count += block.size
        largest = max(largest, float(np.abs(block).max()))
    for side, i in itertools.product(range(2), range(3)):
        tail = math.erfc(limits[i] / math.sqrt(2)) / 2
        assert binomtest(int(found[side, i]), count, tail).pvalue > LEAST_P, (side, limits[i])
    assert 5 < largest < 6.77


def test_noise_fills_the_bins_of_a_normal_evenly(scaled):
    edges = ndtri(np.arange(1, 200) / 200)
    found = np.zeros(200, int)
    for block in _noise_blocks(scaled):
        found += np.bincount(np.searchsorted(edges, block.ravel()), minlength=200)
    assert chisquare(found).pvalue > LEAST_P


def test_noise_has_the_distribution_of_a_normal(scaled):
    subsample = np.concatenate([block.ravel()[::97] for block in _noise_blocks(scaled)])
    assert kstest(subsample, "norm").pvalue > LEAST_P


def _shifted(block, axis, lag):
    """Return a block without its last, and without its first, `lag` planes along an axis."""
    whole = [slice(None)] * 3
    before, after = list(whole), list(whole)
    before[axis], after[axis] = slice(None, -lag), slice(lag, None)
    return block[tuple(before)], block[tuple(after)]


def _add_products(sums, key, one, other):
    """Add up products of values, of squares and of values with squares, each of variance 1."""
    squares = [(values * values - 1) / math.sqrt(2) for values in (one, other)]
    for name, a, b in [
        ("values", one, other),
        ("squares", *squares),
        ("value and square", one, squares[1]),
        ("square and value", squares[0], other),
    ]:
        total, count = sums.get((key, name), (0.0, 0))
        sums[key, name] = total + float(np.einsum("tzx,tzx->", a, b)), count + a.size


def _assert_uncorrelated(sums):
    for pair, (total, count) in sums.items():
        assert abs(total / count) < MOST_R / math.sqrt(count), pair


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_noise_of_neighbouring_voxels_is_uncorrelated(scaled, axis):
    sums = {}
    for block in _noise_blocks(scaled):
        values = block.astype(float)
        for lag in (1, 2, 3, 4):
            _add_products(sums, lag, *_shifted(values, axis, lag))
    _assert_uncorrelated(sums)


def test_noise_of_neighbouring_sequences_and_seeds_is_uncorrelated(scaled):
    sums = {}
    shape = (64, 128, 128)
    for index in range(max(scaled(48), 1)):
        values = standard_normal(noise_key(20, index), shape).astype(float)
        next_index = standard_normal(noise_key(20, index + 1), shape).astype(float)
        next_seed = standard_normal(noise_key(21, index), shape).astype(float)
        _add_products(sums, "index", values, next_index)
        _add_products(sums, "seed", values, next_seed)
    _assert_uncorrelated(sums)
