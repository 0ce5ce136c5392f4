"""Randomness by index: one independent stream for each purpose of each sequence.

A generator is a pure function of ``(seed, index, stream)``. Changing how one purpose uses its
stream (the noise, say) leaves all others as they were, and the order in which sequences are made
has no influence on any of them.
"""

import functools
from enum import IntEnum
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InputError

NOISE_KEY_WORDS = 4
"""Words of 32 bits in the key of a sequence's noise."""

_WORD = 0xFFFFFFFF


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
    STRENGTH = 16
    VARIATION = 17
    MUSCLE = 18
    CLUTTER = 19
    CONTACT = 20
    SECTION = 21
    TEXTURE = 22
    PROBE = 23
    DISPLAY = 24
    PARTICIPANT = 25
    TRACKING = 26
    ELECTROMYOGRAPHY = 27
    SENSORS = 28
    PROBE_MOTION = 29
    HAND = 30
    HAND_SIDE = 31
    SCAN = 32
    RESONANCE = 33


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


class _Words(np.random.bit_generator.ISeedSequence):
    """What a bit generator takes for its seed: the words themselves that it starts from."""

    def __init__(self, words: NDArray[np.uint64]) -> None:
        self.words = words

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> NDArray[np.uint64]:
        """Return the words: PCG64 asks for four of 64 bits, and for nothing else."""
        return self.words


@functools.lru_cache(maxsize=64)
def _words(seed: int, index: int) -> NDArray[np.uint64]:
    """Return the words that the streams of a sequence start from, uint64 (stream, 4).

    They are those of ``SeedSequence(seed, spawn_key=(index, stream))``, which takes ten times as
    long to make them of one stream as the kernel does for all.
    """
    from .seeds_kernels import POOL, stream_words

    numbers = [*_split(seed), *[0] * POOL][:POOL] + _split(index)
    words = np.empty((len(Stream), 4), np.uint64)
    stream_words(np.array(numbers, np.uint32), words)
    words.flags.writeable = False
    return words


def _split(number: int) -> list[int]:
    """Return a number's words of 32 bits, the lowest first; one at least."""
    words = [number & _WORD]
    while number := number >> 32:
        words.append(number & _WORD)
    return words


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
        PCG64, seeded by ``SeedSequence(seed, spawn_key=(index, stream))``.
    """
    # Of what bit generators take, NumPy's annotations name its own seed sequence alone.
    words: Any = _Words(_words(seed, index)[stream])
    return np.random.Generator(np.random.PCG64(words))


def noise_key(seed: int, index: int, stream: Stream = Stream.NOISE) -> NDArray[np.uint32]:
    """Return the key, uint32 of shape (4,), of a counter-based noise of one sequence."""
    # Of 64-bit words the lower halves come first.
    first, second = (int(word) for word in _words(seed, index)[stream, : NOISE_KEY_WORDS // 2])
    halves = (first & _WORD, first >> 32, second & _WORD, second >> 32)
    return np.array(halves, np.uint32)
