"""The parts of UNIT: an encoder and a decoder of each kind of image, and a code that they share."""

from torch import Tensor, nn

from ...translation.networks.layers import CONVOLUTIONS, OUTPUTS, SLOPE, TRANSPOSED
from .layers import KERNEL, PADDING, STRIDE, Residual, doubling, halving

HALVINGS = 2
"""How many times encoders halve a side: 512 x 512 px become 128 x 128 (Fig. 6)."""

WIDE = 7
"""Side of the first convolution (Liu et al. 2017, arXiv:1703.00848, appendix A)."""


class Encoder(nn.Module):
    """From images of one kind to features of both: wide, halved twice, residual blocks.

    Grant-Jacob et al. 2021 (doi:10.1088/2399-6528/ac24d8), Fig. 6, and where it is silent Liu et
    al. 2017.

    Parameters
    ----------
    dimensions : {2, 3}
    maps : int
        At full size; four times as many come out: 256 of 64.
    blocks : int
        Residual ones.
    """

    def __init__(self, dimensions: int, *, maps: int, blocks: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            CONVOLUTIONS[dimensions](1, maps, WIDE, 1, WIDE // 2), nn.LeakyReLU(SLOPE)
        ]  # fmt: skip
        for _ in range(HALVINGS):
            layers.append(halving(dimensions, maps, 2 * maps, norm=True, affine=False))
            maps *= 2
        self.layers = nn.Sequential(*layers, *_residuals(dimensions, maps, blocks))

    def forward(self, x: Tensor) -> Tensor:
        """Return features (B, 4 maps, (T / 4,) H / 4, W / 4) of images (B, 1, (T,) H, W)."""
        return self.layers(x)


class Decoder(nn.Module):
    """From features of both kinds to images of one: residual blocks, doubled twice, one image.

    Parameters
    ----------
    dimensions : {2, 3}
    maps : int
        At full size; four times as many come in.
    blocks : int
        Residual ones.
    output : {"linear", "tanh"}
        The last layer.
    """

    def __init__(self, dimensions: int, *, maps: int, blocks: int, output: str) -> None:
        super().__init__()
        wide = maps * 2**HALVINGS
        layers = list(_residuals(dimensions, wide, blocks))
        layers.append(doubling(dimensions, wide, wide // 2, affine=False))
        # Without a norm: here intensities come about.
        layers += [
            TRANSPOSED[dimensions](wide // 2, maps, KERNEL, STRIDE, PADDING), nn.LeakyReLU(SLOPE)
        ]  # fmt: skip
        layers += [CONVOLUTIONS[dimensions](maps, 1, 1), OUTPUTS[output]()]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return images (B, 1, (T,) H, W) of features (B, 4 maps, (T / 4,) H / 4, W / 4)."""
        return self.layers(x)


class Shared(nn.Module):
    """Residual blocks that both kinds go through: they give the shared code, or take it.

    Parameters
    ----------
    dimensions : {2, 3}
    maps : int
        At full size of the encoders.
    blocks : int
    """

    def __init__(self, dimensions: int, *, maps: int, blocks: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*_residuals(dimensions, maps * 2**HALVINGS, blocks))

    def forward(self, x: Tensor) -> Tensor:
        """Return features of the shape of `x`."""
        return self.layers(x)


def _residuals(dimensions: int, maps: int, blocks: int) -> list[nn.Module]:
    return [Residual(dimensions, maps, rectified=False, affine=False) for _ in range(blocks)]
