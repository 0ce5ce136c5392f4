"""Images that are nearly the same stay together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musim.datasets.images.groups import near_twins, split_groups
from musim.simulator.errors import InputError


def pictures(random, count):
    return random.integers(0, 256, (count, 8, 8)).repeat(8, axis=1).repeat(8, axis=2)


def test_twins_and_twins_of_twins_are_a_group():
    random = np.random.default_rng(0)
    one, other, third = pictures(random, 3).astype(float)
    # 0.95 of one another, and 0.81 at two steps: linked by the one between.
    steps = [one, 0.75 * one + 0.25 * other, 0.5 * one + 0.5 * other, third]
    images = np.stack(steps).clip(0, 255).astype(np.uint8)
    flat = images.reshape(4, -1).astype(float)
    alike = np.corrcoef(flat)
    assert alike[0, 1] > 0.9 < alike[1, 2]
    assert alike[0, 2] < 0.9
    assert near_twins(images).tolist() == [0, 0, 0, 1]
    # Gain and offset of the scanner change nothing; an even image has no twin but itself.
    assert near_twins(np.stack([images[0], images[0] // 2 + 20])).tolist() == [0, 0]
    assert near_twins(np.zeros((2, 64, 64), np.uint8)).tolist() == [0, 1]


@given(
    sizes=st.lists(st.integers(1, 5), min_size=20, max_size=40),
    seed=st.integers(0, 99),
    few=st.sampled_from([0.1, 0.3]),
)
def test_no_group_is_on_both_sides_and_fewer_are_among_more(sizes, seed, few):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    groups = groups[np.random.default_rng(seed).permutation(len(groups))]
    train, validation, test = split_groups(groups, (0.5, 0.1, 0.4), seed)
    assert sorted([*train, *validation, *test]) == list(range(len(groups)))
    shares = [set(groups[part]) for part in (train, validation, test)]
    assert not shares[0] & shares[1]
    assert not shares[2] & (shares[0] | shares[1])
    fewer, _, _, same = split_groups(groups, (few, 0.5 - few, 0.1, 0.4), seed)
    assert set(fewer) <= set(train)
    assert same.tolist() == test.tolist()
    assert abs(len(train) / len(groups) - 0.5) <= max(sizes) / len(groups)


def test_seeds_split_otherwise_and_the_same_seed_the_same():
    groups = np.arange(50)
    once, again, other = (split_groups(groups, (0.4, 0.6), seed)[0].tolist() for seed in (1, 1, 2))
    assert once == again != other


def test_shares_that_cannot_be_are_refused(refused):
    with refused("found [0.8, 0.4]", "a sum of 1"):
        split_groups(np.arange(9), (0.8, 0.4), 0)
    with refused("3 images in 1 groups", "add images"):
        split_groups(np.zeros(3, int), (0.5, 0.5), 0)
    with pytest.raises(InputError):
        split_groups(np.arange(9), (0.0, 0.4), 0)
