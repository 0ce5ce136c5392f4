"""The temporal predictor of Recycle-GAN: a U-Net from two frames to the one that follows."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .layers import OUTPUTS, SLOPE, InstanceNorm, check_clip, check_size

MOST_WIDENING = 8
"""The maps double from level to level, up to so many times the first."""


class UNetPredictor(nn.Module):
    """A U-Net that predicts a frame from the two before it.

    Bansal et al. 2018 (doi:10.1007/978-3-030-01228-1_8) predict with the U-Net of Isola et al.
    2017 (doi:10.1109/CVPR.2017.632): `depth` convolutions that halve the frames, as many
    transposed ones that double them, and between levels of a size a bridge. With seven levels, the
    "U-Net-128", a frame of 128 x 128 px becomes a single element. Every convolution has a bias;
    the normalisations have no parameters; the first, the deepest and the last convolution go
    without normalisation.

    Parameters
    ----------
    maps : int
        Feature maps of the first level.
    depth : int
        Number of levels, 2 or more.
    output : {"linear", "tanh"}
        The last layer; see :data:`.layers.OUTPUTS`.
    """

    inputs = 2
    """Frames that are taken together, as channels."""

    def __init__(self, *, maps: int, depth: int = 7, output: str = "linear") -> None:
        super().__init__()
        widths = [maps * min(2**level, MOST_WIDENING) for level in range(depth)]
        self.down = nn.ModuleList([nn.Conv2d(self.inputs, maps, 4, 2, 1)])
        for level in range(1, depth):
            modules = [nn.LeakyReLU(SLOPE), nn.Conv2d(widths[level - 1], widths[level], 4, 2, 1)]
            if level < depth - 1:
                modules.append(InstanceNorm(widths[level], affine=False))
            self.down.append(nn.Sequential(*modules))
        self.up = nn.ModuleList()
        for level in range(depth - 1, 0, -1):
            bridged = widths[level] * (1 if level == depth - 1 else 2)
            self.up.append(
                nn.Sequential(
                    nn.ReLU(),
                    nn.ConvTranspose2d(bridged, widths[level - 1], 4, 2, 1),
                    InstanceNorm(widths[level - 1], affine=False),
                )
            )
        self.up.append(
            nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(2 * maps, 1, 4, 2, 1), OUTPUTS[output]())
        )
        self.divisors = self.least = (2**depth, 2**depth)
        """What height and width are multiples of."""

    def forward(self, frames: Tensor) -> Tensor:
        """Predict the frame that follows.

        Parameters
        ----------
        frames : tensor of shape (B, 2, H, W)
            The earlier frame, then the later one.

        Returns
        -------
        tensor of shape (B, 1, H, W)

        Raises
        ------
        InputError
            If height or width cannot be halved `depth` times.
        """
        check_clip(frames, self.inputs, 2, self.divisors, self.least)
        levels: list[Tensor] = []
        x = frames
        for down in self.down:
            x = down(x)
            levels.append(x)
        levels.pop()
        for up in self.up:
            x = up(x)
            if levels:
                x = torch.cat([levels.pop(), x], 1)
        return x

    def check_size(self, size: Sequence[int]) -> None:
        """Raise InputError if frames of `size`, (H, W), would be refused."""
        check_size(size, self.divisors, self.least)
