"""The loop: Lightning brings devices, precision and shared gradients; the task all else."""

import itertools
import json
import math
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import torch
from lightning.fabric import Fabric
from torch import Tensor, multiprocessing, nn
from torch.optim import Optimizer

from .curves import Curves
from .devices import check_devices, in_processes, interruptible, make_fabric, quiet
from .folder import BEST, CURVES, LAST, TRAINING, VALIDATION, RunFolder
from .sources import Source
from .states import check_state, load_networks
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
        One of :data:`.devices.ACCELERATORS`.
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
    InputError
        If the run cannot be resumed, or not on such devices.
    NotFiniteError
        If a loss is not finite; the last checkpoint is as it was before.
    KeyboardInterrupt
        After Ctrl-C or SIGTERM, when the step is finished and the last checkpoint written.
    """
    settings = task.settings
    device = check_devices(accelerator, devices, settings.batch_size, settings.precision)
    state = folder.load(LAST) if resume else None
    loop = _Loop(task, source, folder, state)
    folder.forget(loop.number)
    if loop.is_over:
        return loop.best
    reached = _Reached(loop.number, loop.best, on_progress)
    stop: Any = threading.Event() if devices == 1 else multiprocessing.get_context("spawn").Event()
    try:
        with interruptible(stop):
            if devices == 1:
                with quiet():
                    _run(loop, device, 1, stop, reached.take)
            else:
                in_processes(
                    _share, devices, reached.take, type(task), settings, source, folder, resume,
                    device, devices, stop,
                )  # fmt: skip
    except NotFiniteError as error:
        raise NotFiniteError(f"{error} {_kept(folder)}") from None
    if stop.is_set() and not reached.is_over:
        raise KeyboardInterrupt
    return reached.best


def _run(
    loop: "_Loop", device: torch.device, devices: int, stop: Any, report: Callable[[Any], None]
) -> None:
    """Train in this process, alone or as one of several."""
    fabric = make_fabric(device, devices, loop.task.settings.precision)
    fabric.launch()
    loop.train(fabric, stop, report)


def _share(
    task_class: Any,
    settings: Any,
    source: Source,
    folder: RunFolder,
    resume: bool,
    device: torch.device,
    devices: int,
    stop: Any,
    report: Callable[[Any], None],
) -> None:
    """Train as one of several processes; what cannot be pickled is made anew in each."""
    # A scheduler that wants its machine back tells all of them.
    signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    state = folder.load(LAST) if resume else None
    loop = _Loop(task_class(settings, source.grid), source, folder, state)
    _run(loop, device, devices, stop, report)


class _Reached:
    """How far a run has come, as its first process reports it."""

    def __init__(self, number: int, best: dict[str, float], on_progress: Progress) -> None:
        self.number, self.best, self.is_over = number, best, False
        self.on_progress = on_progress

    def take(self, report: tuple[int, int, bool, dict[str, float]]) -> None:
        """Note a report and show it."""
        self.number, total, self.is_over, self.best = report
        self.on_progress(self.number, total)


def _kept(folder: RunFolder) -> str:
    if not (folder.path / LAST).exists():
        return "There is no checkpoint yet"
    return f"{folder.path / LAST} holds step {folder.load(LAST)['step']}"


class _Losses(nn.Module):
    """A task's losses as a module, through which processes share the gradients of its networks."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.networks = task.networks
        self.losses = task.losses

    def forward(self, optimiser: str, batch: Any, step: int, rank: int) -> dict[str, Tensor]:
        """Return the losses that an optimiser lowers."""
        return self.losses(optimiser, batch, step, rank)


