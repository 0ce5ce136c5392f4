"""What the networks of pairs are made of: halving, doubling and residual convolutions."""

import numpy as np
import torch
from torch import Tensor, nn

from ...translation.networks.layers import (
    CONVOLUTIONS,
    INITIAL_DEVIATION,
    SLOPE,
    TRANSPOSED,
    InstanceNorm,
    is_convolution,
)

KERNEL, STRIDE, PADDING = 4, 2, 1
"""Of the convolutions that halve or double a side (Grant-Jacob et al. 2021, Figs 2, 4 and 6)."""

RECTIFIERS = {"leaky": lambda: nn.LeakyReLU(SLOPE), "plain": nn.ReLU}

SliceNorm = InstanceNorm
"""Batch normalisation as it is with a batch of one slice, in training and in use.

Isola et al. 2017 (doi:10.1109/CVPR.2017.632, section 3.4) normalise by the statistics of the test
batch, and with a batch of one that is each image by itself. Here every slice of any batch has
statistics of its own, so that what is made of it does not depend on what it lies in a batch with.
"""


def halving(
    dimensions: int, found: int, wanted: int, *, norm: bool, rectifier: str = "leaky",
    stride: int = STRIDE, affine: bool = True,
) -> nn.Sequential:  # fmt: skip
    """Return a convolution of 4 x 4 that halves every side, normalised if asked, and rectified.

    Parameters
    ----------
    dimensions : {2, 3}
    found, wanted : int
        Maps before and after.
    norm : bool
        A convolution that is normalised has no bias: the norm would take it away again.
    rectifier : {"leaky", "plain"}
        With a slope of 0.2 below zero, or 0.
    stride : {1, 2}
        1 leaves sides one shorter.
    affine : bool
        Whether the norm has a learned scale and offset.
    """
    layers = [CONVOLUTIONS[dimensions](found, wanted, KERNEL, stride, PADDING, bias=not norm)]
    return nn.Sequential(*layers, *_ending(wanted, norm, rectifier, affine))


def doubling(
    dimensions: int, found: int, wanted: int, *, norm: bool = True, rectifier: str = "leaky",
    affine: bool = True,
) -> nn.Sequential:  # fmt: skip
    """Return a transposed convolution of 4 x 4 that doubles every side; see :func:`halving`."""
    layers = [TRANSPOSED[dimensions](found, wanted, KERNEL, STRIDE, PADDING, bias=not norm)]
    return nn.Sequential(*layers, *_ending(wanted, norm, rectifier, affine))


def _ending(maps: int, norm: bool, rectifier: str, affine: bool) -> list[nn.Module]:
    normalised: list[nn.Module] = [SliceNorm(maps, affine)] if norm else []
    return [*normalised, RECTIFIERS[rectifier]()]


class Residual(nn.Module):
    """Two convolutions of 3 x 3, each normalised and rectified, added to what came in.

    Grant-Jacob et al. 2021 (doi:10.1088/2399-6528/ac24d8), Fig. 4: a ReLU follows each of them, the
    second too.

    Parameters
    ----------
    dimensions : {2, 3}
    maps : int
    rectified : bool
        Whether the second is rectified; what UNIT's shared code is made of is not, so that it may
        have either sign.
    affine : bool
        Whether norms have a learned scale and offset.
    """

    def __init__(
        self, dimensions: int, maps: int, *, rectified: bool = True, affine: bool = True
    ) -> None:
        super().__init__()
        convolution = CONVOLUTIONS[dimensions]
        layers: list[nn.Module] = []
        for place in range(2):
            layers += [convolution(maps, maps, 3, 1, 1, bias=False), SliceNorm(maps, affine)]
            if rectified or place == 0:
                layers.append(nn.ReLU())
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's result, of the shape of `x`."""
        return x + self.layers(x)


@torch.no_grad()
def initialise(network: nn.Module, seed: int, place: int) -> None:
    """Give every parameter its initial value: normal weights of SD 0.02, plain norms, no biases.

    Isola et al. 2017 (arXiv:1611.07004, section 6.2).

    Parameters
    ----------
    network : nn.Module
        On the CPU.
    seed : int
        Of the run.
    place : int
        Of the network in its model: each has draws of its own.
    """
    words = np.random.SeedSequence(seed, spawn_key=(place,)).generate_state(1, np.uint64)
    random = torch.Generator().manual_seed(int(words[0]))
    for module in network.modules():
        if is_convolution(module):
            module.weight.normal_(0, INITIAL_DEVIATION, generator=random)  # type: ignore[operator]
            if module.bias is not None:
                module.bias.zero_()  # type: ignore[operator]
        elif isinstance(module, InstanceNorm) and module.weight is not None:
            module.weight.fill_(1)
            module.bias.zero_()  # type: ignore[union-attr]
