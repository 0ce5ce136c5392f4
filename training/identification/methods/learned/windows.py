"""Trains that may be units', from windows of the image.

Where many units move, a recording of two seconds has hardly more degrees of freedom in time than
there are courses of units, of what moves beside them and of the whole body, and no decomposition of
the whole image tells them apart. In a window of some millimetres only a few are strong. Windows
overlap, and several decompositions look at each: what is a unit comes out of many of them, what is
a mixture out of one.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...noise import Whitened
from ..blocks import Blocks
from ..candidates import View, gradients, middle_scales, unmixed

ITERATIONS = 30
"""Of FastICA in a window. With 100, no more of the true trains were among the candidates."""

SAMPLES = 3
"""Blocks of a window for each component that is sought in it, at least."""


@dataclass(frozen=True)
class Windows:
    """A way to look at windows.

    Parameters
    ----------
    width : float
        Of a window in depth and width, mm.
    step : float
        Between windows, mm, at most.
    order : int
        Components that are sought in a window, the strongest.
    view : View, optional
        What of the maps is taken to be independent, and FastICA's contrast for it. Without, trains
        are taken to be independent and not maps.
    """

    width: float
    step: float
    order: int
    view: View | None


KINDS = (
    Windows(12.0, 6.0, 16, View(middle_scales, "logcosh")),
    Windows(12.0, 6.0, 16, View(gradients, "cube")),
    Windows(8.0, 4.0, 8, View(gradients, "cube")),
    Windows(6.0, 4.0, 4, None),
)
"""The ways that are taken together."""


def trains_of_windows(
    found: Whitened, blocks: Blocks
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Find trains in windows of the image.

    Parameters
    ----------
    found : Whitened
    blocks : Blocks
        Of the recording.

    Returns
    -------
    trains : float64 array of shape (candidate, component)
        In whitened components, of any scale and sign.
    kind : int64 array of shape (candidate,)
        The place in :data:`KINDS` of the way that gave each.
    """
    parts: list[NDArray[np.float64]] = []
    kinds: list[int] = []
    for number, kind in enumerate(KINDS):
        for values, shape in _windows(blocks, kind):
            trains = _trains(found, Blocks(values, shape, blocks.size), kind)
            parts.append(trains)
            kinds += [number] * len(trains)
    return np.concatenate(parts), np.array(kinds, np.int64)


def _windows(
    blocks: Blocks, kind: Windows
) -> Iterator[tuple[NDArray[np.float64], tuple[int, int]]]:
    """Yield the components of each window's blocks, and the window's shape."""
    image = blocks.values.reshape(*blocks.shape, -1)
    places = []
    for count, size in zip(blocks.shape, blocks.size, strict=True):
        length = min(max(round(kind.width / size), 1), count)
        steps = math.ceil((count - length) * size / kind.step - 1e-9)
        first = np.round(np.linspace(0, count - length, steps + 1)).astype(int)
        places.append([slice(int(start), int(start) + length) for start in first])
    for rows in places[0]:
        for columns in places[1]:
            part = image[rows, columns]
            yield np.ascontiguousarray(part.reshape(-1, part.shape[2])), part.shape[:2]


def _trains(found: Whitened, window: Blocks, kind: Windows) -> NDArray[np.float64]:
    values = window.values
    order = min(kind.order, values.shape[1], len(values) // SAMPLES)
    energy, vectors = np.linalg.eigh(values.T @ values)
    # A window in which next to nothing moves has fewer directions than are sought.
    order = min(order, int((energy > 1e-9 * max(float(energy[-1]), 1e-300)).sum()))
    directions = vectors[:, ::-1].T[:order]
    if order < 1:
        return directions
    if kind.view is None:
        courses = found.trains(directions).astype(np.float64)
        mixing = unmixed(courses.T, "logcosh", ITERATIONS)
        return np.asarray(np.linalg.pinv(mixing).T @ directions, np.float64)
    images = window.images((values @ directions.T).T)
    return unmixed(kind.view.of(images, window.size).T, kind.view.contrast, ITERATIONS) @ directions
