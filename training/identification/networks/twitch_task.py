"""Training the twitch-train estimator of a paper, or a small one on a CPU.

The paper is Ali et al. 2020, section III.C.3 (doi:10.1109/ACCESS.2020.3023495).
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from ....datasets.samples import Sampling
from ....simulator.errors import InputError
from ....simulator.ranges import Range
from ...runs.grid import Grid
from ...runs.settings import Settings, setting
from ...runs.sources import Batch, Source
from ..metrics.agreement import rate_of_agreement
from .crops import roughen, unit_crops
from .twitch import TwitchNetwork
from .twitch_losses import scaled_squared_error

VALIDATION_STREAM = 2**32 - 1
"""Stands in the place of a rank where units of validation are drawn: no process has it."""

_LAYER = (1, 2**16)


@dataclass(frozen=True, kw_only=True)
class TwitchSettings(Settings):
    """Settings of the twitch-train estimator; the defaults are the paper's."""

    steps: int = setting(100_000, "Batches in all.", bounds=(1, 10**9))
    batch_size: int = setting(32, "Crops in a batch, of all processes together.",
                              bounds=(1, 2**20))  # fmt: skip
    patience: int = setting(100, "Validations without improvement until training stops; 0: never.",
                            bounds=(0, 10**9))  # fmt: skip
    sequences: int = setting(8, "Sequences that a batch's crops are taken from, of all processes "
                             "together.", bounds=(1, 2**20))  # fmt: skip
    snr: str = setting("10-30", "Noise that is drawn anew, dB or a range of dB; inf: none; empty: "
                       "as it is stored.", "dB")  # fmt: skip
    flips: bool = setting(True, "Whether stored sequences are turned round at random.")
    learning_rate: float = setting(1e-4, "Adam's step size, its greatest.", bounds=(1e-12, 10))
    schedule: str = setting("constant", "How the step size goes on after the warm-up.",
                            choices=("constant", "cosine"))  # fmt: skip
    warm_up: int = setting(0, "Batches over which the step size rises.", bounds=(0, 10**9))
    clip: float = setting(1.0, "Norm to which gradients are clipped; 0: not at all.",
                          bounds=(0, 1e9))  # fmt: skip
    crop: tuple[int, ...] = setting((16, 16), "Depth and width of a crop.", "px",
                                    bounds=(1, 2**12))  # fmt: skip
    mask_channel: bool = setting(False, "Whether the unit's mask is a second channel of the input.")
    residual: bool = setting(False, "Whether the network adds to the mean over the unit's mask.")
    jitter: int = setting(0, "Greatest displacement of a crop in training, either way.", "px",
                          bounds=(0, 2**12))  # fmt: skip
    mask_errors: int = setting(0, "Greatest error of masks in training and validation: displaced "
                               "so far, and a pixel wider or narrower.", "px",
                               bounds=(0, 2**12))  # fmt: skip
    least_visible: int = setting(4, "Visible pixels of a unit that is trained on.", "px",
                                 bounds=(1, 2**24))  # fmt: skip
    maps: tuple[int, ...] = setting((16,) * 5, "Maps of each convolution.", bounds=_LAYER)
    kernels: tuple[tuple[int, ...], ...] = setting(
        ((15, 5, 5), *((15, 3, 3),) * 4), "Time x depth x width of each convolution's kernel.",
        bounds=(1, 1001),
    )  # fmt: skip
    strides: tuple[tuple[int, ...], ...] = setting(
        ((1, 2, 2), *((1, 1, 1),) * 4), "Time x depth x width of each convolution's stride.",
        bounds=(1, 1000),
    )  # fmt: skip
    dense: tuple[int, ...] = setting((1024, 512, 256), "Dense layers before the GRU.",
                                     bounds=_LAYER)  # fmt: skip
    recurrent: int = setting(512, "Size of the GRU in one direction.", bounds=_LAYER)
    head: tuple[int, ...] = setting((1024, 512), "Dense layers after the GRU, but for the last.",
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


class TwitchTask:
    """Train a :class:`TwitchNetwork` on crops about true units.

    Every sequence is standardised by itself to mean 0 and SD 1, and its trains are divided by the
    same SD: what the network gives, times the SD, is a velocity.

    Parameters
    ----------
    settings : TwitchSettings
    grid : Grid
        Of the sequences.

    Raises
    ------
    InputError
        If the crop is larger than the images.
    """

    name: ClassVar[str] = "twitch"
    score: ClassVar[str] = "rate_of_agreement"
    higher_is_better: ClassVar[bool] = True

    def __init__(self, settings: TwitchSettings, grid: Grid) -> None:
        self.settings, self.grid = settings, grid
        self._check_crop(grid.shape)
        self.network = settings.network()
        self.networks: nn.Module = self.network

    def check(self, source: Source) -> None:
        """Raise InputError unless this task can be trained on what `source` gives."""
        store = source.open()
        if store is not None and not store.has_truth:
            raise InputError(
                f"source: found no units in {store.location}, wanted a store with truth; simulate "
                "one with `musim generate`"
            )
        if store is not None and self.settings.snr:
            Sampling(snr=Range.parse(self.settings.snr)).check(store)
        self._check_crop(source.grid.shape)

    def optimisers(self) -> dict[str, Optimizer]:
        """Return Adam for the whole network."""
        return {"adam": Adam(self.network.parameters(), lr=self.settings.learning_rate)}

    def prepare(self, step: int, optimisers: Mapping[str, Optimizer]) -> None:
        """Set the step size of a step, and the network to training."""
        self.network.train()
        for optimiser in optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = self.learning_rate(step)

    def learning_rate(self, step: int) -> float:
        """Return Adam's step size: it rises over the warm-up, and may fall as a cosine to 0."""
        settings = self.settings
        if step < settings.warm_up:
            return settings.learning_rate * (step + 1) / (settings.warm_up + 1)
        if settings.schedule == "constant":
            return settings.learning_rate
        done = (step - settings.warm_up) / max(settings.steps - settings.warm_up, 1)
        return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * min(done, 1)))

    def batches(
        self, source: Source, step: int, *, rank: int, ranks: int, device: torch.device
    ) -> Iterator[Batch]:
        """Yield this process's crops, from step `step` on, for ever.

        Yields
        ------
        dict of tensors
            ``crops`` (crop, channel, time, depth, width), ``train`` (crop, time) and ``sd``
            (crop,), mm/s, by which both were divided.

        Raises
        ------
        InputError
            If the batch cannot be shared out among the processes.
        """
        settings = self.settings
        crops, sequences = settings.batch_size // ranks, settings.sequences // ranks
        if crops * ranks != settings.batch_size or sequences * ranks != settings.sequences:
            raise InputError(
                f"batch_size, sequences: found {settings.batch_size} and {settings.sequences}, "
                f"wanted multiples of the {ranks} processes"
            )
        flips = ("depth", "width") if settings.flips else ()
        made = source.batches(
            step, batch_size=sequences, seed=settings.seed, snr=settings.snr, flips=flips,
            rank=rank, ranks=ranks, device=device,
        )  # fmt: skip
        with closing(made):  # type: ignore[type-var]
            for number, batch in enumerate(made, start=step):
                random = np.random.default_rng((settings.seed, number, rank))
                yield self._crops(batch, crops, random, device, settings.jitter)

    def losses(self, optimiser: str, batch: Batch, step: int, rank: int) -> dict[str, Tensor]:
        """Return the scaled squared error."""
        return {"loss": scaled_squared_error(self.network(batch["crops"]), batch["train"])}

    def clip(self, optimiser: str) -> float:
        """Return the norm to which gradients are clipped."""
        return self.settings.clip

    def extra(self) -> dict[str, Any]:
        """Nothing but the networks has to be saved."""
        return {}

    def load_extra(self, state: Mapping[str, Any]) -> None:
        """There is nothing to take."""

    def validate(self, source: Source, device: torch.device) -> dict[str, float]:
        """Return the mean rate of agreement and the loss over crops that are always the same."""
        settings = self.settings
        made = source.validation(
            settings.validation_batches, batch_size=settings.sequences, seed=settings.seed,
            snr=settings.snr, device=device,
        )  # fmt: skip
        losses, rates = [], []
        for number, sequences in enumerate(made):
            random = np.random.default_rng((settings.seed, number, VALIDATION_STREAM))
            batch = self._crops(sequences, settings.batch_size, random, device, 0)
            predicted = self._predict(batch["crops"])
            losses.append(scaled_squared_error(predicted, batch["train"]).item())
            pairs = zip(predicted.cpu().numpy(), batch["train"].cpu().numpy(), strict=True)
            rates += [rate_of_agreement(*pair, self.grid.frame_rate).value for pair in pairs]
        return {"rate_of_agreement": float(np.mean(rates)), "loss": float(np.mean(losses))}

    def estimate(self, tvi: Tensor, masks: Tensor) -> Tensor:
        """Return the trains of units by their masks.

        Parameters
        ----------
        tvi : float32 tensor of shape (time, depth, width)
            Tissue velocity, mm/s, on the network's device.
        masks : tensor of shape (unit, depth, width)
            Of detected units, 0..1.

        Returns
        -------
        float32 tensor of shape (unit, time)
            mm/s.
        """
        scaled, sd = standardise(tvi[None])
        pieces = [tvi.new_zeros((0, len(tvi)))]
        # Networks are trained on masks of 0 and 1.
        for some in (masks > 0.5).to(tvi).split(self.settings.batch_size):
            which = torch.zeros(len(some), dtype=torch.int64, device=tvi.device)
            pieces.append(self._predict(self._see(scaled, some, which)))
        return torch.cat(pieces) * sd

    def _check_crop(self, shape: tuple[int, int, int]) -> None:
        if any(crop > size for crop, size in zip(self.settings.crop, shape[1:], strict=True)):
            raise InputError(
                f"crop: found {self.settings.crop} px, wanted no more than the image's {shape[1:]}"
            )

    def _crops(
        self,
        batch: Batch,
        count: int,
        random: np.random.Generator,
        device: torch.device,
        jitter: int,
    ) -> Batch:
        """Return `count` units' crops out of a batch of sequences."""
        sequence, unit = choose_units(
            batch["territory"], batch["unit_mask"], count, self.settings.least_visible, random
        )
        shift = torch.from_numpy(random.integers(-jitter, jitter + 1, (count, 2)))
        tvi, sd = standardise(batch["tvi"].to(device))
        which = sequence.to(device)
        masks = batch["territory"][sequence, unit].to(device)
        masks = roughen(masks, self.settings.mask_errors, random)
        train = batch["twitch_train"][sequence, unit].to(device)
        return {
            "crops": self._see(tvi, masks, which, shift.to(device)),
            "train": train / sd[which, None],
            "sd": sd[which],
        }

    def _see(
        self, tvi: Tensor, masks: Tensor, which: Tensor, shift: Tensor | None = None
    ) -> Tensor:
        depth, width = self.settings.crop
        return unit_crops(
            tvi, masks, which, (depth, width), mask_channel=self.settings.mask_channel, shift=shift
        )

    @torch.no_grad()
    def _predict(self, crops: Tensor) -> Tensor:
        """Return trains, the network's mode left as it was."""
        training = self.network.training
        self.network.eval()
        try:
            return self.network(crops).float()
        finally:
            self.network.train(training)


