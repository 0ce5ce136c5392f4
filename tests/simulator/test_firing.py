import dataclasses
import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import kstest, truncnorm

from musim.simulator import Parameters, Range
from musim.simulator.firing import draw_firings, half_width, most_firings, synchronise
from musim.simulator.firing_kernels import end_trains, follow, move_onto_nearest, share_inside
from musim.simulator.twitch import twitch_length

LEAD = 0.3
LONG = Parameters(frames=4000, synchrony=Range(0, 0))


def _constant(parameters, **values):
    return dataclasses.replace(parameters, **{n: Range(v, v) for n, v in values.items()})


def _intervals(times):
    return np.diff(times)[~np.isnan(times[:, 1:])]


def _move_slowly(times, chosen, offset, targets, target_unit, refractory):
    """Move firings as the kernel should, looking at every target.

    None comes before the place where the one before it stood at first, so at most one firing of
    a unit can cross the end of a sequence.
    """
    times, stood, moved = times.copy(), times, np.zeros(times.shape, bool)
    for unit, firing in zip(*np.nonzero(chosen), strict=True):
        others = targets[target_unit != unit]
        if others.size == 0:
            continue
        gaps = np.abs(others - times[unit, firing])
        wanted = others[gaps == gaps.min()].max() + offset[unit, firing]
        before = max(array[unit, firing - 1] if firing else -math.inf for array in (times, stood))
        after = times[unit, firing + 1] if firing + 1 < times.shape[1] else math.inf
        if min(wanted - before, after - wanted) >= refractory:
            times[unit, firing], moved[unit, firing] = wanted, True
    return times, moved


@given(
    st.integers(1, 5), st.integers(1, 12), st.floats(0, 1), st.sampled_from([0.0, 0.02]),
    st.sampled_from([0.0005, 0.005, 0.05]), st.integers(0, 2**32),
)  # fmt: skip
def test_firings_move_onto_the_nearest_one_of_another_unit(
    units, firings, share, jitter, refractory, seed
):
    random = np.random.default_rng(seed)
    times = np.cumsum(random.uniform(0.05, 0.15, (units, firings)), axis=1)
    chosen = random.random(times.shape) < share
    offset = random.standard_normal(times.shape) * jitter
    unit_of = np.broadcast_to(np.arange(units)[:, None], times.shape)[~chosen]
    order = np.argsort(times[~chosen])
    targets = times[~chosen][order], unit_of[order]
    expected, expected_moved = _move_slowly(times, chosen, offset, *targets, refractory)
    result, moved = times.copy(), np.zeros(times.shape, bool)
    move_onto_nearest(result, chosen, offset, *targets, refractory, moved)
    np.testing.assert_array_equal(result, expected)
    np.testing.assert_array_equal(moved, expected_moved)


def test_of_two_targets_equally_near_the_later_is_taken():
    times, moved = np.array([[1.0, 9.0]]), np.zeros((1, 2), bool)
    chosen = np.array([[True, False]])
    targets = np.array([0.5, 1.5]), np.array([1, 2])
    move_onto_nearest(times, chosen, np.zeros((1, 2)), *targets, 0.1, moved)
    assert times.tolist() == [[1.5, 9.0]]


@given(st.integers(1, 5), st.integers(1, 12), st.integers(0, 2**32))
def test_firings_follow_one_another_and_end_with_the_sequence(units, firings, seed):
    random = np.random.default_rng(seed)
    excursions = random.standard_normal((units, firings))
    mean, deviation, last = random.uniform(0.05, 0.2, (3, units))
    deviation *= 0.1
    intervals = mean[:, None] + deviation[:, None] * excursions
    times = excursions.copy()
    follow(times, mean, deviation, last)
    np.testing.assert_array_equal(times, last[:, None] + np.cumsum(intervals, axis=1))
    ended, marked = times.copy(), random.random(times.shape) < 0.5
    columns = end_trains(ended, 0.6)
    np.testing.assert_array_equal(ended, np.where(times < 0.6, times, np.nan))
    assert columns == max((times < 0.6).sum(axis=1).max(), 1)
    share = np.empty(units)
    share_inside(ended - 0.2, marked, 0.3, share)
    inside = (times >= 0.2) & (ended - 0.2 < 0.3)
    wanted = (marked & inside).sum(axis=1) / np.maximum(inside.sum(axis=1), 1)
    np.testing.assert_array_equal(share, wanted)


