"""Images of simulated trials, made when they are read."""

import functools
import threading
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...simulator.calf.study import Study
from ...simulator.errors import InputError
from ..origin import SimulatedTrials, check_revision

if TYPE_CHECKING:
    from ...simulator.calf.scene import CalfScene
    from ..store import Store

KEPT = 2
"""Participants that are kept ready, some 100 MB each at the paper's size: reading goes through one
after the other, and readers side by side may be at two."""

_PREPARING = threading.Lock()


def scene_of(study: Study, seed: int, participant: int) -> "CalfScene":
    """Return a participant, ready to be imaged; the last ones are kept."""
    with _PREPARING:  # so that threads do not prepare the same one side by side
        return _prepared(study, seed, participant)


@functools.lru_cache(maxsize=KEPT)
def _prepared(study: Study, seed: int, participant: int) -> "CalfScene":
    from ...simulator.calf.scene import prepare_scene  # brings Numba

    return prepare_scene(study, seed, participant)


def frames_of(store: "Store", index: int, frames: slice) -> NDArray[np.uint8]:
    """Render frames of a trial of a store, uint8 (frame, depth, width).

    Raises
    ------
    InputError
        If the store's trials were simulated by another revision, or were not simulated.
    """
    origin = store.origin
    if not isinstance(origin, SimulatedTrials):
        raise InputError(
            f"{store.location}: found {origin.made_by} without images, wanted them written; "
            f"{origin.advice}"
        )
    check_revision(origin, str(store.location))
    participant, task = origin.trial(index)
    scene = scene_of(origin.study, origin.seed, participant)
    return scene.images(task, frames.start, frames.stop)
