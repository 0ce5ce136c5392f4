"""Where motor units lie: outlines in the muscle's cross-section and their masks in the image."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .parameters import Parameters
from .seeds import Stream, generator
from .shapes import SHAPES

ATTEMPTS = 1000
"""Draws after which a unit that never shows in the image is given up."""


@dataclass(frozen=True)
class Territories:
    """Territories of one sequence's units.

    Parameters
    ----------
    membership : float32 array of shape (unit, depth, width)
        Share of each pixel that belongs to each unit, 0..1.
    centre_depth, centre_width : float64 arrays of shape (unit,)
        Centres of mass of the outlines, mm from the image's upper left corner.
    diameter : float64 array of shape (unit,)
        Diameter of the disc of the outline's area, mm.
    axis_ratio : float64 array of shape (unit,)
        Long over short axis, of the ellipse that is bent or split where there is one.
    orientation : float64 array of shape (unit,)
        Angle of its long axis to the depth axis, rad, 0..pi.
    visible_share : float64 array of shape (unit,)
        Share of the outline's area inside the image and the muscle.
    boxes : int64 array of shape (unit, 4)
        Rows and columns that a unit lies in, see :func:`boxes_of`.
    """

    membership: NDArray[np.float32]
    centre_depth: NDArray[np.float64]
    centre_width: NDArray[np.float64]
    diameter: NDArray[np.float64]
    axis_ratio: NDArray[np.float64]
    orientation: NDArray[np.float64]
    visible_share: NDArray[np.float64]
    boxes: NDArray[np.int64]


def draw_territories(parameters: Parameters, units: int, seed: int, index: int) -> Territories:
    """Draw the territories of `units` units that show in the image.

    Centres are uniform in the muscle's cross-section, diameters uniform in their range (Ali et al.
    2020, section IV.A). A territory ends at the muscle's edge. A unit that covers no pixel is not
    present, so it is drawn again. That favours large territories where the image shows a part of
    the muscle only, and never happens where it shows all of it and territories are larger than
    pixels.

    Parameters
    ----------
    parameters : Parameters
    units : int
        Number of units.
    seed, index : int
        The store's seed and the sequence's index.

    Returns
    -------
    Territories

    Raises
    ------
    InputError
        If no unit of the wanted size can show in the image.
    """
    random = generator(seed, index, Stream.TERRITORY)
    fibre_random = generator(seed, index, Stream.FIBRES)
    edges = _muscle_edges(parameters, fat_thickness(parameters, seed, index))
    outlines = _draw_outlines(parameters, edges, random, units)
    membership, area = _masks(parameters, edges, outlines, fibre_random)
    for _ in range(ATTEMPTS):
        boxes = boxes_of(membership)
        missing = np.flatnonzero(boxes[:, 1] == 0)
        if missing.size == 0:
            break
        outlines[missing] = _draw_outlines(parameters, edges, random, missing.size)
        membership[missing], area[missing] = _masks(
            parameters, edges, outlines[missing], fibre_random
        )
    else:
        raise InputError(
            f"territories: found none that covers a pixel in {ATTEMPTS} draws, wanted {units}; use "
            "smaller pixels, larger diameters or a muscle that the image shows"
        )
    return Territories(
        membership=membership,
        centre_depth=outlines[:, 0].copy(),
        centre_width=outlines[:, 1].copy(),
        diameter=2 * np.sqrt(outlines[:, 2] * outlines[:, 3]),
        axis_ratio=outlines[:, 2] / outlines[:, 3],
        orientation=outlines[:, 4].copy(),
        visible_share=np.minimum(area / (math.pi * outlines[:, 2] * outlines[:, 3]), 1.0),
        boxes=boxes,
    )


def fat_thickness(parameters: Parameters, seed: int, index: int) -> float:
    """Return the thickness of skin and fat above the muscle of sequence `index`, mm."""
    return parameters.fat.draw_one(generator(seed, index, Stream.ANATOMY))


def _muscle_edges(parameters: Parameters, fat: float) -> NDArray[np.float64]:
    """First and last depth, first and last width of the muscle in image coordinates, mm."""
    (depth, width), (image_depth, image_width) = parameters.muscle_size, parameters.size
    top, left = (image_depth - depth) / 2, (image_width - width) / 2
    return np.array([max(top, fat), top + depth, left, left + width])


def _draw_outlines(
    parameters: Parameters, edges: NDArray[np.float64], random: np.random.Generator, units: int
) -> NDArray[np.float64]:
    """Draw (centre depth, centre width, semi-axes, angle) of the ellipses that outline units.

    What is bent and split has these two numbers more.
    """
    top, bottom, left, right = edges
    discs = np.zeros((units, 5))
    discs[:, 2] = discs[:, 3] = parameters.diameter.draw(random, units) / 2
    discs[:, :2] = random.random((units, 2)) * (bottom - top, right - left) + (top, left)
    return SHAPES[parameters.territory].outlines(parameters, discs, random)


def _masks(
    parameters: Parameters,
    edges: NDArray[np.float64],
    outlines: NDArray[np.float64],
    fibre_random: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return memberships, float32 (unit, depth, width), and visible areas, mm2 (unit,)."""
    from .territory_kernels import cover, cover_bent

    membership = np.zeros((len(outlines), *parameters.pixels), np.float32)
    area = np.zeros(len(outlines))
    pixel_size = np.array(parameters.pixel_size)
    hard = parameters.mask == "hard"
    covered_by = cover if outlines.shape[1] == 5 else cover_bent
    covered_by(outlines, pixel_size, edges, hard, membership, area)
    shape = SHAPES[parameters.territory]
    for covered, outline in zip(membership, outlines, strict=True):
        belongs = shape.membership(parameters, edges, outline, covered, fibre_random)
        if belongs is not covered:
            covered[:] = belongs
    return membership, area


def boxes_of(membership: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the rows and columns that units lie in, so that the rest need not be looked at.

    Parameters
    ----------
    membership : float32 array of shape (unit, depth, width)

    Returns
    -------
    int64 array of shape (unit, 4)
        First row, row after the last, first column, column after the last; 0 where there is none.
    """
    from . import territory_kernels

    return territory_kernels.boxes_of(membership)


def overlap_of(
    membership: NDArray[np.float32], boxes: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """Return the share of each unit's membership in pixels where another unit is too.

    Parameters
    ----------
    membership : float32 array of shape (unit, depth, width)
    boxes : int64 array of shape (unit, 4), optional
        Those of :func:`boxes_of`, where they are known.

    Returns
    -------
    float64 array of shape (unit,)
        0 (alone everywhere) to 1 (shared everywhere).
    """
    from .territory_kernels import shared_with_others

    overlap = np.zeros(len(membership))
    shared_with_others(membership, boxes_of(membership) if boxes is None else boxes, overlap)
    return overlap