def test_times_rise_and_are_padded_at_the_end():
    drawn = draw_firings(Parameters(), 30, LEAD, 0, 0)
    missing = np.isnan(drawn.times)
    assert (np.diff(missing.astype(int), axis=1) >= 0).all()
    assert not missing[:, 0].any()
    assert not missing[:, -1].all()
    assert (_intervals(drawn.times) > 0).all()
    assert np.nanmin(drawn.times) < 0
    assert np.nanmin(drawn.times) > -LEAD - 0.05
    assert np.nanmax(drawn.times) < Parameters().duration
    assert drawn.synchronised.shape == drawn.times.shape


def test_a_unit_that_never_fires_has_no_times():
    parameters = dataclasses.replace(_constant(Parameters(), firing_rate=0.1), frames=2)
    drawn = draw_firings(parameters, 3, 0.001, 0, 0)
    assert drawn.times.shape == (3, 1)
    assert np.isnan(drawn.times).all()


@pytest.mark.parametrize(
    ("variation", "refractory"), [(0.2, 5), (0.5, 5), (1, 5), (0.2, 60), (1, 0.5)]
)
def test_intervals_lie_in_their_cut(variation, refractory):
    parameters = dataclasses.replace(
        _constant(LONG, interval_variation=variation, firing_rate=10), refractory_period=refractory
    )
    intervals = _intervals(draw_firings(parameters, 100, LEAD, 0, 0).times)
    cut = half_width(np.array([10.0]), np.array([variation]), refractory / 1000)[0]
    assert cut == pytest.approx(min(0.39 * variation, 0.1 - refractory / 1000))
    assert intervals.min() >= 0.1 - cut - 1e-9
    assert intervals.max() <= 0.1 + cut + 1e-9
    assert intervals.min() >= refractory / 1000 - 1e-9
    assert np.ptp(intervals) > 1.2 * cut
    limit = cut / (0.1 * variation)
    exact = truncnorm.std(-limit, limit) * variation
    assert intervals.std() / 0.1 == pytest.approx(exact, rel=0.05)


def test_without_variation_intervals_are_all_alike():
    parameters = _constant(LONG, interval_variation=0, firing_rate=10)
    drawn = draw_firings(parameters, 50, LEAD, 0, 0)
    np.testing.assert_allclose(_intervals(drawn.times), 0.1)
    first = drawn.times[:, 0] + LEAD
    assert 0 <= first.min() < 0.02
    assert 0.08 < first.max() < 0.1


def test_the_rate_is_the_drawn_one():
    drawn = draw_firings(dataclasses.replace(LONG, frames=40_000), 20, LEAD, 0, 0)
    assert ((drawn.firing_rate >= 8) & (drawn.firing_rate <= 13)).all()
    count = (drawn.times >= 0).sum(axis=1)
    np.testing.assert_allclose(count / 100, drawn.firing_rate, rtol=0.03)


@pytest.mark.parametrize("variation", [0.2, 1.0])
def test_the_first_firing_is_that_of_an_equilibrium_process(variation):
    parameters = _constant(Parameters(), interval_variation=variation, firing_rate=10, synchrony=0)
    drawn = draw_firings(parameters, 20_000, LEAD, 0, 0)
    first = (drawn.times[:, 0] + LEAD) * 10
    cut = half_width(np.array([10.0]), np.array([variation]), 0.005)[0] * 10
    limit = cut / variation
    # Forward recurrence time (Cox 1962): its density is the share of intervals that are longer.
    grid = np.linspace(0, 1 + cut, 20_001)
    longer = truncnorm.sf((grid - 1) / variation, -limit, limit)
    steps = (longer[1:] + longer[:-1]) / 2 * np.diff(grid)
    distribution = np.concatenate([[0], np.cumsum(steps)])
    assert distribution[-1] == pytest.approx(1, abs=1e-6)
    assert kstest(first, lambda t: np.interp(t, grid, distribution)).pvalue > 1e-4


