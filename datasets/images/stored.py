"""Images of a store, one by one, as those of a folder are."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from ..grid import MILLIMETRES
from ..origin import ImportedImages, SectionImages
from ..store import Store, shown_in
from .reading import BmodeImage
from .scale import PixelScale


@dataclass(frozen=True)
class StoredImage:
    """An image in a store.

    Parameters
    ----------
    store : Store
    index : int
    name : str
    """

    store: Store
    index: int
    name: str

    @property
    def stem(self) -> str:
        """Its name in a table of sizes."""
        return self.name

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return f"{self.store.location}, image {self.index} ({self.name})"

    @property
    def files(self) -> list[Path]:
        """The files that it is read from: none that may be written beside."""
        return []

    @property
    def truth(self) -> dict[str, float]:
        """What a simulated image is known to show, by columns of what is measured."""
        store, origin = self.store, self.store.origin
        if not isinstance(origin, SectionImages):
            return {}
        thick, steep, length = (
            float(store.read(name, self.index))
            for name in ("muscle_thickness", "pennation", "fascicle_length")
        )
        # Of before it was another angle.
        same = origin.revision == origin.own_revision
        return {
            "thickness_mm": thick,
            "pennation_deg": math.degrees(steep) if same else math.nan,
            "fascicle_length_mm": length,
        }

    @property
    def scale(self) -> PixelScale:
        """How large its pixels are."""
        layout = self.store.layout
        if "pixel_depth" in layout.variables:
            shape, depth = (
                float(self.store.read(name, self.index)) for name in ("pixel_shape", "pixel_depth")
            )
            return PixelScale(shape, depth)
        known = layout.pixel_unit == MILLIMETRES
        depth, width = layout.pixel_size
        return PixelScale.of_millimetres(depth, width) if known else PixelScale(width / depth)

    @property
    def has_mask(self) -> bool:
        """Whether aponeuroses were drawn on it; of those that were made, whether it has any."""
        variables = self.store.layout.variables
        if "aponeurosis_drawn" in variables:
            return bool(self.store.read("aponeurosis_drawn", self.index))
        drawn = "aponeurosis_mask" in variables
        return drawn and bool(self.store.read("aponeurosis_mask", self.index).any())

    def read(self) -> BmodeImage:
        """Read the image."""
        return BmodeImage(self.store.read("bmode", self.index)[0], 0.0, self.scale)

    def read_mask(self) -> NDArray[np.bool_] | None:
        """Read the mask: True where an aponeurosis is; None if nobody drew one."""
        if not self.has_mask:
            return None
        return np.asarray(self.store.read("aponeurosis_mask", self.index).any(axis=0))


def images_of(store: Store) -> list[StoredImage]:
    """Return the images of a store.

    Raises
    ------
    InputError
        If it holds something else.
    """
    if not store.is_section:
        raise InputError(
            f"{store.location}: found {shown_in(store)}, wanted images of the "
            "longitudinal section; make some with `musim generate --preset katakis-2023`, or "
            "import some"
        )
    origin = store.origin
    if isinstance(origin, ImportedImages):
        names: Sequence[str] = [one.name for one in origin.images]
    else:
        names = [f"{index:06d}" for index in range(len(store))]
    return [StoredImage(store, index, name) for index, name in enumerate(names)]


def groups_of(store: Store) -> NDArray[np.int64]:
    """Return the group of each image of a store: of those that belong together."""
    if "image_group" not in store.layout.variables:
        return np.arange(len(store), dtype=np.int64)
    parts = [store.read_part("image_group", part) for part in range(store.layout.parts)]
    return np.concatenate(parts)
