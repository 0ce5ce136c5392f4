"""Settings of a translator that learns from pairs: those of Grant-Jacob et al. 2021, and small."""

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from ...simulator.declarations import declare
from ...simulator.errors import InputError
from ..runs.settings import Settings
from .networks.models import Architecture
from .objectives import CycleGanObjective, Objective, Pix2PixObjective, UnitObjective

if TYPE_CHECKING:
    from .source import Pairs

ARCHITECTURES = ("pix2pix", "cyclegan", "unit")
OUTPUTS = ("auto", "tanh", "linear")
CANVASES = ("store", "slice")


@dataclass(frozen=True, kw_only=True)
class PairedSettings(Settings):
    """Settings of ``musim train translate --paired``.

    The defaults are those of Grant-Jacob et al. 2021 (doi:10.1088/2399-6528/ac24d8): a rate of
    0.0002, 15 epochs, one slice a batch, nothing augmented; where it is silent, those of the papers
    that it builds on.
    """

    architecture: str = declare("pix2pix", "Which networks.", choices=ARCHITECTURES)
    dimensions: int = declare(2, "2: slices or frames; 3: clips of sequences.", bounds=(2, 3))
    frames: int = declare(1, "Frames that are drawn of a pair of sequences; as many images in 2 "
                          "dimensions, a clip in 3.", bounds=(1, 4096))  # fmt: skip
    maps: int = declare(64, "Maps of the generators' first level.", bounds=(1, 1024))
    levels: int = declare(8, "How many times a generator halves a side; UNIT always twice.",
                          bounds=(2, 12))  # fmt: skip
    blocks: int = declare(5, "Residual blocks: of cycleGAN; of each encoder and decoder of UNIT.",
                          bounds=(0, 64))  # fmt: skip
    shared_blocks: int = declare(1, "Residual blocks of either shared part of UNIT.",
                                 bounds=(0, 64))  # fmt: skip
    discriminator_maps: int = declare(64, "Maps of the discriminators' first layer.",
                                      bounds=(1, 1024))  # fmt: skip
    discriminator_layers: int = declare(3, "Layers with a stride of the discriminators before "
                                        "their scores.", bounds=(1, 8))  # fmt: skip
    noise: bool = declare(True, "Whether pix2pix is given noise as a second channel.")
    output: str = declare("auto", "Last layer: tanh of slices, linear of sequences.",
                          choices=OUTPUTS)  # fmt: skip
    epochs: int = declare(15, "How many times every pair is seen.", bounds=(1, 10**6))
    steps: int = declare(0, "Batches in all; 0: as the epochs have.", bounds=(0, 10**9))
    batch_size: int = declare(1, "Pairs in a batch.", bounds=(1, 2**20))
    learning_rate: float = declare(2e-4, "Of Adam.", bounds=(1e-12, 1.0))
    beta1: float = declare(0.5, "Of Adam: memory of gradients.", bounds=(0, 0.9999))
    beta2: float = declare(0.999, "Of Adam: memory of their squares.", bounds=(0, 0.999999))
    l1_weight: float = declare(100.0, "Of pix2pix: weight of the distance from the actual image.",
                               bounds=(0, 1e9))  # fmt: skip
    cycle_weight: float = declare(10.0, "Of cycleGAN: weight of each way back.", bounds=(0, 1e9))
    identity_weight: float = declare(0.0, "Of cycleGAN: weight of images that are of the kind to "
                                     "make already.", bounds=(0, 1e9))  # fmt: skip
    adversarial_weight: float = declare(10.0, "Of UNIT: weight of what discriminators say.",
                                        bounds=(0, 1e9))  # fmt: skip
    kl_weight: float = declare(0.1, "Of UNIT: weight of codes' divergence.", bounds=(0, 1e9))
    likelihood_weight: float = declare(100.0, "Of UNIT: weight of what comes back.",
                                       bounds=(0, 1e9))  # fmt: skip
    pool_size: int = declare(50, "Of cycleGAN: translations that discriminators may be shown "
                             "again.", bounds=(0, 2**20))  # fmt: skip
    canvas: str = declare("store", "What slices are filled up to with zeros: the store's canvas, "
                          "or for each the least that they take.", choices=CANVASES)  # fmt: skip
    held_out: bool = declare(False, "Whether slices that validate are left out of training; "
                             "sequences always are.")  # fmt: skip
    flips: bool = declare(False, "Whether left and right are exchanged at random, in both images "
                          "of a pair alike; never of sagittal slices.", before=False)  # fmt: skip
    validate_every: int = declare(0, "Batches between validations; 0: an epoch.",
                                  bounds=(0, 10**9))  # fmt: skip
    validation_batches: int = declare(40, "Pairs of a validation.", bounds=(1, 10**6))
    save_every: int = declare(200, "Batches between checkpoints.", bounds=(1, 10**9))
    log_every: int = declare(20, "Batches between lines of the history.", bounds=(1, 10**9))

    def __post_init__(self) -> None:
        """Check every value, and that they go together."""
        super().__post_init__()
        if self.dimensions == 3 and self.frames < 2:
            raise InputError(
                f"frames: found {self.frames} with 3 dimensions, wanted a clip; set 8, say"
            )

        if self.canvas == "slice" and self.batch_size > 1:
            raise InputError(
                f"batch_size: found {self.batch_size}, wanted 1: slices have sizes of their own; "
                "or set canvas to store"
            )

    def on(self, source: "Pairs") -> Self:
        """Return the settings for what is trained on: steps, validations and the last layer."""
        epoch = -(-source.examples(self) // self.batch_size)
        output = "tanh" if source.is_slices else "linear"
        return dataclasses.replace(
            self,
            steps=self.steps or self.epochs * epoch,
            validate_every=self.validate_every or epoch,
            output=output if self.output == "auto" else self.output,
        )

    @property
    def networks(self) -> Architecture:
        """The networks that are trained."""
        names = (
            "dimensions", "maps", "levels", "blocks", "shared_blocks", "discriminator_maps",
            "discriminator_layers", "noise",
        )  # fmt: skip
        output = "tanh" if self.output == "auto" else self.output
        chosen = {name: getattr(self, name) for name in names}
        return Architecture(name=self.architecture, output=output, **chosen)

    @property
    def objective(self) -> Objective:
        """What they are trained to."""
        if self.architecture == "pix2pix":
            return Pix2PixObjective(self.l1_weight)
        if self.architecture == "cyclegan":
            return CycleGanObjective(self.cycle_weight, self.identity_weight)
        return UnitObjective(self.adversarial_weight, self.kl_weight, self.likelihood_weight)


_CPU: dict[str, Any] = {
    "discriminator_maps": 16,
    "held_out": True,
    "canvas": "slice",
    "learning_rate": 5e-4,
    "epochs": 25,
    "memory_format": "contiguous",
}

MODELS: dict[str, dict[str, Any]] = {
    "small": {**_CPU, "maps": 24, "levels": 4, "noise": False, "flips": True},
    "small-cyclegan": {**_CPU, "architecture": "cyclegan", "maps": 12, "levels": 3},
    "small-unit": {**_CPU, "architecture": "unit", "maps": 8, "blocks": 2},
    "pix2pix": {},
    "cyclegan": {"architecture": "cyclegan", "levels": 3},
    "unit": {"architecture": "unit", "blocks": 3, "discriminator_layers": 4},
}
"""The three of the paper, and the three at a size that one processor trains on 400 slices in some
ten minutes, at a higher rate, as smaller networks can, and for longer.

Left and right are exchanged at random where pairs teach: of one hand they otherwise learn by heart
on which side what lies. Those that learn without pairs come out worse with it.
"""
