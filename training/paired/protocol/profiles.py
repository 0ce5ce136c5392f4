"""Levels along a line through a slice: Fig. 11 of Grant-Jacob et al. 2021."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....datasets.volumes.slices import Slice, cut
from .survey import Survey, body_in


@dataclass(frozen=True)
class Profile:
    """Levels along the row of a slice in which the actual ones vary most.

    Parameters
    ----------
    slice : int
        Its number.
    row : int
        Of the slice, px.
    position : float64 array of shape (column,)
        Along the row, mm.
    given, actual : float64 arrays of shape (column,)
    generated : dict of str to float64 array of shape (column,)
        By the translation's name.
    """

    slice: int
    row: int
    position: NDArray[np.float64]
    given: NDArray[np.float64]
    actual: NDArray[np.float64]
    generated: dict[str, NDArray[np.float64]]

    def rows(self) -> list[dict[str, Any]]:
        """Return a row of a table for each pixel."""
        return [
            {
                "slice": self.slice,
                "row": self.row,
                "position": float(position),
                "given": float(self.given[place]),
                "actual": float(self.actual[place]),
                **{name: float(values[place]) for name, values in self.generated.items()},
            }
            for place, position in enumerate(self.position)
        ]


def profile_of(
    one: Slice,
    survey: Survey,
    generated: Mapping[str, Mapping[int, NDArray[np.float32]]],
) -> Profile:
    """Return levels along a row of a slice.

    Parameters
    ----------
    one : Slice
    survey : Survey
    generated : mapping of str to mapping of int to float32 array of shape (depth, width)
        Images by the translation's name and the slice, on the canvas, in levels.
    """
    actual = survey.second.of(one.image_b)
    body = body_in(one, survey.first, survey.second)
    row = busiest_row(actual, body)
    size = one.image.shape
    return Profile(
        one.index,
        row,
        np.arange(size[1]) * one.pixel_size[1],
        survey.first.of(one.image)[row],
        actual[row],
        {
            name: cut(images[one.index], size)[row].astype(np.float64)
            for name, images in generated.items()
        },
    )


def busiest_row(image: NDArray[np.float64], body: NDArray[np.bool_]) -> int:
    """Return the row whose levels within the body vary most, in the sum of their squares.

    Parameters
    ----------
    image : float64 array of shape (row, column)
    body : bool array of shape (row, column)
    """
    best, found = -1.0, 0
    for row, (values, inside) in enumerate(zip(image, body, strict=True)):
        if inside.any():
            spread = float(values[inside].var() * inside.sum())
            if spread > best:
                best, found = spread, row
    return found
