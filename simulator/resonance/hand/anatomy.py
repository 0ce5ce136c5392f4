"""All solids of a hand in one place, and the tissue at the points of a grid."""

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..tissues import (
    CARTILAGE,
    CORTEX,
    FASCIA,
    FAT,
    FLUID,
    LIGAMENT,
    MARROW,
    MUSCLE,
    RED_MARROW,
    SKIN,
)
from .body import Body
from .cords import extensors, flexors, ligaments, nerves_and_arteries, veins
from .muscles import muscles_of
from .skeleton import bones_of, rays_of
from .solids import Packed, pack
from .surface import Surface

CENTRE = (-8.0, 4.0, 51.0)
"""Of the volume in the right hand's own place, mm: it holds the hand from its tips to some 95 mm of
the forearm."""

CARTILAGE_THICKNESS = 0.75
"""Of a joint's surface, mm; joints of the hand have 0.4 to 1.1 (an assumption)."""

CORNER, SPACING, POINTS = (-84.0, -28.0, -104.0), 2.0, (160, 34, 82)
"""Where distances to the surface are kept: the first point, the way between points, mm, and their
numbers along, through and across the hand."""

NEAR = 2.5
"""Farther from bones and muscles than this no distance is asked for, mm."""


_SOFT = SKIN, FAT, FASCIA, MUSCLE
_HARD = FLUID, CARTILAGE, CORTEX, MARROW, RED_MARROW, FAT, LIGAMENT


@dataclass(frozen=True)
class Anatomy:
    """A hand's solids at a place.

    Parameters
    ----------
    surface : float32 array of shape (z, y, x)
        How far outside the hand points of its own place lie, mm: :data:`SPACING` apart, from
        :data:`CORNER` on.
    muscles : Packed
    cords : Packed
        Painted one over the other: tendons, ligaments, vessels, nerves.
    bones : Packed
    body : Body
    matrix : float64 array of shape (3, 3)
    offset : float64 array of shape (3,)
        A point's place in the volume is ``matrix @ own + offset``.
    """

    surface: NDArray[np.float32]
    muscles: Packed
    cords: Packed
    bones: Packed
    body: Body
    matrix: NDArray[np.float64]
    offset: NDArray[np.float64]

    def moved(self, matrix: NDArray[np.float64], offset: NDArray[np.float64]) -> "Anatomy":
        """Return it where a rotation or reflection, and a shift after it, put it."""
        groups = {
            name: getattr(self, name).moved(matrix, offset)
            for name in ("muscles", "cords", "bones")
        }
        return dataclasses.replace(
            self, **groups, matrix=matrix @ self.matrix, offset=matrix @ self.offset + offset
        )

    def tissue(
        self, origin: NDArray[np.float64], step: float, shape: tuple[int, int, int], key: int
    ) -> NDArray[np.uint8]:
        """Return the labels of tissue on a grid, uint8 (z, y, x).

        Parameters
        ----------
        origin : float64 array of shape (3,)
            x, y and z of the first point, mm.
        step : float
            Between points, mm.
        shape : (z, y, x)
        key : int
            Of what is drawn from place to place: septa of fat, strands in muscle, red marrow.
        """
        from . import solids_kernels as kernels
        from .surface_kernels import interpolate
        from .tissue_kernels import hard_tissue, soft_tissue

        def far() -> NDArray[np.float32]:
            return np.full(shape, kernels.FAR, np.float32)

        body, at = self.body, (origin, step)
        inverse = np.linalg.inv(self.matrix)
        own = np.column_stack([inverse, -inverse @ self.offset])
        labels, surface = np.empty(shape, np.uint8), np.empty(shape, np.float32)
        interpolate(surface, self.surface, np.array(CORNER), SPACING, own, *at)
        nearest, second, crust = far(), far(), np.zeros(shape, np.float32)
        which = np.full(shape, -1, np.int16)
        kernels.divide(
            nearest, second, which, crust, self.muscles.segments, self.muscles.starts, NEAR, *at
        )
        soft_tissue(labels, surface, nearest, second, body.skin, _SOFT, own, np.uint32(key), *at)
        cords = self.cords
        kernels.paint(labels, surface, cords.segments, cords.starts, cords.labels, body.skin, *at)
        nearest.fill(kernels.FAR)
        second.fill(kernels.FAR)
        which.fill(-1)
        kernels.divide(
            nearest, second, which, crust, self.bones.segments, self.bones.starts, NEAR, *at
        )
        hard_tissue(
            labels, surface, nearest, second, crust, body.fluid, CARTILAGE_THICKNESS * body.size,
            _HARD, own, np.uint32(key), *at,
        )  # fmt: skip
        return labels


def _kept(surface: Surface) -> NDArray[np.float32]:
    """Return distances to a surface, float32 (z, y, x)."""
    z, y, x = (
        start + SPACING * np.arange(count)
        for start, count in zip(reversed(CORNER), POINTS, strict=True)
    )
    points = np.stack(np.meshgrid(z, y, x, indexing="ij")[::-1], axis=-1).reshape(-1, 3)
    return surface.distance(np.asarray(points, np.float64)).reshape(POINTS).astype(np.float32)


def build(body: Body, side: int) -> Anatomy:
    """Return the anatomy of a left (0) or right (1) hand, in the middle of its volume."""
    rays = rays_of(body)
    surface = Surface(body, rays)
    cords = [
        *veins(body, rays, surface),
        *nerves_and_arteries(body, rays),
        *ligaments(body, rays),
        *flexors(body, rays),
        *extensors(body, rays),
    ]
    right = Anatomy(
        _kept(surface), pack(muscles_of(body, rays)), pack(cords),
        pack(bones_of(body, rays)), body, np.eye(3), np.zeros(3),
    ).moved(np.eye(3), -np.array(CENTRE))  # fmt: skip
    return right if side else right.moved(np.diag([-1.0, 1.0, 1.0]), np.zeros(3))
