"""Damage to files, drawn by index: the same seed and index give the same bytes."""

import struct
import zlib

import numpy as np

_NUMBERS = (
    0, 1, 2, 3, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
    1 << 33, 1 << 40, (1 << 63) - 1, 1 << 63, (1 << 64) - 1,
)  # fmt: skip
"""Numbers at which readers go wrong: limits of types, and lengths that nothing has."""


def damaged(content: bytes, key: str, index: int) -> bytes:
    """Return a content with a few faults in it, mostly one.

    Parameters
    ----------
    content : bytes
    key : str
        Of what is damaged, such as the name of a seed.
    index : int
        The same key and index give the same bytes.
    """
    random = np.random.default_rng([zlib.crc32(key.encode()), index])
    result = bytearray(content)
    for _ in range(int(random.geometric(0.6))):
        fault = _FAULTS[int(random.integers(len(_FAULTS)))]
        fault(result, random)
    return bytes(result)


def _place(content: bytearray, random: np.random.Generator) -> int:
    """Draw a place: half of all lie in the first kilobyte, where headers are."""
    end = len(content) if random.random() < 0.5 else min(len(content), 1024)
    return int(random.integers(end + 1))


def _length(random: np.random.Generator) -> int:
    return int(2 ** random.uniform(0, 9))


def _flip(content: bytearray, random: np.random.Generator) -> None:
    place = _place(content, random)
    if place < len(content):
        content[place] ^= 1 << int(random.integers(8))


def _byte(content: bytearray, random: np.random.Generator) -> None:
    place = _place(content, random)
    content[place : place + 1] = random.bytes(1)


def _number(content: bytearray, random: np.random.Generator) -> None:
    place, size = _place(content, random), int(random.choice([1, 2, 4, 8]))
    number = _NUMBERS[int(random.integers(len(_NUMBERS)))] % (1 << 8 * size)
    order = "little" if random.random() < 0.7 else "big"
    content[place : place + size] = number.to_bytes(size, order)


def _decimal(content: bytearray, random: np.random.Generator) -> None:
    """Put another number where a text has one, if it has."""
    place = _place(content, random)
    digits = [i for i in range(place, len(content)) if 48 <= content[i] < 58][:1]
    for start in digits:
        end = start
        while end < len(content) and 48 <= content[end] < 58:
            end += 1
        number = _NUMBERS[int(random.integers(len(_NUMBERS)))]
        text = [str(number), f"-{number}", f"{number}e{number % 400}", "nan"]
        content[start:end] = text[int(random.integers(len(text)))].encode()


def _float(content: bytearray, random: np.random.Generator) -> None:
    place = _place(content, random)
    value = (np.nan, np.inf, -np.inf, 1e300, -0.0, 1e-300)[int(random.integers(6))]
    content[place : place + 8] = struct.pack("<d", value)


def _cut(content: bytearray, random: np.random.Generator) -> None:
    del content[_place(content, random) :]


def _remove(content: bytearray, random: np.random.Generator) -> None:
    place = _place(content, random)
    del content[place : place + _length(random)]


def _insert(content: bytearray, random: np.random.Generator) -> None:
    place = _place(content, random)
    content[place:place] = random.bytes(_length(random))


def _repeat(content: bytearray, random: np.random.Generator) -> None:
    place = _place(content, random)
    piece = content[place : place + _length(random)]
    content[place:place] = piece * int(random.integers(1, 8))


def _splice(content: bytearray, random: np.random.Generator) -> None:
    """Copy a piece to another place, over what is there."""
    source, target, length = _place(content, random), _place(content, random), _length(random)
    content[target : target + length] = content[source : source + length]


_FAULTS = (
    _flip, _flip, _flip, _byte, _byte, _byte, _number, _number, _number, _number, _decimal,
    _decimal, _float, _cut, _remove, _insert, _repeat, _splice, _splice,
)  # fmt: skip
