"""Sequences without end: new truth for every batch, and no store."""

import functools
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import IterableDataset

from ...simulator.errors import InputError
from ...simulator.experiment.doses import Doses
from ...simulator.experiment.quick import check_quick, colour, draw_recording
from ...simulator.experiment.residual import Colour
from ...simulator.parameters import Parameters
from ...simulator.rendering import render
from ...simulator.seeds import check_seed
from ...simulator.sequence import Truth, draw
from ..quick_recordings import render as render_quick
from ..samples import UNIT_PARAMETERS
from .ahead import Ahead, Threads, free, threads_here
from .collate import Batch, Sample, collate_sequences
from .memory import BatchMemory
from .reading import KEPT_BATCHES
from .recordings import recorded, render_recorded
from .rendering import device_for, render_batch
from .sharing import worker

ENDLESS = 2**62
"""Where batches would end."""

MIXED = 8
"""Subjects whose trials are shuffled: as many are drawn, and kept, at a time."""


def sequence_at(place: int, trials: int, seed: int) -> int:
    """Return the index of the sequence at a place in the order of an endless loader.

    Parameters
    ----------
    place : int
    trials : int
        Of a subject; where there is one alone, sequences follow one another.
    seed : int
    """
    if trials == 1:
        return place
    block, number = divmod(place, MIXED * trials)
    return block * MIXED * trials + int(_order(block, MIXED * trials, seed)[number])


@functools.lru_cache(maxsize=8)
def _order(block: int, length: int, seed: int) -> NDArray[np.int64]:
    entropy = np.random.SeedSequence(seed, spawn_key=(block,))
    return np.random.Generator(np.random.PCG64(entropy)).permutation(length)


class EndlessLoader(IterableDataset[Batch]):
    """Batches of freshly drawn sequences, for ever.

    Batch j of rank r holds the sequences ``(j * ranks + r) * batch_size`` and on of the set that
    `seed` defines: the same that ``musim generate --seed`` would store. Of subjects with several
    trials, the sequences of :data:`MIXED` subjects at a time are shuffled.

    Parameters
    ----------
    parameters : Parameters
        Several `trials` a subject save most of the time that quick recordings take.
    batch_size : int
    doses : Doses, optional
        Makes quick recordings of the virtual experiment with these doses; analytic sequences, if
        not given.
    seed : int
    rank, ranks : int
        Which of how many training processes this is.
    device : torch.device or str, optional
        Where voxels are rendered, by torch; without, kernels render them.

    Raises
    ------
    InputError
        If a number is out of bounds, doses do not go with the parameters, or there is no such
        device.
    """

    def __init__(
        self,
        parameters: Parameters,
        *,
        batch_size: int,
        doses: Doses | None = None,
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
        self.colour = None
        if doses is not None:
            check_quick(parameters, doses)
            self.colour = colour(parameters, doses)
        self._batch = 0
        self._maker = _Maker(
            parameters, doses, batch_size, self.seed, self.colour, voxels=self.device is None
        )
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
        if self.colour is not None:
            batch["tvi"] = render_recorded(batch, self.colour)
            return batch
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
    doses: Doses | None
    batch_size: int
    seed: int
    colour: Colour | None
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
        parameters, doses, seed = self.maker.parameters, self.maker.doses, self.maker.seed
        index = sequence_at(self.first + place, parameters.trials, seed)
        truth = draw(parameters, doses=doses, seed=seed, index=index)
        sample = self._samples[place] = _sample(index, truth)
        out = None if self._voxels is None else self._voxels[place]
        if doses is None or self.maker.colour is None:
            if out is not None:
                render(truth, out=out)
            return
        recording = draw_recording(parameters, doses, truth, seed=seed, index=index)
        if out is None:
            sample |= recorded(recording, 0, parameters.frames)
        else:
            render_quick(
                recording, self.maker.colour, truth.noise_key, truth.noise_sd, noise=truth.noise,
                out=out,
            )  # fmt: skip

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
