"""What a translation changes, and where: maps of the differences of input and output."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....simulator.errors import InputError
from .features import moments, pixel_blocks


@dataclass(frozen=True)
class SimilarityMap:
    """Differences of a standardised output and its standardised input, over the frames.

    Parameters
    ----------
    difference : float32 array of shape (depth, width)
        Mean difference, output less input, in SDs of a sequence (Ali et al. 2022, Fig. 3).
    distance : float32 array of shape (depth, width)
        Mean size of the difference: differences that change sign do not cancel in it.
    """

    difference: NDArray[np.float32]
    distance: NDArray[np.float32]

    @property
    def by_depth(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Means over the width of difference and distance, float64 of shape (depth,)."""
        return (
            self.difference.mean(axis=1, dtype=np.float64),
            self.distance.mean(axis=1, dtype=np.float64),
        )


def similarity_map(before: NDArray[Any], after: NDArray[Any]) -> SimilarityMap:
    """Compare a sequence with its translation frame by frame.

    Parameters
    ----------
    before, after : arrays of shape (time, depth, width)
        Each is standardised to mean 0 and SD 1 over all of its voxels.

    Returns
    -------
    SimilarityMap

    Raises
    ------
    InputError
        If the shapes differ, or values are not finite or all alike.
    """
    if before.shape != after.shape:
        raise InputError(
            f"translated sequence: found shape {after.shape}, wanted {before.shape} as its input"
        )
    (mean_a, sd_a, _, _), (mean_b, sd_b, _, _) = moments(before), moments(after)
    difference, distance = (np.empty(before.shape[1:], np.float32) for _ in range(2))
    for rows in pixel_blocks(before.shape):  # type: ignore[arg-type]
        change = (after[:, rows].astype(np.float64) - mean_b) / sd_b
        change -= (before[:, rows].astype(np.float64) - mean_a) / sd_a
        difference[rows] = change.mean(axis=0)
        distance[rows] = np.abs(change).mean(axis=0)
    return SimilarityMap(difference, distance)
