"""Whether a recording still is the one in which units were found."""

import numpy as np

from ...datasets.store import Store
from .stored import optional, shown_velocity_sd, velocity_sd

SD_TOLERANCE = 1e-3
"""Relative difference of the SD of a velocity that was computed twice: rounding, and no more."""


def is_same_recording(store: Store, index: int, source: Store, place: int) -> bool:
    """Return whether a source still holds what units were found in: some rows' SD tells.

    Parameters
    ----------
    store : Store
        Of the units found.
    index : int
        The sequence.
    source : Store
        Where it comes from.
    place : int
        The sequence there.
    """
    mine, theirs = store.layout, source.layout
    if place >= len(source) or (mine.shape, mine.frame_rate, mine.pixel_size) != (
        theirs.shape, theirs.frame_rate, theirs.pixel_size,
    ):  # fmt: skip
        return False
    then = store.read("velocity_sd", index)
    near = SD_TOLERANCE * float(shown_velocity_sd(store, index).max())
    faults = optional(store, "frame_fault", index)
    for row in sorted({0, len(then) // 3, len(then) // 2, len(then) - 1}):
        velocity = source.tvi(place, depth=slice(row, row + 1)).astype(np.float32, copy=False)
        now = velocity_sd(velocity, faults)[0]
        if not np.allclose(then[row], now, rtol=SD_TOLERANCE, atol=near):
            return False
    return True
