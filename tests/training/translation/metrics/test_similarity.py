"""Similarity maps: against the obvious version, by hand, and what has no influence."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from musim.training.translation.metrics import features, similarity_map


def sequence(seed, shape=(20, 5, 6)):
    return np.random.default_rng(seed).normal(0.2, 1.5, shape).astype(np.float32)


@given(st.integers(0, 10**6))
def test_it_is_the_mean_of_the_frames_differences(seed):
    before, after = sequence(seed), sequence(seed + 1)
    a, b = ((x - x.mean(dtype=float)) / x.std(dtype=float) for x in (before, after))
    found = similarity_map(before, after)
    difference = sum(b[t] - a[t] for t in range(20)) / 20
    distance = sum(abs(b[t] - a[t]) for t in range(20)) / 20
    np.testing.assert_allclose(found.difference, difference, atol=1e-6)
    np.testing.assert_allclose(found.distance, distance, atol=1e-6)
    for profile, image in zip(found.by_depth, (difference, distance), strict=True):
        np.testing.assert_allclose(profile, image.mean(axis=1), atol=1e-6)


def test_output_less_input_where_it_changes():
    before = sequence(1)
    after = before.copy()
    after[:, 2, 3] += 0.5
    found = similarity_map(before, after)
    assert np.unravel_index(found.difference.argmax(), (5, 6)) == (2, 3)
    assert found.by_depth[1].argmax() == 2
    # Changes of both signs cancel in the difference alone.
    after = before.copy()
    after[::2, 2, 3] += 2
    after[1::2, 2, 3] -= 2
    found = similarity_map(before, after)
    assert abs(found.difference[2, 3]) < 0.1
    assert found.distance[2, 3] > 1


def test_scale_and_level_are_no_change():
    found = similarity_map(sequence(1), 3e-3 * sequence(1) + 0.7)
    assert np.abs(found.distance).max() < 1e-3


def test_blocks_are_the_whole(monkeypatch):
    whole = similarity_map(sequence(1), sequence(2))
    monkeypatch.setattr(features, "BLOCK_VALUES", 1)
    parts = similarity_map(sequence(1), sequence(2))
    np.testing.assert_array_equal(parts.difference, whole.difference)
    np.testing.assert_array_equal(parts.distance, whole.distance)


def test_what_does_not_fit_is_refused(refused):
    with refused("wanted (20, 5, 6) as its input"):
        similarity_map(sequence(1), sequence(1)[:, 1:])
    with refused("variance 0"):
        similarity_map(sequence(1), np.zeros((20, 5, 6)))
