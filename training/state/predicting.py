"""Using a run: what it tells of a trial, frame by frame."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...datasets.grid import Grid
from ...simulator.errors import InputError
from ..tasks import open_run
from .state_networks import SIGNALS
from .state_task import StateTask

if TYPE_CHECKING:
    from ...datasets.videos.trials import MuscleTrial

PIECE = 32
"""Pairs of frames that go through a network at a time."""


@dataclass(frozen=True)
class Prediction:
    """What was told of a trial: EMG amplitude (V), torque (N m) and angle (deg), in this order.

    Parameters
    ----------
    changes : float32 array of shape (frame - 1, 3)
        From each frame to the next.
    states : float32 array of shape (frame, 3), optional
        At each frame, of runs that tell them.
    """

    changes: NDArray[np.float32]
    states: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class StatePredictor:
    """A run that is ready for use.

    Parameters
    ----------
    run : str
        Its folder.
    task : StateTask
    grid : Grid
        Of the videos that it was trained on.
    device : torch.device
    """

    run: str
    task: StateTask
    grid: Grid
    device: torch.device

    @classmethod
    def of_run(cls, run: str | Path, device: torch.device | str = "cpu") -> "StatePredictor":
        """Open a run that ``musim train state`` trained.

        Raises
        ------
        InputError
            If there is none, or it cannot be used.
        """
        task, grid = open_run(run, StateTask)
        task.networks.to(device)
        return cls(str(run), task, grid, torch.device(device))

    def check(self, grid: Grid, what: str) -> None:
        """Raise InputError unless a network of this run can be shown frames of a grid.

        Parameters
        ----------
        grid : Grid
        what : str
            Whose frames they are, for the message.
        """
        if not grid.fits(self.grid, frames=False):
            raise InputError(
                f"{what}: found frames of {grid.image} at {grid.frame_rate:g} Hz, wanted "
                f"{self.grid.image} at {self.grid.frame_rate:g} Hz, on which {self.run} was "
                "trained; name a run of such frames"
            )

    def predict(self, trial: "MuscleTrial") -> Prediction:
        """Return what the run tells of a trial; it is read a few frames at a time.

        Raises
        ------
        InputError
            If its frames are of another size or rate than those that the run was trained on.
        """
        self.check(trial.store.layout.grid, trial.name)
        told = np.concatenate([np.empty((0, self.task.networks.outputs)), *self._pieces(trial)])
        changes = told[:, :SIGNALS].astype(np.float32)
        if told.shape[1] == SIGNALS:
            return Prediction(changes)
        states = told[:, SIGNALS:].astype(np.float32)
        # Nothing tells of the first frame but the second.
        first = states[:1] - changes[:1] if len(states) else np.full((1, SIGNALS), np.nan)
        return Prediction(changes, np.concatenate([first, states]).astype(np.float32))

    @torch.no_grad()
    def _pieces(self, trial: "MuscleTrial") -> Iterator[NDArray[Any]]:
        """Yield what is told of successive pairs of frames."""
        networks = self.task.networks
        networks.eval()
        span, rest = networks.stage.span, None
        if self.task.settings.target == "absolute":
            rest = torch.from_numpy(networks.stage.rows_of(trial.images(0, 1)))
        for first in range(0, trial.frames - 1, PIECE):
            stop = min(first + PIECE, trial.frames - 1) + 1
            rows = torch.from_numpy(networks.stage.rows_of(trial.images(first, stop)))
            count = stop - 1 - first
            examples = torch.stack([rows[at : at + count] for at in range(span)], 1)
            if rest is not None:
                examples = torch.cat([rest.expand(count, *rest.shape)[:, :1], examples], 1)
            yield networks.tell(examples.to(self.device)).cpu().numpy()


def predict(run: str | Path, trial: "MuscleTrial") -> Prediction:
    """Return what a run tells of a trial, see :class:`StatePredictor`, which opens it but once."""
    return StatePredictor.of_run(run).predict(trial)
