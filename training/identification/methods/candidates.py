"""Trains that may be units': independent components of a recording and of its halves.

A unit is there in both halves of a recording, at the same place. What chance, noise or the texture
of speckle gives looks otherwise in each: no other sign tells units from components so well
(Rohlén, Carbonaro et al. 2023, Journal of Neural Engineering 20, find the same in real muscles).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from ..noise import Whitened
from .blocks import Blocks
from .fast_ica import ITERATIONS, fast_ica_of_many

FAINTEST = 1e-7
"""Share of the largest power below which a direction is left out."""

MOST_OF_A_HALF = 24
"""Components that are sought in half of a recording."""

NARROW, WIDE = 0.6, 2.5
"""SDs of the two Gaussians whose difference leaves a map's middle scales, mm."""


@dataclass(frozen=True)
class Candidates:
    """What may be units.

    Parameters
    ----------
    trains : float64 array of shape (candidate, component)
    maps : float64 array of shape (candidate, depth, width)
        Weights of the train in each block, 1 or so where the unit is.
    stability : float64 array of shape (candidate,)
        Largest correlation of the map with those found in either half; the lesser of the two.
    view : int64 array of shape (candidate,)
        Number of the view it is from.
    """

    trains: NDArray[np.float64]
    maps: NDArray[np.float64]
    stability: NDArray[np.float64]
    view: NDArray[np.int64]


def gradients(images: NDArray[np.float64], size: tuple[float, float]) -> NDArray[np.float64]:
    """Return differences of neighbours: sparse where units end in edges."""
    parts = [np.diff(images, axis=axis).reshape(len(images), -1) for axis in (1, 2)]
    return np.concatenate(parts, axis=1)


def middle_scales(images: NDArray[np.float64], size: tuple[float, float]) -> NDArray[np.float64]:
    """Return what is a few mm wide: sparse where slow fields lie over the units."""
    narrow, wide = (
        np.asarray(scipy.ndimage.gaussian_filter(images, (0, sd / size[0], sd / size[1])))
        for sd in (NARROW, WIDE)
    )
    return (narrow - wide).reshape(len(images), -1)


class View(NamedTuple):
    """What of maps is taken to be independent.

    Parameters
    ----------
    of : callable
        Takes images, float64 (map, depth, width), and the size of a block in mm, and returns
        float64 (map, sample).
    contrast : {"logcosh", "cube"}
        FastICA's for it.
    """

    of: Callable[[NDArray[np.float64], tuple[float, float]], NDArray[np.float64]]
    contrast: str


VIEWS = (View(middle_scales, "logcosh"), View(gradients, "cube"))
"""What is looked at of the maps of a whole image."""


def candidates_of(found: Whitened, blocks: Blocks, directions: NDArray[np.float64]) -> Candidates:
    """Find trains whose maps are independent, in some views of the maps.

    Parameters
    ----------
    found : Whitened
    blocks : Blocks
        Of the recording.
    directions : float64 array of shape (direction, component)
        In which the recording holds more than noise.

    Returns
    -------
    Candidates
        One a direction and view; most are no units.
    """
    if not len(directions):
        nothing = np.zeros((0, blocks.values.shape[1]))
        return Candidates(nothing, np.zeros((0, *blocks.shape)), np.zeros(0), np.zeros(0, np.int64))
    trains = [_independent(blocks, directions, view) for view in VIEWS]
    maps = [(blocks.values @ np.linalg.pinv(one)).T for one in trains]
    together = blocks.images(np.concatenate(maps))
    stability = stability_of(found, blocks, together, len(directions))
    view = np.repeat(np.arange(len(VIEWS)), [len(one) for one in trains])
    return Candidates(np.concatenate(trains), together, stability, view)


