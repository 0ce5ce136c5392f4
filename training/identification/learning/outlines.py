"""What is seen of units in examples, and their territories: what outlines are learned from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..methods.blocks import Blocks, average, factors_of
from ..methods.learned.outlines import SIDE, VIEWS, around, views_of
from ..methods.spread import maps_of

STEPS = 255
"""A share of a place that is a unit's is kept in so many steps."""


@dataclass(frozen=True)
class Outlines:
    """Units as they are seen, and their territories.

    Parameters
    ----------
    views : float16 array of shape (unit, view, depth, width)
        See :func:`..methods.learned.outlines.views_of`.
    territory : uint8 array of shape (unit, depth, width)
        Share of each place that is the unit's, in steps of 1/255.
    """

    views: NDArray[np.float16]
    territory: NDArray[np.uint8]

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.views)

    @classmethod
    def together(cls, parts: Sequence["Outlines"]) -> "Outlines":
        """Return those of some examples, one after another."""
        views = [part.views for part in parts] or [np.zeros((0, len(VIEWS), SIDE, SIDE))]
        territory = [part.territory for part in parts] or [np.zeros((0, SIDE, SIDE))]
        return cls(np.concatenate(views).astype(np.float16),
                   np.concatenate(territory).astype(np.uint8))  # fmt: skip


def outlines_of(
    blocks: Blocks,
    trains: NDArray[np.float64],
    territory: NDArray[np.floating],
    pixel_size: tuple[float, float],
) -> Outlines:
    """Return what is seen of units that were found, and which places are theirs.

    Parameters
    ----------
    blocks : Blocks
        Of the recording.
    trains : float64 array of shape (unit, component)
        As they were found.
    territory : float array of shape (unit, depth, width)
        The same units' true territories on the recording's pixels, 0..1.
    pixel_size : (float, float)
        mm.
    """
    trains = trains.copy()
    seen = views_of(blocks, trains, maps_of(blocks, trains))
    true = average(territory, factors_of(pixel_size))
    shares = [around(one[None], centre, blocks.size)[0]
              for one, centre in zip(true, seen.centres, strict=True)]  # fmt: skip
    kept = np.array(shares).reshape(len(shares), *seen.views.shape[2:])
    # Of a unit that lies beyond what is seen there is nothing to learn.
    there = (kept > 0.5).any(axis=(1, 2))
    return Outlines(
        seen.views[there].astype(np.float16), np.round(kept[there] * STEPS).astype(np.uint8)
    )
