"""Frames as the motion of a hundred places: what the method ``klt`` shows its network."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ....datasets.grid import Grid
from ..even_frames import even_frames
from ..input_stages import InputStage
from ..state_settings import StateSettings
from .connected import ConnectedNetwork
from .features import Tracker
from .places import PLACES, find_places, track

if TYPE_CHECKING:
    from ....datasets.videos.trials import MuscleTrial

_log = logging.getLogger(__name__)

IMAGES = 500
"""From which places are found; Cunningham et al. 2017, section III.D."""


class TrackedPlaces(InputStage):
    """A row for each pair of frames: how far each place moved down and to the right, px.

    Parameters
    ----------
    settings : StateSettings
    grid : Grid
        Of the videos.
    """

    span = 1
    row_dtype = "float32"
    shape = (2 * PLACES,)
    places: Tensor

    def __init__(self, settings: StateSettings, grid: Grid) -> None:
        super().__init__()
        self.tracker = Tracker(window=settings.window)
        self.register_buffer("places", torch.zeros(PLACES, 2))

    def learn(self, trials: "Sequence[MuscleTrial]", seed: int) -> None:
        """Find places in images of the trials that are trained on, and of no others.

        Raises
        ------
        InputError
            If there are too few corners in them, or a library is not installed.
        """
        images = (trial.images(at, at + 1)[0] for trial, at in even_frames(trials, IMAGES))
        _log.info("looking for places in %d images that are trained on", IMAGES)
        found = find_places(images, self.tracker, seed)
        self.places.copy_(torch.from_numpy(found))

    def rows_of(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return how places move from each of some frames to the next, px."""
        moved = track(images, self.places.cpu().numpy(), self.tracker)
        return moved.reshape(len(moved), -1)

    def reversed(self, rows: Tensor) -> Tensor:
        """Return what moved, moved back."""
        return -rows

    def describe(self) -> str:
        """Return how corners are found and followed."""
        return str(self.tracker)

    def network(self, settings: StateSettings, outputs: int) -> nn.Module:
        """Return fully connected layers over the places of an example."""
        dropped = settings.dropout if settings.dropout_layers else 0.0
        return ConnectedNetwork(
            2 * PLACES, settings.neurons, outputs, settings.dropout_layers, dropped
        )
