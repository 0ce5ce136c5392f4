"""The generators: residual networks that give a sequence the likeness of the other domain."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ....simulator.errors import InputError
from .layers import (
    CONVOLUTIONS,
    OUTPUTS,
    TRANSPOSED,
    InstanceNorm,
    Key,
    NoiseInjection,
    ReflectionPad,
    check_clip,
    check_size,
    noise_images,
)
from .single_maps import FROM_SINGLE, TO_SINGLE

DOWNSAMPLINGS = 2
"""How often the frames are halved before the residual blocks, and doubled after them."""


class NoisyConvolution(nn.Module):
    """A convolution over a mirrored edge, then noise, if any, then normalisation.

    Parameters
    ----------
    dimensions : {2, 3}
    maps : int
        Feature maps, before and after.
    affine, noise : bool
        Whether the normalisation is learned, and whether there is a scale for noise.
    """

    def __init__(self, dimensions: int, maps: int, *, affine: bool, noise: bool) -> None:
        super().__init__()
        self.pad = ReflectionPad(1, dimensions)
        self.convolution = CONVOLUTIONS[dimensions](maps, maps, 3)
        self.noise = NoiseInjection() if noise else None
        self.norm = InstanceNorm(maps, affine)

    def forward(self, x: Tensor, image: Tensor | None) -> Tensor:
        """Return the result, of the shape of `x`; `image` is (B, H, W)."""
        y = self.convolution(self.pad(x))
        if self.noise is not None and image is not None:
            y = self.noise(y, image)
        return self.norm(y)


class ResidualBlock(nn.Module):
    """Two convolutions whose result is added to what came in (He et al. 2016).

    doi:10.1109/CVPR.2016.90, as in the generators of Johnson et al. 2016
    (doi:10.1007/978-3-319-46475-6_43): nothing follows the addition. Noise comes in after each
    convolution, before it is normalised (Ali et al. 2022, Fig. 4B).

    Parameters
    ----------
    dimensions : {2, 3}
    maps : int
    affine, noise : bool
        As in :class:`NoisyConvolution`.
    """

    def __init__(self, dimensions: int, maps: int, *, affine: bool, noise: bool) -> None:
        super().__init__()
        self.first = NoisyConvolution(dimensions, maps, affine=affine, noise=noise)
        self.second = NoisyConvolution(dimensions, maps, affine=affine, noise=noise)

    def forward(self, x: Tensor, images: Tensor | None = None) -> Tensor:
        """Return the block's result, of the shape of `x`; `images` is (2, B, H, W)."""
        first, second = (None, None) if images is None else images.unbind()
        y = self.first(x, first).relu_()
        return x + self.second(y, second)


