"""Twitch trains from crops about single units: 3-D convolutions, then a bidirectional GRU.

After Ali et al. 2020, section III.C and Fig. 3 (doi:10.1109/ACCESS.2020.3023495).
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

Size = tuple[int, int, int]
"""Of a kernel or stride: time, depth, width."""


class TwitchNetwork(nn.Module):
    """Estimate one train from a crop.

    3-D convolutions keep time and shrink space; what is left of each time step goes through dense
    layers that all steps share, a GRU in either direction, and dense layers again. The defaults are
    the paper's. A stride in time, which the paper has not, makes fewer steps, each of which then
    gives as many frames of the train.

    Parameters
    ----------
    crop : (int, int)
        Depth and width of a crop, px.
    channels : int
        Channels of the input: 1 for the velocity alone, 2 with the unit's mask.
    maps : tuple of int
        Maps of each convolution.
    kernels, strides : tuple of (int, int, int)
        Time, depth and width of each convolution's kernel (odd) and stride.
    dense : tuple of int
        Sizes of the dense layers of a time step before the GRU.
    recurrent : int
        Size of the GRU in one direction.
    head : tuple of int
        Sizes of the dense layers after it, but for the last one, which gives the train.
    residual : bool
        Whether the output is what is to be added to the mean of the first channel over the second
        one: the unit's mask.
    """

    def __init__(
        self,
        *,
        crop: tuple[int, int] = (16, 16),
        channels: int = 1,
        maps: tuple[int, ...] = (16,) * 5,
        kernels: tuple[Size, ...] = ((15, 5, 5), *((15, 3, 3),) * 4),
        strides: tuple[Size, ...] = ((1, 2, 2), *((1, 1, 1),) * 4),
        dense: tuple[int, ...] = (1024, 512, 256),
        recurrent: int = 512,
        head: tuple[int, ...] = (1024, 512),
        residual: bool = False,
    ) -> None:
        super().__init__()
        self.residual = residual
        self.frames_a_step = 1
        layers: list[nn.Module] = []
        depth, width = crop
        counts = (channels, *maps)
        for (before, after), kernel, stride in zip(pairwise(counts), kernels, strides, strict=True):
            padding = (kernel[0] // 2, kernel[1] // 2, kernel[2] // 2)
            layers += [
                # The normalisation takes a bias away again, but the paper does not leave it out.
                nn.Conv3d(before, after, kernel, stride, padding),
                nn.BatchNorm3d(after),
                nn.ReLU(),
            ]
            self.frames_a_step *= stride[0]
            depth, width = -(-depth // stride[1]), -(-width // stride[2])
        self.convolutions = nn.Sequential(*layers)
        self.dense = _dense(counts[-1] * depth * width, dense)
        size = dense[-1] if dense else counts[-1] * depth * width
        self.recurrent = nn.GRU(size, recurrent, batch_first=True, bidirectional=True)
        self.head = _dense(2 * recurrent, head)
        self.train_of = nn.Linear(head[-1] if head else 2 * recurrent, self.frames_a_step)

    def forward(self, crops: Tensor) -> Tensor:
        """Return trains in the unit of the first channel.

        Parameters
        ----------
        crops : float32 tensor of shape (batch, channel, time, depth, width)

        Returns
        -------
        tensor of shape (batch, time)
        """
        frames = crops.shape[2]
        maps = self.convolutions(crops)  # (B, M, S, H, W), S steps
        steps = maps.permute(0, 2, 1, 3, 4).flatten(2)  # (B, S, M H W)
        sequence, _ = self.recurrent(self.dense(steps))  # (B, S, 2 R)
        trains = self.train_of(self.head(sequence)).flatten(1)[:, :frames]  # (B, T)
        return trains + masked_mean(crops) if self.residual else trains


def masked_mean(crops: Tensor) -> Tensor:
    """Return the mean of the first channel over the mask that is the second one; 0 without a mask.

    Parameters
    ----------
    crops : tensor of shape (batch, 2, time, depth, width)
        The mask does not change in time.

    Returns
    -------
    tensor of shape (batch, time)
    """
    mask = crops[:, 1, 0]  # (B, H, W)
    total = torch.einsum("bthw,bhw->bt", crops[:, 0], mask)
    weight = mask.sum((1, 2))[:, None]
    return torch.where(weight > 0, total / weight.where(weight > 0, 1), 0)


def _dense(size: int, sizes: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise((size, *sizes)):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers)
