"""The residual network behind the front, and the feature pyramid over its stages."""

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

BLOCKS = {"basic": BasicBlock, "bottleneck": Bottleneck}
"""Residual blocks, by name."""


class Residual(nn.Module):
    """A residual network without its first stage.

    What is left out is the convolution with stride 2 and the pooling that a photograph goes
    through first; features of 64 maps come in their place (Ali et al. 2020, section III.B,
    doi:10.1109/ACCESS.2020.3023495). Parts have the names that they have in torchvision's ResNet.

    Parameters
    ----------
    inputs : int
        Maps that come in.
    block : {"basic", "bottleneck"}
    blocks : sequence of int
        Of each stage.
    maps : sequence of int
        Of each stage, inside its blocks; bottlenecks give four times as many.

    Notes
    -----
    He et al. 2016 (doi:10.1109/CVPR.2016.90); blocks (3, 4, 23, 3) of bottlenecks with maps (64,
    128, 256, 512) are ResNet-101. The first stage keeps the image's size, every other halves it.
    """

    def __init__(self, inputs: int, block: str, blocks: Sequence[int], maps: Sequence[int]) -> None:
        super().__init__()
        self.channels: list[int] = []
        for stage, (count, planes) in enumerate(zip(blocks, maps, strict=True)):
            layer = _stage(BLOCKS[block], inputs, planes, count, stride=1 if stage == 0 else 2)
            self.add_module(f"layer{stage + 1}", layer)
            inputs = planes * BLOCKS[block].expansion
            self.channels.append(inputs)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, features: Tensor) -> "OrderedDict[str, Tensor]":
        """Return what each stage gives, by number, the finest first."""
        levels: OrderedDict[str, Tensor] = OrderedDict()
        for level, layer in enumerate(self.children()):
            features = layer(features)
            levels[str(level)] = features  # (B, C, H / 2**level, W / 2**level)
        return levels


class Pyramid(nn.Module):
    """A residual network and the feature pyramid over its stages, with one more level by striding.

    Parameters
    ----------
    body : Residual
    channels : int
        Maps of every level.

    Notes
    -----
    Lin et al. 2017 (doi:10.1109/CVPR.2017.106).
    """

    def __init__(self, body: Residual, channels: int) -> None:
        super().__init__()
        self.body = body
        self.fpn = FeaturePyramidNetwork(body.channels, channels, LastLevelMaxPool())

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        """Return the levels, the finest first, the last named ``pool``."""
        return self.fpn(self.body(features))


def _stage(
    block: type[BasicBlock] | type[Bottleneck], inputs: int, maps: int, count: int, stride: int
) -> nn.Sequential:
    """Return one stage of a residual network; its first block strides."""
    outputs = maps * block.expansion
    shortcut = None
    if stride != 1 or inputs != outputs:
        shortcut = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
        )
    rest = [block(outputs, maps) for _ in range(count - 1)]
    return nn.Sequential(block(inputs, maps, stride, shortcut), *rest)
