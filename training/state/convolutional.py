"""Convolutions with pooling, then fully connected layers: models A to D of Cunningham et al. 2017.

The paper (doi:10.1101/157479, section III.F) leaves open how edges are treated. Here maps keep
their size in convolutions (zeros around them), and pooling keeps a row or column that is left over:
so 120 rows go through seven poolings, and eight of them give the 2 x 1 maps that the paper names.
"""

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn

JOINED = 128
"""Neurons for what frames show, as many for what moved since rest, and where both are joined."""


@dataclass(frozen=True)
class Layers:
    """The layers of a network.

    Parameters
    ----------
    filters : tuple of int
        Of the convolutions, in order; maximum pooling over 2 x 2 follows each.
    input_filter : int
        Height and width of the first convolution's filters, px.
    later_filter : int
        Of those of the other convolutions, px.
    convolutions : int
        Between two poolings, each of so many filters.
    input_stride : int
        Of the first convolution, px; 1 in the paper.
    connected : tuple of int
        Neurons of the fully connected layers before the output.
    dropout_layers : int
        Topmost layers of weights, the output's among them, whose inputs are dropped at random.
    dropout : float
        Share of inputs that are dropped.
    spread : float
        Variance of weights at the beginning, over 1 / fan-in; 1 in the paper.
    """

    filters: tuple[int, ...]
    input_filter: int = 3
    later_filter: int = 3
    convolutions: int = 1
    input_stride: int = 1
    connected: tuple[int, ...] = (1024,)
    dropout_layers: int = 0
    dropout: float = 0.5
    spread: float = 1.0

    def map_size(self, image: tuple[int, int]) -> tuple[int, int]:
        """Return height and width of the maps that the first fully connected layer sees, px."""
        sizes = [-(-side // self.input_stride) for side in image]
        for _ in self.filters:
            sizes = [-(-side // 2) for side in sizes]
        return sizes[0], sizes[1]


class ConvolutionalNetwork(nn.Module):
    """Frames of one example in, values out; rectified but for the output, which is linear.

    Weights are drawn from normal distributions of variance 1 / fan-in (section III.G), biases are
    0.

    Parameters
    ----------
    channels : int
        Images of an example: 2 successive frames.
    image : (int, int)
        Height and width of the images, px.
    outputs : int
    layers : Layers
    """

    def __init__(self, channels: int, image: tuple[int, int], outputs: int, layers: Layers) -> None:
        super().__init__()
        self.layers = layers
        maps = [channels, *(each for each in layers.filters for _ in range(layers.convolutions))]
        height, width = layers.map_size(image)
        sizes = [maps[-1] * height * width, *layers.connected, outputs]
        self.convolutions = nn.ModuleList(
            _Convolution(before, after, size, stride)
            for before, after, size, stride in zip(
                maps, maps[1:],
                [layers.input_filter, *[layers.later_filter] * (len(maps) - 2)],
                [layers.input_stride, *[1] * (len(maps) - 2)],
                strict=False,
            )
        )  # fmt: skip
        self.connected = nn.ModuleList(
            nn.Linear(before, after) for before, after in itertools.pairwise(sizes)
        )
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        self.dropout = nn.Dropout(layers.dropout)
        begin(self, layers.spread)

    def forward(self, images: Tensor) -> Tensor:
        """Return the outputs.

        Parameters
        ----------
        images : float Tensor of shape (example, channel, height, width)
            Standardised.

        Returns
        -------
        float Tensor of shape (example, output)
        """
        weighted = len(self.convolutions) + len(self.connected)
        first = weighted - self.layers.dropout_layers  # layer whose inputs are dropped first
        maps = images
        for number, convolve in enumerate(self.convolutions):
            maps = torch.relu(convolve(self.dropout(maps) if number >= first else maps))
            if (number + 1) % self.layers.convolutions == 0:
                maps = self.pool(maps)
        values = maps.flatten(1)
        for number, connect in enumerate(self.connected, len(self.convolutions)):
            values = connect(self.dropout(values) if number >= first else values)
            if number + 1 < weighted:
                values = torch.relu(values)
        return values


class MatchedNetwork(nn.Module):
    """Two successive frames, and where regions of a frame at rest are in the last, in; values out.

    Parameters
    ----------
    channels, image, outputs, layers
        See :class:`ConvolutionalNetwork`, which sees the frames.
    compared : int
        Values that tell of a frame by one at rest.
    """

    def __init__(
        self, channels: int, image: tuple[int, int], compared: int, outputs: int, layers: Layers
    ) -> None:
        super().__init__()
        self.frames = ConvolutionalNetwork(channels, image, JOINED, layers)
        self.places = nn.Linear(compared, JOINED)
        self.joined = nn.Linear(2 * JOINED, JOINED)
        self.output = nn.Linear(JOINED, outputs)
        self.dropout = nn.Dropout(layers.dropout if layers.dropout_layers else 0.0)
        begin(self, layers.spread)

    def forward(self, images: Tensor, compared: Tensor) -> Tensor:
        """Return the outputs.

        Parameters
        ----------
        images : float Tensor of shape (example, channel, height, width)
            Standardised.
        compared : float Tensor of shape (example, compared)

        Returns
        -------
        float Tensor of shape (example, output)
        """
        both = torch.relu(torch.cat([self.frames(images), self.places(compared)], 1))
        values: Tensor = self.output(torch.relu(self.joined(self.dropout(both))))
        return values


class _Convolution(nn.Module):
    """A convolution whose maps are as large as what it is given, over its stride."""

    def __init__(self, before: int, after: int, size: int, stride: int) -> None:
        super().__init__()
        # Filters of an even size lack a middle: one more zero lies behind.
        low, high = (size - 1) // 2, size // 2
        self.pad = nn.ZeroPad2d((low, high, low, high)) if low != high else nn.Identity()
        self.convolution = nn.Conv2d(
            before, after, size, stride=stride, padding=low if low == high else 0
        )

    def forward(self, maps: Tensor) -> Tensor:
        return self.convolution(self.pad(maps))


def begin(network: nn.Module, spread: float = 1.0) -> None:
    """Draw the weights of all layers anew, of variance spread / fan-in; set their biases to 0."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            fan_in = layer.weight[0].numel()
            nn.init.normal_(layer.weight, std=(spread / fan_in) ** 0.5)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
