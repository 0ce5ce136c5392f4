"""Following drawn regions column by column: chains of runs, and which of them are one line."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HOLE = 0.015
"""Gaps within a column that are filled: at most this share of the image's depth."""

SHORTEST_CHAIN = 0.02
"""Chains of runs that are kept, as a share of the image's width: spurs are shorter."""

LONGEST_BREAK = 1 / 3
"""Breaks of a line that are bridged, as a share of the image's width."""

MISFIT = 0.02
"""By how much two pieces of a line may miss one another, as a share of the image's depth ..."""

DRIFT = 0.1
"""... and more for each pixel between them."""

MOST_CHAINS = 80
"""Chains that are looked at, the longest: masks of networks may be of specks."""

END = 0.1
"""How much of a piece tells where it leads to, as a share of the image's width."""


@dataclass(frozen=True)
class Chain:
    """Runs of a region in columns one after the other.

    Parameters
    ----------
    column : (columns,) array of int64
        Rising.
    top, bottom : (columns,) array of int64
        First and last row of the run in each column.
    """

    column: NDArray[np.int64]
    top: NDArray[np.int64]
    bottom: NDArray[np.int64]

    @property
    def centre(self) -> NDArray[np.float64]:
        """Rows in the middle of the runs."""
        return (self.top + self.bottom) / 2

    @property
    def height(self) -> NDArray[np.int64]:
        """Pixels in the runs."""
        return self.bottom - self.top + 1

    def end(self, part: slice) -> tuple[float, float, float]:
        """Return where a part of it lies, column and row, and its slope."""
        column, row = self.column[part], self.centre[part]
        middle = column.mean()
        away = column - middle
        # Lines near their end bend little; a slope from a few columns is steps of pixels.
        slope = (away @ row) / (away @ away) if len(column) > 5 else 0.0
        return float(middle), float(np.median(row)), float(slope)


def trace(mask: NDArray[np.bool_]) -> list[Chain]:
    """Return the lines that a mask shows, each of the chains that it is broken into.

    Runs of neighbouring columns are linked if they overlap and each is the nearest to the other:
    where a spur leaves or two lines meet, the line goes on and the branch is a chain of its own.

    Parameters
    ----------
    mask : (depth, width) array of bool
    """
    depth, width = mask.shape
    chains = [
        chain
        for chain in _chains(mask, max(2, round(HOLE * depth)))
        if len(chain.column) >= max(2, SHORTEST_CHAIN * width)
    ]
    chains.sort(key=lambda chain: -len(chain.column))
    chains = chains[:MOST_CHAINS]
    while True:
        best = _best_pair(chains, depth, width)
        if best is None:
            return chains
        first, second = best
        chains[first] = _joined(chains[first], chains[second])
        del chains[second]


def _chains(mask: NDArray[np.bool_], hole: int) -> list[Chain]:
    open_: list[list[tuple[int, int, int]]] = []
    done: list[list[tuple[int, int, int]]] = []
    for column in range(mask.shape[1]):
        runs = _runs(mask[:, column], hole)
        before = [chain[-1][1:] for chain in open_]
        follows = _linked(before, runs)
        went_on = []
        for index, chain in enumerate(open_):
            if index in follows:
                chain.append((column, *runs[follows[index]]))
                went_on.append(chain)
            else:
                done.append(chain)
        taken = set(follows.values())
        began = [[(column, *run)] for index, run in enumerate(runs) if index not in taken]
        open_ = went_on + began
    return [Chain(*np.array(chain, np.int64).T) for chain in done + open_]


def runs_of(values: NDArray[np.bool_]) -> tuple[list[int], list[int]]:
    """Return where runs of True begin, and where they have ended."""
    edges = np.flatnonzero(values[1:] != values[:-1]) + 1
    begins = [0] * bool(values[0]) + edges[int(values[0]) :: 2].tolist()
    ends = edges[1 - int(values[0]) :: 2].tolist() + [len(values)] * bool(values[-1])
    return begins, ends


def _runs(column: NDArray[np.bool_], hole: int) -> list[tuple[int, int]]:
    """Return first and last row of each run of a column, over small holes."""
    runs: list[tuple[int, int]] = []
    for top, end in zip(*runs_of(column), strict=True):
        if runs and top - runs[-1][1] - 1 <= hole:
            runs[-1] = (runs[-1][0], end - 1)
        else:
            runs.append((top, end - 1))
    return runs


def _linked(before: list[tuple[int, int]], runs: list[tuple[int, int]]) -> dict[int, int]:
    """Return which run goes on with which, by their indices."""
    if not before or not runs:
        return {}
    (top, bottom), (first, last) = np.array(before).T[:, :, None], np.array(runs).T
    apart = (top > last + 1) | (first > bottom + 1)
    table = np.where(apart, np.inf, np.abs(top + bottom - first - last))
    nearest, back = table.argmin(axis=1), table.argmin(axis=0)
    return {
        index: int(run)
        for index, run in enumerate(nearest)
        if np.isfinite(table[index, run]) and back[run] == index
    }


def _best_pair(chains: list[Chain], depth: int, width: int) -> tuple[int, int] | None:
    """Return the two chains that fit one another best as pieces of a line."""
    if len(chains) < 2:
        return None
    count = max(2, round(END * width))
    begins, ends = (
        np.array([chain.end(place) for chain in chains])
        for place in (slice(count), slice(-count, None))
    )
    first, last = (np.array([chain.column[place] for chain in chains]) for place in (0, -1))
    gap = first[None] - last[:, None]
    middle = (first[None] + last[:, None]) / 2
    before = ends[:, 1:2] + ends[:, 2:] * (middle - ends[:, :1])
    after = begins[:, 1] + begins[:, 2] * (middle - begins[:, 0])
    misfit = np.abs(before - after)
    fits = (gap > 0) & (gap <= LONGEST_BREAK * width) & (misfit <= MISFIT * depth + DRIFT * gap)
    best = np.where(fits, misfit + DRIFT * gap, np.inf)
    one, other = divmod(int(best.argmin()), len(chains))
    return (one, other) if fits[one, other] else None


def _joined(one: Chain, other: Chain) -> Chain:
    return Chain(
        np.concatenate([one.column, other.column]),
        np.concatenate([one.top, other.top]),
        np.concatenate([one.bottom, other.bottom]),
    )
