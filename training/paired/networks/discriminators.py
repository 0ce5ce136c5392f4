"""Discriminators: every number that they give judges a patch of an image."""

from collections.abc import Sequence

from torch import Tensor, nn

from ...translation.networks.layers import CONVOLUTIONS, check_clip
from .layers import KERNEL, PADDING, STRIDE, halving

MOST_WIDENING = 8
"""Maps double from layer to layer, up to so many times the first."""


class Patches(nn.Module):
    """Convolutions of 4 x 4 with leaky ReLUs of 0.2, to one score a patch; without a sigmoid.

    Parameters
    ----------
    dimensions : {2, 3}
    inputs : int
        Channels: 2 where what an image was made of is seen beside it (pix2pix).
    maps : int
        Of the first layer, which has no norm.
    layers : int
        Layers with a stride of 2 before the scores.
    norm : bool
        Whether the others of them are normalised.
    last : {1, 2}
        Stride of the layer that scores. With 1 another layer of stride 1 is before it (Isola et al.
        2017, arXiv:1611.07004, section 6.1.2: with three layers a patch has 70 x 70 px); with 2
        there is none (cycleGAN of Grant-Jacob et al. 2021: four of stride 2, the second and the
        third normalised).
    """

    def __init__(
        self, dimensions: int, *, inputs: int, maps: int, layers: int, norm: bool = True,
        last: int = 1,
    ) -> None:  # fmt: skip
        super().__init__()
        self.dimensions, self.inputs = dimensions, inputs
        strides = [STRIDE] * layers + [1] * (last == 1)
        widths = [maps * min(2**place, MOST_WIDENING) for place in range(len(strides))]
        self.layers = nn.Sequential(
            *(halving(dimensions, before, after, norm=norm and place > 0, stride=stride)
              for place, (before, after, stride) in enumerate(
                  zip([inputs, *widths[:-1]], widths, strides, strict=True))),
            CONVOLUTIONS[dimensions](widths[-1], 1, KERNEL, last, PADDING),
        )  # fmt: skip
        self.least: Sequence[int] = [_least([*strides, last], norm)] * dimensions
        """Least size of an image, ((T,) H, W)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return scores (B, 1, (t,) h, w) of images (B, inputs, (T,) H, W).

        Raises
        ------
        InputError
            If an image is too small for a score.
        """
        check_clip(x, self.inputs, self.dimensions, [1] * self.dimensions, self.least)
        return self.layers(x)


def _least(strides: Sequence[int], norm: bool) -> int:
    """Return the least side that leaves one score, and two values wherever there is a norm."""

    def sides(side: int) -> list[int]:
        found = []
        for stride in strides:
            side = (side + 2 * PADDING - KERNEL) // stride + 1
            found.append(side)
        return found

    side = 1
    while True:
        *before, score = sides(side)
        if score >= 1 and min(before, default=2) >= (2 if norm else 1):
            return side
        side += 1
