"""A network of states with all that its use needs: the stage before it, and scales."""

import torch
from torch import Tensor, nn

from ...datasets.grid import Grid
from ..sections.averaging import Averaged
from .examples import Examples
from .input_stages import InputStage
from .stages import STAGES
from .state_settings import StateSettings

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
    label_mean: Tensor
    label_sd: Tensor

    def __init__(self, settings: StateSettings, grid: Grid) -> None:
        super().__init__()
        self.outputs = SIGNALS * (2 if settings.target == "absolute" else 1)
        self.stage: InputStage = STAGES[settings.method](settings, grid)
        network = self.stage.network(settings, self.outputs)
        self.learned = Averaged(network, settings.average)
        one = torch.zeros(self.stage.shape, dtype=torch.float64)
        mean, sd = self.stage.scales(one, one + 1)
        self.register_buffer("scaled", torch.tensor(False))
        self.register_buffer("row_mean", mean.float())
        self.register_buffer("row_sd", sd.float())
        self.register_buffer("label_mean", torch.zeros(self.outputs))
        self.register_buffer("label_sd", torch.ones(self.outputs))

    def learn_scales(self, examples: Examples) -> None:
        """Take means and SDs of rows and labels from what is trained on."""
        mean, sd = self.stage.scales(*examples.row_moments())
        self.row_mean.copy_(mean)
        self.row_sd.copy_(_divisor(sd))
        labels = torch.from_numpy(examples.labels).double()
        self.label_mean.copy_(labels.mean(dim=0))
        self.label_sd.copy_(_divisor(labels.std(dim=0, correction=0)))
        self.scaled.fill_(True)

    def standardised(self, rows: Tensor) -> Tensor:
        """Return rows as networks take them, float Tensor (example, row, ...)."""
        return (rows.float() - self.row_mean) / self.row_sd

    def tell(self, rows: Tensor) -> Tensor:
        """Return what is told of examples, in V, N m and deg.

        Parameters
        ----------
        rows : Tensor of shape (example, row, ...)
            As the stage makes them.

        Returns
        -------
        float Tensor of shape (example, 3 or 6)
            Changes from frame to frame; then states at the second frame, if they are told.
        """
        told: Tensor = self.learned.average(self.standardised(rows))
        return told.float() * self.label_sd + self.label_mean


def _divisor(sd: Tensor) -> Tensor:
    # What never changes says nothing, whatever it is divided by.
    return torch.where(sd > 0, sd, torch.ones_like(sd))
