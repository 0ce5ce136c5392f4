"""How far a network looks: its answer at a point, when it is given a square about it and no more.

The window analysis of Grant-Jacob et al. 2021 (doi:10.1088/2399-6528/ac24d8, Fig. 13), at many
points: all of the image outside the window is 0, as air is, and the window grows.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

WIDTHS = (1, 3, 5, 7, 9, 11, 13, 15, 17, 21, 25, 31, 37, 45, 55, 65, 75)
"""Of windows, px; odd, so that a point lies in their middle. The paper's go up to 75 or 100."""

TOLERANCE = 0.05
"""Difference from the answer to the whole image, over the range of the values, that is none."""

BATCH = 16
"""Images that a network is given at a time."""


class Translator(Protocol):
    """What makes of images of one kind those of the other, in the store's intensities."""

    def batch(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the translations of images of shape (image, depth, width)."""
        ...


@dataclass(frozen=True)
class WindowAnswers:
    """What a network answers at some points of an image, for windows of growing width.

    Parameters
    ----------
    points : int array of shape (point, 2)
        Rows and columns.
    widths : tuple of int
        Of windows, px.
    answers : float64 array of shape (point, width)
        Values of the generated image at the points.
    whole : float64 array of shape (point,)
        The same, for the whole image.
    """

    points: NDArray[np.int64]
    widths: tuple[int, ...]
    answers: NDArray[np.float64]
    whole: NDArray[np.float64]

    @property
    def changes(self) -> NDArray[np.float64]:
        """Absolute differences from the answers to the whole image, of shape (point, width)."""
        return np.abs(self.answers - self.whole[:, None])

    def errors(self, actual: NDArray[Any]) -> NDArray[np.float64]:
        """Return absolute differences from actual values at the points, of shape (point, width)."""
        return np.abs(self.answers - np.asarray(actual, np.float64)[:, None])

    def needed(self, tolerance: float) -> NDArray[np.float64]:
        """Return the width of the window that each point needs; see :func:`needed_widths`."""
        return needed_widths(self.widths, self.changes, tolerance)


def windowed(
    image: NDArray[np.float32], point: Sequence[int], widths: Sequence[int]
) -> NDArray[np.float32]:
    """Return an image of which only a square about a point is given, for squares of some widths.

    Parameters
    ----------
    image : float32 array of shape (depth, width)
    point : (int, int)
        Row and column.
    widths : sequence of int
        px; of even ones the point lies below and to the right of the middle.

    Returns
    -------
    float32 array of shape (width, depth, width)
        What is outside of the square is 0.
    """
    found = np.zeros((len(widths), *image.shape), np.float32)
    for number, width in enumerate(widths):
        begins = [max(int(place) - width // 2, 0) for place in point]
        ends = [int(place) - width // 2 + width for place in point]
        inside = tuple(slice(begin, end) for begin, end in zip(begins, ends, strict=True))
        found[(number, *inside)] = image[inside]
    return found


def answers_at(
    translator: Translator,
    image: NDArray[np.float32],
    points: NDArray[Any],
    widths: Sequence[int] = WIDTHS,
    on_point: Callable[[], None] = lambda: None,
) -> WindowAnswers:
    """Ask a network about points, with windows of growing width about each.

    Parameters
    ----------
    translator : Translator
    image : float32 array of shape (depth, width)
    points : int array of shape (point, 2)
        Rows and columns.
    widths : sequence of int
        Of windows, px; growing.
    on_point : callable
        Called after each point.

    Returns
    -------
    WindowAnswers
    """
    points = np.asarray(points, np.int64).reshape(-1, 2)
    image = np.asarray(image, np.float32)
    whole = translator.batch(image[None])[0]
    answers = np.empty((len(points), len(widths)))
    for number, point in enumerate(points):
        shown = windowed(image, point, widths)
        for begin in range(0, len(shown), BATCH):
            given = translator.batch(shown[begin : begin + BATCH])
            answers[number, begin : begin + BATCH] = given[:, point[0], point[1]]
        on_point()
    return WindowAnswers(
        points, tuple(int(width) for width in widths), answers,
        whole[points[:, 0], points[:, 1]].astype(np.float64),
    )  # fmt: skip


def needed_widths(
    widths: Sequence[int], changes: NDArray[Any], tolerance: float
) -> NDArray[np.float64]:
    """Return the smallest widths from which on answers stay what they are for the whole image.

    Parameters
    ----------
    widths : sequence of int
        Growing.
    changes : array of shape (point, width)
        Differences from the answer to the whole image.
    tolerance : float
        Difference that is none.

    Returns
    -------
    float64 array of shape (point,)
        Infinite where even the widest window is too small.
    """
    within = np.asarray(changes) <= tolerance
    # Whether this width and all larger ones are enough.
    enough = np.logical_and.accumulate(within[:, ::-1], axis=1)[:, ::-1]
    found = np.array([*widths, math.inf])
    first = np.where(enough.any(axis=1), enough.argmax(axis=1), len(widths))
    return found[first]


def quantile_of_widths(values: NDArray[np.float64], share: float) -> float:
    """Return a quantile of widths some of which are infinite: the smallest that a share is up to.

    Parameters
    ----------
    values : float64 array
    share : float
        0 to 1.
    """
    if not len(values):
        return math.nan
    return float(np.quantile(values, share, method="inverted_cdf"))


def drawn_points(inside: NDArray[np.bool_], count: int, seed: int, index: int) -> NDArray[np.int64]:
    """Draw points of an image at random, none twice.

    Parameters
    ----------
    inside : bool array of shape (depth, width)
        Where they may lie.
    count : int
        Of points; all that there are, if those are fewer.
    seed, index : int
        The points are a function of these, and of `inside`.

    Returns
    -------
    int64 array of shape (point, 2)
        Rows and columns, in the order of rows.
    """
    places = np.argwhere(inside)
    random = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(index, 0)))
    chosen = random.choice(len(places), min(count, len(places)), replace=False)
    return places[np.sort(chosen)]


def even_points(inside: NDArray[np.bool_], count: int) -> NDArray[np.int64]:
    """Return points on a square grid, of which about some number lie in the image's inside.

    Parameters
    ----------
    inside : bool array of shape (depth, width)
    count : int

    Returns
    -------
    int64 array of shape (point, 2)
        Rows and columns.
    """
    step = max(1, round(math.sqrt(inside.sum() / max(count, 1))))
    grid = np.zeros_like(inside)
    grid[step // 2 :: step, step // 2 :: step] = True
    return np.argwhere(inside & grid)
