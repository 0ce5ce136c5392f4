"""From a sequence to one image of features: three-dimensional convolutions that fuse time away."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

Size = tuple[int, int, int]


class SlowFusion(nn.Module):
    """Convolutions that shrink time step by step until one frame of features is left.

    The first layer strides over time, depth and width; every later one keeps the image's size and
    is followed by the maximum over some instants. Each convolution is followed by batch
    normalisation, which has the bias, and ReLU. Kernels have odd sizes and stay in place.

    Parameters
    ----------
    maps : sequence of int
        Feature maps of each layer.
    kernels : sequence of (int, int, int)
        Of each layer: frames, depth and width.
    stride : (int, int, int)
        Of the first layer: frames, depth and width.
    pools : sequence of int
        Instants of which each layer after the first keeps the maximum.

    Notes
    -----
    After Ali et al. 2020, section III.B and Fig. 2 (doi:10.1109/ACCESS.2020.3023495), who write
    sizes as height x width x time and begin with weights after Xavier. The idea of fusing time
    slowly is that of Karpathy et al. 2014 (doi:10.1109/CVPR.2014.223).
    """

    def __init__(
        self, maps: Sequence[int], kernels: Sequence[Size], stride: Size, pools: Sequence[int]
    ) -> None:
        super().__init__()
        layers = []
        inputs = 1
        for number, (outputs, kernel) in enumerate(zip(maps, kernels, strict=True)):
            first = number == 0
            convolution = nn.Conv3d(
                inputs,
                outputs,
                kernel,
                stride=stride if first else 1,
                padding=(kernel[0] // 2, kernel[1] // 2, kernel[2] // 2),
                bias=False,
            )
            nn.init.xavier_uniform_(convolution.weight)
            parts = [convolution, nn.BatchNorm3d(outputs), nn.ReLU(inplace=True)]
            if not first:
                parts.append(nn.MaxPool3d((pools[number - 1], 1, 1)))
            layers.append(nn.Sequential(*parts))
            inputs = outputs
        self.layers = nn.ModuleList(layers)
        self.channels = inputs

    def forward(self, sequences: Tensor) -> Tensor:
        """Return the features of standardised sequences.

        Parameters
        ----------
        sequences : float tensor of shape (batch, 1, time, depth, width)

        Returns
        -------
        float tensor of shape (batch, maps, depth / stride, width / stride)
            Of the frames that are left, the maximum: with the settings of a network, one is left.
        """
        values = sequences  # (B, 1, T, H, W)
        for layer in self.layers:
            values = layer(values)  # (B, C, T', H', W')
        return torch.amax(values, dim=2)  # (B, C, H', W')