class ResNetGenerator(nn.Module):
    """A fully convolutional residual network from clips to clips of the same size.

    A wide convolution, two that halve the frames, residual blocks, two transposed ones that double
    them and a wide one: the generator of Zhu et al. 2017 (doi:10.1109/ICCV.2017.244), in three
    dimensions as that of Ali et al. 2022 (BioMedical Engineering OnLine), all of whose
    convolutions, paddings and normalisations act on time too. Every convolution has a bias.

    Parameters
    ----------
    dimensions : {2, 3}
        2 takes frames, (B, 1, H, W); 3 takes sequences, (B, 1, T, H, W).
    maps : int
        Feature maps at full size; four times as many in the blocks.
    blocks : int
        Number of residual blocks.
    stride_in_time : {1, 2}
        Of the halving and doubling convolutions, in three dimensions.
    affine : bool
        Whether normalisations have a learned scale and offset.
    noise : bool
        Whether each convolution of the blocks receives noise.
    output : {"linear", "tanh"}
        The last layer; see :data:`.layers.OUTPUTS`.
    """

    def __init__(
        self,
        dimensions: int,
        *,
        maps: int,
        blocks: int,
        stride_in_time: int = 2,
        affine: bool = False,
        noise: bool = False,
        output: str = "linear",
    ) -> None:
        super().__init__()
        self.dimensions = dimensions
        convolution, transposed = CONVOLUTIONS[dimensions], TRANSPOSED[dimensions]
        strides = (stride_in_time, 2, 2)[-dimensions:]

        def normalised(maps: int) -> list[nn.Module]:
            return [InstanceNorm(maps, affine), nn.ReLU(inplace=True)]

        first = [
            ReflectionPad(3, dimensions),
            FROM_SINGLE[dimensions](1, maps, 7),
            *normalised(maps),
        ]
        for _ in range(DOWNSAMPLINGS):
            first.append(convolution(maps, 2 * maps, 3, strides, padding=1))
            maps *= 2
            first.extend(normalised(maps))
        self.encoder = nn.Sequential(*first)
        self.blocks = nn.ModuleList(
            ResidualBlock(dimensions, maps, affine=affine, noise=noise) for _ in range(blocks)
        )
        last: list[nn.Module] = []
        for _ in range(DOWNSAMPLINGS):
            # The padding of the output makes up what halving an even size loses.
            lost = tuple(stride - 1 for stride in strides)
            last.append(transposed(maps, maps // 2, 3, strides, padding=1, output_padding=lost))
            maps //= 2
            last.extend(normalised(maps))
        last += [ReflectionPad(3, dimensions), TO_SINGLE[dimensions](maps, 1, 7), OUTPUTS[output]()]
        self.decoder = nn.Sequential(*last)
        self.noise_layers = 2 * blocks if noise else 0
        """Number of convolutions that receive noise."""
        self.divisors = tuple(stride**DOWNSAMPLINGS for stride in strides)
        """What the size of a clip, ((T,) H, W), is a multiple of."""
        # Mirrors need one element more than their width: 3 outside, 1 within the blocks.
        self.least = tuple(max(4, 2 * divisor) for divisor in self.divisors)
        """Least size of a clip."""

    def forward(self, clip: Tensor, noise: Sequence[Key] | None = None) -> Tensor:
        """Translate clips.

        Parameters
        ----------
        clip : tensor of shape (B, 1, (T,) H, W)
            Standardised.
        noise : sequence of int or tuple of int, optional
            A key for each clip, from which its noise is drawn (:func:`.layers.noise_images`);
            all windows of one sequence go with one key. Without keys there is no noise. A
            generator that was built without noise takes them and does nothing with them.

        Returns
        -------
        tensor of the shape of `clip`

        Raises
        ------
        InputError
            If a size does not fit the network, or there are not as many keys as clips.
        """
        check_clip(clip, 1, self.dimensions, self.divisors, self.least)
        x = self.encoder(clip)  # (B, 4 maps, (T / stride²,) H / 4, W / 4)
        images = self._noise(noise, x)
        for i, block in enumerate(self.blocks):
            x = block(x, None if images is None else images[2 * i : 2 * i + 2])
        return self.decoder(x)

    def _noise(self, keys: Sequence[Key] | None, x: Tensor) -> Tensor | None:
        """Return the images of noise, (layers, B, H / 4, W / 4), for the features `x`."""
        if keys is None or not self.noise_layers:
            return None
        if len(keys) != len(x):
            raise InputError(
                f"noise: found {len(keys)} keys for {len(x)} clips, wanted one for each"
            )
        size = (x.shape[-2], x.shape[-1])
        return noise_images(keys, self.noise_layers, size).to(x.device, non_blocking=True)

    def check_size(self, size: Sequence[int]) -> None:
        """Raise InputError if clips of `size`, ((T,) H, W), would be refused."""
        check_size(size, self.divisors, self.least)

    def noise_scales(self) -> Tensor:
        """Return the learned scales of the noise, float32 (layers,); empty without noise."""
        scales: list[Tensor] = [m.scale for m in self.modules() if isinstance(m, NoiseInjection)]
        return torch.stack(scales) if scales else torch.empty(0)
