"""Splits are disjoint, whole, and stay as they are while a store grows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musim.datasets.splits import DEFAULT_SHARES, split
from musim.simulator.errors import InputError


@given(st.integers(60, 400), st.integers(0, 2**40))
def test_splits_are_disjoint_and_make_up_the_whole(sequences, seed):
    parts = []
    for name in DEFAULT_SHARES:
        try:
            parts.append(split(sequences, name, seed=seed))
        except InputError:
            continue
    assert all((np.diff(part) > 0).all() for part in parts)
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(sequences))


@given(st.integers(60, 300), st.integers(0, 200), st.sampled_from(sorted(DEFAULT_SHARES)))
def test_a_growing_store_keeps_its_sequences_where_they_are(sequences, more, name):
    before, after = split(sequences, name), split(sequences + more, name)
    np.testing.assert_array_equal(before, after[after < sequences])


def test_shares_hold_on_average():
    shares = {"a": 0.5, "b": 0.3, "c": 0.2}
    for name, share in shares.items():
        # Four SD of a binomial share of 20000.
        found = split(20000, name, shares).size / 20000
        assert abs(found - share) < 4 * np.sqrt(share * (1 - share) / 20000)


def test_another_seed_splits_otherwise_and_the_same_seed_alike():
    one, other = split(200, "test", seed=1), split(200, "test", seed=2)
    assert one.tolist() != other.tolist()
    assert one.tolist() == split(200, "test", seed=1).tolist()


def test_the_split_of_a_sequence_never_changes_between_versions():
    assert split(40, "test").tolist() == [4, 11, 18, 19, 20, 23, 38]
    assert split(40, "validation").tolist() == [2, 7, 13, 17, 21, 30]


def test_without_a_name_all_sequences_take_part():
    assert split(7).tolist() == list(range(7))


def test_a_share_of_everything_is_everything():
    assert split(50, "all", {"all": 1.0}).tolist() == list(range(50))


@pytest.mark.parametrize(
    ("sequences", "name", "shares", "words"),
    [
        (3, "test", DEFAULT_SHARES, ["'test'", "3"]),
        (100, "none", {"all": 1.0, "none": 0.0}, ["'none'"]),
        (100, "tests", DEFAULT_SHARES, ["'tests'", "train, validation, test"]),
        (100, "a", {"a": 0.5, "b": 0.6}, ["shares", "0.6"]),
        (100, "a", {"a": 1.5, "b": -0.5}, ["shares", "-0.5"]),
        (100, "a", {"a": float("nan"), "b": 0.5}, ["shares", "nan"]),
        (100, "a", {}, ["shares"]),
    ],
)
def test_what_cannot_be_split_is_refused(refused, sequences, name, shares, words):
    with refused(*words):
        split(sequences, name, shares)


def test_trials_of_a_subject_stay_together():
    shares = [split(1003, name, trials=5) for name in DEFAULT_SHARES]
    assert sorted(np.concatenate(shares)) == list(range(1003))
    for share in shares:
        subjects, counts = np.unique(share // 5, return_counts=True)
        assert (counts[subjects < 200] == 5).all()
        np.testing.assert_array_equal(np.unique(share // 5), subjects)
    train = split(201, "train")
    np.testing.assert_array_equal(np.unique(shares[0] // 5), train)
