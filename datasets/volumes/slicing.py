"""How slices are taken of a volume whose axes run to the right, the front and the head."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from .slices import PLANES
from .volume import Volume

Value = TypeVar("Value", bound=np.generic)

HALVES = ("left", "right")

NORMALS = {"axial": 2, "coronal": 1, "sagittal": 0}
"""Axis along which slices of a plane follow one another."""

SIDES = {"axial": (1, 0), "coronal": (2, 0), "sagittal": (2, 1)}
"""Axes that rows and columns of pictures run along: rows against the axis, but for columns."""


def picture(values: NDArray[Value], plane: str, number: int) -> NDArray[Value]:
    """Return one slice as it is seen; see :data:`.slices.PLANES`.

    Parameters
    ----------
    values : array of shape (x, y, z)
    plane : str
    number : int
        Along the plane's normal.

    Returns
    -------
    array of shape (rows, columns)

    Examples
    --------
    >>> values = np.arange(8, dtype=np.float32).reshape(2, 2, 2)
    >>> picture(values, "axial", 1).tolist()  # the front, left and right, then the back
    [[3.0, 7.0], [1.0, 5.0]]
    """
    # What is left runs along columns first, as their axis comes before that of rows.
    # A view, where numpy.take would copy a volume first that is not laid out by rows.
    seen = np.moveaxis(values, NORMALS[plane], 0)[number].T[::-1]
    return np.ascontiguousarray(seen)


def volume_of_pictures(pictures: NDArray[np.float32], plane: str) -> NDArray[np.float32]:
    """Return the values of a volume whose slices of one plane are these pictures.

    Parameters
    ----------
    pictures : float32 array of shape (slice, rows, columns)
    plane : str

    Returns
    -------
    float32 array of shape (x, y, z)
        So that :func:`picture` gives them back.
    """
    return np.moveaxis(pictures[:, ::-1].transpose(0, 2, 1), 0, NORMALS[plane])


def pixel_size(volume: Volume, plane: str) -> tuple[float, float]:
    """Return depth and width of the pixels of a plane's pictures [mm]."""
    rows, columns = SIDES[plane]
    return volume.voxel_size[rows], volume.voxel_size[columns]


def picture_size(shape: Sequence[int], plane: str) -> tuple[int, int]:
    """Return rows and columns of a plane's pictures [px]."""
    rows, columns = SIDES[plane]
    return shape[rows], shape[columns]


def positions(volume: Volume, plane: str) -> NDArray[np.float64]:
    """Return where the slices of a plane lie along its normal [mm].

    Where axes are oblique, the normal is that of the slices.

    Parameters
    ----------
    volume : Volume
        As :func:`.volume.canonical` gives it.
    plane : str
    """
    axis = NORMALS[plane]
    first, second = (volume.affine[:3, other] for other in range(3) if other != axis)
    normal = np.cross(first, second)
    normal /= np.linalg.norm(normal)
    normal *= np.sign(normal @ volume.affine[:3, axis])
    middle = np.array([*((np.array(volume.shape) - 1) / 2), 1.0])
    middle[axis] = 0
    start = normal @ (volume.affine @ middle)[:3]
    return start + np.arange(volume.shape[axis]) * (normal @ volume.affine[:3, axis])


def half_of(volume: Volume, half: str) -> Volume:
    """Return the left or the right half of a volume.

    Voxels in the middle, of an odd number to the right, are in neither: the halves share none.

    Parameters
    ----------
    volume : Volume
        As :func:`.volume.canonical` gives it.
    half : {"left", "right"}

    Raises
    ------
    InputError
        If there is no such half.
    """
    check_half(half)
    count = volume.shape[0]
    if count < 2:
        raise InputError(f"`half`: found {count} voxel from left to right, wanted 2 or more")
    first = 0 if half == "left" else (count + 1) // 2
    affine = volume.affine.copy()
    affine[:, 3] += first * affine[:, 0]
    return Volume(volume.values[first : first + count // 2], affine)


def check_half(half: str | None) -> None:
    """Raise InputError unless `half` is one of :data:`HALVES`, or none."""
    if half is not None and half not in HALVES:
        raise InputError(f"`half`: found {half!r}, wanted left or right")


def parse_planes(text: str | Sequence[str]) -> tuple[str, ...]:
    """Return planes by their names, in the order of :data:`.slices.PLANES`.

    Parameters
    ----------
    text : str or sequence of str
        Names, parted by commas.

    Raises
    ------
    InputError
        If a name is not known, or there is none.
    """
    names = [*(text.split(",") if isinstance(text, str) else text)]
    names = [name.strip().lower() for name in names]
    wrong = next((name for name in names if name not in PLANES), None)
    if wrong is not None or not names:
        raise InputError(f"`planes`: found {wrong or ''!r}, wanted some of {', '.join(PLANES)}")
    return tuple(plane for plane in PLANES if plane in names)
