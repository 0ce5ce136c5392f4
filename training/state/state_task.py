"""Training of networks that tell EMG, torque and angle from videos; Cunningham et al. 2017."""

import dataclasses
import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim import SGD, AdamW, Optimizer

from ...datasets.grid import Grid
from ..runs.memory_format import arrange
from ..runs.settings import Settings
from ..runs.task import register
from .examples import Examples, check_signals, examples_of
from .gathering import gather
from .state_networks import SIGNALS, StateNetworks
from .state_settings import MODELS, StateSettings
from .state_source import StateSource

if TYPE_CHECKING:
    from ...datasets.videos.trials import MuscleTrial

VALIDATED_AT_ONCE = 100
"""Pairs of frames that go through a network together in a validation."""

NAMES = ("emg", "torque", "angle")


@register
class StateTask:
    """One network, from successive frames to changes and states; see :class:`..runs.task.Task`.

    Parameters
    ----------
    settings : StateSettings
    grid : Grid
        Of the videos.

    Raises
    ------
    InputError
        If the method cannot tell what it is to tell.
    """

    name: ClassVar[str] = "state"
    settings_class: ClassVar[type[Settings]] = StateSettings
    models: ClassVar[Mapping[str, Mapping[str, Any]]] = MODELS
    source_class: ClassVar[Any] = StateSource
    score: ClassVar[str] = "mse"
    higher_is_better: ClassVar[bool] = False

    def __init__(self, settings: StateSettings, grid: Grid) -> None:
        self.settings, self.grid = settings, grid
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.networks = StateNetworks(settings, grid)
        self._kept: dict[str, Examples] = {}
        arrange(self.networks.learned.network, settings.memory_format)

    def check(self, source: StateSource) -> None:
        """Raise InputError unless participants are there to train on and to validate on."""
        source.check()
        for trials in (source.train, source.validated):
            check_signals(trials)

    def optimisers(self) -> dict[str, Optimizer]:
        """Return what steps the whole network; after its steps the average follows."""
        settings, learned = self.settings, self.networks.learned
        made: Optimizer
        if settings.optimiser == "sgd":
            made = SGD(
                learned.network.parameters(), lr=settings.learning_rate,
                momentum=settings.momentum, weight_decay=settings.weight_decay,
            )  # fmt: skip
        else:
            made = AdamW(
                learned.network.parameters(), lr=settings.learning_rate,
                weight_decay=settings.weight_decay,
            )  # fmt: skip
        learned.follow(made)
        return {settings.optimiser: made}

    def prepare(self, step: int, optimisers: Mapping[str, Optimizer]) -> None:
        """Set the learning rate of a step, and the network to training."""
        self.networks.train()
        for optimiser in optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = self.learning_rate(step)

    def learning_rate(self, step: int) -> float:
        """Return the learning rate of a step: it rises, then stays, or falls as a cosine."""
        settings = self.settings
        rising = settings.warm_up * settings.steps
        if step < rising:
            return settings.learning_rate * (step + 1) / (rising + 1)
        if settings.schedule == "constant":
            return settings.learning_rate
        done = (step - rising) / max(settings.steps - rising, 1)
        return settings.learning_rate * (1 + math.cos(math.pi * min(done, 1))) / 2

    def batches(
        self, source: StateSource, step: int, *, rank: int, ranks: int, device: torch.device
    ) -> Iterator[dict[str, Tensor]]:
        """Yield this process's share of examples, for ever; each epoch in an order of its own."""
        examples = self._examples(source)
        self._share(source, "validated")  # before the first step: it takes long, too
        settings = self.settings
        size = settings.batch_size // ranks
        while True:
            begin = step * settings.batch_size + rank * size
            yield examples.take(in_order(len(examples), begin, size, settings.seed))
            step += 1

    def losses(
        self, optimiser: str, batch: dict[str, Tensor], step: int, rank: int
    ) -> dict[str, Tensor]:
        """Return the mean square error of a batch, of standardised labels, by what is told."""
        networks = self.networks
        rows, labels = batch["rows"], batch["labels"]
        devices = [labels.device] if labels.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            torch.manual_seed(_seed_of(self.settings.seed, step, rank))
            if self.settings.reversals:
                turned = torch.rand(len(rows)).to(rows.device) < self.settings.reversals
                rows, labels = self._turned(rows, labels, turned)
            told = networks.learned.network(*networks.given({**batch, "rows": rows}))
        errors = (told - (labels - networks.label_mean) / networks.label_sd) ** 2
        found = {"changes": errors[:, :SIGNALS].mean()}
        if errors.shape[1] > SIGNALS:
            found["states"] = errors[:, SIGNALS:].mean()
        return found

    def _turned(self, rows: Tensor, labels: Tensor, turned: Tensor) -> tuple[Tensor, Tensor]:
        """Return rows and labels, in the opposite order where that is asked for.

        States stay those of the later frame, of which it is told where it lies since rest.
        """
        shape = (-1, *[1] * (rows.ndim - 1))
        rows = torch.where(turned.reshape(shape), self.networks.stage.reversed(rows), rows)
        signs = torch.ones_like(labels)
        signs[turned, :SIGNALS] = -1
        return rows, labels * signs

    def clip(self, optimiser: str) -> float:
        """Return 0: gradients are left as they are."""
        return 0.0

    def extra(self) -> dict[str, Any]:
        """Return nothing: all is in the networks."""
        return {}

    def load_extra(self, state: Mapping[str, Any]) -> None:
        """Take nothing."""

    def validate(self, source: StateSource, device: torch.device) -> dict[str, float]:
        """Return errors over pairs of frames of the validating participant.

        ``mse`` is that of standardised labels, over all that is told; R2 is by signal, of changes,
        and of states if those are told.
        """
        held = self._share(source, "validated")
        told = []
        for begin in range(0, len(held), VALIDATED_AT_ONCE):
            chosen = np.arange(begin, min(begin + VALIDATED_AT_ONCE, len(held)))
            batch = {name: each.to(device) for name, each in held.take(chosen).items()}
            told.append(self.networks.tell(batch).cpu().numpy())
        return self._measures(np.concatenate(told).astype(np.float64), held)

    def _measures(self, told: NDArray[np.float64], held: Examples) -> dict[str, float]:
        networks, labels = self.networks, held.labels.astype(np.float64)
        scales = networks.label_sd.cpu().numpy().astype(np.float64)
        measures = {"mse": float((((told - labels) / scales) ** 2).mean())}
        measures |= _fits(told[:, :SIGNALS], labels[:, :SIGNALS], "changes")
        if told.shape[1] > SIGNALS:
            runs = held.successive()
            networks.learn_trust([told[run] for run in runs], [labels[run] for run in runs])
            fused = np.concatenate([networks.fused(told[run])[1:] for run in runs])
            measures |= _fits(told[:, SIGNALS:], labels[:, SIGNALS:], "states")
            measures |= _fits(fused, labels[:, SIGNALS:], "fused_states")
        return measures

    def _examples(self, source: StateSource) -> Examples:
        """Return what is trained on; learn scales from it, and what the stage needs, if due."""
        networks = self.networks
        if networks.scaled:
            return self._share(source, "train")
        learned_from = source.train[:1] if source.brief else source.train
        networks.stage.learn(learned_from, self.settings.seed)
        made = self._share(source, "train")
        networks.learn_scales(made)
        return made

    def _share(self, source: StateSource, share: str) -> Examples:
        """Return the examples of a share of a source; they are gathered once."""
        if share not in self._kept:
            trials, stage, settings = getattr(source, share), self.networks.stage, self.settings
            if share == "validated":
                settings = _in_one(settings, trials)
            kept = gather(trials, stage, settings, folder=source.frames, brief=source.brief)
            self._kept[share] = examples_of(
                trials, kept, stage.span, absolute=settings.target == "absolute"
            )
        return self._kept[share]