class _Loop:
    """The steps of a run, and what is done after each."""

    # Set where training begins.
    fabric: Fabric
    stop: Any
    report: Callable[[Any], None]

    def __init__(
        self, task: Task, source: Source, folder: RunFolder, state: dict[str, Any] | None
    ) -> None:
        self.task, self.source, self.folder = task, source, folder
        self.curves: Curves | None = None
        self.number = 0
        self.best: dict[str, float] = {}
        self.waited = 0
        self.seconds = 0.0
        self._state = state
        self._clock = 0.0
        self._optimisers: dict[str, Any] = {}
        if state is not None:
            check_state(task, state, folder.path / LAST)
            self.number, self.waited = state["step"], state["waited"]
            self.best, self.seconds = dict(state["best"]), state["seconds"]
            load_networks(task, state, folder.path / LAST)
            task.load_extra(state["extra"])

    @property
    def is_over(self) -> bool:
        """Whether there is no more to be done."""
        settings = self.task.settings
        stopped = 0 < settings.patience <= self.waited
        return self.number >= settings.steps or stopped

    def train(self, fabric: Fabric, stop: Any, report: Callable[[Any], None]) -> None:
        """Do the steps that are left, until an event says to stop.

        Parameters
        ----------
        fabric : Fabric
            Of this process.
        stop : Event
        report : callable
            Gets in the first process, after every step, the numbers of steps done and in all,
            whether that is all, and the best measures.
        """
        self.fabric, self.stop, self.report = fabric, stop, report
        # Networks are moved first: optimisers take their states to where the weights are.
        losses = fabric.setup_module(_Losses(self.task))
        self._begin_optimisers()
        self._clock = time.perf_counter() - self.seconds
        if fabric.is_global_zero:
            # What a break left of later steps is made again.
            with self.folder.reporting(CURVES):
                self.curves = Curves(
                    self.folder.path / CURVES, self.number + 1 if self.number else 0
                )
            self._tell()
        made = self.task.batches(
            self.source, self.number, rank=fabric.global_rank, ranks=fabric.world_size,
            device=fabric.device,
        )  # fmt: skip
        try:
            for batch in itertools.islice(made, self.task.settings.steps - self.number):
                found = step(
                    self.task, self._optimisers, fabric.to_device(batch), self.number,
                    fabric.global_rank, fabric.backward, self._clip, losses,
                )  # fmt: skip
                self.number += 1
                if self._end_step(found):
                    return
        finally:
            # End whatever makes batches ahead.
            close = getattr(made, "close", None)
            if close is not None:
                close()
            if self.curves is not None:
                self.curves.close()

    @property
    def _scaler(self) -> Any:
        """What keeps gradients of half precision from vanishing; None in other precisions."""
        return getattr(self.fabric.strategy.precision, "scaler", None)

    def _begin_optimisers(self) -> None:
        """Make the optimisers, as they were where the run is resumed."""
        optimisers = self.task.optimisers()
        if self._state is not None:
            for name, optimiser in optimisers.items():
                optimiser.load_state_dict(self._state["optimisers"][name])
            if self._scaler is not None and self._state["scaler"]:
                self._scaler.load_state_dict(self._state["scaler"])
        self._state = None
        self._optimisers = {
            name: self.fabric.setup_optimizers(one) for name, one in optimisers.items()
        }

    def _end_step(self, losses: dict[str, float]) -> bool:
        """Validate and keep checkpoints where it is time to; return whether to stop."""
        settings = self.task.settings
        if self.number % settings.log_every == 0:
            self._log(TRAINING, losses)
        if self.number >= settings.steps or self.number % settings.validate_every == 0:
            self._validate()
        over = bool(self.fabric.broadcast(self.is_over or self.stop.is_set()))
        if over or self.number % settings.save_every == 0:
            self._save(LAST)
        if self.fabric.is_global_zero:
            self._tell()
        return over

    def _tell(self) -> None:
        self.report((self.number, self.task.settings.steps, self.is_over, self.best))

    def _validate(self) -> None:
        found: dict[str, float] = {}
        if self.fabric.is_global_zero:
            self.task.networks.eval()
            with torch.no_grad(), self.fabric.autocast():
                found = self.task.validate(self.source, self.fabric.device)
        found = self.fabric.broadcast(found)
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
        if not self.fabric.is_global_zero:
            return
        seconds = time.perf_counter() - self._clock
        self.folder.append(name, {"step": self.number, "seconds": seconds, **values})
        if self.curves is not None:
            begin = name.removesuffix(".csv")
            with self.folder.reporting(CURVES):
                self.curves.add(
                    {f"{begin}/{key}": each for key, each in values.items()}, self.number
                )

    def _save(self, name: str) -> None:
        if not self.fabric.is_global_zero:
            return
        if not is_finite(self.task.networks):
            raise NotFiniteError(
                f"step {self.number}: found weights that are not finite, wanted finite ones; "
                "lower the learning rate."
            )
        state: dict[str, Any] = {
            "task": self.task.name,
            "settings": json.dumps(self.task.settings.to_json()),
            "step": self.number,
            "networks": self.task.networks.state_dict(),
        }
        if name == LAST:
            scaler = self._scaler
            state |= {
                "optimisers": {key: one.state_dict() for key, one in self._optimisers.items()},
                "scaler": scaler.state_dict() if scaler is not None else {},
                "best": self.best,
                "waited": self.waited,
                "seconds": time.perf_counter() - self._clock,
                "extra": self.task.extra(),
            }
        self.folder.save(name, state)

    def _clip(self, optimiser: Optimizer, most: float) -> None:
        # Gradients of mixed precision are scaled until the optimiser steps; so is the norm.
        scale = 1.0 if self._scaler is None else float(self._scaler.get_scale())
        torch.nn.utils.clip_grad_norm_(parameters_of(optimiser), most * scale)
