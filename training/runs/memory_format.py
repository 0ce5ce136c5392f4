"""The order in which networks keep their maps in memory."""

from typing import Any

import torch
from torch import Tensor, nn

FEWEST_MAPS = 8
"""Convolutions of fewer maps are no faster with them side by side (a processor takes 8 or 16 at a
time): that of the twitch estimator's 2 channels is a fifth slower."""

_CONVOLUTIONS = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_BY_AXES = {4: torch.channels_last, 5: torch.channels_last_3d}


def arrange(networks: nn.Module, memory_format: str) -> None:
    """Let convolutions of many maps take them, and so give them, in a memory format.

    Only what flows through is arranged: the gain is the same. Weights, gradients and what
    optimisers keep stay contiguous, so that a checkpoint is used in either format. Only training
    is faster, by what differentiates convolutions: without gradients all stays as it is. Results
    differ by rounding.

    Parameters
    ----------
    networks : nn.Module
        Not arranged before.
    memory_format : str
        One of :data:`.settings.MEMORY_FORMATS`.
    """
    if memory_format == "contiguous":
        return
    for module in networks.modules():
        if isinstance(module, _CONVOLUTIONS) and module.in_channels >= FEWEST_MAPS:
            module.register_forward_pre_hook(_side_by_side)


def _side_by_side(module: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    maps: Tensor = inputs[0]
    if maps.ndim not in _BY_AXES or not torch.is_grad_enabled():
        return inputs
    return maps.contiguous(memory_format=_BY_AXES[maps.ndim]), *inputs[1:]
