"""Loops of :mod:`musim.simulator.seeds`: what NumPy's seed sequences make of their numbers."""

import numpy as np

from .acceleration import inline, kernel

u32 = np.uint32
u64 = np.uint64

POOL = 4
"""Words of 32 bits that numbers are mixed into."""

STATE = 8
"""Words of 32 bits that a generator starts from."""

# O'Neill 2015, "Developing a seed_seq Alternative"; numpy/random/bit_generator.pyx.
FIRST_MIXED = u32(0x43B0D7E5)
MIXING = u32(0x931E8875)
FIRST_GIVEN = u32(0x8B51F9DD)
GIVING = u32(0x58F38DED)
LEFT = u32(0xCA01F9DD)
RIGHT = u32(0x4973F715)
HALF = u32(16)


@inline
def _hash(value, constant, factor):
    """Return a hashed word, and the constant for the next one."""
    constant_after = u32(constant * factor)
    value = u32(u32(value ^ constant) * constant_after)
    return u32(value ^ u32(value >> HALF)), constant_after


@inline
def _mix(x, y):
    mixed = u32(u32(LEFT * x) - u32(RIGHT * y))
    return u32(mixed ^ u32(mixed >> HALF))


@kernel
def stream_words(numbers, words):
    """Fill the words that the generators of all streams of one sequence start from.

    Parameters
    ----------
    numbers : uint32 array of shape (number,)
        Words of the seed, filled up to :data:`POOL`, and of the sequence's index; the stream's
        follows them.
    words : uint64 array of shape (stream, STATE / 2), filled
        What ``SeedSequence(seed, spawn_key=(index, stream)).generate_state(4, uint64)`` returns.
    """
    pool = np.empty(POOL, u32)
    constant = FIRST_MIXED
    for i in range(POOL):
        pool[i], constant = _hash(numbers[i], constant, MIXING)
    for source in range(POOL):
        for target in range(POOL):
            if source != target:
                value, constant = _hash(pool[source], constant, MIXING)
                pool[target] = _mix(pool[target], value)
    for source in range(POOL, numbers.size):
        for target in range(POOL):
            value, constant = _hash(numbers[source], constant, MIXING)
            pool[target] = _mix(pool[target], value)
    mixed = np.empty(POOL, u32)
    for stream in range(len(words)):
        constant_of_stream = constant
        for target in range(POOL):
            value, constant_of_stream = _hash(u32(stream), constant_of_stream, MIXING)
            mixed[target] = _mix(pool[target], value)
        constant_of_stream = FIRST_GIVEN
        for i in range(STATE // 2):
            low, constant_of_stream = _hash(mixed[2 * i % POOL], constant_of_stream, GIVING)
            high, constant_of_stream = _hash(mixed[(2 * i + 1) % POOL], constant_of_stream, GIVING)
            words[stream, i] = u64(low) | (u64(high) << u64(32))
