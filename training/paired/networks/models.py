"""The three models: which networks each has, how an image goes through, and how they are built."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from ....simulator.errors import InputError
from ....simulator.seeds import check_seed
from ...translation.networks.layers import Key, noise_images
from .discriminators import Patches
from .layers import initialise
from .residual import ResidualGenerator
from .unet import UNet
from .unit import HALVINGS, Decoder, Encoder, Shared


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What the networks of a model are like.

    Parameters
    ----------
    name : {"pix2pix", "cyclegan", "unit"}
    dimensions : {2, 3}
        Images, or clips.
    maps : int
        Of the generators' first level.
    levels : int
        How many times sides are halved; of UNIT always twice.
    blocks : int
        Residual ones: of cycleGAN's generators; of each encoder and decoder of UNIT.
    shared_blocks : int
        Of UNIT's shared encoder and shared decoder.
    discriminator_maps, discriminator_layers : int
        Of the first layer; and how many halve before the scores.
    noise : bool
        Whether pix2pix is given an image of noise as a second channel.
    output : {"linear", "tanh"}
        Last layer of what makes images.
    """

    name: str
    dimensions: int = 2
    maps: int = 64
    levels: int = 8
    blocks: int = 5
    shared_blocks: int = 1
    discriminator_maps: int = 64
    discriminator_layers: int = 3
    noise: bool = True
    output: str = "tanh"


