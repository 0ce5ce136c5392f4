"""Settings of the network that finds aponeuroses."""

from dataclasses import dataclass
from typing import Any

from ....simulator.declarations import declare
from ...runs.settings import Settings
from .attention_unet import AttentionUNet
from .augmenting import Augmentation


@dataclass(frozen=True, kw_only=True)
class SegmentSettings(Settings):
    """Settings of :class:`.segment_task.SegmentTask`; the defaults are those of Katakis et al.
    2023, section 2.3.2 (doi:10.3390/biomedinformatics3020027), and, where it gives none, ours.
    """  # noqa: D205

    # 300 epochs of the 490 images that 40 % of 1,223 are, in batches of 8.
    steps: int = declare(18_400, "Batches in all.", bounds=(1, 10**9))
    batch_size: int = declare(8, "Images in a batch, of all processes together.",
                              bounds=(1, 2**20))  # fmt: skip
    validate_every: int = declare(200, "Batches between validations.", bounds=(1, 10**9))
    validation_batches: int = declare(40, "Batches of a validation, at the most.",
                                      bounds=(1, 10**6))  # fmt: skip
    save_every: int = declare(200, "Batches between checkpoints.", bounds=(1, 10**9))

    maps: int = declare(64, "Feature maps of the first level.", bounds=(1, 4096))
    levels: int = declare(5, "Levels of resolution, each of half the pixels.", bounds=(2, 8))
    fold: int = declare(1, "Pixels along each axis that are folded into the first maps.", "px",
                        bounds=(1, 8))  # fmt: skip

    start: str = declare(
        "", "Run of the same network whose weights training begins with.", before=""
    )
    learning_rate: float = declare(1e-3, "Of Adam, at the beginning.", bounds=(0, 10))
    drops: int = declare(4, "Even stretches of training; the rate drops after each.",
                         bounds=(1, 1000))  # fmt: skip
    drop_to: float = declare(0.3, "What the rate drops to, as a share.", bounds=(0, 1))
    average: float = declare(0.99, "Share of the average of weights that a step leaves.",
                             bounds=(0, 0.99999))  # fmt: skip
    dice_weight: float = declare(0.9, "Of aponeuroses in the Dice loss; the rest has all else.",
                                 bounds=(0, 1))  # fmt: skip
    beside: float = declare(
        0.5, "Share of a batch from images that are trained on beside; 0: as many as there are.",
        bounds=(0, 1),
    )  # fmt: skip

    rotation: float = declare(15.0, "Images are turned by up to so much.", "degrees",
                              bounds=(0, 180))  # fmt: skip
    scaling: float = declare(1.3, "Images are scaled by up to this factor, or its inverse.",
                             bounds=(1, 10))  # fmt: skip
    shift: float = declare(0.1, "Images are shifted by up to this share of them.", bounds=(0, 1))
    screens: float = declare(
        0.25, "Share of images that are shown as on a scanner's screen, smaller and anywhere.",
        bounds=(0, 1),
    )  # fmt: skip
    flips: bool = declare(True, "Whether left and right are exchanged at random.")
    erased: float = declare(0.1, "Share of an image up to which a rectangle is made grey.",
                            bounds=(0, 1))  # fmt: skip
    contrast: float = declare(1.5, "Grey levels are raised to a power up to this, or its inverse.",
                              bounds=(1, 10))  # fmt: skip
    gain: float = declare(0.3, "Slope of brightness along each axis, up to this share.",
                          bounds=(0, 1))  # fmt: skip

    @property
    def augmentation(self) -> Augmentation:
        """How images are changed."""
        return Augmentation(
            self.rotation, self.scaling, self.shift, self.screens, self.flips, self.erased,
            self.contrast, self.gain,
        )  # fmt: skip

    def network(self) -> AttentionUNet:
        """Return a new network; its weights are torch's next draws."""
        return AttentionUNet(self.maps, self.levels, self.fold)


SMALL = {
    "steps": 1200,
    "maps": 16,
    "levels": 4,
    "fold": 4,
    "learning_rate": 4e-3,
    "validate_every": 100,
    "save_every": 100,
}
"""What one processor trains in five minutes."""

MODELS: dict[str, dict[str, Any]] = {"small": SMALL, "paper": {}}