def standardise(tvi: Tensor) -> tuple[Tensor, Tensor]:
    """Give every sequence mean 0 and SD 1.

    Parameters
    ----------
    tvi : float32 tensor of shape (batch, time, depth, width)

    Returns
    -------
    tvi : float32 tensor of shape (batch, time, depth, width)
    sd : float32 tensor of shape (batch,)
        What was divided by; 1 for sequences that never change.
    """
    mean = tvi.mean((1, 2, 3), keepdim=True)
    sd = tvi.std((1, 2, 3), keepdim=True, correction=0)
    sd = sd.where(sd > 0, 1)
    return (tvi - mean) / sd, sd[:, 0, 0, 0]


def choose_units(
    territory: Tensor, present: Tensor, count: int, least_visible: int, random: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Draw units with enough visible pixels, each as often as any other.

    Parameters
    ----------
    territory : tensor of shape (batch, unit, depth, width)
    present : bool tensor of shape (batch, unit)
        Units that are no padding.
    count : int
    least_visible : int
        Pixels; where no unit has so many, units are drawn whatever they have.
    random : numpy.random.Generator

    Returns
    -------
    sequence, unit : int64 tensors of shape (count,)
        None twice before all are taken.
    """
    visible = (territory > 0.5).sum((2, 3)) >= least_visible
    places = (visible & present).nonzero()
    if len(places) == 0:
        places = present.nonzero()
    rounds = -(-count // len(places))
    order = np.concatenate([random.permutation(len(places)) for _ in range(rounds)])[:count]
    chosen = places.cpu()[torch.from_numpy(order)].to(territory.device)
    return chosen[:, 0], chosen[:, 1]
