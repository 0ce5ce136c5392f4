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
import scipy
from numpy.typing import NDArray

from ...noise import Whitened
from ..blocks import Blocks
from ..candidates import View, gradients, middle_scales, unmixed

ITERATIONS = 30
"""Of FastICA in a window. With 100, no more of the true trains were among the candidates."""

FAINTEST = 1e-9
"""Share of the largest energy below which a direction of a window holds nothing."""

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
    for places in dict.fromkeys((kind.width, kind.step) for kind in KINDS):
        # Several ways look at the same windows, whose directions take longer than all else.
        same = [number for number, kind in enumerate(KINDS) if (kind.width, kind.step) == places]
        most = max(KINDS[number].order for number in same)
        for values, shape in _windows(blocks, *places):
            window = Blocks(values, shape, blocks.size)
            directions = _strongest(values, most)
            for number in same:
                trains = _trains(found, window, KINDS[number], directions)
                parts.append(trains)
                kinds += [number] * len(trains)
    return np.concatenate(parts), np.array(kinds, np.int64)


def _windows(
    blocks: Blocks, width: float, step: float
) -> Iterator[tuple[NDArray[np.float64], tuple[int, int]]]:
    """Yield the components of each window's blocks, and the window's shape."""
    image = blocks.values.reshape(*blocks.shape, -1)
    places = []
    for count, size in zip(blocks.shape, blocks.size, strict=True):
        length = min(max(round(width / size), 1), count)
        steps = math.ceil((count - length) * size / step - 1e-9)
        first = np.round(np.linspace(0, count - length, steps + 1)).astype(int)
        places.append([slice(int(start), int(start) + length) for start in first])
    for rows in places[0]:
        for columns in places[1]:
            part = image[rows, columns]
            yield np.ascontiguousarray(part.reshape(-1, part.shape[2])), part.shape[:2]


def _strongest(values: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """Return the directions in which a window moves most, float64 (direction, component).

    No more than so many, and fewer where next to nothing moves in others.
    """
    samples, components = values.shape
    order = min(order, components, samples // SAMPLES)
    if order < 1:
        return np.zeros((0, components))
    # The smaller of both products: they have the same energies.
    across = samples < components
    gram = values @ values.T if across else values.T @ values
    size = len(gram)
    energy, vectors = scipy.linalg.eigh(gram, subset_by_index=(size - order, size - 1))
    kept = energy > FAINTEST * max(float(energy[-1]), 1e-300)
    found = vectors[:, kept][:, ::-1].T
    if across:
        found = found @ values / np.sqrt(energy[kept][::-1])[:, None]
    return np.asarray(found, np.float64)


def _trains(
    found: Whitened, window: Blocks, kind: Windows, strongest: NDArray[np.float64]
) -> NDArray[np.float64]:
    directions = strongest[: kind.order]
    if not len(directions):
        return directions
    if kind.view is None:
        courses = found.trains(directions).astype(np.float64)
        mixing = unmixed(courses.T, "logcosh", ITERATIONS)
        return np.asarray(np.linalg.pinv(mixing).T @ directions, np.float64)
    images = window.images((window.values @ directions.T).T)
    return unmixed(kind.view.of(images, window.size).T, kind.view.contrast, ITERATIONS) @ directions
