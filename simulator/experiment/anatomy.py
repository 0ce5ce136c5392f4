"""Where things lie in a subject: the grid of its tissue, and its artery."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..parameters import Parameters
from ..seeds import Stream, generator

FINEST = 0.35
"""Points of the tissue's grid are at most this far apart, mm: fascicles are some 1.5 mm."""

ARTERY_RADIUS = (0.8, 1.6)
"""Of the brachial artery's branches, mm (an assumption)."""


@dataclass(frozen=True)
class Grid:
    """The points at which a subject's tissue is described.

    Parameters
    ----------
    divisions : (int, int)
        Points of a pixel, in depth and width.
    shape : (int, int)
    step : (float, float)
        Depth and width of a point, mm.
    """

    divisions: tuple[int, int]
    shape: tuple[int, int]
    step: tuple[float, float]


@dataclass(frozen=True)
class Artery:
    """An artery across the image.

    Parameters
    ----------
    depth, width : float
        Of its centre, mm from the image's upper left corner.
    radius : float
        mm.
    """

    depth: float
    width: float
    radius: float


def grid_of(parameters: Parameters) -> Grid:
    """Return the grid of the tissue that is seen with some parameters."""
    depth, width = parameters.pixel_size
    divisions = math.ceil(depth / FINEST), math.ceil(width / FINEST)
    shape = parameters.pixels[0] * divisions[0], parameters.pixels[1] * divisions[1]
    return Grid(divisions, shape, (parameters.size[0] / shape[0], parameters.size[1] / shape[1]))


def draw_artery(
    shape: tuple[int, int], step: tuple[float, float], random: np.random.Generator
) -> Artery:
    """Place an artery in the deeper half, away from the edges.

    Parameters
    ----------
    shape : (int, int)
        Points of the tissue's grid.
    step : (float, float)
        Depth and width of a point, mm.
    random : numpy.random.Generator
    """
    place, radius = random.random(2), random.uniform(*ARTERY_RADIUS)
    depth, width = ((points - 1 + 0.5) * size for points, size in zip(shape, step, strict=True))
    return Artery((0.5 + 0.4 * place[0]) * depth, (0.15 + 0.7 * place[1]) * width, radius)


def artery_of(
    parameters: Parameters, drawn: Mapping[str, float] | None, seed: int, index: int
) -> Artery | None:
    """Return the artery of sequence `index`; none where no dose lets it move."""
    if drawn is None or drawn["artery"] == 0:
        return None
    grid = grid_of(parameters)
    return draw_artery(grid.shape, grid.step, generator(seed, index, Stream.BODY))


def places_of(artery: Artery | None) -> dict[str, Any]:
    """Return an artery's measures by the names of the store's variables, NaN where there is none.

    Returns
    -------
    dict of str to float
        ``artery_depth``, ``artery_width`` and ``artery_radius``, mm.
    """
    found = Artery(math.nan, math.nan, math.nan) if artery is None else artery
    return {f"artery_{name}": value for name, value in vars(found).items()}
