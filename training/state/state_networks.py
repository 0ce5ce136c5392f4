"""A network of states with all that its use needs: the stage before it, and scales."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...datasets.grid import Grid
from ...simulator.errors import InputError
from ..sections.averaging import Averaged
from .examples import Examples
from .fusing import Trust, best_trust, fused
from .input_stages import InputStage
from .stages import STAGES
from .state_settings import StateSettings

DIFFERENCES = 1000
"""Pairs of frames, spread over all that are trained on, that tell how much frames differ."""

SIGNALS = 3
"""Of :data:`musim.datasets.videos.trials.STATES`: EMG, torque and angle."""


class StateNetworks(nn.Module):
    """From rows of a stage to changes of EMG, torque and angle, and to states if they are told.

    Parameters
    ----------
    settings : StateSettings
    grid : Grid
        Of the videos.

    Notes
    -----
    ``scaled`` says whether scales are known; they and what the stage learned are learned from what
    is trained on, before the first step, and lie in checkpoints.
    """

    scaled: Tensor
    row_mean: Tensor
    row_sd: Tensor
    change_sd: Tensor
    label_mean: Tensor
    label_sd: Tensor
    trust: Tensor

    def __init__(self, settings: StateSettings, grid: Grid) -> None:
        super().__init__()
        self.outputs = SIGNALS * (2 if settings.target == "absolute" else 1)
        self.stage: InputStage = STAGES[settings.method](settings, grid)
        if settings.target == "absolute" and not self.stage.compared:
            raise InputError(
                f"target: found absolute with the method {settings.method}, which sees what moved "
                "and no state, wanted changes; or take the method cnn"
            )
        self.shows_difference = settings.shown == "difference" and self.stage.span == 2
        network = self.stage.network(settings, self.outputs)
        self.learned = Averaged(network, settings.average)
        one = torch.zeros(self.stage.shape, dtype=torch.float64)
        mean, sd = self.stage.scales(one, one + 1)
        self.register_buffer("scaled", torch.tensor(False))
        self.register_buffer("row_mean", mean.float())
        self.register_buffer("row_sd", sd.float())
        self.register_buffer("change_sd", torch.tensor(1.0))
        self.register_buffer("label_mean", torch.zeros(self.outputs))
        self.register_buffer("label_sd", torch.ones(self.outputs))
        # The inverse of what may be infinite: all that a checkpoint holds is finite.
        usual = torch.tensor([1.0, 0.0], dtype=torch.float64)
        self.register_buffer("trust", usual.repeat(SIGNALS, 1))

    def learn_scales(self, examples: Examples) -> None:
        """Take means and SDs of rows and labels from what is trained on."""
        mean, sd = self.stage.scales(*examples.row_moments())
        self.row_mean.copy_(mean)
        self.row_sd.copy_(_divisor(sd))
        if self.shows_difference:
            some = examples.take(np.linspace(0, len(examples) - 1, DIFFERENCES).astype(np.int64))
            rows = some["rows"].double()
            self.change_sd.copy_(_divisor((rows[:, 1] - rows[:, 0]).std()))
        labels = torch.from_numpy(examples.labels).double()
        self.label_mean.copy_(labels.mean(dim=0))
        self.label_sd.copy_(_divisor(labels.std(dim=0, correction=0)))
        self.scaled.fill_(True)

    def given(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        """Return what the network takes of a batch: standardised rows, and what else there is."""
        rows = (batch["rows"].float() - self.row_mean) / self.row_sd
        if self.shows_difference:
            first, second = rows.unbind(1)
            change = (second - first) * (self.row_sd / self.change_sd)
            rows = torch.stack([(first + second) / 2, change], 1)
        return (rows, batch["compared"]) if "compared" in batch else (rows,)

    def rows_given(self, given: Tensor) -> Tensor:
        """Return the standardised rows of which the network is shown this: :meth:`given`, undone.

        Parameters
        ----------
        given : float Tensor of shape (example, span, ...)

        Returns
        -------
        float Tensor of the same shape
        """
        if not self.shows_difference:
            return given
        middle, change = given.unbind(1)
        half = change * (self.change_sd / self.row_sd) / 2
        return torch.stack([middle - half, middle + half], 1)

    def tell(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return what is told of examples, in V, N m and deg.

        Parameters
        ----------
        batch : mapping of str to Tensor
            ``rows`` (example, row, ...), as the stage makes them, and ``compared`` (example, value)
            where states are told.

        Returns
        -------
        float Tensor of shape (example, 3 or 6)
            Changes from frame to frame; then states at the second frame, if they are told.
        """
        told: Tensor = self.learned.average(*self.given(batch))
        return told.float() * self.label_sd + self.label_mean

    def fused(self, told: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return states that fit what is told of successive pairs of frames, see :mod:`.fusing`.

        Parameters
        ----------
        told : array of shape (pair, 6)
            As :meth:`tell` gives it.

        Returns
        -------
        float64 array of shape (pair + 1, 3)
            At all frames.
        """
        trusts = [
            Trust(error, 1 / steadiness if steadiness else math.inf)
            for error, steadiness in self.trust.tolist()
        ]
        return np.stack([_fused(told, signal, trusts[signal]) for signal in range(SIGNALS)], 1)

    def learn_trust(
        self, told: Sequence[NDArray[np.floating]], labels: Sequence[NDArray[np.floating]]
    ) -> None:
        """Find how far states and changes are to be believed, on some that were not trained on.

        Parameters
        ----------
        told, labels : sequences of arrays of shape (pair, 6)
            Of stretches of successive pairs of frames.
        """
        for signal in range(SIGNALS):
            best = best_trust(
                [(each[:, SIGNALS + signal], each[1:, signal]) for each in told],
                [each[:, SIGNALS + signal] for each in labels],
            )
            found = torch.tensor([best.state_error, 1 / best.wandering])
            self.trust[signal] = found.to(self.trust)


def _fused(told: NDArray[np.floating], signal: int, trust: Trust) -> NDArray[np.float64]:
    states = fused(told[:, SIGNALS + signal], told[1:, signal], trust)
    # Nothing tells of the first frame but the second.
    return np.concatenate([states[:1] - told[:1, signal], states])


def _divisor(sd: Tensor) -> Tensor:
    # What never changes says nothing, whatever it is divided by.
    return torch.where(sd > 0, sd, torch.ones_like(sd))
