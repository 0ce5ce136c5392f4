"""Convolutions from and to a single map, computed as ones that processors are fast at.

Libraries share the arithmetic of a convolution out among its maps: with a single one most of a
processor's width lies idle, forward and, more so, backward. Here the places of the kernel along its
last axis stand in for maps. Weights, their names and, but for rounding, results are torch's own.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

_CONVOLVE: dict[int, Any] = {2: functional.conv2d, 3: functional.conv3d}


def from_single(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Convolve one map, with a stride of 1 and without padding.

    The map is laid beside itself, displaced by each place of the kernel's last axis.

    Parameters
    ----------
    x : tensor of shape (B, 1, (T,) H, W)
    weight : tensor of shape (maps, 1, *kernel)
    bias : tensor of shape (maps,), optional

    Returns
    -------
    tensor of shape (B, maps, ...)
    """
    displaced = x.unfold(-1, weight.shape[-1], 1)[:, 0].movedim(-1, 1)  # (B, k, (T,) H, W - k + 1)
    flat = weight[:, 0].movedim(-1, 1).unsqueeze(-1)  # (maps, k, ..., 1)
    return _CONVOLVE[x.ndim - 2](displaced, flat, bias)


def to_single(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Convolve to one map, with a stride of 1 and without padding.

    Each place of the kernel's last axis gives a map; displaced by it, they are added up, in float32
    or better.

    Parameters
    ----------
    x : tensor of shape (B, maps, (T,) H, W)
    weight : tensor of shape (1, maps, *kernel)
    bias : tensor of shape (1,), optional

    Returns
    -------
    tensor of shape (B, 1, ...)
    """
    places = weight.shape[-1]
    width = x.shape[-1] - places + 1
    flat = weight[0].movedim(-1, 0).unsqueeze(-1)  # (k, maps, ..., 1)
    parts = _CONVOLVE[x.ndim - 2](x, flat)  # (B, k, (T',) H', W)
    precise = torch.promote_types(parts.dtype, torch.float32)
    total = parts[:, :1, ..., :width].to(precise)
    for place in range(1, places):
        total = total + parts[:, place : place + 1, ..., place : place + width]
    if bias is not None:
        total = total + bias.to(precise)
    return total.to(parts.dtype)


class FromSingle2d(nn.Conv2d):
    """A convolution of one map; see :func:`from_single`."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (the name is torch's)
        """Return the maps."""
        return from_single(input, self.weight, self.bias)


class FromSingle3d(nn.Conv3d):
    """A convolution of one map; see :func:`from_single`."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (the name is torch's)
        """Return the maps."""
        return from_single(input, self.weight, self.bias)


class ToSingle2d(nn.Conv2d):
    """A convolution to one map; see :func:`to_single`."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (the name is torch's)
        """Return the map."""
        return to_single(input, self.weight, self.bias)


class ToSingle3d(nn.Conv3d):
    """A convolution to one map; see :func:`to_single`."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (the name is torch's)
        """Return the map."""
        return to_single(input, self.weight, self.bias)


FROM_SINGLE: dict[int, Any] = {2: FromSingle2d, 3: FromSingle3d}
TO_SINGLE: dict[int, Any] = {2: ToSingle2d, 3: ToSingle3d}
"""By number of dimensions."""
