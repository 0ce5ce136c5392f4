"""Randomness by index: one independent stream for each purpose of each sequence.

A generator is a pure function of ``(seed, index, stream)``. Changing how one purpose uses its
stream (the noise, say) leaves all others as they were, and the order in which sequences are made
has no influence on any of them.
"""

from enum import IntEnum
from numbers import Integral

import numpy as np
from numpy.typing import NDArray

from .errors import InputError

NOISE_KEY_WORDS = 4
"""Words of 32 bits in the key of a sequence's noise."""


class Stream(IntEnum):
    """The purposes of randomness. A number, once given, keeps its meaning for ever."""

    UNIT_COUNT = 0
    TERRITORY = 1
    FIRING = 2
    SYNCHRONY = 3
    TWITCH = 4
    SNR = 5
    NOISE = 6
    DOUBLET = 7
    FIBRES = 8
    ANATOMY = 9
    DOSES = 10
    FASCICLES = 11
    SCATTERERS = 12
    THERMAL = 13
    BODY = 14
    FASCICLE_GAINS = 15


def check_seed(seed: int) -> int:
    """Return `seed` if it can seed a store (0 to 2**63 - 1), else raise InputError."""
    return check_integer("seed", seed, 0, 2**63 - 1, "2**63 - 1")


def check_integer(name: str, value: int, low: int, high: int, shown: str = "") -> int:
    """Return `value` as an int if it is a whole number of low..high, else raise InputError.

    `shown` is how the message writes `high`.
    """
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not whole or not low <= value <= high:
        raise InputError(
            f"{name}: found {value!r}, wanted an integer from {low} to {shown or high}"
        )
    return int(value)


def _sequence(seed: int, index: int, stream: Stream) -> np.random.SeedSequence:
    return np.random.SeedSequence(seed, spawn_key=(index, int(stream)))


def generator(seed: int, index: int, stream: Stream) -> np.random.Generator:
    """Return the generator of one purpose of one sequence.

    Parameters
    ----------
    seed : int
        The store's seed, 0 or more.
    index : int
        The sequence's index in the store, 0 or more.
    stream : Stream
        The purpose.

    Returns
    -------
    numpy.random.Generator
    """
    return np.random.Generator(np.random.PCG64(_sequence(seed, index, stream)))


def noise_key(seed: int, index: int, stream: Stream = Stream.NOISE) -> NDArray[np.uint32]:
    """Return the key, uint32 of shape (4,), of a counter-based noise of one sequence."""
    words = _sequence(seed, index, stream).generate_state(NOISE_KEY_WORDS, np.uint32)
    return words.astype(np.uint32, copy=False)
