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
from .examples import rest_of
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
        Of runs that tell states, the differences of these.
    states : float32 array of shape (frame, 3), optional
        At each frame, of runs that tell them: above those at rest, in the trial's first second. The
        states at rest themselves are added where the trial knows them. They fit both what is told
        of each frame and what is told of changes, see :mod:`.fusing`.
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
        if told.shape[1] == SIGNALS:
            return Prediction(told.astype(np.float32))
        states = self.task.networks.fused(told) if len(told) else np.zeros((1, SIGNALS))
        rest = rest_of(trial.states(), trial.frame_rate)
        return Prediction(
            np.diff(states, axis=0).astype(np.float32),
            (states + np.where(np.isfinite(rest), rest, 0)).astype(np.float32),
        )

    @torch.no_grad()
    def _pieces(self, trial: "MuscleTrial") -> Iterator[NDArray[Any]]:
        """Yield what is told of successive pairs of frames."""
        networks = self.task.networks
        networks.eval()
        stage, rest = networks.stage, None
        if self.task.settings.target == "absolute":
            rest = stage.rows_of(trial.images(0, 1))[0]
        for first in range(0, trial.frames - 1, PIECE):
            stop = min(first + PIECE, trial.frames - 1) + 1
            rows = stage.rows_of(trial.images(first, stop))
            count = stop - 1 - first
            batch = {"rows": np.stack([rows[at : at + count] for at in range(stage.span)], 1)}
            if rest is not None:
                batch["compared"] = stage.compare(rest, rows[stage.span - 1 :])
            there = {name: torch.from_numpy(each).to(self.device) for name, each in batch.items()}
            yield networks.tell(there).cpu().numpy()


def predict(run: str | Path, trial: "MuscleTrial") -> Prediction:
    """Return what a run tells of a trial, see :class:`StatePredictor`, which opens it but once."""
    return StatePredictor.of_run(run).predict(trial)
