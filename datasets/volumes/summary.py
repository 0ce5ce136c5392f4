"""What is known of a store's slices together: how many of each plane, their sizes and values."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..origin import ImportedVolumes, ScannedHands, ScannedLabels
from ..store import Store
from .slices import PLANES, slices_of


@dataclass(frozen=True)
class PlaneCard:
    """The slices of one plane together.

    Parameters
    ----------
    plane : str
    slices : int
    sizes : tuple of (int, int)
        Least and greatest rows, and columns, of pictures [px].
    pixel_sizes : tuple of (float, float)
        Least and greatest depth, and width, of pixels [mm].
    positions : tuple of float
        Of the first and the last slice along the plane's normal [mm].
    left_out : int
        Slices that were left out, as one of their pictures is constant.
    """

    plane: str
    slices: int
    sizes: tuple[tuple[int, int], tuple[int, int]]
    pixel_sizes: tuple[tuple[float, float], tuple[float, float]]
    positions: tuple[float, float]
    left_out: int


@dataclass(frozen=True)
class Intensities:
    """The values of one of the two volumes, in slices; what is around them does not count.

    Parameters
    ----------
    minimum, maximum, mean, sd : float
    """

    minimum: float
    maximum: float
    mean: float
    sd: float


@dataclass(frozen=True)
class SlicesCard:
    """Slices together.

    Parameters
    ----------
    planes : tuple of PlaneCard
        Those that there are.
    image, image_b : Intensities
    """

    planes: tuple[PlaneCard, ...]
    image: Intensities
    image_b: Intensities


def slices_card(store: Store) -> SlicesCard:
    """Return what is known of a store's slices together; all of it is read.

    Raises
    ------
    InputError
        If it holds something else.
    """
    sums = {name: np.array([0.0, 0.0, 0.0, math.inf, -math.inf]) for name in ("image", "image_b")}
    for one in slices_of(store):
        for name, total in sums.items():
            _add(total, getattr(one, name))
    plane, position, sizes, depth, width = (
        _all(store, name)
        for name in ("plane", "slice_position", "slice_size", "pixel_depth", "pixel_width")
    )
    left_out = (
        store.origin.left_out
        if isinstance(store.origin, ImportedVolumes | ScannedHands | ScannedLabels)
        else {}
    )
    cards = []
    for number, name in enumerate(PLANES):
        here = plane == number
        if not here.any() and not left_out.get(name):
            continue
        cards.append(
            PlaneCard(
                name,
                int(here.sum()),
                (_ends(sizes[here, 0].astype(int)), _ends(sizes[here, 1].astype(int))),
                (_ends(depth[here]), _ends(width[here])),
                _ends(position[here]),
                left_out.get(name, 0),
            )
        )
    image, image_b = (_intensities(total) for total in sums.values())
    return SlicesCard(tuple(cards), image, image_b)


def _all(store: Store, name: str) -> NDArray[np.generic]:
    return np.concatenate([store.read_part(name, part) for part in range(store.layout.parts)])


def _add(total: NDArray[np.float64], image: NDArray[np.float32]) -> None:
    values = image.astype(np.float64)
    total[:3] += values.size, values.sum(), (values**2).sum()
    total[3:] = min(total[3], values.min()), max(total[4], values.max())


def _intensities(total: NDArray[np.float64]) -> Intensities:
    count, sum_, squares, minimum, maximum = total.tolist()
    mean = sum_ / count
    return Intensities(minimum, maximum, mean, math.sqrt(max(squares / count - mean**2, 0.0)))


def _ends(values: NDArray[np.generic]) -> tuple:
    return (values.min().item(), values.max().item()) if len(values) else ()
