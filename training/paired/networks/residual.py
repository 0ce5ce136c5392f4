"""The generator of cycleGAN: halved, residual blocks, doubled again."""

from collections.abc import Sequence

from torch import Tensor, nn

from ...translation.networks.layers import OUTPUTS, TRANSPOSED, check_clip
from .layers import KERNEL, PADDING, STRIDE, Residual, doubling, halving


class ResidualGenerator(nn.Module):
    """From images to images of their size, without skips.

    Grant-Jacob et al. 2021 (doi:10.1088/2399-6528/ac24d8), Fig. 4: blocks of 4 x 4 with a stride of
    2, batch norm and ReLU, five residual blocks of 3 x 3, and blocks of 4 x 4 with a stride of 2
    that double, the last one without norm and with a tanh. The text does not say how many blocks
    halve: three here.

    Parameters
    ----------
    dimensions : {2, 3}
    maps : int
        After the first halving; they double with each.
    levels : int
        How many times sides are halved.
    blocks : int
        Residual ones.
    output : {"linear", "tanh"}
        The last layer.
    """

    def __init__(
        self, dimensions: int, *, maps: int, levels: int, blocks: int, output: str = "tanh"
    ) -> None:
        super().__init__()
        self.dimensions = dimensions
        widths = [maps * 2**level for level in range(levels)]
        self.down = nn.Sequential(
            *(halving(dimensions, before, after, norm=True, rectifier="plain")
              for before, after in zip([1, *widths[:-1]], widths, strict=True))
        )  # fmt: skip
        self.blocks = nn.Sequential(*(Residual(dimensions, widths[-1]) for _ in range(blocks)))
        self.up = nn.Sequential(
            *(doubling(dimensions, widths[level], widths[level - 1], rectifier="plain")
              for level in range(levels - 1, 0, -1)),
            TRANSPOSED[dimensions](maps, 1, KERNEL, STRIDE, PADDING), OUTPUTS[output](),
        )  # fmt: skip
        self.divisors: Sequence[int] = [2**levels] * dimensions
        """What the size of an image, ((T,) H, W), is a multiple of."""
        self.least: Sequence[int] = [2 ** (levels + 1)] * dimensions
        """Least size: of a single value a norm would leave nothing."""

    def forward(self, x: Tensor) -> Tensor:
        """Return images of the shape of `x`, (B, 1, (T,) H, W).

        Raises
        ------
        InputError
            If a side is not a multiple of what it is halved to, or too small.
        """
        check_clip(x, 1, self.dimensions, self.divisors, self.least)
        return self.up(self.blocks(self.down(x)))
