"""How halves of a muscle move in trials while EMG or the angle change: what is to be learned."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..even_frames import even_frames
from ..tracking.features import Tracker
from .motion_fields import field_of

if TYPE_CHECKING:
    from ....datasets.videos.trials import MuscleTrial


def motion_in_trials(
    trials: "Sequence[MuscleTrial]", scales: NDArray[np.floating], count: int, tracker: Tracker
) -> NDArray[np.float64] | None:
    """Return how halves move to the right as EMG alone, or the angle alone, changes.

    Motion in pairs of frames that are spread over trials is explained by both changes together, in
    the sense of least squares.

    Parameters
    ----------
    trials : sequence of MuscleTrial
    scales : float array of shape (3,)
        Changes of EMG, torque and angle for which motion is told.
    count : int
        Pairs of frames.
    tracker : Tracker

    Returns
    -------
    float64 array of shape (2, 2), optional
        For EMG and for the angle: superficial and deep half, px from frame to frame. None where
        signals or corners are lacking.
    """
    states: dict[int, NDArray[np.float32]] = {}
    changes, motion = [], []
    for trial, at in even_frames(trials, count, successive=2):
        if trial.index not in states:
            states[trial.index] = trial.states()
        before, after = states[trial.index][at : at + 2]
        changes.append(((after - before) / scales)[[0, 2]])
        motion.append(field_of(trial.images(at, at + 2), tracker).halves)
    explaining, explained = np.array(changes, np.float64), np.array(motion, np.float64)
    known = np.isfinite(explaining).all(axis=-1) & np.isfinite(explained).all(axis=-1)
    if known.sum() < 8:
        return None
    with_mean = np.column_stack([explaining[known], np.ones(known.sum())])
    found, _, rank, _ = np.linalg.lstsq(with_mean, explained[known])
    return found[:2].astype(np.float64) if rank == 3 else None
