"""A small task and its source, in a module that processes of their own can import."""

import time
from contextlib import closing
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from musim.datasets.grid import Grid
from musim.datasets.streaming.ahead import Threads
from musim.simulator.declarations import declare
from musim.training.runs.settings import Settings
from musim.training.runs.sources import Source

PIXELS = 6


@dataclass(frozen=True, kw_only=True)
class ToySettings(Settings):
    learning_rate: float = declare(0.05, "Rate.", bounds=(0, 1e30))
    momentum: float = declare(0.9, "Momentum.", bounds=(0, 1))
    norm: float = declare(0.0, "Norm of gradients.", bounds=(0, 1e9))
    optimiser: str = declare("sgd", "Kind.", choices=("sgd", "adam"))
    width: int = declare(4, "Features.", bounds=(1, 100))
    nan_at: int = declare(-1, "Step whose loss is NaN.")
    nan_rank: int = declare(-1, "Its rank; -1: all.")
    spoil_at: int = declare(-1, "Step that spoils the weights.")
    room: int = declare(10**6, "Sequences for which there is room.")
    pause: float = declare(0.0, "Of a step.", "s")
    warm: tuple[int, ...] = declare((1, 2), "Nothing.")


MODELS = {"small": {"steps": 12, "batch_size": 4, "validate_every": 4, "save_every": 3,
                    "log_every": 1, "validation_batches": 2}}  # fmt: skip


@dataclass(frozen=True)
class ToySource:
    """Sequences by their number; `broken` ones cannot be made."""

    broken: int = -1

    grid: ClassVar[Grid] = Grid((3, PIXELS, PIXELS), 100.0, (1.0, 1.0))

    def to_json(self):
        return {"broken": self.broken}

    @classmethod
    def from_json(cls, plain):
        return cls(plain["broken"])

    def make(self, first, count):
        if first <= self.broken < first + count:
            raise OSError("broken")
        frames = [
            torch.randn(3, PIXELS, PIXELS, generator=torch.Generator().manual_seed(number))
            for number in range(first, first + count)
        ]
        return {"tvi": torch.stack(frames), "number": torch.arange(first, first + count)}

    def batches(self, step, *, batch_size, rank, ranks):
        firsts = range((step * ranks + rank) * batch_size, 2**60, ranks * batch_size)
        ahead = Threads(ToyMaker(self, batch_size), 1, batch_size)
        with closing(ahead.stream(firsts)) as made:
            yield from made


@dataclass(frozen=True)
class ToyMaker:
    """Makes batches ahead, each of them as one item."""

    source: ToySource
    batch_size: int

    def begin(self, request):
        return ToyBatch(self, request)


class ToyBatch:
    def __init__(self, maker, first):
        self.maker, self.first, self.batch = maker, first, None

    def __len__(self):
        return 1

    def make(self, place):
        self.batch = self.maker.source.make(self.first, self.maker.batch_size)

    def finish(self):
        return self.batch


class ToyTask:
    """Tell the mean square of a frame from its pixels: two networks, two optimisers."""

    name: ClassVar[str] = "toy"
    settings_class: ClassVar[type] = ToySettings
    models: ClassVar[dict] = MODELS
    source_class: ClassVar[type] = ToySource
    score: ClassVar[str] = "error"
    higher_is_better: ClassVar[bool] = False

    def __init__(self, settings, grid):
        self.settings, self.grid = settings, grid
        random = torch.Generator().manual_seed(settings.seed)
        width = settings.width
        self.networks = nn.ModuleDict(
            {"first": nn.Linear(PIXELS**2, width), "second": nn.Linear(width, 1)}
        )
        with torch.no_grad():
            for value in self.networks.parameters():
                value.copy_(torch.randn(value.shape, generator=random) * 0.3)
        self.seen = 0

    def check(self, source):
        pass

    def optimisers(self):
        s = self.settings

        def make(name):
            values = self.networks[name].parameters()
            if s.optimiser == "adam":
                return torch.optim.Adam(values, lr=s.learning_rate)
            return torch.optim.SGD(values, lr=s.learning_rate, momentum=s.momentum)

        return {name: make(name) for name in ("first", "second")}

    def prepare(self, step, optimisers):
        self.networks.train()
        for optimiser in optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = self.settings.learning_rate / (1 + step)

    def batches(self, source, step, *, rank, ranks, device):
        return source.batches(
            step, batch_size=self.settings.batch_size // ranks, rank=rank, ranks=ranks
        )

    def error(self, tvi):
        frames = tvi.flatten(2)
        wanted = frames.square().mean(-1)
        return (self.networks["second"](self.networks["first"](frames))[..., 0] - wanted).square()

    def losses(self, optimiser, batch, step, rank):
        s = self.settings
        if len(batch["tvi"]) > s.room:
            raise torch.OutOfMemoryError("no room")
        time.sleep(s.pause)
        self.seen += int(batch["number"].sum())
        loss = self.error(batch["tvi"]).mean()
        if step == s.nan_at and s.nan_rank in {-1, rank}:
            loss = loss * float("nan")
        if step == s.spoil_at and optimiser == "second":
            with torch.no_grad():
                self.networks["first"].bias.fill_(float("nan"))
        return {optimiser: loss}

    def clip(self, optimiser):
        return self.settings.norm

    def extra(self):
        return {"seen": self.seen}

    def load_extra(self, state):
        self.seen = state["seen"]

    def validate(self, source, device):
        assert not torch.is_grad_enabled()
        made = (source.make(10**6 + 4 * i, 4) for i in range(self.settings.validation_batches))
        errors = [float(self.error(batch["tvi"].to(device)).mean()) for batch in made]
        return {"error": sum(errors) / len(errors)}


class TwinTask(ToyTask):
    """The same by another name."""

    name: ClassVar[str] = "twin"


class ToyDetectTask(ToyTask):
    """The same by the name of a task of musim's."""

    name: ClassVar[str] = "detect"


class StoredTask(ToyDetectTask):
    """The same for sequences of musim's own source."""

    source_class: ClassVar[type] = Source

    def __init__(self, settings, grid):
        super().__init__(settings, grid)
        first = nn.Linear(grid.shape[1] * grid.shape[2], settings.width)
        nn.init.constant_(first.weight, 0.1)
        nn.init.zeros_(first.bias)
        self.networks["first"] = first

    def batches(self, source, step, *, rank, ranks, device):
        size = self.settings.batch_size // ranks
        for batch in source.batches(step, batch_size=size, seed=0, rank=rank, ranks=ranks):
            yield {"tvi": batch["tvi"], "number": batch["index"]}

    def validate(self, source, device):
        errors = [
            float(self.error(batch["tvi"]).mean())
            for batch in source.validation(1, batch_size=1, seed=0)
        ]
        return {"error": sum(errors) / len(errors)}