@pytest.mark.parametrize("units", [2, 8])
def test_synchronised_firings_coincide_with_firings_of_other_units(units):
    parameters = dataclasses.replace(LONG, synchrony=Range(0.3, 0.3))
    drawn = draw_firings(parameters, units, LEAD, 0, 0)
    alone = draw_firings(dataclasses.replace(parameters, synchrony=Range(0, 0)), units, LEAD, 0, 0)
    moved = drawn.synchronised & ~np.isnan(drawn.times)
    assert moved.mean() > 0.2
    assert drawn.synchrony == 0.3
    for unit in range(units):
        others = np.delete(drawn.times, unit, axis=0)[~np.delete(moved, unit, axis=0)]
        assert np.isin(drawn.times[unit][moved[unit]], others).all()
        assert not np.isin(drawn.times[unit][moved[unit]], alone.times[unit]).any()
        stayed = drawn.times[unit][~moved[unit] & ~np.isnan(drawn.times[unit])]
        assert np.isin(stayed[stayed < 9], alone.times[unit]).all()


def test_without_synchrony_no_firings_coincide():
    drawn = draw_firings(LONG, 30, LEAD, 0, 0)
    times = drawn.times[~np.isnan(drawn.times)]
    assert len(np.unique(times)) == times.size
    assert not drawn.synchronised.any()


def test_jitter_spreads_firings_about_their_targets():
    random = np.random.default_rng(0)
    times = np.cumsum(np.full((20, 500), 0.1), axis=1) + random.random((20, 1)) * 0.1
    exact, moved = synchronise(times, 0.1, 0.0, 0.001, np.random.default_rng(1))
    jittered, _ = synchronise(times, 0.1, 0.002, 0.001, np.random.default_rng(1))
    assert moved.sum() > 800
    assert (jittered - exact)[moved].std() == pytest.approx(0.002, rel=0.1)
    assert abs((jittered - exact)[moved].mean()) < 3e-4


@given(
    st.integers(2, 6), st.floats(0, 0.5), st.floats(0, 0.015), st.floats(0.0005, 0.02),
    st.integers(0, 2**32),
)  # fmt: skip
def test_synchrony_keeps_number_order_and_refractory_period(units, share, jitter, refractory, seed):
    random = np.random.default_rng(seed)
    times = np.cumsum(random.uniform(0.03, 0.15, (units, 40)), axis=1)
    result, moved = synchronise(times, share, jitter, refractory, random)
    assert result.shape == times.shape
    assert not np.isnan(result).any()
    assert (np.diff(result) >= refractory).all()
    np.testing.assert_array_equal(result[~moved], times[~moved])


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_synchrony_keeps_the_rate_and_moves_the_share_asked_for(share):
    parameters = dataclasses.replace(LONG, frames=40_000, synchrony=Range(share, share))
    drawn = draw_firings(parameters, 20, LEAD, 0, 0)
    inside = drawn.times >= 0
    np.testing.assert_allclose(inside.sum(axis=1) / 100, drawn.firing_rate, rtol=0.03)
    firings = inside.sum()
    assert abs(drawn.synchronised[inside].sum() - share * firings) < 4 * math.sqrt(share * firings)


def test_one_unit_is_never_synchronised():
    parameters = dataclasses.replace(LONG, synchrony=Range(0.5, 0.5))
    drawn = draw_firings(parameters, 1, LEAD, 0, 0)
    alone = draw_firings(LONG, 1, LEAD, 0, 0)
    assert not drawn.synchronised.any()
    np.testing.assert_array_equal(drawn.times, alone.times)


def test_doublets_follow_at_their_interval():
    parameters = dataclasses.replace(LONG, doublets=Range(0.3, 0.3), doublet_interval=7.0)
    drawn = draw_firings(parameters, 20, LEAD, 0, 0)
    single = draw_firings(LONG, 20, LEAD, 0, 0)
    added = ~np.isin(drawn.times, single.times) & ~np.isnan(drawn.times)
    # The firing that each follows may lie in the last moments before the sequence.
    place = np.nonzero(added)
    assert (place[1] > 0).all()
    gaps = drawn.times[added] - drawn.times[place[0], place[1] - 1]
    np.testing.assert_allclose(gaps, 0.007, atol=1e-12)
    assert np.isin(single.times[~np.isnan(single.times)], drawn.times).all()
    firings = (~np.isnan(single.times)).sum()
    assert abs(added.sum() - 0.3 * firings) < 4 * math.sqrt(0.21 * firings)
    assert (np.diff(drawn.times)[~np.isnan(drawn.times[:, 1:])] > 0.005).all()


