"""Networks that tell trains of units from others, fitted to examples."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..methods.learned.judgement import Judgement, Layer
from .settings import JudgeSettings
from .traits import Trains

RARE = 0.001
"""Share of trains on either side whose traits are taken for those of the last that are not rare."""

BETTER = 1e-5
"""By how much a loss has to fall to count as better."""


@dataclass(frozen=True)
class Scaling:
    """How traits are brought to one scale.

    Parameters
    ----------
    low, high, mean, scale : float64 arrays of shape (trait,)
        Range that traits are brought into; their mean and SD after that.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def of(cls, traits: NDArray[np.float64]) -> "Scaling":
        """Return that of some trains' traits, (train, trait)."""
        low, high = np.quantile(traits, [RARE, 1 - RARE], axis=0)
        within = np.clip(traits, low, high)
        return cls(low, high, within.mean(axis=0), within.std(axis=0) + 1e-6)

    def __call__(self, traits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return traits on this scale."""
        return (np.clip(traits, self.low, self.high) - self.mean) / self.scale

    def judgement(self, networks: list[list[Layer]]) -> Judgement:
        """Return networks of traits on this scale as one judgement."""
        layers = tuple(
            (np.stack([weight for weight, _ in layer]), np.stack([bias for _, bias in layer]))
            for layer in zip(*networks, strict=True)
        )
        made = Judgement(self.low, self.high, self.mean, self.scale, layers)
        # Its numbers are kept in few digits; what is measured is what is kept.
        return Judgement.from_json(made.to_json())


def fit_network(
    number: int,
    learned: Trains,
    apart: Trains,
    scaling: Scaling,
    settings: JudgeSettings,
    on_epoch: Callable[[dict[str, float]], None] = lambda row: None,
) -> list[Layer]:
    """Return the layers of one network; learning ends where the loss of trains apart stays.

    Parameters
    ----------
    number : int
        Of the network, from 0 on; with the settings' seed it decides all that is random.
    learned, apart : Trains
        Those that are learned from, and that tell when learning is to end.
    scaling : Scaling
        Of the traits that are learned from.
    settings : JudgeSettings
    on_epoch : callable
        Called after each epoch with its ``loss`` and its ``loss_apart``.

    Returns
    -------
    list of (float64 array (output, input), float64 array (output,))
    """
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(np.random.SeedSequence([settings.seed, number]).generate_state(1)[0]))
        # Sums in another order have other last digits.
        torch.set_num_threads(1)
        try:
            network = _network(learned.traits.shape[1], settings)
            _learn(network, _tensors(learned, scaling), _tensors(apart, scaling), settings,
                   on_epoch)  # fmt: skip
        finally:
            torch.set_num_threads(threads)
    return [
        (part.weight.detach().numpy().astype(float), part.bias.detach().numpy().astype(float))
        for part in network
        if isinstance(part, torch.nn.Linear)
    ]


def _network(traits: int, settings: JudgeSettings) -> torch.nn.Sequential:
    widths = (traits, *settings.hidden)
    parts: list[torch.nn.Module] = []
    for one, two in pairwise(widths):
        parts += [torch.nn.Linear(one, two), torch.nn.ReLU(), torch.nn.Dropout(settings.dropout)]
    return torch.nn.Sequential(*parts, torch.nn.Linear(widths[-1], 1))


def _tensors(trains: Trains, scaling: Scaling) -> tuple[torch.Tensor, torch.Tensor]:
    traits = torch.tensor(scaling(trains.traits), dtype=torch.float32)
    return traits, torch.tensor(trains.true, dtype=torch.float32)


def _learn(
    network: torch.nn.Sequential,
    learned: tuple[torch.Tensor, torch.Tensor],
    apart: tuple[torch.Tensor, torch.Tensor],
    settings: JudgeSettings,
    on_epoch: Callable[[dict[str, float]], None],
) -> None:
    """Move a network's weights to where trains that are kept apart are told best."""
    optimiser = torch.optim.AdamW(
        network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
    )
    loss_of = torch.nn.BCEWithLogitsLoss()
    traits, true = learned
    best, kept, worse = np.inf, _copied(network), 0
    while worse < settings.patience:
        network.train()
        losses: list[torch.Tensor] = []
        for batch in torch.randperm(len(traits)).split(settings.batch_size):
            optimiser.zero_grad()
            jittered = traits[batch] + settings.jitter * torch.randn_like(traits[batch])
            loss = loss_of(network(jittered)[:, 0], true[batch])
            loss.backward()
            optimiser.step()
            losses.append(loss.detach() * len(batch))
        network.eval()
        with torch.no_grad():
            now = float(loss_of(network(apart[0])[:, 0], apart[1]))
        on_epoch({"loss": float(torch.stack(losses).sum()) / len(traits), "loss_apart": now})
        worse += 1
        if now < best - BETTER:
            best, worse, kept = now, 0, _copied(network)
    network.load_state_dict(kept)


def _copied(network: torch.nn.Module) -> dict[str, Any]:
    return {name: value.clone() for name, value in network.state_dict().items()}
