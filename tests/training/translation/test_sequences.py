"""Whole sequences are translated window by window: whatever the windows, without a seam."""

import numpy as np
import pytest
import torch

from musim.simulator import InputError
from musim.training.translation import sequences
from musim.training.translation.networks.layers import FixedStatistics, InstanceNorm, reach
from musim.training.translation.networks.models import Architecture, build
from musim.training.translation.sequences import Scale, check_frames, translate

ONE = Scale(0.0, 1.0)
ROUNDING = 1e-5
"""Of the SD: what sums in another order leave in float32."""


def generator(stride, noise=False, dimensions=3, seed=3):
    """Return a generator whose layers all count: weights far larger than the initial ones."""
    found = build(
        Architecture(
            dimensions=dimensions, maps=3, blocks=2, stride_in_time=stride, affine=dimensions == 3,
            noise=noise, frames=16,
        ),
        seed,
    ).generator_a2b  # fmt: skip
    random = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for value in found.parameters():
            value.copy_(torch.randn(value.shape, generator=random) * 0.3)
    return found


def motion(frames, side=16, seed=0):
    """Return a sequence that is much livelier in its second half, float32 (frames, side, side)."""
    random = np.random.default_rng(seed)
    found = np.cumsum(random.normal(size=(frames, side, side)), axis=0)
    found -= found.mean(axis=0)
    found[frames // 2 :] *= 3
    return (found / found.std()).astype(np.float32)


def translated(network, tvi, source=ONE, target=ONE, **options):
    options = {"key": (1, 2), "statistics_frames": 16, **options}
    return translate(network, tvi, source, target, **options)


def difference(one, other):
    """Return the greatest difference in SDs."""
    return np.abs(one - other).max() / other.std()


@pytest.mark.parametrize("noise", [False, True])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("frames", [9, 16, 37, 67])
def test_the_result_is_the_same_whatever_the_window(stride, frames, noise):
    network, tvi = generator(stride, noise), motion(frames)
    whole = translated(network, tvi, window=10**6)
    assert whole.shape == tvi.shape
    assert whole.dtype == np.float32
    for window in (5, 13, 32):
        assert difference(translated(network, tvi, window=window), whole) < ROUNDING


@pytest.mark.parametrize("stride", [1, 2])
def test_the_whole_is_what_the_network_makes_of_it_at_once(stride):
    """A sequence of a clip's length has its own statistics: nothing is left of the windows."""
    network, tvi = generator(stride, noise=True), motion(32)
    with torch.no_grad():
        wanted = network(torch.from_numpy(tvi)[None, None], [(1, 2)])[0, 0].numpy()
    found = translated(network, tvi, statistics_frames=32, window=8)
    assert difference(found, wanted) < ROUNDING
    # Frames beyond a multiple of the stride are a mirror's, and are cut off again.
    found = translated(network, tvi[:30], statistics_frames=32, window=8)
    mirrored = np.concatenate([tvi[:30], tvi[27:29][::-1]]) if stride == 2 else tvi[:30]
    with torch.no_grad():
        wanted = network(torch.from_numpy(mirrored.copy())[None, None], [(1, 2)])[0, 0].numpy()
    assert difference(found, wanted[:30]) < ROUNDING


@pytest.mark.parametrize("stride", [1, 2])
def test_with_given_statistics_the_network_knows_no_windows(stride):
    """The same by another way: fixed statistics make the network a local one."""
    network, tvi = generator(stride, noise=True), motion(96)
    norms = [module for module in network.modules() if isinstance(module, InstanceNorm)]
    clip = torch.from_numpy(tvi)
    gathered = sequences._statistics(network, clip, (1, 2), 16)
    for norm, fixed in zip(norms, gathered, strict=True):
        norm.fixed = fixed
    with torch.no_grad():
        wanted = network(clip[None, None], [(1, 2)])[0, 0].numpy()
    for norm in norms:
        norm.fixed = None
    assert difference(translated(network, tvi, window=16), wanted) < ROUNDING


@pytest.mark.parametrize("stride", [1, 2])
def test_a_part_of_a_sequence_is_the_same_but_for_its_own_level(stride):
    """With the statistics of the whole, a part differs from it at its ends alone."""
    network, tvi = generator(stride), motion(160)
    gathered = sequences._statistics(network, torch.from_numpy(tvi), (1, 2), 16)
    before, after = reach(network)[0]
    low, high = 40, 120
    with torch.inference_mode(), sequences._fixed(network, gathered):
        whole, part = (
            network(torch.from_numpy(each)[None, None], None)[0, 0].numpy()
            for each in (tvi, tvi[low:high])
        )
    inner = slice(low + before, high - after)
    assert high - low > before + after
    assert difference(part[before : len(part) - after], whole[inner]) < ROUNDING
    assert difference(part[-after:], whole[high - after : high]) > 100 * ROUNDING


@pytest.mark.parametrize("stride", [1, 2])
def test_there_is_no_seam(stride):
    """Steps from frame to frame are not larger across the borders of windows than elsewhere."""
    network, tvi = generator(stride, noise=True), motion(128)
    found = translated(network, tvi, window=16).astype(float)
    steps = np.abs(np.diff(found, axis=0)).mean(axis=(1, 2))
    whole = np.abs(np.diff(translated(network, tvi, window=10**6).astype(float), axis=0))
    assert np.allclose(steps, whole.mean(axis=(1, 2)), rtol=1e-4)
    # The way that this is not done: each window with statistics of its own, and with its own ends.
    with torch.no_grad():
        naive = torch.cat([
            network(torch.from_numpy(tvi[low : low + 16])[None, None], [(1, 2)])[0, 0]
            for low in range(0, 128, 16)
        ]).numpy()  # fmt: skip
    jumps = np.abs(np.diff(naive, axis=0)).mean(axis=(1, 2))
    borders = np.arange(15, 127, 16)
    assert (np.abs(jumps / steps - 1)[borders] > 0.1).sum() > 3


def test_statistics_are_means_over_windows_that_leave_no_frame_out():
    network = generator(1)
    tvi = torch.from_numpy(motion(40))
    found = sequences._statistics(network, tvi, 1, 16)
    seen = []
    with torch.no_grad():
        first = network.encoder[:2]
        for start in (0, 12, 24):
            x = first(tvi[None, None, start : start + 16])
            seen.append(x.flatten(2)[0])
    mean = torch.stack([x.mean(1) for x in seen]).mean(0)
    variance = torch.stack([x.var(1, correction=0) for x in seen]).mean(0)
    assert torch.allclose(found[0].mean, mean, atol=1e-5)
    assert torch.allclose(found[0].variance, variance, rtol=1e-4)
    # The last frame counts.
    changed = tvi.clone()
    changed[-1] *= 10
    assert not torch.equal(sequences._statistics(network, changed, 1, 16)[0].variance, variance)


def test_fixed_statistics_are_those_of_a_clip():
    norm = InstanceNorm(2, affine=True)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([2.0, 3.0]))
        norm.bias.copy_(torch.tensor([-1.0, 1.0]))
    x = torch.randn(1, 2, 3, 4, 5, generator=torch.Generator().manual_seed(0)) * 3 + 7
    own = norm(x)
    norm.fixed = FixedStatistics.of(x)
    assert torch.allclose(norm(x), own, atol=1e-5)
    flat = x[0].flatten(1).double()
    assert torch.allclose(norm.fixed.mean.double(), flat.mean(1))
    assert torch.allclose(norm.fixed.variance.double(), flat.var(1, correction=0))
    assert torch.allclose(norm(x[:, :, :1]), own[:, :, :1], atol=1e-5)  # of a part, the same
    half = norm(x.bfloat16())
    assert half.dtype == torch.bfloat16
    of_half = FixedStatistics.of(x.bfloat16())
    assert of_half.mean.dtype == torch.float32
    other = FixedStatistics(norm.fixed.mean + 2, norm.fixed.variance * 3)
    both = FixedStatistics.mean_of([norm.fixed, other])
    assert torch.allclose(both.mean, norm.fixed.mean + 1)
    assert torch.allclose(both.variance, norm.fixed.variance * 2)


