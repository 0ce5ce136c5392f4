"""How the copies of a loader in the worker processes of a torch DataLoader share an epoch out."""

import multiprocessing
import os
import time
from contextlib import suppress
from typing import Any

import torch
from torch.utils.data import get_worker_info

from ...simulator.errors import FailureError

WAIT_SECONDS = 120
"""A first process may take long to begin; torch ends all of them where it dies."""

_SLOTS = 256
_KEY_BITS, _COUNT_BITS = 31, 32


def worker() -> tuple[int, int] | None:
    """Return number and count of a DataLoader's processes; None in any other process."""
    info = get_worker_info()
    return None if info is None else (info.id, info.num_workers)


def share() -> slice:
    """Return which of some batches this process makes: all, or a worker's of a DataLoader."""
    number, count = worker() or (0, 1)
    return slice(number, None, count)


class EpochCounter:
    """Counts the epochs that a loader's copies in other processes go through, for all of them.

    Each time that it is iterated over, a DataLoader copies its loader anew into each of its
    processes, none of which knows how often that has been. They share this counter's memory; the
    first process counts, the others wait until it has. All know the iteration by the seed that
    torch draws for it.
    """

    def __init__(self) -> None:
        self._counts = torch.full((_SLOTS,), -1, dtype=torch.int64)
        self._iterations = 0
        self._share()

    def _share(self) -> None:
        with suppress(RuntimeError):  # no shared memory here: then no DataLoader has processes
            self._counts.share_memory_()

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Share the memory of a copy: only one that a process is given at its start is shared."""
        self.__dict__.update(state)
        self._share()

    def take(self) -> int:
        """Return how many epochs were begun before this process's iteration; in each of them once.

        Raises
        ------
        FailureError
            If the first process does not count.
        """
        info = get_worker_info()
        assert info is not None
        parent = multiprocessing.parent_process()
        # Of several training processes each has a DataLoader and epochs of its own.
        slot = (parent.pid if parent and parent.pid else os.getppid()) % _SLOTS
        # Processes that persist keep their seed from iteration to iteration.
        key = (info.seed - info.id + 7919 * self._iterations) % 2**_KEY_BITS
        self._iterations += 1
        if info.id == 0:
            before = int(self._counts[slot])
            count = 0 if before < 0 else before % 2**_COUNT_BITS + 1
            # Both in one number: it is there whole, or not at all.
            self._counts[slot] = key * 2**_COUNT_BITS + count
            return count
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            found = int(self._counts[slot])
            if found >= 0 and found >> _COUNT_BITS == key:
                return found % 2**_COUNT_BITS
            time.sleep(0.005)
        raise FailureError(
            f"found no epoch from the DataLoader's first process within {WAIT_SECONDS} s, wanted "
            "one; use num_workers=0, and the loader's own `workers`"
        )
