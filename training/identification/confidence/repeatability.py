"""Whether a unit is there again: in each half of a recording, and in each half of its pixels.

R. Rohlén, M. Carbonaro et al. 2023, Journal of Neural Engineering 20, doi:10.1088/1741-2552/ace6fc:
components whose images repeat from epoch to epoch (by their Jaccard index) are those that motor
units are matched to, others are not. Here a recording's units are found once, in all of it. Three
epochs, each of half the recording, the second overlapping the first and the last, tell each unit's
map anew, by least squares with the trains of all units. Then the maps of one half read the trains
in the other, so that what is read was not fitted to; two interleaved sets of pixels do so apart.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..methods.evidence import CORE, smoothed
from ..noise import Noise
from ..units import Recording

SHORTEST_EPOCH = 0.25
"""An epoch shorter than a twitch tells no map, s."""

PARTS = 4
"""Parts of equal length that epochs are put together from."""

EPOCHS = ((0, 1), (1, 2), (2, 3))
"""The parts of each epoch: two halves, and one that overlaps both."""

RIDGE = 1e-3
"""Share of a train's or a map's energy that is added to it, so that no two are quite alike."""

PATCH = 2.0
"""Pixels are taken in turns in squares that are so many times as wide as noise is alike."""


@dataclass(frozen=True)
class Repeated:
    """What is there again of each unit.

    Parameters
    ----------
    maps : float64 array of shape (unit,)
        Mean Jaccard index of the places where its map is above half its peak, over pairs of
        epochs, 0..1.
    trains : float64 array of shape (unit,)
        Correlation of what two interleaved sets of pixels tell of its train, as of both together
        (Spearman-Brown), 0..1.
    read : float64 array of shape (unit, time)
        Its train as all pixels tell it, each half by the map of the other, mm/s.
    """

    maps: NDArray[np.float64]
    trains: NDArray[np.float64]
    read: NDArray[np.float64]


def repeated(
    recording: Recording,
    near: NDArray[np.bool_],
    train: NDArray[np.float32],
    noise: Noise,
) -> Repeated | None:
    """Look for units again.

    Parameters
    ----------
    recording : Recording
    near : bool array of shape (unit, depth, width)
        Where each unit's map is looked at: see :func:`.places.around`.
    train : float32 array of shape (unit, time)
        mm/s.
    noise : Noise
        Of the recording.

    Returns
    -------
    Repeated or None
        None where epochs are shorter than :data:`SHORTEST_EPOCH`.
    """
    frames, depth, width = recording.tvi.shape
    edges = np.linspace(0, frames, PARTS + 1).astype(int)
    shortest = int(edges[2])
    if shortest / recording.frame_rate < SHORTEST_EPOCH:
        return None
    tvi = recording.tvi.reshape(frames, depth * width)
    scale = np.sqrt(np.square(train, dtype=np.float64).mean(axis=1))
    scale = np.where(scale > 0, scale, 1.0)
    courses = np.concatenate([train / scale[:, None], np.ones((1, frames))]).astype(np.float32)
    spans = [slice(edges[part], edges[part + 1]) for part in range(PARTS)]
    grams = np.stack([courses[:, span] @ courses[:, span].T for span in spans])
    products = np.stack([courses[:, span] @ tvi[span] for span in spans])
    maps = np.stack([
        _solved(grams[list(epoch)].sum(axis=0), products[list(epoch)].sum(axis=0))[:-1]
        for epoch in EPOCHS
    ])  # fmt: skip
    pairs = [(0, 1), (1, 2), (0, 2)]
    places = [
        [_place(image.reshape(depth, width), near[unit], recording.pixel_size)
         for unit, image in enumerate(epoch)] for epoch in maps
    ]  # fmt: skip
    indices = [
        [jaccard(places[one][unit], places[other][unit]) for one, other in pairs]
        for unit in range(len(train))
    ]
    read = _read(tvi, maps[[0, 2]] * near.reshape(len(train), -1), noise, (depth, width), edges[2])
    odd, even = read[0], read[1]
    alike = _correlations(odd, even)
    together = np.maximum(2 * alike / (1 + np.maximum(alike, 0)), 0.0)
    return Repeated(
        np.array(indices).reshape(-1, len(pairs)).mean(axis=1),
        together,
        read[2] * scale[:, None],
    )


def jaccard(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Return the Jaccard index of two sets of pixels, 0..1; 0 if both are empty."""
    union = int((one | other).sum())
    return float((one & other).sum()) / union if union else 0.0


def _solved(gram: NDArray[np.float32], products: NDArray[np.float32]) -> NDArray[np.float64]:
    whole = gram.astype(np.float64)
    ridge = RIDGE * np.diag(whole)
    whole += np.diag(np.where(ridge > 0, ridge, 1.0))  # a train that is still has no map
    return np.asarray(np.linalg.solve(whole, products.astype(np.float64)), np.float64)


def _place(
    image: NDArray[np.float64], near: NDArray[np.bool_], size: tuple[float, float]
) -> NDArray[np.bool_]:
    """Return where a map is above half of its peak in its territory."""
    smooth = smoothed(image, size)
    if float((smooth * near).sum()) < 0:
        smooth = -smooth
    inside = smooth * near
    if not inside.max() > 0:
        return np.zeros(image.shape, np.bool_)
    return inside > CORE * inside.max()


def _read(
    tvi: NDArray[np.float32],
    maps: NDArray[np.float64],
    noise: Noise,
    shape: tuple[int, int],
    middle: int,
) -> NDArray[np.float64]:
    """Return trains read by odd, by even and by all patches, each half by the other's maps.

    Returns
    -------
    float64 array of shape (3, unit, time)
    """
    units = maps.shape[1]
    weight = 1 / np.square(np.maximum(noise.sd.reshape(-1), 1e-12))
    weight /= weight.mean()
    odd = _odd_patches(shape, noise.area).reshape(-1)
    read = np.zeros((3, units, len(tvi)))
    for half, span in ((0, slice(middle, None)), (1, slice(0, middle))):
        filters = []
        for chosen in (odd, ~odd, np.ones_like(odd)):
            weighted = maps[half] * (weight * chosen)
            gram = weighted @ maps[half].T
            gram += (RIDGE * np.diag(gram) + 1e-30) * np.eye(units)
            filters.append(np.linalg.solve(gram, weighted))
        together = np.concatenate(filters).astype(np.float32)
        read[:, :, span] = (together @ tvi[span].T).reshape(3, units, -1)
    return read


def _odd_patches(shape: tuple[int, int], area: float) -> NDArray[np.bool_]:
    """Return a chequerboard whose squares are wider than noise is alike, bool (depth, width)."""
    side = max(round(PATCH * math.sqrt(area)), 1)
    rows, columns = (np.arange(size) // side for size in shape)
    return (rows[:, None] + columns) % 2 == 1


def _correlations(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    one = one - one.mean(axis=1)[:, None]
    other = other - other.mean(axis=1)[:, None]
    size = np.sqrt(np.square(one).sum(axis=1) * np.square(other).sum(axis=1))
    return (one * other).sum(axis=1) / np.maximum(size, 1e-300)
