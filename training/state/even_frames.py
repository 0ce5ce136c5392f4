"""Frames at even distances from one another, over several trials."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ...datasets.videos.trials import MuscleTrial


def even_frames(
    trials: "Sequence[MuscleTrial]", count: int, *, successive: int = 1
) -> "list[tuple[MuscleTrial, int]]":
    """Return trials with numbers of frames, at even distances in trials that are taken for one.

    Parameters
    ----------
    trials : sequence of MuscleTrial
    count : int
        Of frames; all that there are, if those are fewer.
    successive : int
        Frames that there have to be in the trial from each of these on.
    """
    begins = np.cumsum([0, *(max(trial.frames - successive + 1, 0) for trial in trials)])
    count = min(count, int(begins[-1]))
    found = []
    for number in (2 * np.arange(count) + 1) * begins[-1] // (2 * max(count, 1)):
        which = int(np.searchsorted(begins, number, side="right")) - 1
        found.append((trials[which], int(number - begins[which])))
    return found
