"""What raises each output of a network of states most: pairs of frames, and their motion."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..state_networks import SIGNALS, StateNetworks
from ..tracking.features import Tracker
from ..tracking.stage import TrackedPlaces
from .maximising import Ascent, maximise, response_of_output
from .motion_fields import MotionField, as_frames, field_of, joined

TRACKER = Tracker(count=300, window=11)
"""How motion in pairs of frames that a network was made to like is found, on its own pixels."""


Image = tuple[int, int]


@dataclass(frozen=True)
class MaximisedOutput:
    """Pairs of frames, or motion of places, that an output responds to most.

    Parameters
    ----------
    name : str
        Of the output.
    pairs : float32 array of shape (start, 2, height, width)
        Standardised frames, on the network's pixels; empty of a network that is shown motion.
    responses : float32 array of shape (2, start)
        Changes told of the noise, and of what was made of it, in SDs of the trials' changes.
    fields : list of MotionField
        Of each start, px of the videos.
    """

    name: str
    pairs: NDArray[np.float32]
    responses: NDArray[np.float32]
    fields: list[MotionField]

    @property
    def field(self) -> MotionField:
        """The motion of all starts."""
        return joined(self.fields)

    @property
    def halves(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and SD over starts of motion to the right of superficial and deep half, px."""
        found = np.array([each.halves for each in self.fields])
        return found.mean(axis=0), found.std(axis=0)


def maximised_outputs(
    networks: StateNetworks, names: Sequence[str], ascent: Ascent, starts: int, image: Image
) -> list[MaximisedOutput]:
    """Return what each output responds to most.

    Parameters
    ----------
    networks : StateNetworks
    names : sequence of str
        Of the outputs, in order; the first of the network's are taken.
    ascent : Ascent
    starts : int
        Of noise, by numbers from 0.
    image : (int, int)
        Depth and width of the videos' images, px.

    Raises
    ------
    InputError
        If OpenCV is not installed.
    """
    stage = networks.stage
    told = at_rest(networks)
    found = []
    for number, name in enumerate(names):
        response = response_of_output(told, number)
        images, responses = maximise(response, (stage.span, *stage.shape), ascent, range(starts))
        rows = networks.rows_given(images)
        if isinstance(stage, TrackedPlaces):
            motion = (rows[:, 0] * networks.row_sd + networks.row_mean).numpy()
            places = stage.places.numpy()
            fields = [MotionField(places, each.reshape(-1, 2), image[0]) for each in motion]
            pairs = np.empty((starts, 2, 0, 0), np.float32)
        else:
            pairs = rows.numpy()
            fields = [_field_in_videos(pair, image) for pair in pairs]
        found.append(MaximisedOutput(name, pairs, responses.numpy(), fields))
    return found


def at_rest(networks: StateNetworks) -> Callable[[Tensor], Tensor]:
    """Return what a network tells of what it is shown, if nothing has moved since rest."""
    network, stage = networks.learned.average, networks.stage
    if networks.outputs == SIGNALS:
        return network
    noise = np.random.default_rng(0).integers(0, 256, stage.shape).astype(np.uint8)
    compared = torch.from_numpy(stage.compare(noise, noise[None]))
    return lambda images: network(images, compared.expand(len(images), -1))


def _field_in_videos(pair: NDArray[np.float32], image: Image) -> MotionField:
    """Return the motion between two frames of a network, whose pixels may be larger, in videos."""
    # As frames are binned: what is left over at the edges is a pixel too.
    bins = np.array([-(-whole // own) for whole, own in zip(image, pair.shape[1:], strict=True)])
    found = field_of(as_frames(pair), TRACKER)
    corners = found.corners * bins + (bins - 1) / 2
    return MotionField(
        corners.astype(np.float32), (found.displacements * bins).astype(np.float32), image[0]
    )
