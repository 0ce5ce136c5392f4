"""The five published models: which networks each one has, and how a model is built."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from ....simulator.errors import InputError
from ....simulator.seeds import check_integer, check_seed
from .discriminators import PatchDiscriminator
from .generators import ResNetGenerator
from .layers import OUTPUTS, initialise
from .unet import UNetPredictor


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What the networks of a model are like.

    The defaults are those of `cyclegan-3d`. Fewer maps and blocks give the same networks at a size
    that a CPU can train.

    Parameters
    ----------
    dimensions : {2, 3}
        Whether the networks see frames, or sequences.
    maps, blocks : int
        Feature maps at full size and residual blocks of the generators.
    discriminator_maps, discriminator_layers : int
        Feature maps of the first layer and layers with a stride of the discriminators.
    stride_in_time : {1, 2}
        Of generators and discriminators, in three dimensions.
    affine : bool
        Whether normalisations have a learned scale and offset.
    noise : bool
        Whether the generator from A to B receives noise.
    temporal_predictor : bool
        Whether each domain has a predictor of frames, in two dimensions.
    predictor_maps, predictor_depth : int
        Its feature maps and levels.
    frames : int
        Frames of the clips that the model is trained with.
    output : {"linear", "tanh"}
        Last layer of generators and predictors. The published code has a tanh, for pictures within
        -1..1; sequences standardised to an SD of 1 go beyond.

    Raises
    ------
    InputError
        If a value is none of these, or they do not go together.
    """

    dimensions: int = 3
    maps: int = 32
    blocks: int = 6
    discriminator_maps: int = 32
    discriminator_layers: int = 3
    stride_in_time: int = 2
    affine: bool = True
    noise: bool = False
    temporal_predictor: bool = False
    predictor_maps: int = 64
    predictor_depth: int = 7
    frames: int = 32
    output: str = "linear"

    def __post_init__(self) -> None:
        for name, low, high in (
            ("dimensions", 2, 3),
            ("maps", 1, 1024),
            ("blocks", 1, 64),
            ("discriminator_maps", 1, 1024),
            ("discriminator_layers", 1, 8),
            ("stride_in_time", 1, 2),
            ("predictor_maps", 1, 1024),
            ("predictor_depth", 2, 12),
            ("frames", 1, 2**20),
        ):
            check_integer(name, getattr(self, name), low, high)
        if self.output not in OUTPUTS:
            raise InputError(f"output: found {self.output!r}, wanted one of {', '.join(OUTPUTS)}")
        if self.temporal_predictor and self.dimensions != 2:
            raise InputError("temporal_predictor: found with 3 dimensions, wanted 2")
        if self.temporal_predictor and self.frames < UNetPredictor.inputs + 1:
            raise InputError(
                f"frames: found {self.frames} with a temporal predictor, wanted "
                f"{UNetPredictor.inputs + 1} or more"
            )


_FRAMES = Architecture(
    dimensions=2, maps=64, blocks=9, discriminator_maps=64, affine=False, frames=1
)

MODELS = {
    "cyclegan-2d": _FRAMES,
    "recyclegan": replace(_FRAMES, temporal_predictor=True, frames=3),
    "cyclegan-3d": Architecture(),
    "cyclegan-3d-stride1": Architecture(stride_in_time=1),
    "cyclegan-3d-noise": Architecture(stride_in_time=1, noise=True),
}
"""The models of Ali et al. 2022 (BioMedical Engineering OnLine), Tables 1 and 2.

Table 2 gives the parameters of all networks of a model together. They settle what the text leaves
open, as no other choice of biases and learned normalisations gives these numbers:

- `cyclegan-2d`, 28,256,644: one channel, a bias in every convolution, plain normalisation.
- `recyclegan`, 111,897,734: the same and a U-Net of 64 maps for each domain, of 41,820,545, with
  biases and plain normalisation too.
- `cyclegan-3d`, 17,322,436: a bias in every convolution *and* a learned scale and offset in every
  normalisation, of generators and discriminators alike; kernels as long in time as in space.
- `cyclegan-3d-stride1`, 17,322,436: the same, as a stride has no parameters.
- `cyclegan-3d-noise`, 17,322,448: 12 more, one scale for each convolution of the six blocks of
  G_B alone.

The text speaks of the stride "at any layer": with 1, generators and discriminators keep all
frames.
"""

NETWORKS = (
    "generator_a2b",
    "generator_b2a",
    "discriminator_a",
    "discriminator_b",
    "predictor_a",
    "predictor_b",
)
"""The networks of a model. Each place, once given, keeps its meaning: initial weights follow it."""


class TranslationModel(nn.Module):
    """The networks of a model, as children.

    `generator_a2b` is the G_B of Ali et al. 2022, from simulated (A) to experimental (B), and
    `generator_b2a` is G_A; `discriminator_a` judges A and `discriminator_b` B. `predictor_a` and
    `predictor_b` are None in models without temporal predictors.

    Parameters
    ----------
    architecture : Architecture
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = a = architecture

        def generator(noise: bool) -> ResNetGenerator:
            return ResNetGenerator(
                a.dimensions,
                maps=a.maps,
                blocks=a.blocks,
                stride_in_time=a.stride_in_time,
                affine=a.affine,
                noise=noise,
                output=a.output,
            )

        def discriminator() -> PatchDiscriminator:
            return PatchDiscriminator(
                a.dimensions,
                maps=a.discriminator_maps,
                layers=a.discriminator_layers,
                stride_in_time=a.stride_in_time,
                affine=a.affine,
            )

        def predictor() -> UNetPredictor | None:
            if not a.temporal_predictor:
                return None
            return UNetPredictor(maps=a.predictor_maps, depth=a.predictor_depth, output=a.output)

        self.generator_a2b = generator(a.noise)
        self.generator_b2a = generator(False)
        self.discriminator_a = discriminator()
        self.discriminator_b = discriminator()
        self.predictor_a = predictor()
        self.predictor_b = predictor()

    def check_size(self, size: Sequence[int]) -> None:
        """Raise InputError if training with clips of `size`, ((T,) H, W), would be refused."""
        for network in (self.generator_a2b, self.discriminator_a, self.predictor_a):
            if network is not None:
                network.check_size(size)


def build(architecture: Architecture, seed: int) -> TranslationModel:
    """Build a model with its initial weights.

    Each network has a stream of its own: models that share a network begin with the same weights
    in it, such as `cyclegan-3d-stride1` and `cyclegan-3d-noise`.

    Parameters
    ----------
    architecture : Architecture
    seed : int
        0 to 2**63 - 1.

    Returns
    -------
    TranslationModel
        On the CPU, float32.

    Raises
    ------
    InputError
        If the seed is not one.
    """
    check_seed(seed)
    model = outline(architecture).to_empty(device="cpu")
    for index, name in enumerate(NETWORKS):
        network = getattr(model, name)
        if network is not None:
            words = np.random.SeedSequence(seed, spawn_key=(index,)).generate_state(1, np.uint64)
            initialise(network, torch.Generator().manual_seed(int(words[0])))
    return model


def outline(architecture: Architecture) -> TranslationModel:
    """Return a model without values, on torch's `meta` device: it takes no memory and no draws."""
    with torch.device("meta"):
        return TranslationModel(architecture)


def parameter_count(architecture: Architecture) -> int:
    """Return the number of learned values of all networks of a model together."""
    return sum(parameter.numel() for parameter in outline(architecture).parameters())
