"""Making one batch of a store: read and rendered side by side by dask, in whatever process."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from dask.base import compute
from dask.delayed import delayed
from numpy.typing import NDArray
from torch.utils.data import Dataset

from ...simulator.errors import MusimError
from ..samples import AXES, Sampling, choose, read_truth, read_voxels, turn
from ..store import Store, open_store
from .collate import Batch, collate_sequences, collate_units


@dataclass(frozen=True)
class Request:
    """One batch to be made: its sequences, and of which epoch each of them is."""

    epochs: NDArray[np.int64]
    indices: NDArray[np.int64]


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
    threads : int
        Sequences that are read or rendered side by side, by dask.
    """

    def __init__(
        self,
        url: str,
        sampling: Sampling,
        scale: tuple[float, float] | None,
        voxels: bool,
        threads: int,
    ) -> None:
        self.url, self.sampling, self.scale = url, sampling, scale
        self.voxels, self.threads = voxels, threads
        self._store: Store | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave the open store behind: each process opens its own."""
        return {**self.__dict__, "_store": None}

    @property
    def store(self) -> Store:
        """The store, opened when first asked for."""
        if self._store is None:
            self._store = open_store(self.url)
        return self._store

    def __getitem__(self, request: Request) -> Batch:  # type: ignore[override]
        """Make one batch; an error comes back as a text, for the main process to raise."""
        try:
            return self._make(request)
        except MusimError as error:
            return {"error": str(error)}  # type: ignore[dict-item]

    def _make(self, request: Request) -> Batch:
        shape = self._voxel_shape(len(request.indices))
        voxels = np.empty(shape, np.float32) if self.voxels else None
        calls = [
            delayed(self._sample, pure=False)(
                int(index), int(epoch), None if voxels is None else voxels[place]
            )
            for place, (index, epoch) in enumerate(
                zip(request.indices, request.epochs, strict=True)
            )
        ]
        scheduler = "threads" if self.threads > 1 and len(calls) > 1 else "synchronous"
        settings = {"scheduler": scheduler, "num_workers": self.threads}
        samples = list(compute(*calls, optimize_graph=False, **settings))
        if self.sampling.crop is not None:
            return collate_units(samples, self.sampling.crop, self.store.layout.pixel_size)
        # The samples' voxels lie in one array already; only those that were turned are moved.
        turned = [sample.pop("tvi", None) for sample in samples]
        batch = collate_sequences(samples)
        if voxels is not None:
            for place, image in enumerate(turned):
                if image.strides != voxels[place].strides:
                    voxels[place] = image.copy()
            batch["tvi"] = torch.from_numpy(voxels)
        else:
            flips = [[axis in sample["flips"] for axis in AXES] for sample in samples]
            batch["flips"] = torch.tensor(flips)
        return batch

    def _voxel_shape(self, batch: int) -> tuple[int, int, int, int]:
        frames, depth, width = self.store.layout.shape
        return batch, self.sampling.window or frames, depth, width

    def _sample(self, index: int, epoch: int, out: NDArray[np.float32] | None) -> dict[str, Any]:
        store = self.store
        choice = choose(self.sampling, store.layout.shape[0], index, epoch)
        sample = read_truth(store, index, choice)
        if out is not None:
            read_voxels(store, sample, choice, out)
            if self.scale is not None:
                out -= np.float32(self.scale[0])
                out *= np.float32(1 / self.scale[1])
            sample["tvi"] = out
        _, depth, width = store.layout.shape
        dz, dx = store.layout.pixel_size
        turn(sample, choice, (depth * dz, width * dx))
        sample["flips"] = choice.flips
        sample.pop("whole_train", None)
        return sample
