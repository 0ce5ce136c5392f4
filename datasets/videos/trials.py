"""Trials of a store of videos, whoever made them: images and states, frame by frame."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from ..origin import ExtractedRegions, ImportedVideos, SimulatedTrials
from ..store import Store, open_videos

STATES = ("emg", "torque", "angle")
"""What is told of a muscle: amplitude of its EMG (V), torque (N m), angle (deg)."""

SIGNALS = ("emg_amplitude", "torque", "angle")
"""The variables that hold them."""


@dataclass(frozen=True)
class MuscleTrial:
    """One trial: a video of a muscle, and its states.

    Parameters
    ----------
    store : Store
    index : int
        Its sequence.
    name : str
        Such as ``03-combined``.
    participant : int
    task : str
        Empty where it is not known.
    frames : int
    """

    store: Store
    index: int
    name: str
    participant: int
    task: str
    frames: int

    @property
    def frame_rate(self) -> float:
        """Hz."""
        return self.store.layout.frame_rate

    def images(self, first: int = 0, stop: int | None = None) -> NDArray[np.uint8]:
        """Return images, uint8 (frame, depth, width), all if not said: read, or rendered.

        Raises
        ------
        FailureError
            If the store is damaged.
        """
        first, stop, _ = slice(first, stop).indices(self.frames)
        return self.store.bmode(self.index, time=slice(first, max(first, stop)))

    def signal(self, name: str) -> NDArray[np.float32]:
        """Return a signal at the instants of images, float32 (frame,); NaN where there is none.

        Parameters
        ----------
        name : str
            A variable over samples, such as ``torque``.
        """
        step = round((self.store.layout.sample_rate or 0.0) / self.frame_rate)
        return self.store.read(name, self.index)[: self.frames * step : step]

    def states(self) -> NDArray[np.float32]:
        """Return :data:`STATES` at the instants of images, float32 (frame, 3)."""
        return np.stack([self.signal(name) for name in SIGNALS], axis=1)


def trials_of(store: Any) -> list[MuscleTrial]:
    """Return the trials of a store of videos.

    Parameters
    ----------
    store : Store, str or path

    Raises
    ------
    InputError
        If there is no such store, or it holds something else.
    FailureError
        If it is damaged.
    """
    opened = open_videos(store)
    origin = opened.origin
    if not isinstance(origin, SimulatedTrials | ImportedVideos | ExtractedRegions):
        raise InputError(
            f"{opened.location}: found {origin.made_by}, wanted trials that were simulated or "
            "imported"
        )
    found = []
    for index in range(len(opened)):
        participant, number = (int(opened.read(name, index)) for name in ("participant", "task"))
        task = origin.tasks[number] if number >= 0 else ""
        name = (
            f"{participant:02d}-{task}"
            if isinstance(origin, SimulatedTrials)
            else origin.names[index]
        )
        frames = int(opened.read("frame_count", index))
        found.append(MuscleTrial(opened, index, name, participant, task, frames))
    return found
