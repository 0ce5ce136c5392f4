"""Unpaired batches of two domains, for translation between them."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any

import numpy as np
from torch.utils.data import IterableDataset

from ...simulator.errors import InputError
from .collate import Batch
from .loader import SequenceLoader
from .reading import Request
from .sharing import share, worker


class UnpairedLoader(IterableDataset[dict[str, Batch]]):
    """Pairs of batches of two stores that have nothing to do with one another.

    An epoch is one of the domain with more sequences. The other one gives as many, going through
    its own epochs one after the other, shuffled anew each time; where it is follows from where the
    longer one is. With crops, whose numbers differ, a pair has as many as the smaller batch.

    Parameters
    ----------
    a, b : SequenceLoader
        The domains. Their windows and images must be of one size, their frame rates and pixels too.

    Raises
    ------
    InputError
        If the domains do not fit together.

    Examples
    --------
    >>> from musim.datasets import generate
    >>> from musim.datasets.streaming import SequenceLoader, UnpairedLoader
    >>> from musim.simulator import Parameters
    >>> few = {"pixels": "16x16", "size": "10x10", "frames": 32, "units": 2}
    >>> simulated = generate(Parameters(**few), "memory://a.zarr", sequences=5)
    >>> recorded = generate(Parameters(**few), "memory://b.zarr", sequences=3, seed=1)
    >>> pairs = UnpairedLoader(
    ...     SequenceLoader(simulated, batch_size=2), SequenceLoader(recorded, batch_size=2, seed=1)
    ... )
    >>> [(pair["a"]["tvi"].shape[0], pair["b"]["tvi"].shape[0]) for pair in pairs]
    [(2, 2), (2, 2), (1, 1)]
    """

    def __init__(self, a: SequenceLoader, b: SequenceLoader) -> None:
        for what, found in {
            "frames, depth and width": [_shape(loader) for loader in (a, b)],
            "frame rates (Hz)": [loader.store.layout.frame_rate for loader in (a, b)],
            "pixel sizes (mm)": [loader.store.layout.pixel_size for loader in (a, b)],
            "batch sizes": [loader.plan.batch_size for loader in (a, b)],
        }.items():
            if found[0] != found[1]:
                raise InputError(
                    f"domains: found {what} of {found[0]} in {a.store.location} and {found[1]} in "
                    f"{b.store.location}, wanted the same"
                )
        self.a, self.b = a, b
        swapped = b.plan.indices.size > a.plan.indices.size
        self._names = ("b", "a") if swapped else ("a", "b")
        self._longer, self._shorter = (b, a) if swapped else (a, b)

    def __len__(self) -> int:
        """Return the number of pairs of batches in an epoch."""
        return len(self._longer)

    def __iter__(self) -> Iterator[dict[str, Batch]]:
        """Yield ``{"a": batch, "b": batch}`` for (the rest of) an epoch of the longer domain."""
        epoch, start = self._longer.begin()
        ours: Iterable[Batch] = self._longer
        if worker() is not None:
            ours = self._longer.batches(self._longer.requests(epoch, start))
        later = (self._requests(number, 0) for number in itertools.count(epoch + 1))
        others = self._shorter.batches(
            self._requests(epoch, start), itertools.chain.from_iterable(later)
        )
        with closing(others):
            for pair in zip(ours, others, strict=True):
                size = min(len(batch["index"]) for batch in pair)
                cut = [{key: value[:size] for key, value in batch.items()} for batch in pair]
                named = dict(zip(self._names, cut, strict=True))
                yield {"a": named["a"], "b": named["b"]}

    def _requests(self, epoch: int, start: int) -> list[Request]:
        """Return what the shorter domain adds to (the rest of) the longer one's epoch here."""
        plan, sequences = self._shorter.plan, self._shorter.plan.sequences
        sizes = [len(indices) for indices in self._longer.plan.epoch(epoch)]
        first = epoch * sum(sizes) + sum(sizes[:start])
        places = np.arange(first, (epoch + 1) * sum(sizes))
        epochs = places // sequences
        orders = {each: np.concatenate(list(plan.epoch(each))) for each in set(epochs.tolist())}
        wanted = zip(epochs.tolist(), (places % sequences).tolist(), strict=True)
        indices = np.array([orders[each][place] for each, place in wanted], np.int64)
        cuts = np.cumsum(sizes[start:])[:-1]
        pieces = zip(np.split(epochs, cuts), np.split(indices, cuts), strict=True)
        return [Request(*piece) for piece in pieces][: len(sizes) - start][share()]

    def state_dict(self) -> dict[str, Any]:
        """Return the position; the shorter domain's follows from the longer one's."""
        return {"a": self.a.state_dict(), "b": self.b.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was taken."""
        self.a.load_state_dict(state["a"])
        self.b.load_state_dict(state["b"])


def _shape(loader: SequenceLoader) -> tuple[int, ...]:
    frames, depth, width = loader.store.layout.shape
    return (loader.sampling.window or frames, *(loader.sampling.crop or (depth, width)))
