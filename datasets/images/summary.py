"""What is known of a store's images together: how many are drawn on, their scale, their groups."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..origin import ImportedImages
from ..store import Store
from .cropping import whole
from .stored import groups_of, images_of


@dataclass(frozen=True)
class ImagesCard:
    """Images together.

    Parameters
    ----------
    images : int
    drawn : int
        With aponeuroses drawn on them.
    known : int
        Of known size in millimetres.
    depths_mm, widths_mm, shapes : tuple of float
        Least and greatest depth and width of images, and width over depth of their pixels; depths
        and widths are empty if none is known.
    grey : tuple of float
        Mean, and SD, of grey levels.
    groups : int
    largest_group : int
        Images in the largest of them.
    cropped : int
        Images that a part of a screen was cut from, as far as that is known.
    """

    images: int
    drawn: int
    known: int
    depths_mm: tuple[float, ...]
    widths_mm: tuple[float, ...]
    shapes: tuple[float, ...]
    grey: tuple[float, float]
    groups: int
    largest_group: int
    cropped: int


def images_card(store: Store) -> ImagesCard:
    """Return what is known of a store's images together; all of it is read.

    Raises
    ------
    InputError
        If it holds tissue velocity.
    """
    entries, groups = images_of(store), groups_of(store)
    scales = [entry.scale for entry in entries]
    depth, width = store.layout.shape[1:]
    known = [scale for scale in scales if scale.known]
    counts, total, squares = 0, 0.0, 0.0
    for part in range(store.layout.parts):
        grey = store.read_part("bmode", part).astype(np.float64)
        counts, total, squares = counts + grey.size, total + grey.sum(), squares + (grey**2).sum()
    mean = total / counts
    origin = store.origin
    taken = origin.images if isinstance(origin, ImportedImages) else ()
    return ImagesCard(
        images=len(entries),
        drawn=sum(entry.has_mask for entry in entries),
        known=len(known),
        depths_mm=_ends([depth * scale.depth_mm for scale in known]),
        widths_mm=_ends([width * scale.depth_mm * scale.shape for scale in known]),
        shapes=_ends([scale.shape for scale in scales]),
        grey=(float(mean), float(np.sqrt(max(squares / counts - mean**2, 0)))),
        groups=len(np.unique(groups)),
        largest_group=int(np.bincount(groups).max()),
        cropped=sum(one.crop != whole(one.size) for one in taken),
    )


def _ends(values: Sequence[float]) -> tuple[float, ...]:
    return (min(values), max(values)) if values else ()
