"""Paired slices: how they lie in a store, into it and out of it.

A slice is a picture of some rows and columns in the middle of a square canvas that all slices of a
store share. Whatever shows, trains on or translates slices reads them here, without the canvas.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from ..grid import MILLIMETRES, PIXELS
from ..layout import Layout
from ..origin import Origin, to_attributes
from ..schema import CHUNK_BYTES, SLICES, TISSUE, variables_of
from ..store import Store, open_slices

PLANES = ("axial", "coronal", "sagittal")
"""Names of planes, in the order of their numbers in a store.

Pictures are seen so, of a volume whose axes run to the right (x), the front (y) and the head (z):

- axial: rows run from the front to the back, columns from the left to the right;
- coronal: rows run from the head to the feet, columns from the left to the right;
- sagittal: rows run from the head to the feet, columns from the back to the front.
"""

MULTIPLE = 32
"""The canvas' side is a multiple of this: networks halve it five times."""

PART = 32
"""Slices of a part, if they are not so large that a chunk would be."""

FRAME_RATE = 1.0
"""Hz, of sequences of one slice: there is no other to tell it by."""

SAME = 1e-6
"""By how much sizes of pixels that have one in common differ, by rounding."""


@dataclass(frozen=True)
class Slice:
    """A slice through two volumes of one anatomy, without what is around it.

    Parameters
    ----------
    index : int
        In the store.
    plane : str
        One of :data:`PLANES`.
    position : float
        Along the plane's normal, towards the head, the front or the right [mm].
    image, image_b : float32 array of shape (rows, columns)
        Intensities as the volumes have them.
    pixel_size : tuple of float
        Depth and width of a pixel [mm].
    tissue : uint8 array of shape (rows, columns), optional
        Number of the tissue of each pixel, where it is known; 0: air.
    """

    index: int
    plane: str
    position: float
    image: NDArray[np.float32]
    image_b: NDArray[np.float32]
    pixel_size: tuple[float, float]
    tissue: NDArray[np.uint8] | None = None

    @property
    def is_constant(self) -> bool:
        """Whether either picture has one value throughout, so that there is nothing to learn."""
        return bool(np.ptp(self.image) == 0 or np.ptp(self.image_b) == 0)


