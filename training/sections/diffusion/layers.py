"""Layers of the diffusion model's network (Katakis et al. 2023, section 2.2.2)."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

SMALLEST_VARIANCE = 1e-5


class StandardisedConv2d(nn.Conv2d):
    """A convolution whose weights have mean 0 and variance 1 over what each map sums.

    Qiao et al. 2019 (arXiv:1903.10520), equation 5.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (torch's name)
        """Convolve (image, map, depth, width) with standardised weights."""
        return self._conv_forward(input, standardised(self.weight), self.bias)


def standardised(weights: Tensor) -> Tensor:
    """Return the weights of a convolution with mean 0 and variance 1 for each of its maps."""
    flat = weights.flatten(1)
    variance, mean = torch.var_mean(flat, dim=1, correction=0, keepdim=True)
    return ((flat - mean) * (variance + SMALLEST_VARIANCE).rsqrt()).reshape(weights.shape)


class TimeEmbedding(nn.Module):
    """Sines and cosines of the time, and two dense layers (Ho et al. 2020, appendix B).

    Parameters
    ----------
    size : int
        Numbers that a time becomes; even.
    width : int
        Numbers that come out.
    """

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.size = size
        self.dense = nn.Sequential(nn.Linear(size, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, times: Tensor) -> Tensor:
        """Return (image, width) numbers of the times (image,)."""
        half = self.size // 2
        exponents = torch.arange(half, device=times.device) / max(half - 1, 1)
        angles = times[:, None] * torch.exp(-math.log(10_000) * exponents)
        return self.dense(torch.cat([angles.sin(), angles.cos()], dim=1))


class Block(nn.Module):
    """Standardised convolution, group norm, scale and shift, SiLU."""

    def __init__(self, before: int, maps: int, groups: int) -> None:
        super().__init__()
        self.convolution = StandardisedConv2d(before, maps, 3, padding=1)
        self.norm = nn.GroupNorm(groups, maps)

    def forward(self, maps: Tensor, scale: Tensor | None = None) -> Tensor:
        """Return maps; `scale` holds factors and shifts of each map, (image, 2 x maps, 1, 1)."""
        maps = self.norm(self.convolution(maps))
        if scale is not None:
            factor, shift = scale.chunk(2, dim=1)
            maps = torch.addcmul(shift, maps, factor + 1)
        return functional.silu(maps)


class ResidualBlock(nn.Module):
    """Two blocks with a way past them; the first is told the time.

    Parameters
    ----------
    before, maps : int
        Maps that come in and go out.
    width : int
        Numbers that tell the time.
    groups : int
        Of group norm.
    """

    def __init__(self, before: int, maps: int, width: int, groups: int) -> None:
        super().__init__()
        self.told = nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * maps))
        self.first = Block(before, maps, groups)
        self.second = Block(maps, maps, groups)
        self.past = nn.Conv2d(before, maps, 1) if before != maps else nn.Identity()

    def forward(self, maps: Tensor, told: Tensor) -> Tensor:
        """Return maps (image, maps, depth, width) of maps (image, before, depth, width)."""
        scale = self.told(told)[:, :, None, None]
        return self.second(self.first(maps, scale)) + self.past(maps)


class Attention(nn.Module):
    """Places attend to one another; what comes out is added to what came in.

    Parameters
    ----------
    maps : int
    linear : bool
        Whether with the linear attention of Shen et al. 2018 (arXiv:1812.01243), whose cost grows
        with the number of places, not with its square.
    heads, size : int
        Heads, and the numbers that each works with.
    """

    def __init__(self, maps: int, *, linear: bool, heads: int = 4, size: int = 32) -> None:
        super().__init__()
        self.linear, self.heads, self.size = linear, heads, size
        self.norm = nn.GroupNorm(1, maps)
        self.ask = nn.Conv2d(maps, 3 * heads * size, 1, bias=False)
        self.answer = nn.Conv2d(heads * size, maps, 1)

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps of the shape of `maps`."""
        images, _, depth, width = maps.shape
        asked = self.ask(self.norm(maps)).reshape(images, 3, self.heads, self.size, depth * width)
        query, key, value = asked.unbind(1)  # (image, head, size, place)
        if self.linear:
            query, key = query.softmax(dim=2) * self.size**-0.5, key.softmax(dim=3)
            context = key @ value.transpose(2, 3)  # (image, head, size, size)
            found = context.transpose(2, 3) @ query
        else:
            found = functional.scaled_dot_product_attention(
                query.transpose(2, 3), key.transpose(2, 3), value.transpose(2, 3)
            ).transpose(2, 3)
        return maps + self.answer(found.reshape(images, -1, depth, width))