def test_doublets_are_left_out_where_they_do_not_fit():
    parameters = dataclasses.replace(
        _constant(LONG, doublets=1, firing_rate=20, interval_variation=0.3),
        doublet_interval=30.0, refractory_period=15.0,
    )  # fmt: skip
    drawn = draw_firings(parameters, 20, LEAD, 0, 0)
    single = draw_firings(dataclasses.replace(parameters, doublets=Range(0, 0)), 20, LEAD, 0, 0)
    assert np.isin(single.times[~np.isnan(single.times)], drawn.times).all()
    assert _intervals(drawn.times).min() >= 0.015 - 1e-12
    fits = (_intervals(single.times) > 0.045).sum()
    added = (~np.isnan(drawn.times)).sum() - (~np.isnan(single.times)).sum()
    assert 0 < fits <= added <= fits + 20  # after the last firings anything fits


def test_intervals_after_doublets_keep_to_the_refractory_period():
    parameters = dataclasses.replace(
        _constant(LONG, doublets=0.5), doublet_interval=2.0, refractory_period=5.0
    )
    # Inside a doublet the interval is the doublet's; the next firing keeps its distance.
    intervals = _intervals(draw_firings(parameters, 20, LEAD, 0, 0).times)
    inside = np.abs(intervals - 0.002) < 1e-9
    assert inside.any()
    assert intervals[~inside].min() >= 0.005


def test_doublets_leave_the_single_firings_as_they_were():
    parameters = dataclasses.replace(LONG, synchrony=Range(0.1, 0.1))
    with_doublets = dataclasses.replace(parameters, doublets=Range(0.2, 0.2))
    single, double = (draw_firings(p, 10, LEAD, 0, 0) for p in (parameters, with_doublets))
    np.testing.assert_array_equal(
        np.sort(single.times[single.synchronised & ~np.isnan(single.times)]),
        np.sort(double.times[double.synchronised & ~np.isnan(double.times)]),
    )


@given(
    rate=st.floats(1.1, 100),
    variation=st.floats(0, 1),
    refractory=st.floats(0, 0.99),
    synchrony=st.floats(0, 0.5),
    jitter=st.floats(0, 15),
    doublets=st.floats(0, 1),
    frames=st.integers(1, 400),
    seed=st.integers(0, 2**32),
)
@example(100, 0, 0, 0.5, 15, 0, 20, 0)
def test_no_train_has_more_than_the_most_firings(
    rate, variation, refractory, synchrony, jitter, doublets, frames, seed
):
    refractory = max(refractory * 1000 / rate, 0.5)
    parameters = _constant(
        Parameters(frames=frames), firing_rate=rate, interval_variation=variation,
        synchrony=synchrony, synchrony_jitter=jitter, doublets=doublets,
    )  # fmt: skip
    parameters = dataclasses.replace(parameters, refractory_period=refractory)
    lead = min(twitch_length(parameters), 0.05)
    most = most_firings(parameters, lead)
    for index in range(20):
        assert draw_firings(parameters, 30, lead, seed, index).times.shape[1] <= most


def test_jitter_carries_no_train_over_the_most_firings():
    parameters = _constant(
        Parameters(frames=20, refractory_period=0.5),
        firing_rate=100, interval_variation=0, synchrony=0.5, synchrony_jitter=15,
    )  # fmt: skip
    most = most_firings(parameters, 0.05)
    for index in (*range(100), 2523, 3991, 4374):  # three that went over a bound without jitter
        assert draw_firings(parameters, 30, 0.05, 0, index).times.shape[1] <= most


def test_the_most_firings_are_not_far_from_those_of_a_long_regular_train():
    parameters = _constant(LONG, interval_variation=0.1, firing_rate=10)
    assert 100 < most_firings(parameters, 0.0) < 170
