"""The discriminators: they judge every patch of a sequence as real or translated."""

from collections.abc import Sequence

from torch import Tensor, nn

from .layers import CONVOLUTIONS, SLOPE, InstanceNorm, check_clip, check_size

KERNEL = 4
PADDING = 1
MOST_WIDENING = 8
"""The maps double from layer to layer, up to so many times the first."""


class PatchDiscriminator(nn.Module):
    """A PatchGAN: convolutions whose every output is the score of one patch of the clip.

    Isola et al. 2017 (doi:10.1109/CVPR.2017.632); with three layers in two dimensions a patch has
    70 x 70 px. There is no sigmoid: scores are for least squares. Every convolution has a bias,
    and the first and the last are not normalised. In three dimensions (Ali et al. 2022, BioMedical
    Engineering OnLine) the kernels act on time too, with the generators' stride in time.

    Parameters
    ----------
    dimensions : {2, 3}
    maps : int
        Feature maps of the first layer.
    layers : int
        Number of layers with a stride; two without follow.
    stride_in_time : {1, 2}
        Of the layers with a stride, in three dimensions.
    affine : bool
        Whether normalisations have a learned scale and offset.
    """

    def __init__(
        self,
        dimensions: int,
        *,
        maps: int,
        layers: int = 3,
        stride_in_time: int = 2,
        affine: bool = False,
    ) -> None:
        super().__init__()
        self.dimensions = dimensions
        convolution = CONVOLUTIONS[dimensions]
        strides = (stride_in_time, 2, 2)[-dimensions:]
        rectifier = nn.LeakyReLU(SLOPE, inplace=True)
        found, modules = maps, [convolution(1, maps, KERNEL, strides, PADDING), rectifier]
        for layer in range(1, layers + 1):
            wanted = maps * min(2**layer, MOST_WIDENING)
            stride = strides if layer < layers else 1
            modules.append(convolution(found, wanted, KERNEL, stride, PADDING))
            modules += [InstanceNorm(wanted, affine), rectifier]
            found = wanted
        modules.append(convolution(found, 1, KERNEL, 1, PADDING))
        self.layers = nn.Sequential(*modules)
        self.least = tuple(_least(stride, layers) for stride in strides)
        """Least size of a clip, ((T,) H, W): that of a single score."""

    def forward(self, clip: Tensor) -> Tensor:
        """Score the patches of clips.

        Parameters
        ----------
        clip : tensor of shape (B, 1, (T,) H, W)

        Returns
        -------
        tensor of shape (B, 1, (t,) h, w)
            Towards 1 for patches that look real, towards 0 for the others.

        Raises
        ------
        InputError
            If the clip is smaller than what gives one score.
        """
        check_clip(clip, 1, self.dimensions, [1] * self.dimensions, self.least)
        return self.layers(clip)

    def check_size(self, size: Sequence[int]) -> None:
        """Raise InputError if clips of `size`, ((T,) H, W), would be refused."""
        check_size(size, [1] * self.dimensions, self.least)


def _least(stride: int, layers: int) -> int:
    """Return the size along an axis of `stride` that leaves one score."""
    size = 1
    for step in (1, 1, *[stride] * layers):
        size = (size - 1) * step + KERNEL - 2 * PADDING
    return size
