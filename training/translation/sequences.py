"""Translating whole sequences with networks that were trained on clips, window by window, seamless.

A generator is convolutional in time, but for its normalisations, whose statistics are those of the
clip it is given: two windows of one sequence would come out at different levels, and a seam would
show where they meet. So statistics are taken once for the whole sequence, as the mean over windows
of the length that the generator was trained with, and then every window is normalised by them. What
is left depends on a limited number of frames around; each window is translated with so many more on
both sides, which are cut off again. The result is that of the whole sequence at once, whatever the
windows' length.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...simulator.errors import InputError
from .networks.generators import ResNetGenerator
from .networks.layers import FixedStatistics, InstanceNorm, Key, reach

WINDOW_VALUES = 2**22
"""Voxels of a window beside its context: what bounds memory. An image of 128 x 128 px gives 256
frames; with 32 maps their features take some 0.5 GB a layer."""

MOST_FRAMES = 64
"""Frames that a network of two dimensions translates at a time."""


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation of a domain, mm/s."""

    mean: float
    sd: float


def translate(
    generator: ResNetGenerator,
    tvi: NDArray[np.float32],
    source: Scale,
    target: Scale,
    *,
    key: Key,
    statistics_frames: int,
    window: int | None = None,
) -> NDArray[np.float32]:
    """Translate a sequence of any length.

    Parameters
    ----------
    generator : ResNetGenerator
    tvi : float32 array of shape (time, depth, width)
        Tissue velocity, mm/s.
    source, target : Scale
        Of the domain that it is from, and of the one that it comes to.
    key : int or tuple of int
        Of the noise, which all frames share.
    statistics_frames : int
        Frames of the windows over which statistics are averaged: those of a training clip.
    window : int, optional
        Frames that are translated at a time; as many as :data:`WINDOW_VALUES` allow, if not given.
        It has no influence on the result but by rounding.

    Returns
    -------
    float32 array of the shape of `tvi`
        mm/s.

    Raises
    ------
    InputError
        If the images or the sequence are too small for the networks, or of a size that they cannot
        take.
    """
    frames, depth, width = tvi.shape
    check_frames(generator, frames)
    tvi = np.asarray(tvi, np.float32)
    device = next(generator.parameters()).device
    standard = torch.from_numpy((tvi - np.float32(source.mean)) / np.float32(source.sd))
    if window is None:
        window = max(1, WINDOW_VALUES // (depth * width))
    was_training = generator.training
    generator.eval()
    try:
        with torch.inference_mode():
            if generator.dimensions == 2:
                out = _frame_by_frame(generator, standard.to(device), key, window)
            else:
                clip = _multiple(standard, generator.divisors[0]).to(device)
                out = _window_by_window(generator, clip, key, statistics_frames, window)
    finally:
        generator.train(was_training)
    result = out[:frames].float().cpu().numpy()
    return result * np.float32(target.sd) + np.float32(target.mean)


def _frame_by_frame(generator: ResNetGenerator, frames: Tensor, key: Key, window: int) -> Tensor:
    """Translate frames (T, H, W) that know nothing of one another."""
    size = max(1, min(window, MOST_FRAMES))
    pieces = [generator(frames[low : low + size, None], _frame_keys(key, low, size, len(frames)))
              for low in range(0, len(frames), size)]  # fmt: skip
    return torch.cat(pieces)[:, 0]


def _frame_keys(key: Key, low: int, size: int, frames: int) -> list[Key]:
    words = key if isinstance(key, tuple) else (key,)
    return [(*words, frame) for frame in range(low, min(low + size, frames))]


def _window_by_window(
    generator: ResNetGenerator, clip: Tensor, key: Key, statistics_frames: int, window: int
) -> Tensor:
    """Translate a clip (T, H, W) with one normalisation for all windows."""
    frames, stride = len(clip), generator.divisors[0]
    gathered = _statistics(generator, clip, key, statistics_frames)
    before, after = (_rounded(frames, stride) for frames in reach(generator)[0])
    window = max(_rounded(window, stride), stride)
    pieces = []
    with _fixed(generator, gathered):
        for low in range(0, frames, window):
            high = min(low + window, frames)
            first, last = max(low - before, 0), min(high + after, frames)
            out = generator(clip[None, None, first:last], [key])[0, 0]
            pieces.append(out[low - first : high - first])
    return torch.cat(pieces)


def _statistics(
    generator: ResNetGenerator, clip: Tensor, key: Key, length: int
) -> list[FixedStatistics]:
    """Return the mean statistics of each normalisation over windows of a length.

    The windows lie end to end; where the last one would go beyond the sequence's end, all move
    together, so that every frame counts.
    """
    frames, stride = len(clip), generator.divisors[0]
    length = min(max(_rounded(length, stride), generator.least[0]), frames)
    steps = -(-frames // length) - 1
    starts = [(frames - length) * i // max(steps, 1) // stride * stride for i in range(steps + 1)]
    norms = list(_norms(generator))
    found: list[list[FixedStatistics]] = [[] for _ in norms]

    def watch(place: int) -> Any:
        def hook(module: InstanceNorm, inputs: tuple[Tensor, ...]) -> None:
            found[place].append(FixedStatistics.of(inputs[0]))

        return hook

    handles = [norm.register_forward_pre_hook(watch(place)) for place, norm in enumerate(norms)]
    try:
        for start in starts:
            generator(clip[None, None, start : start + length], [key])
    finally:
        for handle in handles:
            handle.remove()
    return [FixedStatistics.mean_of(each) for each in found]


@contextmanager
def _fixed(generator: ResNetGenerator, statistics: Sequence[FixedStatistics]) -> Iterator[None]:
    """Let every normalisation use given statistics in place of its clip's own."""
    norms = list(_norms(generator))
    for norm, fixed in zip(norms, statistics, strict=True):
        norm.fixed = fixed
    try:
        yield
    finally:
        for norm in norms:
            norm.fixed = None


def _norms(generator: ResNetGenerator) -> Iterator[InstanceNorm]:
    for module in generator.modules():
        if isinstance(module, InstanceNorm):
            yield module


def _rounded(frames: int, stride: int) -> int:
    """Return the next multiple of a stride."""
    return -(-frames // stride) * stride


def _multiple(clip: Tensor, stride: int) -> Tensor:
    """Continue a clip (T, H, W) by its mirror image to a multiple of the stride."""
    missing = -len(clip) % stride
    return torch.cat([clip, clip[-missing - 1 : -1].flip(0)]) if missing else clip


def check_frames(generator: ResNetGenerator, frames: int) -> None:
    """Raise InputError if a sequence of so many frames is too short to be translated."""
    if generator.dimensions == 2:
        return
    stride, least = generator.divisors[0], generator.least[0]
    # Up to `stride` - 1 more are mirrored, which takes one more than that.
    least = next(n for n in range(1, least + 1) if _rounded(n, stride) >= least and n > -n % stride)
    if frames < least:
        raise InputError(
            f"sequence: found {frames} frames, wanted {least} or more; translate longer sequences"
        )
