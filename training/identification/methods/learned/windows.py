"""Trains that may be units', from windows of the image.

Where many units move, a recording of two seconds has hardly more degrees of freedom in time than
there are courses of units, of what moves beside them and of the whole body, and no decomposition of
the whole image tells them apart. In a window of some millimetres only a few are strong. Windows
overlap, and several decompositions look at each: what is a unit comes out of many of them, what is
a mixture out of one.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from ...noise import Whitened
from ..blocks import Blocks
from ..candidates import View, gradients, middle_scales, unmixed_all

ITERATIONS = 30
"""Of FastICA in a window. With 100, no more of the true trains were among the candidates."""

FAINTEST = 1e-9
"""Share of the largest energy below which a direction of a window holds nothing."""

TOGETHER = 8
"""Windows that are decomposed at once: what is worked on stays in the processor's cache."""

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
    found: Whitened, blocks: Blocks, ways: Sequence[Windows] = KINDS
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Find trains in windows of the image.

    Parameters
    ----------
    found : Whitened
    blocks : Blocks
        Of the recording.
    ways : sequence of Windows
        Taken together.

    Returns
    -------
    trains : float64 array of shape (candidate, component)
        In whitened components, of any scale and sign.
    kind : int64 array of shape (candidate,)
        The place in `ways` of the way that gave each.
    """
    parts: list[NDArray[np.float64]] = []
    kinds: list[int] = []
    for places in dict.fromkeys((kind.width, kind.step) for kind in ways):
        # Several ways look at the same windows, whose directions take longer than all else.
        same = [number for number, kind in enumerate(ways) if (kind.width, kind.step) == places]
        most = max(ways[number].order for number in same)
        windows = _windows(blocks, *places)
        while some := list(itertools.islice(windows, TOGETHER)):
            directions = [_strongest(window.values, most) for window in some]
            all_of = [_trains(found, some, ways[number], directions) for number in same]
            for of_window in zip(*all_of, strict=True):
                parts += of_window
                kinds += np.repeat(same, [len(trains) for trains in of_window]).tolist()
    return np.concatenate(parts), np.array(kinds, np.int64)


def _windows(blocks: Blocks, width: float, step: float) -> Iterator[Blocks]:
    """Yield the blocks of each window."""
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
            values = np.ascontiguousarray(part.reshape(-1, part.shape[2]))
            yield Blocks(values, (part.shape[0], part.shape[1]), blocks.size)


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
    found: Whitened,
    windows: list[Blocks],
    kind: Windows,
    strongest: list[NDArray[np.float64]],
) -> list[NDArray[np.float64]]:
    """Return the trains of one kind in some windows, float64 (train, component) of each."""
    trains = [directions[: kind.order] for directions in strongest]
    held = [number for number, directions in enumerate(trains) if len(directions)]
    if not held:
        return trains
    if kind.view is None:
        courses = found.trains(np.concatenate(trains)).astype(np.float64)
        ends = np.cumsum([len(directions) for directions in trains])
        parts = np.split(courses, ends[:-1])
        unmixed = unmixed_all([parts[number].T for number in held], "logcosh", ITERATIONS)
        unmixed = [np.linalg.pinv(mixing).T for mixing in unmixed]
    else:
        samples = [_samples(windows[number], kind.view, trains[number]) for number in held]
        unmixed = unmixed_all(samples, kind.view.contrast, ITERATIONS)
    for number, mixing in zip(held, unmixed, strict=True):
        trains[number] = np.asarray(mixing @ trains[number], np.float64)
    return trains


def _samples(window: Blocks, view: View, directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what a view has of the maps of some directions, float64 (sample, direction)."""
    images = window.images((window.values @ directions.T).T)
    return view.of(images, window.size).T