def canvas_for(sizes: Iterable[tuple[int, int]]) -> int:
    """Return the side of the smallest canvas that pictures of some sizes fit into [px].

    Examples
    --------
    >>> canvas_for([(91, 109), (45, 91)])
    128
    """
    return -(-max(side for size in sizes for side in size) // MULTIPLE) * MULTIPLE


def padded(image: NDArray[Any], canvas: int | tuple[int, int]) -> NDArray[Any]:
    """Return an image in the middle of a canvas of zeros.

    Parameters
    ----------
    image : array of shape (..., rows, columns)
    canvas : int or tuple of int
        Side of a square, or depth and width [px].

    Raises
    ------
    InputError
        If the image does not fit.

    Examples
    --------
    >>> padded(np.ones((1, 2), int), 4).tolist()
    [[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    """
    depth, width = (canvas, canvas) if isinstance(canvas, int) else canvas
    rows, columns = image.shape[-2:]
    if rows > depth or columns > width:
        raise InputError(
            f"canvas: found {depth} x {width} px, wanted {rows} x {columns} px or more"
        )
    out = np.zeros((*image.shape[:-2], depth, width), image.dtype)
    out[(..., *_window((depth, width), (rows, columns)))] = image
    return out


def cut(image: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Return the middle of an image on its canvas: what :func:`padded` was given.

    Parameters
    ----------
    image : array of shape (..., depth, width)
    size : tuple of int
        Rows and columns [px].

    Raises
    ------
    InputError
        If the image is smaller.

    Examples
    --------
    >>> cut(np.arange(16).reshape(4, 4), (2, 3)).tolist()
    [[4, 5, 6], [8, 9, 10]]
    """
    rows, columns = (int(side) for side in size)
    depth, width = image.shape[-2:]
    if not (1 <= rows <= depth and 1 <= columns <= width):
        raise InputError(f"size: found {rows} x {columns} px, wanted 1 x 1 to {depth} x {width} px")
    return image[(..., *_window((depth, width), (rows, columns)))]


def _window(canvas: tuple[int, int], size: tuple[int, int]) -> tuple[slice, slice]:
    first, second = (
        slice((whole - side) // 2, (whole - side) // 2 + side)
        for whole, side in zip(canvas, size, strict=True)
    )
    return first, second


def slices_layout(
    origin: Origin,
    *,
    sequences: int,
    canvas: int,
    pixel_sizes: Iterable[tuple[float, float]],
    part_size: int | None = None,
    tissue: bool = False,
) -> Layout:
    """Decide how a store of slices is laid out.

    Parameters
    ----------
    origin : Origin
    sequences : int
        Slices.
    canvas : int
        Side of their images [px].
    pixel_sizes : iterable of tuple of float
        Depth and width of pixels, of every plane [mm]. Where they differ, the store's coordinates
        are in px.
    part_size : int, optional
        Slices in a part; :data:`PART`, or fewer large ones, if not given.
    tissue : bool
        Whether the tissues of pixels are known.

    Raises
    ------
    InputError
        If there are no slices, or a part is to hold none.
    """
    if sequences < 1:
        raise InputError(f"sequences: found {sequences}, wanted 1 or more")
    usual = max(1, min(PART, CHUNK_BYTES // (4 * canvas**2)))
    part_size = usual if part_size is None else int(part_size)
    if part_size < 1:
        raise InputError(f"part_size: found {part_size}, wanted 1 or more")
    sides = [float(side) for size in pixel_sizes for side in size]
    same = max(sides) - min(sides) <= SAME * max(sides)
    names = [one.name for one in variables_of(SLICES) if tissue or one.only != TISSUE]
    return Layout(
        kind=SLICES,
        variables=tuple(names),
        sizes={"sequence": sequences, "time": 1, "depth": canvas, "width": canvas, "side": 2},
        part_size=min(part_size, sequences),
        dtypes={},
        frame_rate=FRAME_RATE,
        pixel_size=(sides[0], sides[0]) if same else (1.0, 1.0),
        pixel_unit=MILLIMETRES if same else PIXELS,
        attributes=to_attributes(origin),
    )


def packed(slices: Sequence[Slice], layout: Layout) -> dict[str, NDArray[Any]]:
    """Return some slices as the variables of their store, the slices first.

    Parameters
    ----------
    slices : sequence of Slice
        Of one part; their indices are not looked at.
    layout : Layout
    """
    canvas = layout.shape[1:]
    arrays: dict[str, NDArray[Any]] = {
        name: np.stack([padded(getattr(one, name), canvas)[None] for one in slices])
        for name in ("image", "image_b")
    }
    arrays["plane"] = np.array([PLANES.index(one.plane) for one in slices], np.uint8)
    arrays["slice_position"] = np.array([one.position for one in slices], np.float64)
    arrays["slice_size"] = np.array([one.image.shape for one in slices], np.int32)
    sides = np.array([one.pixel_size for one in slices], np.float64)
    arrays["pixel_depth"], arrays["pixel_width"] = sides[:, 0], sides[:, 1]
    if TISSUE in layout.variables:
        known = [one.tissue for one in slices if one.tissue is not None]
        arrays[TISSUE] = np.stack([padded(labels, canvas) for labels in known])
    return arrays


class StoredSlices(Sequence[Slice]):
    """The slices of a store, each read when it is asked for; see :func:`slices_of`.

    Parameters
    ----------
    store : Store
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    def __len__(self) -> int:
        """Return the number of slices."""
        return len(self.store)

    @overload
    def __getitem__(self, index: int) -> Slice: ...
    @overload
    def __getitem__(self, index: slice) -> list[Slice]: ...
    def __getitem__(self, index: int | slice) -> Slice | list[Slice]:
        """Return a slice, or a list of some."""
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        number = int(index) + (len(self) if index < 0 else 0)
        if not 0 <= number < len(self):
            raise IndexError(
                f"{self.store.location}: found slice {index}, wanted 0 to {len(self) - 1}"
            )
        return self._read(number)

    def _read(self, index: int) -> Slice:
        def value(name: str) -> Any:
            return self.store.read(name, index)

        rows, columns = (int(side) for side in value("slice_size"))
        labels = value(TISSUE) if TISSUE in self.store.layout.variables else None
        return Slice(
            index,
            PLANES[int(value("plane"))],
            float(value("slice_position")),
            cut(value("image")[0], (rows, columns)),
            cut(value("image_b")[0], (rows, columns)),
            (float(value("pixel_depth")), float(value("pixel_width"))),
            None if labels is None else cut(labels, (rows, columns)),
        )


def slices_of(store: Any) -> StoredSlices:
    """Return the slices of a store, without what is around them.

    Parameters
    ----------
    store : Store, str or path

    Returns
    -------
    StoredSlices
        A sequence that reads them one by one.

    Raises
    ------
    InputError
        If it holds something else.
    FailureError
        When a slice is read, if the store is damaged.
    """
    return StoredSlices(open_slices(store))
