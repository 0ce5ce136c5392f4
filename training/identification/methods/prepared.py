"""What is done to a recording before units are sought in it, or read from it."""

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..blind_pixels import with_noise
from ..frame_faults import without_faults
from ..saturation import unsaturated
from ..slow_motion import without_slow_motion
from ..units import FEWEST_FRAMES, SHORTEST, Recording
from .long_recordings import searched_span


@dataclass(frozen=True)
class Prepared:
    """A recording as methods look at it.

    Parameters
    ----------
    recording : Recording
        What is looked at together: all of it, or a part of a long one.
    whole : Recording
        All of it.
    span : slice
        The part's frames.
    blind : bool array of shape (depth, width)
        Pixels that show no tissue; noise stands in for them.
    clipped : bool
        Whether velocities were cut off, and put back.
    slow : bool
        Whether slow motion was taken off the part.
    """

    recording: Recording
    whole: Recording
    span: slice
    blind: NDArray[np.bool_]
    clipped: bool
    slow: bool

    @property
    def in_part(self) -> bool:
        """Whether a part of the recording is looked at."""
        return len(self.whole.tvi) > self.span.stop - self.span.start


def prepare(recording: Recording, longest: float) -> tuple[Prepared | None, NDArray[np.uint8]]:
    """Fill in what a recording lacks and take off it what is no unit's.

    Parameters
    ----------
    recording : Recording
        Finite, and not still.
    longest : float
        Duration that is looked at together, s.

    Returns
    -------
    prepared : Prepared or None
        None where too few frames hold an image of their own.
    faults : uint8 array of shape (time,)
        What each frame is, by its place in :data:`..frame_faults.FAULTS`.
    """
    recording, faults = without_faults(recording)
    recorded = np.count_nonzero(faults == 0)
    if recorded < max(FEWEST_FRAMES, SHORTEST * recording.frame_rate):
        return None, faults
    recording, blind = with_noise(recording, faults == 0)
    whole, clipped = unsaturated(recording)
    part, span = whole, searched_span(whole, longest)
    if len(whole.tvi) > span.stop - span.start:
        part = dataclasses.replace(whole, tvi=np.ascontiguousarray(whole.tvi[span]))
    part, slow = without_slow_motion(part)
    return Prepared(part, whole, span, blind, clipped, slow), faults
