import itertools
import math

import numpy as np
import pytest

from musim.training.identification import firing_paths_kernels as kernels
from musim.training.identification.firing_paths_kernels import NONE, PLACES
from musim.training.identification.selection_kernels import choose


@pytest.mark.parametrize(("count", "most"), [(1, 1), (7, 3), (40, 39), (40, 40), (200, 64)])
def test_the_largest_are_chosen(count, most):
    random = np.random.default_rng(count)
    rank = np.round(random.standard_normal(count), 1)  # some alike
    order = np.empty(count, np.int64)
    choose(rank, count, most, order)
    assert sorted(order.tolist()) == list(range(count))
    np.testing.assert_array_equal(np.sort(rank[order[:most]]), np.sort(rank)[count - most :])


@pytest.mark.parametrize("slot", [0, 3, 9])
@pytest.mark.parametrize("start", [1, 4, 9])
def test_what_lies_ahead_is_a_ring(slot, start):
    course, ahead = np.arange(10.0), np.zeros(10)
    kernels.add_ahead(ahead, course, start, slot, 2.0)
    expected = np.zeros(10)
    for since in range(start, 10):
        expected[(slot + since - start) % 10] += 2 * course[since]
    np.testing.assert_array_equal(ahead, expected)


def test_what_is_seen_of_varied_twitches_has_the_density_of_a_normal_vector():
    random = np.random.default_rng(0)
    bases = random.standard_normal((2, PLACES, 12))
    active = np.array([NONE, 3, 9])
    variances = np.diag([1.0, 1.0, 0.5, 0.2, 0.5, 0.2])
    sizes, spread = np.zeros(6), variances.copy()
    left, noise = random.standard_normal(12), 0.3
    total = 0.0
    for frame in range(12):
        total += kernels.observe(left[frame], noise, frame, bases, active, sizes, spread,
                                 np.zeros(6), np.zeros(6))  # fmt: skip
    slopes = np.zeros((12, 6))
    for each, place in enumerate(active.tolist()):
        for frame in range(12):
            since = frame * PLACES - place
            if place > NONE and 0 <= since < 12 * PLACES:
                slopes[frame, 2 * each : 2 * each + 2] = bases[:, since % PLACES, since // PLACES]
    covariance = slopes @ variances @ slopes.T + noise * np.eye(12)
    expected = -0.5 * (left @ np.linalg.solve(covariance, left) + np.linalg.slogdet(covariance)[1])
    assert total == pytest.approx(expected)
    gain = variances @ slopes.T @ np.linalg.inv(covariance)
    np.testing.assert_allclose(sizes, gain @ left, atol=1e-9)
    np.testing.assert_allclose(spread, variances - gain @ slopes @ variances, atol=1e-9)


def test_histories_before_the_first_frame_are_as_likely_as_intervals():
    densities = np.full(41, -np.inf)
    densities[20], densities[40] = math.log(0.75), math.log(0.25)
    twitch = np.ones((PLACES, 8))
    ahead, last = np.zeros((4000, 8)), np.zeros(4000, np.int64)
    kernels.draw_histories(np.random.default_rng(0), densities, 1, twitch, ahead, last)
    # Seen at a time of no firing, two of five intervals are the long one.
    assert last.min() > -40 - PLACES
    assert last.max() <= -PLACES
    assert (last < -20 - PLACES).mean() == pytest.approx(0.2, abs=0.03)
    # A firing is seen until its twitch is over.
    np.testing.assert_array_equal(ahead[last > -24][:, 0] >= 1, True)


def _density(train, noise, twitch, places):
    """Return the log density of a train for firings at some places, but for a constant."""
    left = train.copy()
    for place, frame in itertools.product(places, range(len(train))):
        since = frame * PLACES - place
        if 0 <= since < twitch.shape[1] * PLACES:
            left[frame] -= twitch[since % PLACES, since // PLACES]
    return -0.5 * np.sum(left**2 / noise)


def _worse_than_best(seed):
    """Return by how much less likely the firings found are than the best of all."""
    random = np.random.default_rng(seed)
    frames, length = 7, 4
    # Nothing at first, as with all twitches.
    shape = np.zeros(length * PLACES)
    shape[PLACES:] = np.sin(np.pi * (np.arange(3 * PLACES) + 1) / (3 * PLACES + 1))
    twitch = np.ascontiguousarray(shape.reshape(length, PLACES).T)
    noise = np.full(frames, 0.05)
    noise[:3] = 1e9  # so that what was before does not matter
    train = np.zeros(frames)
    for place in random.choice(np.arange(9, 20), 2, replace=False).tolist():
        for frame in range(frames):
            since = frame * PLACES - place
            if 0 <= since < length * PLACES:
                train[frame] += shape[since]
    train += 0.1 * random.standard_normal(frames)
    # All that may happen is as likely, so that no history goes before it is seen to be worse.
    densities, survivals = np.zeros(400), np.zeros(400)
    found, evidence = kernels.likeliest_firings(
        random, train, noise, twitch, np.zeros((0, PLACES, length)), np.zeros(0), 1, densities,
        survivals, 5, 4000,
    )  # fmt: skip
    assert np.diff(found).min(initial=5) >= 5
    assert math.isfinite(evidence)
    tried = (
        places
        for count in range(4)
        for places in itertools.combinations(range(-PLACES + 1, (frames - 1) * PLACES + 1), count)
        if all(later - sooner >= 5 for sooner, later in itertools.pairwise(places))
    )
    best = max(_density(train, noise, twitch, places) for places in tried)
    return best - _density(train, noise, twitch, found.tolist())


def test_the_likeliest_firings_are_those_of_trying_all():
    worse = [_worse_than_best(seed) for seed in range(12)]
    # Histories that are alike may crowd out the best, never all good ones.
    assert sum(one > 1e-9 for one in worse) <= 2
    assert max(worse) < 3
