"""What the translation networks are made of: layers in two and three dimensions, their reach."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ....simulator.errors import InputError

Key = int | tuple[int, ...]
"""What a clip's noise is drawn by: a seed, or a seed and what it is for, such as (seed, index)."""

AXES = ("frames", "depth", "width")
"""Axes of a clip of three dimensions after batch and channel; one of two has the last two."""

INITIAL_DEVIATION = 0.02
"""SD of the initial weights of convolutions (Zhu et al. 2017, doi:10.1109/ICCV.2017.244)."""

SLOPE = 0.2
"""Slope of the leaky rectifiers below zero (Isola et al. 2017, doi:10.1109/CVPR.2017.632)."""

CONVOLUTIONS: dict[int, Any] = {2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED: dict[int, Any] = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}

OUTPUTS: dict[str, Callable[[], nn.Module]] = {"linear": nn.Identity, "tanh": nn.Tanh}
"""Last layers by name.

The published networks end in a tanh, made for pictures within -1..1. Sequences that are
standardised to a mean of 0 and an SD of 1 go beyond: a tanh would flatten every twitch above one
SD, and the cycle could never close.
"""


class ReflectionPad(nn.Module):
    """Continue a clip by its mirror image on both sides of every axis, without repeating the edge.

    Parameters
    ----------
    width : int
        Elements added on each side, less than the size of the axis.
    dimensions : {2, 3}
    """

    def __init__(self, width: int, dimensions: int) -> None:
        super().__init__()
        self.width, self.dimensions = width, dimensions

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` with 2 `width` more elements along each axis after batch and channel."""
        if x.is_cuda and torch.are_deterministic_algorithms_enabled():
            # The gradient of torch's own padding is summed in no fixed order on a GPU.
            return reflect_by_parts(x, self.width, self.dimensions)
        return functional.pad(x, [self.width, self.width] * self.dimensions, mode="reflect")

    def extra_repr(self) -> str:
        """Return what the module's text shows."""
        return f"{self.width}, dimensions={self.dimensions}"


def reflect_by_parts(x: Tensor, width: int, dimensions: int) -> Tensor:
    """Return what :class:`ReflectionPad` does, by steps whose gradients are deterministic."""
    for axis in range(x.ndim - dimensions, x.ndim):
        last = x.shape[axis] - 1
        x = torch.cat(
            [
                x.narrow(axis, 1, width).flip(axis),
                x,
                x.narrow(axis, last - width, width).flip(axis),
            ],
            axis,
        )
    return x


@dataclass(frozen=True)
class FixedStatistics:
    """Mean and variance of each map, in place of those of the clip at hand.

    Parameters
    ----------
    mean, variance : tensor of shape (maps,)
        Float32 or better.
    """

    mean: Tensor
    variance: Tensor

    @classmethod
    def of(cls, x: Tensor) -> "FixedStatistics":
        """Return those of one clip, (1, C, ...)."""
        precise = x.to(torch.promote_types(x.dtype, torch.float32)).flatten(2)[0]
        variance, mean = torch.var_mean(precise, dim=1, correction=0)
        return cls(mean, variance)

    @classmethod
    def mean_of(cls, found: Sequence["FixedStatistics"]) -> "FixedStatistics":
        """Return the mean of several."""
        return cls(
            torch.stack([each.mean for each in found]).mean(0),
            torch.stack([each.variance for each in found]).mean(0),
        )


class InstanceNorm(nn.Module):
    """Bring every map of every clip to a mean of 0 and a variance of 1, over all its elements.

    Ulyanov et al. 2016 (arXiv:1607.08022). Statistics are those of the clip itself, in training
    and in use, and are always taken in float32 or better: "layers like normalization layers
    require more precision" (Ali et al. 2022, BioMedical Engineering OnLine). What comes out has
    the type of what went in.

    Parameters
    ----------
    maps : int
    affine : bool
        Whether each map has a learned scale and offset.
    """

    epsilon = 1e-5
    """Added to the variance; torch's and the published networks' default."""

    def __init__(self, maps: int, affine: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(maps)) if affine else None
        self.bias = nn.Parameter(torch.zeros(maps)) if affine else None
        self.fixed: FixedStatistics | None = None
        """Statistics of a whole sequence, while its windows are translated."""

    def forward(self, x: Tensor) -> Tensor:
        """Return `x`, (B, C, ...), normalised over all axes but the first two."""
        # Autocast leaves this function alone: it computes in the type that it is given.
        precise = torch.promote_types(x.dtype, torch.float32)
        weight, bias = (None if p is None else p.to(precise) for p in (self.weight, self.bias))
        if self.fixed is None:
            y = functional.instance_norm(x.to(precise), weight=weight, bias=bias, eps=self.epsilon)
        else:
            mean, variance = self.fixed.mean.to(precise), self.fixed.variance.to(precise)
            y = functional.batch_norm(x.to(precise), mean, variance, weight, bias, eps=self.epsilon)
        return y.to(x.dtype)


class NoiseInjection(nn.Module):
    """Add an image of noise, times one learned scale, to every map and every frame.

    After Karras et al. 2019 (doi:10.1109/CVPR.2019.00453), where each convolution is followed by
    per-pixel noise that all maps share; here the scale is one number a convolution, as the
    published number of parameters shows, and all frames share the image too (Ali et al. 2022).
    """

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor, image: Tensor | None) -> Tensor:
        """Return `x` (B, C, (T,) H, W) plus the scaled `image` (B, H, W); without one, `x`."""
        if image is None:
            return x
        shape = (len(image), *[1] * (x.ndim - 3), *image.shape[1:])
        return x + self.scale * image.to(x.dtype).reshape(shape)  # (B, 1, (1,) H, W)


def noise_images(keys: Sequence[Key], layers: int, size: tuple[int, int]) -> Tensor:
    """Draw the images of noise of a batch of clips.

    An image depends on its clip's key, its layer and the size, and on nothing else: all windows of
    one sequence that are translated under one key receive the same noise, in whatever batch they
    stand, on whatever device.

    Parameters
    ----------
    keys : sequence of int or tuple of int
        One for each clip, each 0 or more.
    layers : int
        Number of convolutions that receive noise.
    size : (int, int)
        Height and width of their maps.

    Returns
    -------
    float32 tensor of shape (layers, B, *size)
        Standard normal, on the CPU.
    """
    images = np.empty((layers, len(keys), *size), np.float32)
    for clip, key in enumerate(keys):
        seed, *purpose = key if isinstance(key, tuple) else (key,)
        for layer in range(layers):
            sequence = np.random.SeedSequence(seed, spawn_key=(*purpose, layer))
            random = np.random.Generator(np.random.PCG64(sequence))
            random.standard_normal(dtype=np.float32, out=images[layer, clip])
    return torch.from_numpy(images)


@torch.no_grad()
def initialise(network: nn.Module, random: torch.Generator) -> None:
    """Give every parameter of a network its initial value, as Zhu et al. 2017 do.

    Weights of convolutions are normal with an SD of :data:`INITIAL_DEVIATION`, drawn in the order
    of the layers, and their biases 0. Normalisations begin as plain ones, noise with a scale of 0
    (Karras et al. 2019, doi:10.1109/CVPR.2019.00453), neither taking a draw.

    Parameters
    ----------
    network : torch.nn.Module
        On the CPU.
    random : torch.Generator
    """
    modules: Iterator[Any] = network.modules()
    for module in modules:
        if is_convolution(module):
            module.weight.normal_(0, INITIAL_DEVIATION, generator=random)
            module.bias.zero_()
        elif isinstance(module, InstanceNorm):
            if module.weight is not None and module.bias is not None:
                module.weight.fill_(1)
                module.bias.zero_()
        elif isinstance(module, NoiseInjection):
            module.scale.zero_()


def is_convolution(module: Any) -> bool:
    """Return whether a module is a convolution or a transposed one."""
    return isinstance(module, (*CONVOLUTIONS.values(), *TRANSPOSED.values()))


def check_clip(
    clip: Tensor, channels: int, dimensions: int, divisors: Sequence[int], least: Sequence[int]
) -> None:
    """Refuse a clip that a network cannot take.

    Parameters
    ----------
    clip : tensor of shape (B, channels, (T,) H, W)
    channels : int
    dimensions : {2, 3}
        Number of axes after the channels.
    divisors, least : sequence of int
        What the size along each of these axes is a multiple of, and its least.

    Raises
    ------
    InputError
        If the number of axes, of channels or a size is another.
    """
    names = AXES[-dimensions:]
    if clip.ndim != dimensions + 2 or clip.shape[1] != channels:
        raise InputError(
            f"clip: found the shape {tuple(clip.shape)}, wanted (clips, {channels}, "
            f"{', '.join(names)}); reshape it"
        )
    check_size(tuple(clip.shape[2:]), divisors, least)


def check_size(size: Sequence[int], divisors: Sequence[int], least: Sequence[int]) -> None:
    """Refuse a size, ((T,) H, W), that :func:`check_clip` would refuse in a clip."""
    names = AXES[-len(divisors) :]
    for name, found, divisor, low in zip(names, size, divisors, least, strict=True):
        if found % divisor or found < low:
            wanted = f"a multiple of {divisor} from {low} on" if divisor > 1 else f"{low} or more"
            raise InputError(
                f"clip: found {found} for its {name}, wanted {wanted}; choose another size or model"
            )


def receptive_field(network: nn.Module) -> tuple[int, ...]:
    """Return how many elements of the input one element of the output depends on, by axis.

    Worked out from kernels, strides and paddings; where outputs differ, the most. The statistics
    of :class:`InstanceNorm` are left out: through them everything depends on the whole clip.

    Parameters
    ----------
    network : torch.nn.Module
        One that applies its convolutions in the order in which they are registered.

    Returns
    -------
    tuple of int
        Frames (where the network has three dimensions), and pixels of depth and of width.
    """
    return tuple(max(b - a + 1 for _, a, b in spans) for spans in _spans(network))


def reach(network: nn.Module) -> tuple[tuple[int, int], ...]:
    """Return how far before and after itself an element of the output looks, by axis.

    For networks whose output has the size of their input; otherwise as :func:`receptive_field`. An
    element of a window that is at least so far from the window's ends, and whose window starts at
    a multiple of the network's stride, sees none of its padding.

    Returns
    -------
    tuple of (int, int)
        Frames (where the network has three dimensions), and pixels of depth and of width.
    """
    return tuple(
        (max(o - a for o, a, _ in spans), max(b - o for o, _, b in spans))
        for spans in _spans(network)
    )


def _spans(network: nn.Module) -> Iterator[list[tuple[int, int, int]]]:
    """Yield for each axis (output, first input, last input) of all outputs that can differ."""
    modules: list[Any] = [
        m for m in network.modules() if is_convolution(m) or isinstance(m, ReflectionPad)
    ]
    modules.reverse()
    convolutions = [m for m in modules if is_convolution(m)]
    transposed = tuple(TRANSPOSED.values())
    for axis in range(len(convolutions[0].kernel_size)):
        period = 1
        for module in convolutions:
            period *= module.stride[axis] if isinstance(module, transposed) else 1
        spans = []
        for output in range(period):
            first = last = output
            for module in modules:
                if isinstance(module, ReflectionPad):
                    first, last = first - module.width, last - module.width
                    continue
                kernel, stride, padding = (
                    values[axis] for values in (module.kernel_size, module.stride, module.padding)
                )
                if isinstance(module, transposed):
                    # Input i reaches the outputs i * stride - padding + 0 .. kernel - 1.
                    first = -((kernel - 1 - padding - first) // stride)
                    last = (last + padding) // stride
                else:
                    first = first * stride - padding
                    last = last * stride - padding + kernel - 1
            spans.append((output, first, last))
        yield spans
