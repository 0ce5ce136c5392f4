"""Making one batch of a store, a sequence at a time, in whatever thread or process."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from ...simulator.errors import MusimError
from ..labels import open_with_labels
from ..samples import AXES, Sampling, choose, read_truth, read_voxels, turn
from ..store import Store
from .collate import Batch, Sample, collate_sequences, collate_units
from .memory import BatchMemory
from .recordings import recorded

KEPT_BATCHES = 4
"""Batches whose memory is kept while nobody uses it: about as many as are under way."""

PIECE = 2**17
"""Voxels that are standardised at a time: half a MiB, which stays in the processor's cache."""


@dataclass(frozen=True, eq=False)
class Request:
    """One batch to be made: its sequences, and of which epoch each of them is."""

    epochs: NDArray[np.int64]
    indices: NDArray[np.int64]

    def __eq__(self, other: object) -> bool:
        """Return whether the same batch is asked for."""
        return (
            isinstance(other, Request)
            and np.array_equal(self.epochs, other.epochs)
            and np.array_equal(self.indices, other.indices)
        )

    __hash__ = None  # type: ignore[assignment]


class BatchReader(Dataset[Batch]):
    """Make the batch of a :class:`Request`; copies of it work in other processes.

    Parameters
    ----------
    url : str
        The store.
    sampling : Sampling
    scale : (float, float), optional
        Mean and standard deviation that voxels are standardised with, mm/s.
    voxels : bool
        Whether to read or render voxels; without, a device renders them later.
    """

    def __init__(
        self, url: str, sampling: Sampling, scale: tuple[float, float] | None, voxels: bool
    ) -> None:
        self.url, self.sampling, self.scale, self.voxels = url, sampling, scale, voxels
        self.voxel_memory = BatchMemory(KEPT_BATCHES)
        self.territory_memory = BatchMemory(KEPT_BATCHES)
        self._store: Store | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave the open store behind: each process opens its own."""
        return {**self.__dict__, "_store": None}

    @property
    def store(self) -> Store:
        """The store, opened when first asked for."""
        if self._store is None:
            self._store = open_with_labels(self.url)
        return self._store

    def __getitem__(self, request: Request) -> Batch:  # type: ignore[override]
        """Make one batch; an error comes back as a text, for the main process to raise."""
        try:
            batch = self.begin(request)
            for place in range(len(batch)):
                batch.make(place)
            return batch.finish()
        except MusimError as error:
            return {"error": str(error)}  # type: ignore[dict-item]

    def begin(self, request: Request) -> "BatchBegun":
        """Return a batch whose sequences are still to be made."""
        return BatchBegun(self, request)


class BatchBegun:
    """A batch whose sequences are made one by one, in any order and side by side.

    Parameters
    ----------
    reader : BatchReader
    request : Request
    """

    def __init__(self, reader: BatchReader, request: Request) -> None:
        self.reader, self.request = reader, request
        self._samples: list[Sample] = [{} for _ in request.indices]
        self._voxels: NDArray[np.float32] | None = None
        if reader.voxels:
            frames, depth, width = reader.store.layout.shape
            shape = len(self), reader.sampling.window or frames, depth, width
            self._voxels = reader.voxel_memory.lend(shape)

    def __len__(self) -> int:
        """Return the number of sequences."""
        return len(self.request.indices)

    def make(self, place: int) -> None:
        """Make one of the sequences.

        Raises
        ------
        FailureError
            If the store is damaged.
        """
        index, epoch = int(self.request.indices[place]), int(self.request.epochs[place])
        reader = self.reader
        frames, depth, width = reader.store.layout.shape
        choice = choose(reader.sampling, frames, index, epoch)
        sample = read_truth(reader.store, index, choice)
        if self._voxels is not None:
            sample["tvi"] = self._voxels[place]
            read_voxels(reader.store, sample, choice, sample["tvi"])
            if reader.scale is not None:
                _standardise(sample["tvi"], *reader.scale)
        dz, dx = reader.store.layout.pixel_size
        turn(sample, choice, (depth * dz, width * dx))
        if self._voxels is not None and reader.sampling.crop is None:
            sample["tvi"] = _moved(sample["tvi"], self._voxels[place])
        sample["flips"] = choice.flips
        sample.pop("whole_train", None)
        recording = sample.pop("recording", None)
        if recording is not None and self._voxels is None:
            sample |= recorded(recording, choice.start, choice.stop)
        self._samples[place] = sample

    def finish(self) -> Batch:
        """Return the batch, once each of its sequences is made."""
        samples, voxels, reader = self._samples, self._voxels, self.reader
        if reader.sampling.crop is not None:
            return collate_units(samples, reader.sampling.crop, reader.store.layout.pixel_size)
        for sample in samples:  # their voxels lie in one array already
            sample.pop("tvi", None)
        batch = collate_sequences(samples, reader.territory_memory)
        if voxels is not None:
            batch["tvi"] = torch.from_numpy(voxels)
        else:
            flips = [[axis in sample["flips"] for axis in AXES] for sample in samples]
            batch["flips"] = torch.tensor(flips)
        return batch


def _moved(turned: NDArray[np.float32], place: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return images that lie in `place` turned round in space, put there as they are seen."""
    if turned.strides != place.strides:
        step = max(1, PIECE // turned[0].size)
        for first in range(0, len(turned), step):
            frames = slice(first, first + step)
            place[frames] = turned[frames].copy()
    return place


def _standardise(voxels: NDArray[np.float32], mean: float, sd: float) -> None:
    """Give voxels mean 0 and variance 1, in their place."""
    flat = voxels.reshape(-1)
    for first in range(0, flat.size, PIECE):
        piece = flat[first : first + PIECE]
        piece -= np.float32(mean)
        piece *= np.float32(1 / sd)
