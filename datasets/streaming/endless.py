"""Sequences without end: new truth for every batch, and no store."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch.utils.data import IterableDataset

from ...simulator.errors import InputError
from ...simulator.parameters import Parameters
from ...simulator.rendering import render
from ...simulator.seeds import check_seed
from ...simulator.sequence import Truth, draw
from ..samples import UNIT_PARAMETERS
from .ahead import Ahead, Threads, free, threads_here
from .collate import Batch, Sample, collate_sequences
from .memory import BatchMemory
from .reading import KEPT_BATCHES
from .rendering import device_for, render_batch
from .sharing import worker

ENDLESS = 2**62
"""Where batches would end."""


class EndlessLoader(IterableDataset[Batch]):
    """Batches of freshly drawn sequences, for ever.

    Batch j of rank r holds the sequences ``(j * ranks + r) * batch_size`` and on of the set that
    `seed` defines: the same that ``musim generate --seed`` would store.

    Parameters
    ----------
    parameters : Parameters
    batch_size : int
    seed : int
    rank, ranks : int
        Which of how many training processes this is.
    device : torch.device or str, optional
        Where voxels are rendered, by torch; without, kernels render them.

    Raises
    ------
    InputError
        If a number is out of bounds, or there is no such device.
    """

    def __init__(
        self,
        parameters: Parameters,
        *,
        batch_size: int,
        seed: int = 0,
        rank: int = 0,
        ranks: int = 1,
        device: torch.device | str | None = None,
    ) -> None:
        if batch_size < 1 or not 0 <= rank < ranks:
            raise InputError(
                f"batch_size, rank, ranks: found {batch_size}, {rank}, {ranks}, wanted a batch of "
                "1 or more and 0 <= rank < ranks"
            )
        self.parameters, self.batch_size, self.seed = parameters, batch_size, check_seed(seed)
        self.rank, self.ranks = rank, ranks
        self.device = device_for(device, parameters.noise)
        self._batch = 0
        self._maker = _Maker(parameters, batch_size, self.seed, voxels=self.device is None)
        self._ahead: Ahead | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave threads behind: a copy has its own."""
        return {**self.__dict__, "_ahead": None}

    def __iter__(self) -> Iterator[Batch]:
        """Yield batches from the position on, made ahead in threads."""
        # A DataLoader's processes take turns.
        number, step = worker() or (0, 1)
        first, step = (self._batch + number) * self.ranks + self.rank, step * self.ranks
        self._ahead = free(self._ahead, self._threads)
        with closing(self._ahead.stream(range(first, ENDLESS, step))) as batches:
            for batch in batches:
                self._batch += 1
                yield batch if self.device is None else self._rendered(batch)

    def _threads(self) -> Ahead:
        return Threads(self._maker, threads_here(), self.batch_size)

    def state_dict(self) -> dict[str, Any]:
        """Return the position."""
        return {"batch": self._batch}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was taken."""
        self._batch = int(state["batch"])

    def _rendered(self, batch: Batch) -> Batch:
        batch = {name: value.to(self.device) for name, value in batch.items()}
        batch["tvi"] = render_batch(
            batch["territory"],
            batch["twitch_train"],
            batch["noise_key"],
            batch["noise_sd"],
            batch["start"],
        )
        return batch


@dataclass(frozen=True)
class _Maker:
    """Makes batches by their number among those of all ranks."""

    parameters: Parameters
    batch_size: int
    seed: int
    voxels: bool
    memory: BatchMemory = field(default_factory=lambda: BatchMemory(KEPT_BATCHES))

    def begin(self, request: int) -> "_Begun":
        return _Begun(self, request)


class _Begun:
    def __init__(self, maker: _Maker, number: int) -> None:
        self.maker, self.first = maker, number * maker.batch_size
        self._samples: list[Sample] = [{} for _ in range(maker.batch_size)]
        frames, (depth, width) = maker.parameters.frames, maker.parameters.pixels
        shape = len(self), frames, depth, width
        self._voxels = maker.memory.lend(shape) if maker.voxels else None

    def __len__(self) -> int:
        return len(self._samples)

    def make(self, place: int) -> None:
        index = self.first + place
        truth = draw(self.maker.parameters, seed=self.maker.seed, index=index)
        self._samples[place] = _sample(index, truth)
        if self._voxels is not None:
            render(truth, out=self._voxels[place])

    def finish(self) -> Batch:
        batch = collate_sequences(self._samples)
        if self._voxels is not None:
            batch["tvi"] = torch.from_numpy(self._voxels)
        return batch


def _sample(index: int, truth: Truth) -> Sample:
    sample: Sample = {
        "index": index,
        "start": 0,
        "snr": truth.snr,
        "noise_sd": truth.noise_sd,
        "noise_key": truth.noise_key,
        "territory": truth.territory,
        "twitch_train": truth.twitch_train,
        "firing": truth.firing,
    }
    for name in UNIT_PARAMETERS:
        sample[name] = getattr(truth, name).astype(np.float32)
    return sample
