"""What was found out about where the answer of a network comes from."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....datasets.volumes.slices import Slice
from ..metrics import LEVELS
from .features import SizeClass, Structure, by_width, smallest_faithful
from .windows import TOLERANCE, WindowAnswers, quantile_of_widths

QUARTILES = (0.25, 0.5, 0.75)


def side_of(one: Slice) -> float:
    """Return the side of a slice's pixels, mm: that of a square of their area."""
    return math.sqrt(one.pixel_size[0] * one.pixel_size[1])


@dataclass(frozen=True)
class Pointed:
    """Points of a slice that were drawn at random.

    Parameters
    ----------
    slice : Slice
    answers : WindowAnswers
        In levels; points are those of the slice, without what is around it.
    actual : float64 array of shape (point,)
        Levels of the actual image.
    """

    slice: Slice
    answers: WindowAnswers
    actual: NDArray[np.float64]


@dataclass(frozen=True)
class Mapped:
    """Points on a grid over a slice.

    Parameters
    ----------
    slice : Slice
    given : float64 array of shape (row, column)
        The image given, in levels.
    answers : WindowAnswers
    """

    slice: Slice
    given: NDArray[np.float64]
    answers: WindowAnswers


@dataclass(frozen=True)
class Structured:
    """Structures of a slice.

    Parameters
    ----------
    slice : Slice
    structures : list of Structure
    """

    slice: Slice
    structures: list[Structure]


@dataclass(frozen=True)
class Seen:
    """What is made of a slice of which only a window is given.

    Parameters
    ----------
    slice : Slice
    widths : tuple of int
        px.
    given, generated : float64 arrays of shape (width, row, column)
        In levels.
    """

    slice: Slice
    widths: tuple[int, ...]
    given: NDArray[np.float64]
    generated: NDArray[np.float64]


@dataclass(frozen=True)
class Marked:
    """A slice whose structures are marked in a picture.

    Parameters
    ----------
    slice : Slice
    actual, generated : float64 arrays of shape (row, column)
        In levels.
    structures : list of Structure
    """

    slice: Slice
    actual: NDArray[np.float64]
    generated: NDArray[np.float64]
    structures: list[Structure]


@dataclass(frozen=True)
class WindowExplanation:
    """Where the answer of a network comes from.

    Parameters
    ----------
    widths : tuple of int
        Of windows, px.
    points : tuple of Pointed
    maps : tuple of Mapped
        One a plane.
    structures : tuple of Structured
    seen : Seen
    marked : Marked
    """

    widths: tuple[int, ...]
    points: tuple[Pointed, ...]
    maps: tuple[Mapped, ...]
    structures: tuple[Structured, ...]
    seen: Seen
    marked: Marked

    @property
    def tolerance(self) -> float:
        """Difference from the answer to the whole image that is none, in levels."""
        return TOLERANCE * LEVELS

    @property
    def pixel(self) -> float:
        """Side of pixels, mm: the median over slices that were looked at."""
        return float(np.median([side_of(one.slice) for one in self.structures]))

    @property
    def changes(self) -> NDArray[np.float64]:
        """Differences from the answers to whole images, in levels, of shape (point, width)."""
        return np.concatenate([one.answers.changes for one in self.points])

    @property
    def errors(self) -> NDArray[np.float64]:
        """Differences from the actual levels, of shape (point, width)."""
        return np.concatenate([one.answers.errors(one.actual) for one in self.points])

    @property
    def whole_errors(self) -> NDArray[np.float64]:
        """Differences of the answers to whole images from the actual levels, of shape (point,)."""
        return np.concatenate([np.abs(one.answers.whole - one.actual) for one in self.points])

    def needed(self, plane: str = "") -> NDArray[np.float64]:
        """Return the width of the window that each point needs, mm; infinite if none is enough.

        Parameters
        ----------
        plane : str
            Of this plane alone; of all, if empty.
        """
        found = [
            one.answers.needed(self.tolerance) * side_of(one.slice)
            for one in self.points
            if plane in ("", one.slice.plane)
        ]
        return np.concatenate(found) if found else np.empty(0)

    def needed_quartiles(self, plane: str = "") -> tuple[float, float, float]:
        """Return the quartiles of :meth:`needed`; infinite where they are beyond all windows."""
        first, median, third = (
            quantile_of_widths(self.needed(plane), share) for share in QUARTILES
        )
        return first, median, third

    @property
    def settled(self) -> float:
        """Width from which on half of the answers are those to the whole image, mm."""
        changes = np.median(self.changes, axis=0)
        beyond = np.flatnonzero(changes > self.tolerance)
        place = beyond[-1] + 1 if len(beyond) else 0
        return self.widths[place] * self.pixel if place < len(self.widths) else math.inf

    @property
    def classes(self) -> list[SizeClass]:
        """What is kept of structures, by their width."""
        return by_width([each for one in self.structures for each in one.structures])

    @property
    def smallest(self) -> float:
        """Width from which on structures are there, mm."""
        return smallest_faithful(self.classes) * self.pixel
