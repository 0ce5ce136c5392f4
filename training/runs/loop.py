"""The loop: Lightning brings devices, precision and processes; the task brings all else."""

import itertools
import logging
import math
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor
from torch.optim import Optimizer
from torch.utils.data import DataLoader, IterableDataset

from ...simulator.errors import InputError
from .folder import BEST, CURVES, LAST, TRAINING, VALIDATION, RunFolder
from .sources import Source
from .stepping import NotFiniteError, is_finite, parameters_of, step
from .task import Task

Progress = Callable[[int, int], None]


def fit(
    task: Task,
    source: Source,
    folder: RunFolder,
    *,
    resume: bool = False,
    accelerator: str = "auto",
    devices: int = 1,
    on_progress: Progress = lambda done, total: None,
) -> dict[str, float]:
    """Train a task to its last step, or until it stops getting better.

    Parameters
    ----------
    task : Task
    source : Source
    folder : RunFolder
        Gets the last and the best checkpoint, two histories and TensorBoard's events.
    resume : bool
        Whether to go on from the last checkpoint: the same as if there had been no break.
    accelerator : str
        A name of Lightning's: auto, cpu, gpu, cuda, mps.
    devices : int
        Processes, each with a device of its own and an equal share of every batch.
    on_progress : callable
        Called with the numbers of steps done and in all.

    Returns
    -------
    dict of float
        The measures of the best validation, with its ``step``; empty if there was none.

    Raises
    ------
    NotFiniteError
        If a loss is not finite; the last checkpoint is as it was before.
    KeyboardInterrupt
        After Ctrl-C, when the step is finished and the last checkpoint written.
    """
    state = folder.load(LAST) if resume else None
    loop = _Loop(task, source, folder, on_progress, state)
    folder.forget(loop.number)
    if loop.is_over:
        return loop.best
    several = devices > 1
    with _interrupts(loop), _quiet():
        trainer = Trainer(
            accelerator=accelerator,
            devices=devices,
            strategy="ddp_spawn_find_unused_parameters_true" if several else "auto",
            precision=task.settings.precision,
            max_epochs=1,
            logger=TensorBoardLogger(folder.path, name="", version=CURVES),
            default_root_dir=folder.path,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
            inference_mode=False,
        )
        batches = DataLoader(_Batches(loop), batch_size=None, num_workers=0)
        trainer.fit(loop, train_dataloaders=batches)
    if loop.interrupted:
        raise KeyboardInterrupt
    return best_of(folder, task) if several else loop.best


def best_of(folder: RunFolder, task: Task) -> dict[str, float]:
    """Return the best row of a run's validations."""
    rows = [row for row in folder.history(VALIDATION) if not math.isnan(row[task.score])]
    sign = 1 if task.higher_is_better else -1
    return max(rows, key=lambda row: sign * row[task.score], default={})


