"""The generator of pix2pix: a U-Net of convolutions with a stride of 2, and skips across it."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ...translation.networks.layers import OUTPUTS, TRANSPOSED, check_clip
from .layers import KERNEL, PADDING, STRIDE, doubling, halving

MOST_WIDENING = 8
"""Maps double from level to level, up to so many times the first (Isola et al. 2017)."""


class UNet(nn.Module):
    """From images to images of their size, down to few numbers and up again.

    Grant-Jacob et al. 2021 (doi:10.1088/2399-6528/ac24d8), Fig. 2, and where it is silent Isola et
    al. 2017 (arXiv:1611.07004, section 6.1.1). Going down: 4 x 4 with a stride of 2, norm, leaky
    ReLU of 0.2. Going up: 4 x 4 with a stride of 2, norm, leaky ReLU of 0.2, then the maps of the
    level on the way down beside it. The first level and the innermost have no norm: the first keeps
    what intensities are, and of the innermost's single values none would be left.

    Parameters
    ----------
    dimensions : {2, 3}
        Images (B, C, H, W), or clips (B, C, T, H, W), whose frames are halved likewise.
    inputs : int
        Channels: the image's, and one of noise if there is any.
    maps : int
        Of the first level.
    levels : int
        How many times sides are halved, 2 or more.
    output : {"linear", "tanh"}
        The last layer.
    """

    def __init__(
        self, dimensions: int, *, inputs: int, maps: int, levels: int, output: str = "tanh"
    ) -> None:
        super().__init__()
        self.dimensions, self.inputs = dimensions, inputs
        widths = [maps * min(2**level, MOST_WIDENING) for level in range(levels)]
        self.down = nn.ModuleList(
            halving(dimensions, before, after, norm=0 < level < levels - 1)
            for level, (before, after) in enumerate(
                zip([inputs, *widths[:-1]], widths, strict=True)
            )
        )
        # From the innermost outwards: all but the first are given a skip beside what came up.
        ups = []
        for level in range(levels - 1, 0, -1):
            found = widths[level] * (1 if level == levels - 1 else 2)
            ups.append(doubling(dimensions, found, widths[level - 1]))
        self.up = nn.ModuleList(ups)
        self.last = nn.Sequential(
            TRANSPOSED[dimensions](2 * maps, 1, KERNEL, STRIDE, PADDING), OUTPUTS[output]()
        )
        self.divisors: Sequence[int] = [2**levels] * dimensions
        """What the size of an image, ((T,) H, W), is a multiple of."""

    def forward(self, x: Tensor) -> Tensor:
        """Return images (B, 1, (T,) H, W) of the size of `x`, (B, inputs, (T,) H, W).

        Raises
        ------
        InputError
            If a side is not a multiple of what the levels halve it to.
        """
        check_clip(x, self.inputs, self.dimensions, self.divisors, self.divisors)
        kept = []
        for layer in self.down:
            x = layer(x)
            kept.append(x)
        kept.pop()
        for layer in self.up:
            x = torch.cat([layer(x), kept.pop()], dim=1)
        return self.last(x)
