"""Two domains in pairs: the longer one whole each epoch, the shorter one over and over."""

import collections
import dataclasses
import itertools
import json

import numpy as np
import pytest

from musim.datasets.streaming import SequenceLoader, UnpairedLoader
from tests.threads import readers

OPTIONS = {"batch_size": 3, "seed": 2, "window": 8, "flips": ("width",)}


@pytest.fixture(scope="module")
def short(untold):
    """A store of four sequences without truth, of the same frames and pixels."""
    voxels = np.random.default_rng(6).normal(size=(4, 22, 12, 10)).astype(np.float32)
    return untold(voxels)


@pytest.fixture
def open_pair(rendered, short):
    """Return a function that opens both stores, the longer one as `a` or as `b`."""

    def call(swapped=False, long=rendered, other=short, **changes):
        loaders = [SequenceLoader(store, **OPTIONS | changes) for store in (long, other)]
        return UnpairedLoader(*(loaders[::-1] if swapped else loaders))

    return call


def of(pairs, domain):
    return [index for pair in pairs for index in pair[domain]["index"].tolist()]


def same_pairs(same, found, wanted):
    for domain in ("a", "b"):
        same([pair[domain] for pair in found], [pair[domain] for pair in wanted])


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("batch_size", [1, 2, 3, 4])
def test_an_epoch_has_each_sequence_of_the_longer_once(open_pair, swapped, batch_size):
    loader = open_pair(swapped, batch_size=batch_size)
    longer, shorter = ("b", "a") if swapped else ("a", "b")
    used = []
    for _ in range(4):
        pairs = list(loader)
        assert len(pairs) == len(loader)
        assert sorted(of(pairs, longer)) == list(range(11))
        assert all(len(pair["a"]["index"]) == len(pair["b"]["index"]) for pair in pairs)
        used += of(pairs, shorter)
    # The shorter one's epochs follow one another without a gap, each in an order of its own.
    epochs = [used[first : first + 4] for first in range(0, len(used), 4)]
    assert all(sorted(epoch) == list(range(4)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 5


def test_domains_of_equal_length_are_paired_anew_each_epoch(open_pair, dense, rendered):
    loader = open_pair(long=dense, other=rendered)
    loader.b.plan = dataclasses.replace(loader.b.plan, seed=9)
    pairs = collections.Counter()
    for _ in range(4):
        epoch = list(loader)
        assert sorted(of(epoch, "a")) == sorted(of(epoch, "b")) == list(range(11))
        pairs[tuple(zip(of(epoch, "a"), of(epoch, "b"), strict=True))] += 1
    assert max(pairs.values()) == 1


def test_as_many_batches_of_more_sequences_are_the_longer_domain(open_pair, untold, dense):
    other = untold(np.zeros((12, 22, 12, 10), np.float32))
    loader = open_pair(long=dense, other=other, batch_size=6)
    assert sorted(of(list(loader), "b")) == list(range(12))


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("stop", range(0, 12, 2))
def test_both_domains_go_on_exactly_where_they_were(open_pair, same, swapped, stop):
    whole = open_pair(swapped)
    pairs = [pair for _ in range(3) for pair in whole]
    loader = open_pair(swapped)
    endless = itertools.chain.from_iterable(itertools.repeat(loader))
    for _ in range(stop):
        next(endless)
    state = json.loads(json.dumps(loader.state_dict()))
    other = open_pair(swapped)
    other.load_state_dict(state)
    left = itertools.chain.from_iterable(itertools.repeat(other))
    same_pairs(same, list(itertools.islice(left, 12 - stop)), pairs[stop:])


def test_an_epoch_left_early_begins_again_in_both_domains(open_pair, same):
    loader = open_pair()
    whole = list(open_pair())
    list(itertools.islice(loader, 2))
    assert readers() == []
    same_pairs(same, list(loader), whole)


def test_units_come_in_equal_numbers(dense):
    loader = UnpairedLoader(
        *(SequenceLoader(dense, batch_size=3, crop=(5, 5), seed=seed) for seed in (1, 2))
    )
    for pair in loader:
        assert len(pair["a"]["tvi"]) == len(pair["b"]["tvi"])
        assert {len(value) for value in pair["a"].values()} == {len(pair["b"]["unit"])}


def test_a_state_of_other_domains_is_refused(open_pair, refused):
    with refused("state"):
        open_pair().load_state_dict(open_pair(swapped=True).state_dict())


@pytest.mark.parametrize(
    ("shape", "changes", "words"),
    [
        ((4, 22, 12, 9), {}, ["frames, depth and width", "(8, 12, 10)", "(8, 12, 9)"]),
        ((4, 22, 12, 10), {"frame_rate": 500.0}, ["frame rates", "500.0"]),
        ((4, 22, 12, 10), {"pixel_size": (0.5, 0.9)}, ["pixel sizes", "(0.5, 0.9)"]),
    ],
)
def test_domains_that_do_not_fit_are_refused(rendered, untold, refused, shape, changes, words):
    other = untold(np.zeros(shape, np.float32), **changes)
    loaders = [SequenceLoader(store, **OPTIONS) for store in (rendered, other)]
    with refused(*words, rendered.location.address, other.location.address):
        UnpairedLoader(*loaders)


def test_windows_and_batches_of_different_size_are_refused(rendered, dense, refused):
    one = SequenceLoader(rendered, **OPTIONS)
    with refused("frames, depth and width", "(8, 12, 10)", "(9, 12, 10)"):
        UnpairedLoader(one, SequenceLoader(dense, **OPTIONS | {"window": 9}))
    with refused("batch sizes", "3", "2"):
        UnpairedLoader(one, SequenceLoader(dense, **OPTIONS | {"batch_size": 2}))
