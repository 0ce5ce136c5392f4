"""The running average of a network's weights, which is what is used of it once it is trained."""

import copy

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer


class Averaged(nn.Module):
    """A network and the running average of its weights (Ho et al. 2020, appendix B).

    Parameters
    ----------
    network : nn.Module
    decay : float
        Share of the average that a step leaves, once there were many: of the n-th step (1 + n) /
        (10 + n), if that is less, so that the first weights are soon forgotten.
    """

    updates: Tensor

    def __init__(self, network: nn.Module, decay: float) -> None:
        super().__init__()
        self.network, self.decay = network, decay
        self.average = copy.deepcopy(network).requires_grad_(False)
        self.register_buffer("updates", torch.tensor(0))

    @torch.no_grad()
    def update(self) -> None:
        """Take the network's weights, as they are after a step, into the average.

        So are statistics of batch normalisation, and what else is in buffers of numbers.
        """
        number = int(self.updates) + 1
        weight = 1 - min(self.decay, (1 + number) / (10 + number))
        pairs = zip(self.average.parameters(), self.network.parameters(), strict=True)
        for average, value in pairs:
            average.lerp_(value, weight)
        buffers = zip(self.average.buffers(), self.network.buffers(), strict=True)
        for average, value in buffers:
            if value.is_floating_point():
                average.lerp_(value, weight)
            else:
                average.copy_(value)
        self.updates += 1

    def adam(self, learning_rate: float) -> Adam:
        """Return Adam for the network; after each of its steps the average follows."""
        optimiser = Adam(self.network.parameters(), lr=learning_rate)
        self.follow(optimiser)
        return optimiser

    def follow(self, optimiser: Optimizer) -> None:
        """Let the average follow after each step of an optimiser of the network."""
        optimiser.register_step_post_hook(lambda *_: self.update())
