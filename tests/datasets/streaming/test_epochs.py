"""Every epoch goes through every sequence once, whoever takes part and wherever it was stopped."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from musim.datasets.epochs import EpochPlan


@st.composite
def plans(draw):
    """Return the plans of all ranks for a part of a store, and an epoch."""
    total = draw(st.integers(1, 80))
    chosen = draw(st.lists(st.booleans(), min_size=total, max_size=total))
    indices = np.flatnonzero(chosen)
    assume(indices.size)
    ranks = draw(st.integers(1, min(4, indices.size)))
    settings = {
        "indices": indices,
        "part_size": draw(st.integers(1, 20)),
        "batch_size": draw(st.integers(1, min(9, indices.size))),
        "shuffle": draw(st.booleans()),
        "seed": draw(st.integers(0, 2**40)),
        "buffer_parts": draw(st.integers(1, 5)),
        "ranks": ranks,
    }
    return [EpochPlan(rank=rank, **settings) for rank in range(ranks)], draw(st.integers(0, 9))


@given(plans())
def test_all_ranks_together_see_every_sequence_once(given_plans):
    ranks, epoch = given_plans
    batches = [list(plan.epoch(epoch)) for plan in ranks]
    seen = np.concatenate([batch for rank in batches for batch in rank])
    assert seen.size == ranks[0].indices.size
    np.testing.assert_array_equal(np.sort(seen), ranks[0].indices)


@given(plans())
def test_batches_are_full_but_for_the_last_and_as_many_for_every_rank(given_plans):
    ranks, epoch = given_plans
    plan = ranks[0]
    sizes = np.array([[batch.size for batch in plan.epoch(epoch)] for plan in ranks])
    assert sizes.shape == (plan.ranks, plan.batches)
    assert sizes.min() >= 1
    # Whatever a rank's last batch is, no other rank waits for long.
    assert np.all(np.ptp(sizes, axis=0) <= 1)
    enough = plan.indices.size - plan.ranks * plan.batch_size * (plan.batches - 1) >= plan.ranks
    assert np.all(sizes[:, : -1 if enough else -2] == plan.batch_size)
    if not enough:
        assert np.all(sizes[:, -2] >= plan.batch_size - 1)
        assert np.all(sizes[:, -1] == 1)
    assert sizes.max() <= max(plan.batch_size, 2)
    assert [plan.sequences for plan in ranks] == sizes.sum(axis=1).tolist()


@pytest.mark.parametrize(
    ("sequences", "batch_size", "ranks", "wanted"),
    [
        (23, 8, 1, [[8, 8, 7]]),
        (10, 4, 1, [[4, 4, 2]]),
        (9, 8, 1, [[8, 1]]),
        (12, 4, 1, [[4, 4, 4]]),
        (13, 4, 2, [[4, 2], [4, 3]]),
        (9, 4, 2, [[3, 1], [4, 1]]),
        (5, 1, 3, [[1], [2], [2]]),
    ],
)
def test_sizes_of_batches(sequences, batch_size, ranks, wanted):
    plans = [
        EpochPlan(np.arange(sequences), 5, batch_size, rank=rank, ranks=ranks)
        for rank in range(ranks)
    ]
    assert [[batch.size for batch in plan.epoch(0)] for plan in plans] == wanted


@given(plans(), st.data())
def test_an_epoch_goes_on_at_any_batch_with_what_is_left(given_plans, data):
    ranks, epoch = given_plans
    start = data.draw(st.integers(0, ranks[0].batches))
    for plan in ranks:
        rest, whole = list(plan.epoch(epoch, start)), list(plan.epoch(epoch))
        assert [batch.tolist() for batch in rest] == [batch.tolist() for batch in whole[start:]]


@given(plans())
def test_only_sequences_of_a_few_parts_are_mixed(given_plans):
    (plan, *_), epoch = given_plans
    order = plan.order(epoch)
    parts = order // plan.part_size
    if not plan.shuffle:
        np.testing.assert_array_equal(order, plan.indices)
        return
    # Block after block, no more parts are open than the buffer holds, and none comes back.
    seen, at = set(), 0
    while at < order.size:
        block = set()
        while at < order.size and (parts[at] in block or len(block) < plan.buffer_parts):
            block.add(parts[at])
            at += 1
        assert not block & seen
        seen |= block
    assert seen == set((plan.indices // plan.part_size).tolist())


def test_the_order_follows_from_seed_and_epoch_alone():
    def order(seed, epoch):
        return EpochPlan(np.arange(60), 10, 4, seed=seed).order(epoch).tolist()

    orders = [order(seed, epoch) for seed in range(3) for epoch in range(3)]
    assert len({tuple(each) for each in orders}) == 9
    assert orders == [order(seed, epoch) for seed in range(3) for epoch in range(3)]
    # Neither batches nor ranks change it.
    other = EpochPlan(np.arange(60), 10, 7, seed=1, rank=1, ranks=3)
    assert other.order(2).tolist() == order(1, 2)


def test_parts_and_sequences_are_shuffled_evenly():
    plan = EpochPlan(np.arange(12), 3, 1, buffer_parts=2)
    places = np.array([np.argsort(plan.order(epoch)) for epoch in range(2000)])
    # The SD of the mean of 2000 uniform places among 12 is 0.077.
    np.testing.assert_allclose(places.mean(axis=0), 5.5, atol=0.4)


def test_each_buffer_is_shuffled_in_its_own_way():
    order = EpochPlan(np.arange(120), 6, 4, buffer_parts=1).order(0).reshape(20, 6)
    assert len({tuple(row) for row in (order % 6).tolist()}) > 15


@given(plans())
def test_ranks_read_the_same_region_at_a_time(given_plans):
    ranks, epoch = given_plans
    turns = zip(*(plan.epoch(epoch) for plan in ranks), strict=True)
    together = np.concatenate([batch for turn in turns for batch in turn])
    np.testing.assert_array_equal(together, ranks[0].order(epoch))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"batch_size": 6}, ["batch_size", "6", "5"]),
        ({"batch_size": 0}, ["batch_size", "0"]),
        ({"ranks": 6, "batch_size": 1}, ["ranks", "6", "5"]),
        ({"rank": 2, "ranks": 2}, ["rank", "2"]),
        ({"rank": -1}, ["rank", "-1"]),
        ({"buffer_parts": 0}, ["buffer_parts", "0"]),
        ({"part_size": 0}, ["part_size", "0"]),
    ],
)
def test_numbers_that_do_not_fit_are_refused(refused, changes, words):
    settings = {"indices": np.arange(5), "part_size": 2, "batch_size": 2} | changes
    with refused(*words):
        EpochPlan(**settings)
