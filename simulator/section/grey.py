"""From an envelope to grey levels: logarithm, map and pixels."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

GREY_MAPS: dict[str, Callable[[NDArray[np.floating]], NDArray[np.floating]]] = {
    "linear": lambda level: level,
    "dark": lambda level: level**1.6,
    "soft": lambda level: level**0.8,
    "steep": lambda level: level * level * (3 - 2 * level),
}
"""What scanners make of the logarithm, from 0..1 to 0..1; makers do not publish theirs, these are
the usual shapes: a straight line, powers and an S."""

WHITE = 255
"""The highest level of 8 bits."""


def compress(
    envelope: NDArray[np.floating], white: float, dynamic_range: float
) -> NDArray[np.floating]:
    """Return the logarithm of an envelope, from 0 (black) to 1 (white).

    Parameters
    ----------
    envelope : float array of any shape
    white : float
        Amplitude that is white.
    dynamic_range : float
        From black to white, dB.
    """
    with np.errstate(divide="ignore"):
        decibels = 20 * np.log10(envelope / white)
    return np.clip(1 + decibels / dynamic_range, 0, 1)


def to_pixels(level: NDArray[np.floating], divisions: tuple[int, int]) -> NDArray[np.floating]:
    """Return the mean level of every `divisions` rows and columns, float (depth, width)."""
    rows, columns = divisions
    return level.reshape(-1, rows, level.shape[1] // columns, columns).mean(axis=(1, 3))


def grey_levels(level: NDArray[np.floating], grey_map: str) -> NDArray[np.uint8]:
    """Return levels of 0..1 as 8 bits, after a map of :data:`GREY_MAPS`."""
    return np.round(WHITE * GREY_MAPS[grey_map](level)).astype(np.uint8)
