"""Motion between the two frames of a pair, and how its upper and lower halves move."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..tracking.features import Tracker


@dataclass(frozen=True)
class MotionField:
    """How corners of a frame move to the next one.

    Parameters
    ----------
    corners : float32 array of shape (corner, 2)
        Depth and width, px.
    displacements : float32 array of shape (corner, 2)
        Down and to the right, px.
    depth : int
        Of the frames, px.
    """

    corners: NDArray[np.float32]
    displacements: NDArray[np.float32]
    depth: int

    @property
    def halves(self) -> tuple[float, float]:
        """Median displacement to the right of the superficial and the deep half, px.

        One corner that was found in the wrong place moves a mean far. NaN where no corner is.
        """
        upper = self.corners[:, 0] < (self.depth - 1) / 2
        right = self.displacements[:, 1]
        return _median(right[upper]), _median(right[~upper])


def field_of(frames: NDArray[np.uint8], tracker: Tracker) -> MotionField:
    """Return the motion from the first of two frames to the second, of corners found again.

    Parameters
    ----------
    frames : uint8 array of shape (2, depth, width)
    tracker : Tracker

    Raises
    ------
    InputError
        If OpenCV is not installed.
    """
    corners = tracker.corners(frames[0])
    moved, found = tracker.follow(frames[0], frames[1], corners)
    return MotionField(corners[found], moved[found], frames.shape[1])


def joined(fields: list[MotionField]) -> MotionField:
    """Return several fields of frames of one size as one."""
    return MotionField(
        np.concatenate([each.corners for each in fields]),
        np.concatenate([each.displacements for each in fields]),
        fields[0].depth,
    )


def as_frames(pair: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return two standardised frames as grey levels: all that there is between black and white.

    Both are scaled alike, so that what is the same stays the same.
    """
    low, high = float(pair.min()), float(pair.max())
    if high <= low:
        return np.full(pair.shape, 128, np.uint8)
    return np.rint(255 * (pair - low) / (high - low)).astype(np.uint8)


def _median(values: NDArray[np.float32]) -> float:
    return float(np.median(values)) if len(values) else float("nan")