class PairedModel(nn.Module):
    """Networks of a model as children, and the intensities that -1 and 1 stand for.

    Parameters
    ----------
    architecture : Architecture
    """

    scale_a: Tensor
    scale_b: Tensor
    unpaired: ClassVar[bool]
    """Whether it is trained on images that do not belong together."""

    critics: ClassVar[tuple[str, ...]]
    """Names of the networks that judge; the others make."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        # What -1 and 1 are, of either kind of image. Not every device has doubles.
        self.register_buffer("scale_a", torch.tensor([-1.0, 1.0]))
        self.register_buffer("scale_b", torch.tensor([-1.0, 1.0]))

    @property
    def makers(self) -> list[nn.Module]:
        """The networks that make images."""
        return [one for name, one in self.named_children() if name not in self.critics]

    @property
    def judges(self) -> list[nn.Module]:
        """The networks that judge images."""
        return [one for name, one in self.named_children() if name in self.critics]

    @property
    def divisors(self) -> Sequence[int]:
        """What sides of an image, ((T,) H, W), are multiples of."""
        raise NotImplementedError

    @property
    def least(self) -> Sequence[int]:
        """Least sides of an image."""
        raise NotImplementedError

    def size_for(self, size: Sequence[int]) -> tuple[int, ...]:
        """Return the smallest size that images of `size` fit into and the networks take."""
        return tuple(
            -(-max(side, least) // divisor) * divisor
            for side, least, divisor in zip(size, self.least, self.divisors, strict=True)
        )

    def translate(self, a: Tensor, keys: Sequence[Key]) -> Tensor:
        """Return images of kind B, (B, 1, (T,) H, W), of images of kind A.

        Parameters
        ----------
        a : tensor of shape (B, 1, (T,) H, W)
            Scaled to -1 to 1.
        keys : sequence
            Of each image's noise.
        """
        raise NotImplementedError


class Pix2Pix(PairedModel):
    """A U-Net against a PatchGAN that sees what an image was made of (Isola et al. 2017).

    arXiv:1611.07004. Noise is an image beside the input, as Grant-Jacob et al. 2021 draw it (Fig.
    3), not dropout.
    """

    unpaired = False
    critics = ("discriminator",)

    def __init__(self, architecture: Architecture) -> None:
        super().__init__(architecture)
        a = architecture
        self.generator = UNet(
            a.dimensions, inputs=1 + a.noise, maps=a.maps, levels=a.levels, output=a.output
        )
        self.discriminator = Patches(
            a.dimensions, inputs=2, maps=a.discriminator_maps, layers=a.discriminator_layers
        )

    @property
    def divisors(self) -> Sequence[int]:
        """What sides are multiples of."""
        return self.generator.divisors

    @property
    def least(self) -> Sequence[int]:
        """Least sides."""
        return [max(one) for one in zip(self.divisors, self.discriminator.least, strict=True)]

    def translate(self, a: Tensor, keys: Sequence[Key]) -> Tensor:
        """Return images of kind B."""
        if not self.architecture.noise:
            return self.generator(a)
        image = noise_images(keys, 1, (a.shape[-2], a.shape[-1]))[0].to(a.device, a.dtype)
        shape = (len(image), 1, *[1] * (a.ndim - 4), *image.shape[1:])  # all frames have the same
        return self.generator(torch.cat([a, image.reshape(shape).expand_as(a)], dim=1))


class CycleGan(PairedModel):
    """Two generators and two discriminators (Zhu et al. 2017, doi:10.1109/ICCV.2017.244)."""

    unpaired = True
    critics = ("discriminator_a", "discriminator_b")

    def __init__(self, architecture: Architecture) -> None:
        super().__init__(architecture)
        a = architecture

        def generator() -> ResidualGenerator:
            return ResidualGenerator(
                a.dimensions, maps=a.maps, levels=a.levels, blocks=a.blocks, output=a.output
            )

        def critic() -> Patches:
            return Patches(a.dimensions, inputs=1, maps=a.discriminator_maps,
                           layers=a.discriminator_layers, last=2)  # fmt: skip

        self.generator_a2b, self.generator_b2a = generator(), generator()
        self.discriminator_a, self.discriminator_b = critic(), critic()

    @property
    def divisors(self) -> Sequence[int]:
        """What sides are multiples of."""
        return self.generator_a2b.divisors

    @property
    def least(self) -> Sequence[int]:
        """Least sides."""
        of_both = zip(self.generator_a2b.least, self.discriminator_a.least, strict=True)
        return [max(one) for one in of_both]

    def translate(self, a: Tensor, keys: Sequence[Key]) -> Tensor:
        """Return images of kind B; there is no noise."""
        return self.generator_a2b(a)


class Unit(PairedModel):
    """Encoders and decoders of both kinds around a code that they share (Liu et al. 2017).

    arXiv:1703.00848. Features of both kinds go through the shared blocks one after the other, where
    Grant-Jacob et al. 2021 (Fig. 6) lay them beside each other: no kernel and no norm sees both.
    """

    unpaired = True
    critics = ("discriminator_a", "discriminator_b")

    def __init__(self, architecture: Architecture) -> None:
        super().__init__(architecture)
        a = architecture
        of_all = {"dimensions": a.dimensions, "maps": a.maps}
        self.encoder_a = Encoder(**of_all, blocks=a.blocks)
        self.encoder_b = Encoder(**of_all, blocks=a.blocks)
        self.shared_encoder = Shared(**of_all, blocks=a.shared_blocks)
        self.shared_decoder = Shared(**of_all, blocks=a.shared_blocks)
        self.decoder_a = Decoder(**of_all, blocks=a.blocks, output=a.output)
        self.decoder_b = Decoder(**of_all, blocks=a.blocks, output=a.output)

        def critic() -> Patches:
            return Patches(a.dimensions, inputs=1, maps=a.discriminator_maps,
                           layers=a.discriminator_layers, norm=False, last=2)  # fmt: skip

        self.discriminator_a, self.discriminator_b = critic(), critic()

    @property
    def divisors(self) -> Sequence[int]:
        """What sides are multiples of."""
        return [2**HALVINGS] * self.architecture.dimensions

    @property
    def least(self) -> Sequence[int]:
        """Least sides: two values or more are normalised."""
        least = 2 ** (HALVINGS + 1)
        return [max(least, side) for side in self.discriminator_a.least]

    def translate(self, a: Tensor, keys: Sequence[Key]) -> Tensor:
        """Return images of kind B, from the mean of the code: in use nothing is drawn."""
        code = self.shared_encoder(self.encoder_a(a))
        return self.decoder_b(self.shared_decoder(code))


MODELS: dict[str, type[PairedModel]] = {"pix2pix": Pix2Pix, "cyclegan": CycleGan, "unit": Unit}


def build(architecture: Architecture, seed: int) -> PairedModel:
    """Build a model with its initial weights, each network from draws of its own.

    Parameters
    ----------
    architecture : Architecture
    seed : int
        0 to 2**63 - 1.

    Raises
    ------
    InputError
        If there is no such model, or the seed is not one.
    """
    check_seed(seed)
    if architecture.name not in MODELS:
        raise InputError(
            f"architecture: found {architecture.name!r}, wanted one of {', '.join(MODELS)}"
        )
    with torch.random.fork_rng(devices=[]):
        model = MODELS[architecture.name](architecture)
    for place, network in enumerate(model.children()):
        initialise(network, seed, place)
    return model


def parameter_counts(architecture: Architecture) -> dict[str, int]:
    """Return the number of learned values of each network of a model."""
    with torch.device("meta"):
        model = MODELS[architecture.name](architecture)
    return {
        name: sum(value.numel() for value in network.parameters())
        for name, network in model.named_children()
    }
