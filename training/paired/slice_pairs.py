"""Pairs of slices: which are trained on, which validate, and what is read of them."""

import functools
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...datasets.store import Store
from ...datasets.volumes.slices import PLANES, Slice, padded, slices_of
from ...simulator.errors import InputError

if TYPE_CHECKING:
    from .paired_settings import PairedSettings

TENTH = 10
"""One slice of so many validates."""

BLOCK = 4
"""Most slices side by side that validate: neighbours are nearly equal, and so tell little."""

FEWEST = 3
"""Slices of a plane of which one may validate: it, and one on either side that is left out."""


class SlicePairs:
    """The slices of a store as pairs of images on its canvas.

    Parameters
    ----------
    store : Store
        Of paired slices.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    @functools.cached_property
    def slices(self) -> list[Slice]:
        """All slices, without what is around them; read once."""
        return list(slices_of(self.store))

    @functools.cached_property
    def _planes(self) -> NDArray[np.int64]:
        return np.array([PLANES.index(one.plane) for one in self.slices])

    @functools.cached_property
    def _shares(self) -> tuple[list[int], list[int]]:
        """Indices that can be trained on if others validate, and those others."""
        trained: list[int] = []
        validated: list[int] = []
        positions = np.array([one.position for one in self.slices])
        for plane in range(len(PLANES)):
            indices = np.flatnonzero(self._planes == plane)
            # Slices of several subjects lie at the same places: there all of them validate.
            places, place = np.unique(positions[indices], return_inverse=True)
            held = held_out(len(places))
            near = held.copy()
            near[1:] |= held[:-1]
            near[:-1] |= held[1:]
            held, near = held[place], near[place]
            validated += indices[held].tolist()
            trained += indices[~near].tolist()
        return sorted(trained), sorted(validated)

    def trained(self, held_out: bool) -> list[int]:
        """Return which slices are trained on: all, or those that are not near validating ones."""
        return self._shares[0] if held_out else list(range(len(self.slices)))

    @property
    def validated(self) -> list[int]:
        """Which slices validate: of every plane every tenth, in blocks."""
        return self._shares[1]

    def check(self, settings: "PairedSettings") -> None:
        """Raise InputError unless there are slices to train on and to validate by."""
        if settings.dimensions == 3 or settings.frames > 1:
            raise InputError(
                f"{self.store.location}: found dimensions {settings.dimensions} and frames "
                f"{settings.frames} for slices, wanted 2 and 1; clips are of sequences"
            )
        if not self.validated or not self.trained(settings.held_out):
            raise InputError(
                f"{self.store.location}: found {len(self.slices)} slices of "
                f"{len(set(self._planes.tolist()))} planes, wanted a plane of {FEWEST} or more: "
                "one of them validates"
            )
        if any(low == high for low, high in self.scales):
            raise InputError(
                f"{self.store.location}: found one intensity throughout, wanted pictures; there is "
                "nothing to learn"
            )

    @functools.cached_property
    def scales(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Least and greatest intensity of all slices, of either kind: what -1 and 1 stand for."""
        found = []
        for name in ("image", "image_b"):
            images = [getattr(one, name) for one in self.slices]
            # What is around slices is 0.
            low = min(0.0, *(float(image.min()) for image in images))
            found.append((low, max(0.0, *(float(image.max()) for image in images))))
        return found[0], found[1]

    def has_sides(self, index: int) -> bool:
        """Return whether the columns of a slice run from left to right, as a body has sides."""
        return self.slices[index].plane != "sagittal"

    def image(
        self, kind: str, index: int, settings: "PairedSettings", key: tuple[int, ...]
    ) -> NDArray[np.float32]:
        """Return an image, (1, depth, width), on its canvas if that is asked for."""
        one = self.slices[index]
        image = one.image if kind == "a" else one.image_b
        return (
            padded(image, self.store.layout.shape[1:]) if settings.canvas == "store" else image
        )[None]

    def pair(
        self, index: int, settings: "PairedSettings"
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return both images of a slice, without what is around them, (1, rows, columns)."""
        one = self.slices[index]
        return one.image[None], one.image_b[None]


def held_out(count: int) -> NDArray[np.bool_]:
    """Return which of so many slices of a plane, in their order, validate.

    One of ten, in blocks of up to :data:`BLOCK` that lie side by side, from the middle of every ten
    blocks; one at least of :data:`FEWEST` slices or more.

    Examples
    --------
    >>> np.flatnonzero(held_out(100)).tolist()
    [20, 21, 22, 23, 60, 61, 62, 63]
    >>> np.flatnonzero(held_out(7)).tolist()
    [5]
    """
    chosen = np.zeros(count, bool)
    if count < FEWEST:
        return chosen
    block = max(1, min(BLOCK, count // (2 * TENTH)))
    places = np.arange(count) // block
    chosen = places % TENTH == TENTH // 2
    if not chosen.any():
        chosen[count // 2] = True
    return chosen
