"""Trains from the edges of territories.

Across the edge of one territory, neighbouring pixels differ by that unit's train alone, however
many units overlap there, and all along the edge by the same one. So the differences of
neighbouring pixels fall into few directions, one a unit.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ..noise import Whitened

REACH = 2
"""Pixels are compared with those up to so many pixels away, since soft edges are wider than one."""

MOST_PAIRS = 3000
"""Pairs that are compared with one another; if there are more, those that stand out most."""

PAIRS_AT_A_TIME = 16384

ROWS_AT_A_TIME = 64

SUM = 0.06
"""Share of a train's energy that may be left when it is taken for a sum of two others."""

FEWEST_PAIRS = 4
"""Pairs that a train must account for."""


def trains_of_edges(whitened: Whitened, most: int = 100) -> NDArray[np.float64]:
    """Find trains in the differences of pixels on both sides of edges.

    Parameters
    ----------
    whitened : Whitened
    most : int
        No more trains than this.

    Returns
    -------
    float64 array of shape (unit, component)
        Those with most pairs first; positive inside the unit. Some are sums of two units' trains,
        from edges that coincide.
    """
    size = whitened.shape[1:]
    values, variance = smooth(whitened)
    first, second = pairs(size)
    energy = distances(values, first, second)
    noise = variance[first] + variance[second]
    components = values.shape[1]
    chance = components + 4 * math.sqrt(2 * components) + 8
    seen = np.flatnonzero(energy > noise * chance)
    if seen.size > MOST_PAIRS:
        seen = seen[np.argsort(-(energy / noise)[seen], kind="stable")[:MOST_PAIRS]]
    first, second, energy, noise = first[seen], second[seen], energy[seen], noise[seen]
    difference = values[first] - values[second]
    # sin^2 of the angle that noise turns a difference by.
    blur = (components * noise / energy).astype(np.float32)
    unit_length = difference / np.sqrt(energy).astype(np.float32)[:, None]
    alive = np.ones(len(seen), bool)
    trains: list[NDArray[np.float64]] = []
    near = _alike(unit_length, blur)
    votes = near.sum(axis=1)
    while len(trains) < most and votes.size:
        best = int(votes.argmax())
        if votes[best] < FEWEST_PAIRS:
            break
        members = alive & near[best]
        direction = unit_length[best].astype(np.float64)
        for _ in range(2):
            direction = _average(difference[members], direction)
            turned = 1 - np.square(unit_length @ direction)
            members = alive & (turned < np.minimum(1.5 * blur + 0.01, 0.15))
            if not members.any():
                break
        members[best] = True
        along = difference[members] @ direction
        length = float(np.quantile(np.abs(along), 0.8))
        sign = _inside(first[members], second[members], np.sign(along), size[1])
        trains.append(sign * length * direction)
        gone = alive & (members | near[best])
        alive &= ~gone
        votes -= near[gone].sum(axis=0)
        votes[gone] = 0
        if _is_sum(direction, trains[:-1]):
            trains.pop()
    return np.array(trains).reshape(-1, components)


def _alike(directions: NDArray[np.float32], blur: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell which directions (pair, component), of length 1, are one but for noise and sign.

    Some rows at a time: what lies between need not leave the processor's cache.
    """
    near = np.empty((len(directions), len(directions)), np.bool_)
    for start in range(0, len(directions), ROWS_AT_A_TIME):
        rows = slice(start, start + ROWS_AT_A_TIME)
        cosine = directions[rows] @ directions.T
        np.less(0.99 - np.square(cosine), np.minimum(1.5 * (blur[rows, None] + blur), 0.14),
                out=near[rows])  # fmt: skip
    return near


def pairs(size: tuple[int, int], reach: int = REACH) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return indices of pixels and of those below or right of them, up to `reach` px away."""
    index = np.arange(size[0] * size[1]).reshape(size)
    first, second = [], []
    for step in range(1, reach + 1):
        first += [index[:, :-step].ravel(), index[:-step].ravel()]
        second += [index[:, step:].ravel(), index[step:].ravel()]
    return np.concatenate(first), np.concatenate(second)


def distances(
    values: NDArray[np.floating], first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the squared distances, float64 (pair,), of rows of values (pixel, component).

    Some pairs at a time: together they may take more memory than the recording.
    """
    energy = np.empty(len(first))
    for start in range(0, len(first), PAIRS_AT_A_TIME):
        part = slice(start, start + PAIRS_AT_A_TIME)
        energy[part] = np.square(values[first[part]] - values[second[part]]).sum(axis=1)
    return energy


def smooth(whitened: Whitened) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Average each pixel with those of its eight neighbours that differ from it by noise alone.

    Returns
    -------
    values : float32 array of shape (pixel, component)
    variance : float64 array of shape (pixel,)
        Of the noise left in each component.
    """
    depth, width = whitened.shape[1:]
    components = whitened.values.shape[1]
    image = whitened.values.reshape(depth, width, components)
    variance = np.square(whitened.noise.sd)
    chance = components + 3 * math.sqrt(2 * components)
    total, count = image.copy(), np.ones((depth, width))
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        here = (slice(0, depth - down), slice(max(-right, 0), width - max(right, 0)))
        there = (slice(down, depth), slice(max(right, 0), width - max(-right, 0)))
        distance = np.square(image[here] - image[there]).sum(axis=2)
        alike = distance < (variance[here] + variance[there]) * chance
        total[here] += np.where(alike[..., None], image[there], 0)
        total[there] += np.where(alike[..., None], image[here], 0)
        count[here] += alike
        count[there] += alike
    values = (total / count[..., None].astype(np.float32)).reshape(-1, components)
    left = variance * np.minimum(whitened.noise.area / count, 1.0)
    return values, left.ravel()


def _is_sum(direction: NDArray[np.float64], trains: list[NDArray[np.float64]]) -> bool:
    """Tell whether a direction, of length 1, is a combination of two of the trains."""
    if len(trains) < 2:
        return False
    units = np.array(trains)
    units /= np.sqrt(np.square(units).sum(axis=1))[:, None]
    products = units @ direction
    gram = units @ units.T
    upper = np.triu_indices(len(units), 1)
    cross, a, b = gram[upper], products[upper[0]], products[upper[1]]
    explained = (a * a + b * b - 2 * a * b * cross) / np.maximum(1 - cross * cross, 0.05)
    return bool(explained.max() > 1 - SUM)


def _average(
    difference: NDArray[np.float32], direction: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mean direction, of length 1, of differences turned towards a direction."""
    sign = np.sign(difference @ direction)
    total = np.asarray(sign @ difference, np.float64)
    return total / math.sqrt(float(total @ total))


def _inside(
    first: NDArray[np.int64], second: NDArray[np.int64], sign: NDArray[np.float64], width: int
) -> float:
    """Return 1 if the sides where differences are positive face the edge's middle, else -1."""
    a = np.column_stack([first // width, first % width]).astype(float)
    b = np.column_stack([second // width, second % width]).astype(float)
    middle = (a + b) / 2
    towards = ((middle.mean(axis=0) - middle) * (a - b)).sum(axis=1)
    return 1.0 if float((towards * sign).sum()) >= 0 else -1.0
