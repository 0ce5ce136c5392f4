"""Settings of the twitch-train estimator: the paper's, and what one processor trains.

The paper is Ali et al. 2020, section III.C.3 (doi:10.1109/ACCESS.2020.3023495).
"""

from dataclasses import dataclass
from typing import Any

import torch

from ....simulator.declarations import declare
from ....simulator.errors import InputError
from ....simulator.ranges import Range
from ...runs.settings import Settings
from .twitch import TwitchNetwork

_LAYER = (1, 2**16)


@dataclass(frozen=True, kw_only=True)
class TwitchSettings(Settings):
    """Settings of the twitch-train estimator; the defaults are the paper's."""

    steps: int = declare(100_000, "Batches in all.", bounds=(1, 10**9))
    batch_size: int = declare(32, "Crops in a batch, of all processes together.",
                              bounds=(1, 2**20))  # fmt: skip
    patience: int = declare(100, "Validations without improvement until training stops; 0: never.",
                            bounds=(0, 10**9))  # fmt: skip
    sequences: int = declare(8, "Sequences that a batch's crops are taken from, of all processes "
                             "together.", bounds=(1, 2**20))  # fmt: skip
    snr: str = declare("10-30", "Noise that is drawn anew, dB or a range of dB; inf: none; empty: "
                       "as it is stored.", "dB")  # fmt: skip
    flips: bool = declare(True, "Whether stored sequences are turned round at random.")
    learning_rate: float = declare(1e-4, "Adam's step size, its greatest.", bounds=(1e-12, 10))
    schedule: str = declare("constant", "How the step size goes on after the warm-up.",
                            choices=("constant", "cosine"))  # fmt: skip
    warm_up: int = declare(0, "Batches over which the step size rises.", bounds=(0, 10**9))
    clip: float = declare(1.0, "Norm to which gradients are clipped; 0: not at all.",
                          bounds=(0, 1e9))  # fmt: skip
    crop: tuple[int, ...] = declare((16, 16), "Depth and width of a crop.", "px",
                                    bounds=(1, 2**12))  # fmt: skip
    mask_channel: bool = declare(False, "Whether the unit's mask is a second channel of the input.")
    residual: bool = declare(False, "Whether the network adds to the mean over the unit's mask.")
    jitter: int = declare(0, "Greatest displacement of a crop in training, either way.", "px",
                          bounds=(0, 2**12))  # fmt: skip
    mask_errors: int = declare(0, "Greatest error of masks in training and validation: displaced "
                               "so far, and a pixel wider or narrower.", "px",
                               bounds=(0, 2**12))  # fmt: skip
    least_visible: int = declare(4, "Visible pixels of a unit that is trained on.", "px",
                                 bounds=(1, 2**24))  # fmt: skip
    maps: tuple[int, ...] = declare((16,) * 5, "Maps of each convolution.", bounds=_LAYER)
    kernels: tuple[tuple[int, ...], ...] = declare(
        ((15, 5, 5), *((15, 3, 3),) * 4), "Time x depth x width of each convolution's kernel.",
        bounds=(1, 1001),
    )  # fmt: skip
    strides: tuple[tuple[int, ...], ...] = declare(
        ((1, 2, 2), *((1, 1, 1),) * 4), "Time x depth x width of each convolution's stride.",
        bounds=(1, 1000),
    )  # fmt: skip
    dense: tuple[int, ...] = declare((1024, 512, 256), "Dense layers before the GRU.",
                                     bounds=_LAYER)  # fmt: skip
    recurrent: int = declare(512, "Size of the GRU in one direction.", bounds=_LAYER)
    head: tuple[int, ...] = declare((1024, 512), "Dense layers after the GRU, but for the last.",
                                    bounds=_LAYER)  # fmt: skip

    def __post_init__(self) -> None:
        """Check every value, and that they go together."""
        super().__post_init__()
        layers = len(self.maps)
        if layers < 1:
            raise InputError("maps: found none, wanted one number for each convolution")
        for name, sizes in (("kernels", self.kernels), ("strides", self.strides)):
            if len(sizes) != layers or any(len(size) != 3 for size in sizes):
                raise InputError(
                    f"{name}: found {sizes}, wanted {layers} times time x depth x width, as many "
                    "as there are maps"
                )
        if any(length % 2 == 0 for kernel in self.kernels for length in kernel):
            raise InputError(f"kernels: found {self.kernels}, wanted odd numbers")
        if len(self.crop) != 2:
            raise InputError(f"crop: found {self.crop}, wanted depth and width")
        if self.residual and not self.mask_channel:
            raise InputError("residual: found no mask_channel, wanted it; set mask_channel=yes")
        if self.snr:
            Range.parse(self.snr)

    def network(self) -> TwitchNetwork:
        """Return a new network, its weights drawn by `seed`."""
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(self.seed)
            return TwitchNetwork(
                crop=self.crop,  # type: ignore[arg-type]
                channels=2 if self.mask_channel else 1,
                maps=self.maps,
                kernels=self.kernels,  # type: ignore[arg-type]
                strides=self.strides,  # type: ignore[arg-type]
                dense=self.dense,
                recurrent=self.recurrent,
                head=self.head,
                residual=self.residual,
            )


MODELS: dict[str, dict[str, Any]] = {
    "paper": {},
    "small": {
        "steps": 5000,
        "patience": 0,
        "sequences": 4,
        "learning_rate": 2e-3,
        "schedule": "cosine",
        "warm_up": 100,
        "mask_channel": True,
        "residual": True,
        "mask_errors": 1,
        "maps": (16,) * 5,
        "kernels": ((15, 5, 5), *((7, 3, 3),) * 4),
        "strides": ((4, 2, 2), (1, 2, 2), *((1, 1, 1),) * 3),
        "dense": (128, 64),
        "recurrent": 64,
        "head": (64,),
        "validate_every": 250,
    },
}
"""Settings of each model, where they are not the defaults: ``small`` trains on one CPU core."""
