"""In which order an epoch goes through a store, and who takes which batch."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..simulator.errors import InputError

_PARTS, _BUFFER = 0, 1


@dataclass(frozen=True)
class EpochPlan:
    """How the sequences of an epoch are shuffled and shared out.

    Parts are shuffled; the sequences of `buffer_parts` parts at a time are shuffled among one
    another, so that a reader has no more parts open. The shuffled sequence is cut into batches, as
    many for every rank: each sequence is in exactly one of them. All are full but for every rank's
    last, which share equally what is left; where that is less than one each, they take from the
    last but one. The order depends on (seed, epoch) alone, not on the number of workers.

    Parameters
    ----------
    indices : int64 array
        Sequences that take part, rising.
    part_size : int
        Sequences in a part of the store.
    batch_size : int
        Sequences in a batch. Two are in the last batches of a size of 1 where there are not enough
        for one more of every rank.
    shuffle : bool
    seed : int
    buffer_parts : int
        Parts whose sequences are mixed.
    rank, ranks : int
        Which of how many processes this is.
    """

    indices: NDArray[np.int64]
    part_size: int
    batch_size: int
    shuffle: bool = True
    seed: int = 0
    buffer_parts: int = 4
    rank: int = 0
    ranks: int = 1

    def __post_init__(self) -> None:
        """Check the numbers."""
        for name in ("part_size", "batch_size", "buffer_parts", "ranks"):
            if getattr(self, name) < 1:
                raise InputError(f"{name}: found {getattr(self, name)}, wanted 1 or more")
        if not 0 <= self.rank < self.ranks:
            raise InputError(f"rank: found {self.rank}, wanted 0 to {self.ranks - 1}")
        if self.batch_size > self.indices.size:
            raise InputError(
                f"batch_size: found {self.batch_size}, wanted at most the {self.indices.size} "
                "sequences there are"
            )
        if self.ranks > self.indices.size:
            raise InputError(
                f"ranks: found {self.ranks} for {self.indices.size} sequences, wanted one each"
            )

    @property
    def batches(self) -> int:
        """Number of batches of an epoch for every rank."""
        needed = -(-self.indices.size // (self.ranks * self.batch_size))
        return min(needed, self.indices.size // self.ranks)

    @property
    def sequences(self) -> int:
        """Number of sequences of an epoch for this rank."""
        return sum(high - low for low, high in self._cuts())

    def order(self, epoch: int) -> NDArray[np.int64]:
        """Return all sequences of an epoch in the order in which they are used."""
        if not self.shuffle:
            return self.indices
        parts = np.unique(self.indices // self.part_size)
        parts = self._generator(epoch, _PARTS, 0).permutation(parts)
        pieces = []
        for number, first in enumerate(range(0, parts.size, self.buffer_parts)):
            pieces.append(self._buffer(epoch, number, parts[first : first + self.buffer_parts]))
        return np.concatenate(pieces)

    def _buffer(self, epoch: int, number: int, parts: NDArray[np.int64]) -> NDArray[np.int64]:
        low = np.searchsorted(self.indices, parts * self.part_size)
        high = np.searchsorted(self.indices, (parts + 1) * self.part_size)
        mixed = np.concatenate([self.indices[a:b] for a, b in zip(low, high, strict=True)])
        return self._generator(epoch, _BUFFER, number).permutation(mixed)

    def _generator(self, epoch: int, purpose: int, number: int) -> np.random.Generator:
        entropy = np.random.SeedSequence(self.seed, spawn_key=(epoch, purpose, number))
        return np.random.Generator(np.random.PCG64(entropy))

    def epoch(self, epoch: int, start: int = 0) -> Iterator[NDArray[np.int64]]:
        """Yield the sequences of each batch of this rank, from batch `start` on."""
        order = self.order(epoch)
        for low, high in self._cuts(start):
            yield order[low:high]

    def _cuts(self, start: int = 0) -> Iterator[tuple[int, int]]:
        """Yield first place and one past the last, in an epoch's order, of each batch."""
        # Batch by batch the ranks take turns, so that all read the same region of the store.
        turns = self._turns()
        for batch in range(start, self.batches):
            first, shared = turns[batch], turns[batch + 1] - turns[batch]
            yield (
                first + shared * self.rank // self.ranks,
                first + shared * (self.rank + 1) // self.ranks,
            )

    def _turns(self) -> list[int]:
        """Return the first place of all ranks' batches together, batch by batch, and the end."""
        whole, total = self.ranks * self.batch_size, self.indices.size
        turns = [batch * whole for batch in range(self.batches)]
        if self.batches > 1:
            turns[-1] = min(turns[-1], total - self.ranks)
        return [*turns, total]
