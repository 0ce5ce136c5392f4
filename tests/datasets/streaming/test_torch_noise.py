"""Torch makes the kernels' noise: the same words, and normals equal within rounding."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from musim.datasets.streaming.noise import normal_pair, standard_normal, threefry
from musim.simulator import noise
from musim.simulator.noise_kernels import threefry_words
from musim.simulator.seeds import noise_key

WORDS = st.integers(0, 2**32 - 1)
EDGES = [0, 1, 2**31 - 1, 2**31, 2**32 - 1]


def as_bits(words):
    return torch.from_numpy(np.asarray(words, np.uint32).view(np.int32).copy())


def check_words(first, second, key):
    first, second = np.asarray(first, np.uint32), np.asarray(second, np.uint32)
    wanted = np.empty((first.size, 4), np.uint32)
    threefry_words(first, second, np.asarray(key, np.uint32), wanted)
    found = threefry(as_bits(first), as_bits(second), as_bits(key)[:, None])
    np.testing.assert_array_equal(
        np.stack([word.numpy().view(np.uint32) for word in found], axis=1), wanted
    )


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=20), st.tuples(*[WORDS] * 4))
def test_words_are_the_kernels_bit_for_bit(counters, key):
    check_words(*zip(*counters, strict=True), key)


@pytest.mark.parametrize("key", [[0] * 4, [2**32 - 1] * 4, [2**31, 1, 2**31 - 1, 0]])
def test_words_at_the_edges_of_their_range_are_too(key):
    first, second = np.meshgrid(EDGES, EDGES)
    check_words(first.ravel(), second.ravel(), key)


def keys_of(indices):
    return np.stack([noise_key(8, index) for index in indices])


@pytest.mark.parametrize("start", range(9))
@pytest.mark.parametrize("frames", [1, 4, 7])
def test_normals_of_any_window_are_the_kernels(start, frames):
    keys = keys_of(range(3))
    starts = [start, start + 5, 2 * start + 1000]
    found = standard_normal(
        torch.from_numpy(keys.astype(np.int64)), frames, 35, torch.tensor(starts)
    )
    assert found.shape == (3, frames, 35)
    assert found.dtype == torch.float32
    for key, first, values in zip(keys, starts, found.numpy(), strict=True):
        wanted = noise.standard_normal(key, (frames, 5, 7), first).reshape(frames, 35)
        np.testing.assert_allclose(values, wanted, rtol=0, atol=2e-6)


def test_many_normals_are_the_kernels_and_normal():
    keys = keys_of([5])
    found = standard_normal(torch.from_numpy(keys.astype(np.int64)), 40, 10000, torch.tensor([3]))
    wanted = noise.standard_normal(keys[0], (40, 100, 100), 3).reshape(40, 10000)
    np.testing.assert_allclose(found[0].numpy(), wanted, rtol=0, atol=2e-6)
    assert abs(found.mean()) < 4 / 632
    assert abs(found.var() - 1) < 4 * np.sqrt(2) / 632


def test_words_at_the_edges_give_finite_normals():
    radius, angle = (torch.from_numpy(w.ravel()) for w in np.meshgrid(
        np.array(EDGES, np.uint32).view(np.int32), np.array(EDGES, np.uint32).view(np.int32)
    ))  # fmt: skip
    first, second = normal_pair(radius, angle)
    norm = torch.sqrt(first.double() ** 2 + second.double() ** 2).numpy()
    word = radius.numpy().view(np.uint32).astype(float)
    # Box-Muller: the radius is that of the uniform number alone, whatever the angle.
    wanted = np.sqrt(np.maximum(-2 * np.log((word + 0.5) / 2**32), 0))
    np.testing.assert_allclose(norm, wanted, atol=1e-3)
