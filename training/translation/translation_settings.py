"""Settings of a translator: those of Ali et al. 2022, and what one processor trains."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from ...simulator.declarations import declare
from ...simulator.errors import InputError
from ..runs.settings import Settings
from .networks.models import MODELS as ARCHITECTURES
from .networks.models import Architecture
from .objectives import RecycleObjective

DISTANCES = ("l1", "l2")


@dataclass(frozen=True, kw_only=True)
class TranslateSettings(Settings):
    """Settings of ``musim train translate``.

    The defaults are those of Ali et al. 2022 (BioMedical Engineering OnLine), section Methods, and
    where it is silent those of the code that it builds on (Zhu et al. 2017,
    doi:10.1109/ICCV.2017.244). 80 epochs of 100 sequences of 32 clips, two clips a batch, are
    128,000 steps. The paper flips "vertically" and finds that translations depend on depth, which
    flips over depth would have forbidden: the width is flipped.
    """

    architecture: str = declare("cyclegan-3d-noise", "Which networks.",
                                choices=tuple(ARCHITECTURES))  # fmt: skip
    maps: int = declare(0, "Maps of the generators at full size; 0: the architecture's.",
                        bounds=(0, 1024))  # fmt: skip
    blocks: int = declare(0, "Residual blocks; 0: the architecture's.", bounds=(0, 64))
    discriminator_maps: int = declare(0, "Maps of the discriminators; 0: the architecture's.",
                                      bounds=(0, 1024))  # fmt: skip
    discriminator_layers: int = declare(3, "Layers with a stride of the discriminators.",
                                        bounds=(1, 8))  # fmt: skip
    predictor_maps: int = declare(0, "Maps of the predictors; 0: the architecture's.",
                                  bounds=(0, 1024))  # fmt: skip
    predictor_depth: int = declare(7, "Levels of the predictors.", bounds=(2, 12))
    output: str = declare("linear", "Last layer of the generators.", choices=("linear", "tanh"))
    frames: int = declare(0, "Frames of a clip; 0: the architecture's.", bounds=(0, 2**20))
    steps: int = declare(128_000, "Batches in all.", bounds=(1, 10**9))
    batch_size: int = declare(2, "Clips of each domain in a batch.", bounds=(1, 2**20))
    flips: str = declare("width", "Axes that are turned round with a chance of one half.",
                         choices=("none", "width", "depth", "both"))  # fmt: skip
    learning_rate: float = declare(2e-4, "Of Adam.", bounds=(1e-12, 1.0))
    beta1: float = declare(0.5, "Of Adam: memory of gradients.", bounds=(0, 0.9999))
    beta2: float = declare(0.999, "Of Adam: memory of their squares.", bounds=(0, 0.999999))
    cycle_weight: float = declare(10.0, "Weight of each cycle loss.", bounds=(0, 1e9))
    identity_weight: float = declare(5.0, "Weight of each identity loss.", bounds=(0, 1e9))
    identity_a: str = declare("l1", "Distance of domain A's identity loss.", choices=DISTANCES)
    identity_b: str = declare("l1", "Distance of domain B's; the paper prints l2.",
                              choices=DISTANCES)  # fmt: skip
    recurrent_weight: float = declare(10.0, "Weight of each recurrent loss.", bounds=(0, 1e9))
    recycle_weight: float = declare(10.0, "Weight of each recycle loss.", bounds=(0, 1e9))
    pool_size: int = declare(50, "Translations that discriminators may be shown again.",
                             bounds=(0, 2**20))  # fmt: skip
    validate_every: int = declare(1600, "Batches between validations.", bounds=(1, 10**9))
    validation_batches: int = declare(8, "Held-out sequences of each domain in a validation.",
                                      bounds=(1, 10**6))  # fmt: skip
    least_correlation: float = declare(
        0.9, "xCorr below which a validation is marked down.", bounds=(0, 1)
    )
    save_every: int = declare(1600, "Batches between checkpoints.", bounds=(1, 10**9))
    log_every: int = declare(50, "Batches between lines of the history.", bounds=(1, 10**9))

    def __post_init__(self) -> None:
        """Check every value, and that they give networks."""
        super().__post_init__()
        networks = self.networks
        if networks.temporal_predictor and networks.frames != RecycleObjective.frames:
            raise InputError(
                f"frames: found {networks.frames} with {self.architecture}, wanted "
                f"{RecycleObjective.frames}: two and the one that follows"
            )

    @property
    def networks(self) -> Architecture:
        """The networks that are trained."""
        changes = {
            name: getattr(self, name)
            for name in ("maps", "blocks", "discriminator_maps", "predictor_maps", "frames")
            if getattr(self, name)
        }
        return dataclasses.replace(
            ARCHITECTURES[self.architecture],
            discriminator_layers=self.discriminator_layers,
            predictor_depth=self.predictor_depth,
            output=self.output,
            **changes,
        )

    @property
    def axes(self) -> tuple[str, ...]:
        """Axes that are flipped."""
        return {"none": (), "both": ("depth", "width")}.get(self.flips, (self.flips,))


SMALL = {
    "architecture": "cyclegan-3d-noise",
    "maps": 8,
    "blocks": 3,
    "discriminator_maps": 8,
    "discriminator_layers": 2,
    "frames": 16,
    "steps": 2500,
    "learning_rate": 5e-4,
    "validate_every": 250,
    "save_every": 50,
    "log_every": 10,
}
"""What a CPU trains in an hour on images of 32 x 32 px."""

MODELS: dict[str, dict[str, Any]] = {
    "small": SMALL,
    **{name: {"architecture": name} for name in ARCHITECTURES},
}
