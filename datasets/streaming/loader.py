"""Batches of a store: planned in one place, made wherever there are workers."""

import itertools
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import numpy as np
import torch
from torch.utils.data import IterableDataset

from ...simulator.errors import InputError
from ...simulator.ranges import Range
from ...simulator.seeds import check_seed
from ..epochs import EpochPlan
from ..labels import open_with_labels
from ..samples import Sampling
from ..splits import DEFAULT_SHARES
from ..splits import split as split_indices
from ..statistics import standardisation
from .ahead import Ahead, Processes, Threads, free, threads_here
from .collate import Batch
from .reading import BatchReader, Request
from .recordings import render_recorded
from .rendering import device_for, render_batch
from .sharing import EpochCounter, share, worker


class SequenceLoader(IterableDataset[Batch]):
    """Batches of a store, epoch after epoch; each iteration over it is (the rest of) one epoch.

    Batches are made ahead, and while the last ones of an epoch are used, those of the next one:
    until the loader goes, they and the threads or processes that made them stay.

    It can be used as it is, or handed to ``torch.utils.data.DataLoader(loader, batch_size=None)``,
    whose processes, if it has any, share each epoch out: the batches are the same. There an epoch
    that is left early is over, and positions are not kept.

    Parameters
    ----------
    store : Store, str or path
        Of curated units, the recordings are read, and the units are the truth.
    batch_size : int
        Sequences in a batch; the last of an epoch has what is left.
    split : str, optional
        A name in `shares`; all sequences, if not given.
    shares : mapping of name to share
        See :func:`musim.datasets.splits.split`.
    shuffle : bool
        Whether parts, and sequences within `buffer_parts` of them, are shuffled.
    buffer_parts : int
    seed : int
        Of the order and of all that samples draw.
    window, flips, snr, crop
        See :class:`musim.datasets.samples.Sampling`. With `crop`, items are units.
    standardise : bool
        Whether voxels get mean 0 and variance 1 (over the store).
    rank, ranks : int
        Which of how many training processes this is; they get disjoint shares in equal numbers of
        batches.
    workers : int
        Processes that make batches; 0 makes them in threads of this one, as many as processors.
    device : torch.device or str, optional
        Where a rendered store's voxels are rendered, by torch; without, kernels render them.
    shape : (int, int, int), optional
        Frames, depth and width that the network wants; checked against what samples will have.

    Raises
    ------
    InputError
        If the store cannot give such batches.

    Examples
    --------
    >>> from musim.datasets import generate
    >>> from musim.datasets.streaming import SequenceLoader
    >>> from musim.simulator import Parameters
    >>> store = generate(Parameters(units=5), "memory://training.zarr", kind="rendered")
    >>> for batch in SequenceLoader(store, batch_size=5, snr="10-30"):
    ...     batch["tvi"].shape, batch["territory"].shape, batch["unit_mask"].shape
    (torch.Size([5, 400, 64, 64]), torch.Size([5, 5, 64, 64]), torch.Size([5, 5]))
    (torch.Size([5, 400, 64, 64]), torch.Size([5, 5, 64, 64]), torch.Size([5, 5]))
    """

    def __init__(
        self,
        store: Any,
        *,
        batch_size: int,
        split: str | None = None,
        shares: Mapping[str, float] = DEFAULT_SHARES,
        shuffle: bool = True,
        buffer_parts: int = 4,
        seed: int = 0,
        window: int | None = None,
        flips: tuple[str, ...] = (),
        snr: Any = None,
        crop: tuple[int, int] | None = None,
        standardise: bool = False,
        rank: int = 0,
        ranks: int = 1,
        workers: int = 0,
        device: torch.device | str | None = None,
        shape: tuple[int, int, int] | None = None,
    ) -> None:
        seed = check_seed(seed)
        self.store = open_with_labels(store)
        self.sampling = Sampling(
            window=window,
            flips=tuple(flips),
            snr=_range(snr),
            crop=crop,
            seed=seed,
        )
        self.sampling.check(self.store)
        self.plan = EpochPlan(
            indices=split_indices(len(self.store), split, shares, trials=self.store.trials),
            part_size=self.store.layout.part_size,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            buffer_parts=buffer_parts,
            rank=rank,
            ranks=ranks,
        )
        self.device = self._checked(device)
        self._check_shape(shape)
        if workers < 0:
            raise InputError(f"workers: found {workers}, wanted 0 or more")
        self.scale = standardisation(self.store) if standardise else None
        self.workers = workers
        self._reader = BatchReader(
            self.store.location.address,
            self.sampling,
            self.scale,
            voxels=self.device is None,
        )
        self._epoch, self._start, self._done = 0, 0, 0
        self._counter = EpochCounter()
        self._ahead: Ahead | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave threads and processes behind: a copy has its own."""
        return {**self.__dict__, "_ahead": None}

    @property
    def epoch(self) -> int:
        """Number of the epoch that the next iteration goes through."""
        return self._epoch

    @property
    def position(self) -> tuple[int, int]:
        """Epoch and batch that the next iteration begins with."""
        return self._epoch, self._start

    def __len__(self) -> int:
        """Return the number of batches of a whole epoch, the same for every rank."""
        return self.plan.batches

    def __iter__(self) -> Iterator[Batch]:
        """Go through an epoch: the next one, or the rest of the one that was restored."""
        epoch, start = self.begin()
        self._start, self._done = 0, start
        later = (self._requests(number) for number in itertools.count(epoch + 1))
        following = itertools.chain.from_iterable(later)
        with closing(self.batches(self.requests(epoch, start), following)) as batches:
            for batch in batches:
                self._done += 1
                # Before it is handed out: some ask for no more than the batches that they count.
                if self._done == len(self) and worker() is None:
                    self._epoch, self._done = epoch + 1, 0
                yield batch

    def begin(self) -> tuple[int, int]:
        """Return epoch and first batch of an iteration that begins, here or in a worker process."""
        if worker() is None:
            return self.position
        count = self._counter.take()
        return self._epoch + count, 0 if count else self._start

    def requests(self, epoch: int, start: int) -> list[Request]:
        """Return what this process makes of an epoch: all from a batch on, or a worker's share."""
        return list(self._requests(epoch, start))[share()]

    def _requests(self, epoch: int, start: int = 0) -> Iterator[Request]:
        for indices in self.plan.epoch(epoch, start):
            yield Request(np.full_like(indices, epoch), indices)

    def batches(
        self, requests: Sequence[Request], following: Iterable[Request] = ()
    ) -> Generator[Batch, None, None]:
        """Yield the batches that are asked for, whatever the loader's position.

        Parameters
        ----------
        requests : sequence of Request
        following : iterable of Request
            What will be asked for next; some of it is made before it is.

        Raises
        ------
        FailureError
            If the store is damaged or a worker process died.
        """
        if worker() is not None:
            if self.device is not None and self.device.type != "cpu":
                raise InputError(
                    f"device: found {self.device} in a process of a DataLoader, wanted "
                    "num_workers=0 with it"
                )
            following = ()  # there may be no next time: most are started anew for each epoch
        # Closed at once, also by an error: nothing goes on that nobody waits for.
        self._ahead = free(self._ahead, self._makers)
        with closing(self._ahead.stream(requests, following)) as made:
            for batch in made:
                yield self._finish(batch)

    def _makers(self) -> Ahead:
        if self.workers and worker() is None:
            return Processes(self._reader, self.workers)
        return Threads(self._reader, threads_here(), self.plan.batch_size)

    def set_epoch(self, epoch: int) -> None:
        """Let the next iteration go through epoch number `epoch`, from its start."""
        self._counter = EpochCounter()
        self._epoch, self._start, self._done = epoch, 0, 0

    def state_dict(self) -> dict[str, Any]:
        """Return the position: what has been handed out is done, what is being made is not."""
        return {"epoch": self._epoch, "batch": self._done, "plan": self._fingerprint()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Let the next iteration go on where `state` was taken, with exactly what was left.

        Raises
        ------
        InputError
            If the state is of another plan. The number of workers may differ, the ranks' may not.
        """
        if state["plan"] != self._fingerprint():
            raise InputError(
                f"state: found a position in {state['plan']}, wanted one in {self._fingerprint()}"
            )
        self._counter = EpochCounter()
        epochs, batch = divmod(int(state["batch"]), len(self))
        self._epoch = int(state["epoch"]) + epochs
        self._start = self._done = batch

    def _fingerprint(self) -> dict[str, Any]:
        plan = self.plan
        return {
            "sequences": int(plan.indices.size),
            "batch_size": plan.batch_size,
            "shuffle": plan.shuffle,
            "seed": plan.seed,
            "buffer_parts": plan.buffer_parts,
            "part_size": plan.part_size,
            "ranks": plan.ranks,
            # Earlier positions counted batches of almost equal size.
            "batches": "full",
        }

    def _finish(self, batch: Batch) -> Batch:
        if self.device is None:
            return batch
        batch = {name: value.to(self.device) for name, value in batch.items()}
        flips = batch.pop("flips")
        if self.store.has_recordings:
            voxels = render_recorded(batch, self.store.colour)
        else:
            upright = flip_where(batch["territory"], flips)
            voxels = render_batch(
                upright, batch["twitch_train"], batch["noise_key"], batch["noise_sd"],
                batch["start"],
            )  # fmt: skip
        if self.scale is not None:
            voxels = (voxels - self.scale[0]) / self.scale[1]
        batch["tvi"] = flip_where(voxels, flips)
        return batch

    def _checked(self, device: torch.device | str | None) -> torch.device | None:
        if device is None:
            return None
        if self.store.kind != "rendered":
            raise InputError(
                f"device: found voxels written in {self.store.location}, wanted a rendered store; "
                "leave device out"
            )
        if self.sampling.crop is not None:
            raise InputError("device: found crops asked for too, wanted whole images")
        return device_for(device, self.store.noise)

    def _check_shape(self, wanted: tuple[int, int, int] | None) -> None:
        frames, depth, width = self.store.layout.shape
        image = self.sampling.crop or (depth, width)
        found = (self.sampling.window or frames, *image)
        if wanted is not None and tuple(wanted) != found:
            raise InputError(
                f"shape: found samples of {found} (frames, depth, width) in {self.store.location}, "
                f"wanted {tuple(wanted)}; use another store, window or crop"
            )


def _range(snr: Any) -> Range | None:
    if snr is None or isinstance(snr, Range):
        return snr
    return Range.parse(snr) if isinstance(snr, str) else Range(snr, snr)


def flip_where(images: torch.Tensor, flips: torch.Tensor) -> torch.Tensor:
    """Turn the images of some items of a batch round.

    Parameters
    ----------
    images : tensor of shape (batch, ..., depth, width)
    flips : bool tensor of shape (batch, 2)
        Whether each item's depth and width are turned.
    """
    for place, axis in enumerate((-2, -1)):
        chosen = flips[:, place]
        if bool(chosen.any()):
            images = images.clone()
            images[chosen] = images[chosen].flip(axis)
    return images