def test_velocities_are_standardised_and_given_back_in_mm_per_s():
    network, tvi = generator(1), motion(24)
    source, target = Scale(0.5, 2.0), Scale(-1.0, 0.25)
    wanted = translated(network, tvi) * 0.25 - 1
    found = translated(network, tvi * 2 + 0.5, source, target)
    assert difference(found, wanted) < 1e-4
    double = translated(network, (tvi * 2 + 0.5).astype(np.float64), source, target)
    assert difference(double, found) < 1e-4


@pytest.mark.parametrize("window", [1, 7, 50])
def test_networks_of_frames_translate_each_frame(window):
    network, tvi = generator(1, dimensions=2, noise=True), motion(19)
    found = translated(network, tvi, window=window)
    with torch.no_grad():
        wanted = [network(torch.from_numpy(frame)[None, None], [(1, 2, t)])[0, 0].numpy()
                  for t, frame in enumerate(tvi)]  # fmt: skip
    assert difference(found, np.stack(wanted)) < ROUNDING


def test_noise_is_one_image_for_all_frames_and_follows_the_key():
    network, tvi = generator(1, noise=True), motion(40)
    first = translated(network, tvi)
    assert np.array_equal(translated(network, tvi), first)
    assert difference(translated(network, tvi, key=(1, 3)), first) > 0.01
    with torch.no_grad():
        for name, value in network.named_parameters():
            if name.endswith("noise.scale"):
                value.zero_()
    silent = translated(network, tvi)
    assert np.array_equal(translated(network, tvi, key=(1, 3)), silent)
    assert difference(silent, first) > 0.01


@pytest.mark.parametrize(("stride", "least"), [(1, 4), (2, 5)])
def test_short_sequences_are_taken_down_to_a_limit(stride, least):
    network = generator(stride)
    for frames in (least, least + 1):
        assert translated(network, motion(frames)).shape == (frames, 16, 16)
        check_frames(network, frames)
    with pytest.raises(InputError, match=f"found {least - 1} frames, wanted {least}"):
        translated(network, motion(least - 1))
    check_frames(generator(1, dimensions=2), 1)


def test_sizes_that_networks_cannot_take_are_told_and_nothing_is_left_changed(refused):
    network = generator(1).train()
    with refused("18 for its depth"):
        translated(network, motion(16, side=18))
    assert network.training
    tvi, broken = motion(16), RuntimeError("broken")
    gathered = sequences._statistics(network, torch.from_numpy(tvi), 1, 16)
    with pytest.raises(RuntimeError, match="broken"), sequences._fixed(network, gathered):
        raise broken
    norms = [module for module in network.modules() if isinstance(module, InstanceNorm)]
    assert all(norm.fixed is None for norm in norms)
    assert not any(norm._forward_pre_hooks for norm in norms)
    translated(network, tvi)
    assert network.training
    assert all(norm.fixed is None for norm in norms)
