"""Which sequences train, validate and test: decided by subject, so a growing store keeps them."""

import hashlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..simulator.errors import InputError

DEFAULT_SHARES: Mapping[str, float] = {"train": 0.8, "validation": 0.1, "test": 0.1}


def split(
    sequences: int,
    name: str | None = None,
    shares: Mapping[str, float] = DEFAULT_SHARES,
    *,
    seed: int = 0,
    trials: int = 1,
) -> NDArray[np.int64]:
    """Return the indices of the sequences in one split.

    A sequence's split depends on its subject's number, the seed and the shares alone: sequences
    that are added to a store leave the others where they are, and nobody is tested on a subject
    that was trained on. Shares hold on average, not exactly.

    Parameters
    ----------
    sequences : int
        Sequences in the store.
    name : str, optional
        One of the names in `shares`; all sequences, if not given.
    shares : mapping of name to share
        Shares of the splits, each 0 or more; together 1.
    seed : int
        Another seed splits otherwise.
    trials : int
        Sequences of one subject, one after another.

    Returns
    -------
    int64 array of shape (index,)
        Rising.

    Raises
    ------
    InputError
        If there is no such split, the shares do not add up to 1, or the split is empty.
    """
    everything = np.arange(sequences)
    if name is None:
        return everything
    total = sum(shares.values())
    if any(share < 0 for share in shares.values()) or not abs(total - 1) <= 1e-9:
        raise InputError(f"shares: found {dict(shares)}, wanted shares of 0 or more that make 1")
    if name not in shares:
        raise InputError(f"split: found {name!r}, wanted one of {', '.join(shares)}")
    ends = np.cumsum(list(shares.values()))
    place = list(shares).index(name)
    low = ends[place - 1] if place else 0.0
    high = ends[place] if place < len(ends) - 1 else 1.0
    subjects = -(-sequences // trials)
    uniform = np.fromiter((_uniform(seed, i) for i in range(subjects)), float, subjects)
    uniform = uniform.repeat(trials)[:sequences]
    chosen = everything[(uniform >= low) & (uniform < high)]
    if chosen.size == 0:
        raise InputError(
            f"split: found no sequence of {sequences} in {name!r}, wanted one; use a larger "
            "store or another share"
        )
    return chosen


def _uniform(seed: int, index: int) -> float:
    """Return a number of 0..1 that is fixed for a subject (BLAKE2b: the same on every machine)."""
    digest = hashlib.blake2b(f"{seed}/{index}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") / 2**64