def stability_of(
    found: Whitened, blocks: Blocks, maps: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    """Return how well maps are found again in each half of the recording, float64 (map,).

    Parameters
    ----------
    found : Whitened
    blocks : Blocks
    maps : float64 array of shape (map, depth, width)
    count : int
        Directions that hold signal.
    """
    if not len(maps) or not count:
        return np.zeros(len(maps))
    flat = maps.reshape(len(maps), -1)
    halves = _maps_of_halves(found, blocks, count)
    return np.asarray(np.min([_alike(flat, half) for half in halves], axis=0))


def _independent(
    blocks: Blocks, directions: NDArray[np.float64], view: View
) -> NDArray[np.float64]:
    images = blocks.images((blocks.values @ directions.T).T)
    return unmixed(view.of(images, blocks.size).T, view.contrast) @ directions


def _maps_of_halves(
    found: Whitened, blocks: Blocks, count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what is found in each half of the recording, float64 (map, block)."""
    courses = found.trains(np.eye(blocks.values.shape[1])).astype(np.float64)
    frames = courses.shape[1]
    halves = []
    for half in (slice(0, frames // 2), slice(frames // 2, frames)):
        gram = courses[:, half] @ courses[:, half].T
        energy, turn = np.linalg.eigh(gram)
        kept = energy > 1e-6 * max(float(energy[-1]), 1e-300)
        values = blocks.values @ (turn[:, kept] * np.sqrt(energy[kept]))
        _, vectors = np.linalg.eigh(values.T @ values)
        directions = vectors[:, ::-1].T[: min(count, MOST_OF_A_HALF)]
        part = Blocks(values, blocks.shape, blocks.size)
        maps = []
        for view in VIEWS:
            trains = _independent(part, directions, view)
            maps.append((values @ np.linalg.pinv(trains)).T)
        halves.append(np.concatenate(maps))
    return halves[0], halves[1]


def _alike(maps: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each map's largest cosine, without its sign, with any of some others."""
    one, two = (
        each / np.maximum(np.sqrt(np.square(each).sum(axis=1)), 1e-30)[:, None]
        for each in (maps, others)
    )
    return np.abs(one @ two.T).max(axis=1, initial=0.0)


def unmixed(
    values: NDArray[np.float64], contrast: str, iterations: int = ITERATIONS
) -> NDArray[np.float64]:
    """Return the mixing matrix, float64 (source, component), of values (sample, component).

    There are as many sources as directions that hold anything.

    Sources are taken to be symmetric about 0: edges are crossed both ways, and maps have no sign.
    So nothing is centred, which FastICA's own whitening would do.

    Parameters
    ----------
    values : float64 array of shape (sample, component)
    contrast : {"logcosh", "cube"}
        FastICA's, both odd in their derivative.
    iterations : int
        FastICA's, at most.
    """
    return unmixed_all([values], contrast, iterations)[0]


def unmixed_all(
    sets: Sequence[NDArray[np.float64]], contrast: str, iterations: int = ITERATIONS
) -> list[NDArray[np.float64]]:
    """Return the mixing matrices of several sets of values, each as :func:`unmixed` would.

    What is of one shape is unmixed together.
    """
    mixing: list[NDArray[np.float64]] = []
    together: dict[tuple[int, int], list[tuple[int, NDArray[np.floating]]]] = {}
    for number, values in enumerate(sets):
        power, turn = np.linalg.eigh(values.T @ values / len(values))
        # What is as faint as this in a view is rounding's, or a filter's that emptied it.
        kept = power > FAINTEST * power[-1]
        root, turn = np.sqrt(power[kept]), turn[:, kept]
        mixing.append(root[:, None] * turn.T)
        if len(root) > 1:
            # Single precision halves the time of tanh; cubes outgrow it.
            dtype = np.float32 if contrast == "logcosh" else np.float64
            white = ((values @ turn) / root).astype(dtype)
            together.setdefault(white.shape, []).append((number, white))
    for alike in together.values():
        turned = fast_ica_of_many(np.stack([white for _, white in alike]), contrast, iterations)
        for (number, _), rotation in zip(alike, turned, strict=True):
            mixing[number] = rotation.astype(np.float64) @ mixing[number]
    return mixing
