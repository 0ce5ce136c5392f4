"""Settings of the diffusion model: those of Katakis et al. 2023, and what one processor trains.

The paper is doi:10.3390/biomedinformatics3020027, section 2.2.2.
"""

from dataclasses import dataclass
from typing import Any

import torch

from ....simulator.declarations import declare
from ....simulator.errors import InputError
from ...runs.settings import Settings
from .schedule import PREDICTIONS, SCHEDULES, Schedule
from .unet import DiffusionUNet

_NUMBER = (1, 2**16)


@dataclass(frozen=True, kw_only=True)
class DiffuseSettings(Settings):
    """Settings of the diffusion model; the defaults are the paper's, where it says them."""

    steps: int = declare(
        22_500, "Batches in all: 300 epochs of the paper's 300 images of a muscle, by 4.",
        bounds=(1, 10**9),
    )  # fmt: skip
    batch_size: int = declare(4, "Images in a batch, of all processes together.",
                              bounds=(1, 2**20))  # fmt: skip
    size: tuple[int, ...] = declare((256, 256), "Depth and width of the images that the network "
                                    "makes.", "px", bounds=(4, 2**12))  # fmt: skip
    masks: bool = declare(True, "Whether masks of the aponeuroses are made together with images; "
                          "only images that have one are then trained on.")  # fmt: skip
    flips: bool = declare(True, "Whether images are turned left to right at random.")
    noise_steps: int = declare(300, "Steps by which an image becomes noise.", bounds=(2, 10**5))
    schedule: str = declare("linear", "How the noise of the steps grows.", choices=SCHEDULES)
    prediction: str = declare("noise", "What the network predicts.", choices=PREDICTIONS)
    learning_rate: float = declare(1e-4, "Adam's step size, its greatest.", bounds=(1e-12, 10))
    decay: str = declare("constant", "How the step size goes on after the warm-up.",
                         choices=("constant", "cosine"))  # fmt: skip
    warm_up: int = declare(0, "Batches over which the step size rises.", bounds=(0, 10**9))
    clip: float = declare(1.0, "Norm to which gradients are clipped; 0: not at all.",
                          bounds=(0, 1e9))  # fmt: skip
    average: float = declare(0.995, "Share of the running average of the weights that a batch "
                             "leaves.", bounds=(0, 1))  # fmt: skip
    maps: int = declare(64, "Maps of the first level.", bounds=_NUMBER)
    multipliers: tuple[int, ...] = declare((1, 2, 4, 8), "Maps of each level, as multiples; from "
                                           "each to the next the image halves.",
                                           bounds=(1, 1024))  # fmt: skip
    blocks: int = declare(2, "Residual blocks of each level, either way.", bounds=(1, 100))
    attention: int = declare(4, "Levels with linear attention, the lowest ones; there always is "
                             "attention at the bottom.", bounds=(0, 100))  # fmt: skip
    patch: int = declare(1, "Pixels, either way, that go into one place of the first level.", "px",
                         bounds=(1, 64))  # fmt: skip
    groups: int = declare(8, "Groups of maps that are normalised together.", bounds=_NUMBER)

    def __post_init__(self) -> None:
        """Check every value, and that they go together."""
        super().__post_init__()
        if len(self.size) != 2:
            raise InputError(f"size: found {self.size}, wanted depth and width")
        if not self.multipliers:
            raise InputError("multipliers: found none, wanted one number for each level")
        multiple = self.patch * 2 ** (len(self.multipliers) - 1)
        if any(length % multiple for length in self.size):
            raise InputError(
                f"size: found {self.size} px, wanted multiples of {multiple}, as many pixels as a "
                "place of the lowest level has; change it, patch or multipliers"
            )
        if self.maps % 2 or self.maps % self.groups:
            raise InputError(
                f"maps: found {self.maps}, wanted an even multiple of groups, {self.groups}"
            )

    @property
    def channels(self) -> int:
        """Channels of the images: grey levels, and perhaps masks."""
        return 2 if self.masks else 1

    @property
    def noising(self) -> Schedule:
        """How images become noise."""
        return Schedule(self.schedule, self.noise_steps, self.prediction)

    def network(self) -> DiffusionUNet:
        """Return a new network, its weights drawn by `seed`."""
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(self.seed)
            return DiffusionUNet(
                channels=self.channels, maps=self.maps, multipliers=self.multipliers,
                blocks=self.blocks, attention=self.attention, patch=self.patch,
                groups=self.groups,
            )  # fmt: skip


MODELS: dict[str, dict[str, Any]] = {
    "paper": {"validate_every": 500},
    "small": {
        "steps": 5000,
        "batch_size": 16,
        "size": (96, 96),
        "schedule": "cosine",
        "prediction": "v",
        "precision": "bf16-mixed",
        "learning_rate": 1e-3,
        "decay": "cosine",
        "warm_up": 200,
        "average": 0.998,
        "maps": 48,
        "multipliers": (1, 2, 2),
        "blocks": 1,
        "attention": 1,
        "patch": 3,
        "validate_every": 250,
    },
}
"""Settings of each model, where they are not the defaults: ``small`` trains on one CPU core."""