def _in_one(settings: StateSettings, trials: "Sequence[MuscleTrial]") -> StateSettings:
    """Return settings with which one stretch is taken of each trial, of all that are validated."""
    pairs = -(-settings.validation_batches * 100 // len(trials))
    longest = max(trial.frames for trial in trials)
    return dataclasses.replace(settings, block=min(pairs, longest), period=longest)


def _fits(told: NDArray[np.float64], labels: NDArray[np.float64], what: str) -> dict[str, float]:
    """Return R2 by signal; 0 is that of the labels' mean."""
    errors, spreads = ((told - labels) ** 2).mean(axis=0), labels.var(axis=0)
    return {
        f"r2_{name}_{what}": float(1 - error / max(spread, 1e-30))
        for name, error, spread in zip(NAMES, errors, spreads, strict=True)
    }


def _seed_of(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def in_order(count: int, begin: int, size: int, seed: int) -> np.ndarray:
    """Return which examples come at some places of a walk through all of them, epoch by epoch."""
    places = np.arange(begin, begin + size)
    return np.array([
        _order(count, seed, int(epoch))[within]
        for epoch, within in zip(places // count, places % count, strict=True)
    ])  # fmt: skip


@functools.lru_cache(maxsize=2)
def _order(count: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng((seed, epoch)).permutation(count)