class _Loop(LightningModule):
    """What Lightning calls for every batch."""

    def __init__(
        self,
        task: Task,
        source: Source,
        folder: RunFolder,
        on_progress: Progress,
        state: dict[str, Any] | None,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.networks = task.networks
        self.task, self.source, self.folder = task, source, folder
        self.on_progress = on_progress
        self.number = 0
        self.best: dict[str, float] = {}
        self.waited = 0
        self.interrupted = False
        self._state = state
        self._clock = time.perf_counter()
        self._names: list[str] = []
        self._optimisers: dict[str, Any] = {}
        if state is not None:
            self.number, self.waited = int(state["step"]), int(state["waited"])
            self.best = dict(state["best"])
            load_networks(task, state, folder.path / LAST)

    @property
    def is_over(self) -> bool:
        """Whether there is no more to be done."""
        settings = self.task.settings
        stopped = 0 < settings.patience <= self.waited
        return self.number >= settings.steps or stopped

    def configure_optimizers(self) -> list[Optimizer]:
        """Make the optimisers, as they were where the run is resumed."""
        optimisers = self.task.optimisers()
        self._names = list(optimisers)
        if self._state is not None:
            for name, optimiser in optimisers.items():
                optimiser.load_state_dict(self._state["optimisers"][name])
            scaler = getattr(self.trainer.precision_plugin, "scaler", None)
            if scaler is not None and self._state["scaler"]:
                scaler.load_state_dict(self._state["scaler"])
        self._state = None
        return list(optimisers.values())

    def on_train_start(self) -> None:
        """Bring the optimisers' names and their wrapped forms together."""
        wrapped = self.optimizers()
        wrapped = wrapped if isinstance(wrapped, list) else [wrapped]
        self._optimisers = dict(zip(self._names, wrapped, strict=True))
        self.on_progress(self.number, self.task.settings.steps)

    def training_step(self, batch: Any, batch_idx: int) -> None:
        """Do one step."""
        losses = step(
            self.task, self._optimisers, batch, self.number, self.global_rank,
            self.manual_backward, self._clip,
        )  # fmt: skip
        self.number += 1
        settings = self.task.settings
        if self.number % settings.log_every == 0:
            self._log(TRAINING, losses)

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Validate, keep checkpoints and stop where it is time to."""
        settings = self.task.settings
        last = self.number >= settings.steps
        if last or self.number % settings.validate_every == 0:
            self._validate()
        stop = self.trainer.strategy.broadcast(self.is_over or self.interrupted)
        if stop or self.number % settings.save_every == 0:
            self._save(LAST)
        if self.trainer.is_global_zero:
            self.on_progress(self.number, settings.steps)
        if stop:
            self.trainer.should_stop = True

    def _validate(self) -> None:
        found: dict[str, float] = {}
        if self.trainer.is_global_zero:
            self.networks.eval()
            with torch.no_grad(), self.trainer.precision_plugin.forward_context():
                found = self.task.validate(self.source, self.device)
        found = self.trainer.strategy.broadcast(found)
        self._log(VALIDATION, found)
        score, sign = found[self.task.score], 1 if self.task.higher_is_better else -1
        better = not self.best or sign * score > sign * self.best[self.task.score]
        if better and not math.isnan(score):
            self.best = {"step": float(self.number), **found}
            self.waited = 0
            self._save(BEST)
        else:
            self.waited += 1

    def _log(self, name: str, values: dict[str, float]) -> None:
        if not self.trainer.is_global_zero:
            return
        seconds = time.perf_counter() - self._clock
        self.folder.append(name, {"step": self.number, "seconds": seconds, **values})
        if self.logger is not None:
            group = name.removesuffix(".csv")
            curves = {f"{group}/{key}": value for key, value in values.items()}
            self.logger.log_metrics(curves, step=self.number)

    def _save(self, name: str) -> None:
        if not self.trainer.is_global_zero:
            return
        if not is_finite(self.networks):
            raise NotFiniteError(
                f"step {self.number}: found weights that are not finite, wanted finite ones; the "
                "last checkpoint is as it was: lower learning_rate"
            )
        state: dict[str, Any] = {
            "task": self.task.name,
            "step": self.number,
            "networks": self.networks.state_dict(),
        }
        if name == LAST:
            scaler = getattr(self.trainer.precision_plugin, "scaler", None)
            state |= {
                "optimisers": {key: one.state_dict() for key, one in self._optimisers.items()},
                "scaler": scaler.state_dict() if scaler is not None else {},
                "best": self.best,
                "waited": self.waited,
            }
        self.folder.save(name, state)

    def _clip(self, optimiser: Optimizer, most: float) -> None:
        # Gradients of mixed precision are scaled until the optimiser steps; so is the norm.
        scaler = getattr(self.trainer.precision_plugin, "scaler", None)
        scale = 1.0 if scaler is None else float(scaler.get_scale())
        torch.nn.utils.clip_grad_norm_(parameters_of(optimiser), most * scale)


def load_networks(task: Task, state: dict[str, Any], where: Any) -> None:
    """Give a task the weights of a checkpoint.

    Raises
    ------
    InputError
        If they are of other networks.
    """
    found = state["networks"]
    wanted = task.networks.state_dict()
    alike = isinstance(found, dict) and found.keys() == wanted.keys() and all(
        isinstance(found[key], Tensor) and found[key].shape == wanted[key].shape for key in wanted
    )  # fmt: skip
    if state.get("task") != task.name or not alike:
        raise InputError(
            f"{where}: found the weights of other networks, wanted those of this run's settings; "
            "restore run.json and the checkpoint together"
        )
    task.networks.load_state_dict(found)


class _Batches(IterableDataset[Any]):
    """The batches of this process, from the step on at which it begins."""

    def __init__(self, loop: _Loop) -> None:
        self.loop = loop

    def __iter__(self) -> Iterator[Any]:
        loop = self.loop
        left = loop.task.settings.steps - loop.number
        batches = loop.task.batches(
            loop.source, loop.number, rank=loop.global_rank, ranks=loop.trainer.world_size,
            device=loop.device,
        )  # fmt: skip
        yield from itertools.islice(batches, left)


@contextmanager
def _interrupts(loop: _Loop) -> Iterator[None]:
    """Let Ctrl-C stop the run after the step; a second one stops it at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: Any) -> None:
        loop.interrupted = True
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Lightning's advertisements and hints off the terminal."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
