"""The Attention U-Net: a U-Net whose skip connections are weighted by what lies deeper.

Oktay et al. 2018 (arXiv:1804.03999), in two dimensions; the network of Katakis et al. 2023
(doi:10.3390/biomedinformatics3020027, section 2.3.2).
"""

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional

from ....simulator.errors import InputError


class Block(nn.Sequential):
    """Two convolutions of 3 x 3, each with batch normalisation and a rectifier.

    Parameters
    ----------
    before, after : int
        Maps.
    """

    def __init__(self, before: int, after: int) -> None:
        super().__init__(
            nn.Conv2d(before, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
            nn.Conv2d(after, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
        )


class AttentionGate(nn.Module):
    """Weights of a skip connection's pixels, from it and from the maps below: eq. 1 and Fig. 2.

    Parameters
    ----------
    maps : int
        Of the skip connection.
    below : int
        Of the gating signal, which has half the pixels along each axis.
    """

    def __init__(self, maps: int, below: int) -> None:
        super().__init__()
        inner = max(1, maps // 2)
        self.skip = nn.Conv2d(maps, inner, 2, stride=2, bias=False)
        self.gating = nn.Conv2d(below, inner, 1)
        self.weight = nn.Conv2d(inner, 1, 1)
        self.out = nn.Sequential(nn.Conv2d(maps, maps, 1), nn.BatchNorm2d(maps))

    def forward(self, skip: Tensor, below: Tensor) -> Tensor:
        """Return the skip connection's maps, weighted."""
        joint = functional.relu(self.skip(skip) + self.gating(below))
        weights = torch.sigmoid(self.weight(joint))
        weights = functional.interpolate(
            weights, size=skip.shape[-2:], mode="bilinear", align_corners=False
        )
        return self.out(skip * weights)


class AttentionUNet(nn.Module):
    """Finds what was drawn on images.

    Parameters
    ----------
    maps : int
        Of the first level; each level below has twice as many.
    levels : int
        Of resolution.
    fold : int
        Along each axis so many pixels are folded into the first maps, and unfolded from the last:
        a network as deep for a fraction of the work. 1 is the paper's.
    """

    def __init__(self, maps: int, levels: int, fold: int = 1) -> None:
        super().__init__()
        self.fold, self.levels = fold, levels
        sizes = [maps * 2**level for level in range(levels)]
        self.down = nn.ModuleList(
            Block(before, after)
            for before, after in zip([fold**2, *sizes[:-1]], sizes, strict=True)
        )
        self.gates = nn.ModuleList(
            AttentionGate(here, below) for here, below in itertools.pairwise(sizes)
        )
        self.rise = nn.ModuleList(
            nn.Conv2d(below, here, 3, padding=1) for here, below in itertools.pairwise(sizes)
        )
        self.up = nn.ModuleList(Block(2 * here, here) for here in sizes[:-1])
        self.head = nn.Conv2d(maps, fold**2, 1)

    @property
    def multiple(self) -> int:
        """Images' depth and width are multiples of this many pixels."""
        return self.fold * 2 ** (self.levels - 1)

    def check_size(self, size: tuple[int, int]) -> None:
        """Raise InputError unless images of a size [px] go through."""
        if any(length % self.multiple or length < self.multiple for length in size):
            raise InputError(
                f"found images of {size[0]} x {size[1]} px, wanted multiples of {self.multiple} px "
                "along both axes"
            )

    def features(self, images: Tensor) -> list[Tensor]:
        """Return the maps of each level on the way down; the last are the bottleneck's.

        Parameters
        ----------
        images : (images, 1, depth, width) tensor
            About 0, with an SD of about 1.
        """
        maps = functional.pixel_unshuffle(images, self.fold) if self.fold > 1 else images
        kept = []
        for number, block in enumerate(self.down):
            maps = block(functional.max_pool2d(maps, 2) if number else maps)
            kept.append(maps)
        return kept

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of each pixel, as an array of the images' shape."""
        *skips, maps = self.features(images)
        for level in reversed(range(len(skips))):
            gated = self.gates[level](skips[level], maps)
            larger = functional.interpolate(maps, scale_factor=2.0, mode="nearest")
            maps = self.up[level](torch.cat([gated, self.rise[level](larger)], dim=1))
        logits = self.head(maps)
        return functional.pixel_shuffle(logits, self.fold) if self.fold > 1 else logits
