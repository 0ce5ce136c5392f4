"""Volumes: intensities on a grid that lies somewhere in a body, turned and compared."""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError

EDGE = 0.5
"""How far a voxel reaches beyond its centre, in voxels: there its own value holds."""

ROUNDING = 1e-6
"""By how much a place may lie beyond that by rounding alone, in voxels."""


@dataclass(frozen=True, eq=False)
class Volume:
    """Intensities of one volume.

    Parameters
    ----------
    values : float32 array of shape (x, y, z)
    affine : float64 array of shape (4, 4)
        Takes the numbers of a voxel to its centre in a body whose axes run to the right, the front
        and the head [mm], as NIfTI has it.
    """

    values: NDArray[np.float32]
    affine: NDArray[np.float64]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along each axis."""
        x, y, z = self.values.shape
        return x, y, z

    @property
    def voxel_size(self) -> tuple[float, float, float]:
        """Distances of voxels along each axis [mm]."""
        x, y, z = np.linalg.norm(self.affine[:3, :3], axis=0).tolist()
        return x, y, z

    @property
    def grid(self) -> str:
        """Voxels and their size, in words."""
        shape = " x ".join(str(side) for side in self.shape)
        return f"{shape} voxels of {' x '.join(f'{side:.4g}' for side in self.voxel_size)} mm"


def check_affine(affine: NDArray[np.float64], place: str) -> NDArray[np.float64]:
    """Return what takes voxels to places.

    Raises
    ------
    InputError
        If it takes them nowhere, or all to one plane.
    """
    affine = np.asarray(affine, np.float64)
    sides = affine[:3, :3]
    sound = affine.shape == (4, 4) and bool(np.isfinite(affine).all())
    if not sound or abs(np.linalg.det(sides)) <= 1e-6 * np.prod(np.linalg.norm(sides, axis=0)):
        raise InputError(
            f"{place}: found no sound grid in its header, wanted three axes of voxels; save it "
            "again with its orientation"
        )
    return affine


def canonical(volume: Volume) -> Volume:
    """Return a volume with its axes in the order and sense nearest to right, front and head.

    No value is changed: axes are exchanged and reversed alone.

    Parameters
    ----------
    volume : Volume

    Examples
    --------
    >>> left = np.diag([-2.0, 2.0, 2.0, 1.0])
    >>> turned = canonical(Volume(np.arange(8, dtype=np.float32).reshape(2, 2, 2), left))
    >>> turned.values[:, 0, 0].tolist(), turned.affine[0].tolist()
    ([4.0, 0.0], [2.0, 0.0, 0.0, -2.0])
    """
    sides = volume.affine[:3, :3] / np.linalg.norm(volume.affine[:3, :3], axis=0)
    best = max(
        itertools.permutations(range(3)),
        key=lambda order: sum(abs(sides[world, axis]) for world, axis in enumerate(order)),
    )
    values, affine = volume.values.transpose(best), volume.affine[:, [*best, 3]].copy()
    for axis in range(3):
        if affine[axis, axis] < 0:
            values = np.flip(values, axis)
            affine[:, 3] += (values.shape[axis] - 1) * affine[:, axis]
            affine[:, axis] = -affine[:, axis]
    return Volume(values, affine + 0.0)  # no minus zeros


def distance(first: Volume, second: Volume) -> float:
    """Return how far the same voxels of two grids lie apart at the most [mm].

    Distances of places are convex in the places, so the corners decide.

    Parameters
    ----------
    first, second : Volume
        Of the same shape.
    """
    corners = np.array(
        [[*corner, 1] for corner in itertools.product(*((0, side - 1) for side in first.shape))]
    )
    apart = corners @ (first.affine - second.affine).T
    return float(np.linalg.norm(apart[:, :3], axis=1).max())


def resampled(volume: Volume, onto: Volume) -> tuple[Volume, float]:
    """Bring a volume onto the grid of another one by trilinear interpolation.

    Within half a voxel beyond the outermost centres the nearest ones hold; farther out, where
    the volume ends, values are 0. Nothing is smoothed before: a volume much finer than the
    grid had better be brought near to it by averaging.

    Parameters
    ----------
    volume, onto : Volume

    Returns
    -------
    volume : Volume
        On the grid of `onto`.
    outside : float
        Share of voxels that lie where the volume has none.
    """
    from scipy.ndimage import map_coordinates

    to_voxels = np.linalg.inv(volume.affine) @ onto.affine
    x, y, z = onto.shape
    plane = np.stack(np.meshgrid(np.arange(y), np.arange(z), indexing="ij"))
    # Of one plane after the other: places take three times eight bytes a voxel.
    within = np.einsum("ij,jyz->iyz", to_voxels[:3, 1:3], plane) + to_voxels[:3, 3, None, None]
    last = np.array(volume.shape)[:, None, None] - 1
    values, missing = np.empty(onto.shape, np.float32), 0
    for number in range(x):
        places = within + number * to_voxels[:3, 0, None, None]
        reach = EDGE + ROUNDING
        inside = ((places >= -reach) & (places <= last + reach)).all(axis=0)
        found = map_coordinates(volume.values, places, np.float64, order=1, mode="nearest")
        values[number] = np.where(inside, found, 0)
        missing += int(inside.size - inside.sum())
    return Volume(values, onto.affine), missing / values.size
