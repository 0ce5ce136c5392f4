"""Training the twitch-train estimator of a paper, or a small one on a CPU.

The paper is Ali et al. 2020, section III.C.3 (doi:10.1109/ACCESS.2020.3023495).
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from ....datasets.grid import Grid
from ....datasets.samples import Sampling
from ....simulator.errors import InputError
from ....simulator.ranges import Range
from ...runs.memory_format import arrange
from ...runs.settings import Settings
from ...runs.sources import Batch, Source
from ...runs.task import register
from ..metrics.agreement import rate_of_agreement
from .crops import choose_units, roughen, unit_crops
from .scaling import standardise
from .twitch_losses import scaled_squared_error
from .twitch_settings import MODELS, TwitchSettings

VALIDATION_STREAM = 2**32 - 1
"""Stands in the place of a rank where units of validation are drawn: no process has it."""


@register
class TwitchTask:
    """Train a :class:`.twitch.TwitchNetwork` on crops about true units.

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
    settings_class: ClassVar[type[Settings]] = TwitchSettings
    models: ClassVar[Mapping[str, Mapping[str, Any]]] = MODELS
    source_class: ClassVar[Any] = Source
    score: ClassVar[str] = "rate_of_agreement"
    higher_is_better: ClassVar[bool] = True

    def __init__(self, settings: TwitchSettings, grid: Grid) -> None:
        self.settings, self.grid = settings, grid
        self._check_crop(grid.shape)
        self.network = settings.network()
        self.networks: nn.Module = self.network
        arrange(self.networks, settings.memory_format)

    def check(self, source: Source) -> None:
        """Raise InputError unless this task can be trained on what `source` gives."""
        store = source.open_with_truth()
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
