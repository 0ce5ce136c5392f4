"""The network that predicts the noise in an image: a U-Net that is told the time."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from .layers import Attention, ResidualBlock, TimeEmbedding


class DiffusionUNet(nn.Module):
    """A U-Net of residual blocks with attention (Katakis et al. 2023, section 2.2.2).

    The paper says which layers there are, not how many: levels, blocks, heads and where attention
    is are choices.

    Parameters
    ----------
    channels : int
        Of the images.
    maps : int
        Of the first level.
    multipliers : sequence of int
        Maps of each level, as multiples of `maps`; from each level to the next the image halves.
    blocks : int
        Residual blocks of each level on the way down, and on the way up.
    attention : int
        Levels, the lowest ones, that have linear attention; there is attention at the bottom.
    patch : int
        Pixels, either way, that go into one place of the first level.
    groups : int
        Of group norm.
    """

    def __init__(
        self, *, channels: int, maps: int, multipliers: Sequence[int], blocks: int,
        attention: int, patch: int = 1, groups: int = 8,
    ) -> None:  # fmt: skip
        super().__init__()
        self.patch = patch
        width = 4 * maps
        self.time = TimeEmbedding(maps, width)
        levels = [maps * each for each in multipliers]
        inside = channels * patch**2
        self.begin = nn.Conv2d(inside, maps, 7 if patch == 1 else 3, padding="same")
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        now, skips = maps, []
        for number, size in enumerate(levels):
            attends = len(levels) - number <= attention
            last = number == len(levels) - 1
            self.down.append(Level(now, size, width, groups, blocks, attends, (0,) * blocks))
            skips.append((size,) * blocks)
            now = size
            self.down.append(nn.Identity() if last else nn.Conv2d(now, now, 4, 2, 1))
        self.bottom = nn.ModuleList([
            ResidualBlock(now, now, width, groups), Attention(now, linear=False),
            ResidualBlock(now, now, width, groups),
        ])  # fmt: skip
        for number, size in reversed(list(enumerate(levels))):
            attends = len(levels) - number <= attention
            self.up.append(Level(now, size, width, groups, blocks, attends, skips[number]))
            now = levels[max(number - 1, 0)]
            self.up.append(nn.Conv2d(size, now, 3, padding=1) if number else nn.Identity())
        self.last = ResidualBlock(now + maps, maps, width, groups)
        self.end = nn.Conv2d(maps, inside, 1)

    def forward(self, images: Tensor, times: Tensor) -> Tensor:
        """Return (image, channel, depth, width) of noised images and their times (image,)."""
        told = self.time(times)
        maps = begun = self.begin(functional.pixel_unshuffle(images, self.patch))
        kept: list[Tensor] = []
        for level, smaller in zip(self.down[::2], self.down[1::2], strict=True):
            maps, found = level(maps, told, None)
            kept += found
            maps = smaller(maps)
        first, attention, second = self.bottom
        maps = second(attention(first(maps, told)), told)
        for level, larger in zip(self.up[::2], self.up[1::2], strict=True):
            maps, _ = level(maps, told, kept)
            if not isinstance(larger, nn.Identity):
                maps = larger(functional.interpolate(maps, scale_factor=2.0))
        maps = self.last(torch.cat([maps, begun], dim=1), told)
        return functional.pixel_shuffle(self.end(maps), self.patch)


class Level(nn.Module):
    """Residual blocks of one size of image, with attention after the last.

    Parameters
    ----------
    before, maps : int
        Maps that come in and go out.
    width, groups : int
        See :class:`.layers.ResidualBlock`.
    blocks : int
    attends : bool
    skips : sequence of int
        Maps that each block is given beside, of the way down.
    """

    def __init__(
        self, before: int, maps: int, width: int, groups: int, blocks: int, attends: bool,
        skips: Sequence[int],
    ) -> None:  # fmt: skip
        super().__init__()
        sizes = [before, *(maps,) * (blocks - 1)]
        self.blocks = nn.ModuleList([
            ResidualBlock(size + skip, maps, width, groups)
            for size, skip in zip(sizes, skips, strict=True)
        ])  # fmt: skip
        self.attention = Attention(maps, linear=True) if attends else nn.Identity()

    def forward(
        self, maps: Tensor, told: Tensor, kept: list[Tensor] | None
    ) -> tuple[Tensor, list[Tensor]]:
        """Return maps, and those after each block; takes the last of `kept`, if there are such."""
        found = []
        for number, block in enumerate(self.blocks):
            beside = maps if kept is None else torch.cat([maps, kept.pop()], dim=1)
            maps = block(beside, told)
            if number == len(self.blocks) - 1:
                maps = self.attention(maps)
            found.append(maps)
        return maps, found
