"""Sequences without end: new truth for every batch, and no store."""

import itertools
from collections.abc import Iterator, Mapping
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
from .collate import Batch, collate_sequences
from .loader import READ_AHEAD, read_ahead
from .rendering import device_for, render_batch
from .sharing import worker


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

    def __iter__(self) -> Iterator[Batch]:
        """Yield batches from the position on, made ahead in a thread."""
        # A DataLoader's processes take turns.
        number, step = worker() or (0, 1)
        for batch in read_ahead(self._batches(self._batch + number, step), READ_AHEAD):
            self._batch += 1
            yield batch if self.device is None else self._rendered(batch)

    def state_dict(self) -> dict[str, Any]:
        """Return the position."""
        return {"batch": self._batch}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was taken."""
        self._batch = int(state["batch"])

    def _batches(self, start: int, step: int) -> Iterator[Batch]:
        for batch in itertools.count(start, step):
            first = (batch * self.ranks + self.rank) * self.batch_size
            yield self._make(range(first, first + self.batch_size))

    def _make(self, indices: range) -> Batch:
        truths = [draw(self.parameters, seed=self.seed, index=index) for index in indices]
        batch = collate_sequences(
            [_sample(index, truth) for index, truth in zip(indices, truths, strict=True)]
        )
        if self.device is None:
            frames, (depth, width) = self.parameters.frames, self.parameters.pixels
            voxels = np.empty((len(truths), frames, depth, width), np.float32)
            for truth, out in zip(truths, voxels, strict=True):
                render(truth, out=out)
            batch["tvi"] = torch.from_numpy(voxels)
        return batch

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


def _sample(index: int, truth: Truth) -> dict[str, Any]:
    sample: dict[str, Any] = {
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
