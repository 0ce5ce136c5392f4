"""A small task, so that the loop is tested without any network of musim's."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import nn

from musim.simulator.parameters import Parameters
from musim.simulator.ranges import Range
from musim.training.runs.settings import Settings, setting
from musim.training.runs.sources import Source


@dataclass(frozen=True, kw_only=True)
class ToySettings(Settings):
    learning_rate: float = setting(0.1, "Rate.", bounds=(0, 1e9))
    momentum: float = setting(0.9, "Momentum.", bounds=(0, 1))
    clip: float = setting(0.0, "Norm of gradients.", bounds=(0, 1e9))


class ToyTask:
    """Tell the mean of a frame's square from its pixels: two networks, two optimisers."""

    name: ClassVar[str] = "toy"
    score: ClassVar[str] = "error"
    higher_is_better: ClassVar[bool] = False

    def __init__(self, settings, grid):
        self.settings, self.grid = settings, grid
        random = torch.Generator().manual_seed(settings.seed)
        self.networks = nn.ModuleDict({"first": nn.Linear(16, 4), "second": nn.Linear(4, 1)})
        with torch.no_grad():
            for value in self.networks.parameters():
                value.copy_(torch.randn(value.shape, generator=random) * 0.3)

    def check(self, source):
        pass

    def optimisers(self):
        return {
            name: torch.optim.SGD(
                self.networks[name].parameters(),
                lr=self.settings.learning_rate,
                momentum=self.settings.momentum,
            )
            for name in ("first", "second")
        }

    def prepare(self, step, optimisers):
        self.networks.train()
        for optimiser in optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = self.settings.learning_rate / (1 + step)

    def batches(self, source, step, *, rank, ranks, device):
        return source.batches(
            step, batch_size=self.settings.batch_size // ranks, seed=self.settings.seed,
            rank=rank, ranks=ranks, device=device,
        )  # fmt: skip

    def error(self, batch):
        frames = batch["tvi"][:, :2, :4, :4].flatten(2)
        wanted = frames.square().mean(-1)
        return (self.networks["second"](self.networks["first"](frames))[..., 0] - wanted).square()

    def losses(self, optimiser, batch, step, rank):
        noise = torch.Generator().manual_seed(step * 1000 + rank)
        jitter = 1e-3 * torch.randn(1, generator=noise).to(batch["tvi"].device)
        return {optimiser: self.error(batch).mean() + 0 * jitter.mean()}

    def clip(self, optimiser):
        return self.settings.clip

    def validate(self, source, device):
        batches = source.validation(
            self.settings.validation_batches, batch_size=2, seed=self.settings.seed, device=device
        )
        errors = [float(self.error({"tvi": b["tvi"].to(device)}).mean()) for b in batches]
        return {"error": sum(errors) / len(errors)}


PARAMETERS = Parameters(
    units=Range(2, 3), pixels=(8, 8), frames=16, frame_rate=100.0, size=(20.0, 20.0)
)


@pytest.fixture
def endless():
    return Source(parameters=PARAMETERS)


@pytest.fixture
def toy():
    def make(**values):
        usual = {"steps": 12, "batch_size": 4, "validate_every": 4, "save_every": 3, "log_every": 1}
        settings = ToySettings(**{**usual, "validation_batches": 2, **values})
        return ToyTask(settings, Source(parameters=PARAMETERS).grid)

    return make
