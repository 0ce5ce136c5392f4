"""What a run will need, told before it begins: parameters, memory, time of a step."""

import gc
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ...simulator.errors import FailureError
from .devices import is_out_of_memory
from .sources import Source
from .stepping import parameters_of, plain_backward, plain_clip, step
from .task import Task


@dataclass(frozen=True)
class Trial:
    """What one step took.

    Parameters
    ----------
    parameters : dict of int
        Numbers of trained values by network.
    weights : int
        Bytes of weights and buffers.
    optimisers : int
        Bytes of gradients and of what the optimisers keep.
    activations : int
        Most bytes that were kept for differentiation at a time.
    seconds : float
        Of a step, the batch being there.
    waiting : float
        Seconds until a batch was there.
    device : str
    """

    parameters: dict[str, int]
    weights: int
    optimisers: int
    activations: int
    seconds: float
    waiting: float
    device: str

    @property
    def memory(self) -> int:
        """Bytes of all three; libraries and workspaces come on top."""
        return self.weights + self.optimisers + self.activations


def count(task: Task) -> dict[str, int]:
    """Return the number of trained values of each network."""
    counted: set[int] = set()
    found: dict[str, int] = {}
    for name, network in (*task.networks.named_children(), ("rest", task.networks)):
        trained = {
            id(value): value.numel() for value in network.parameters() if value.requires_grad
        }
        found[name] = sum(trained[key] for key in trained.keys() - counted)
        counted |= trained.keys()
    return {name: number for name, number in found.items() if number or name != "rest"}


def autocast(precision: str, device: torch.device) -> Any:
    """Return the context in which a step of a precision runs."""
    kinds = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}
    if precision not in kinds:
        return nullcontext()
    # Without the cache: weights change while the context lasts.
    return torch.autocast(device.type, kinds[precision], cache_enabled=False)


def try_out(
    task: Task, source: Source, device: torch.device | str = "cpu", ranks: int = 1
) -> Trial:
    """Do three steps and measure them; the task's weights change.

    Parameters
    ----------
    task : Task
    source : Source
    device : torch.device or str
    ranks : int
        Processes that share a batch; one's share is tried.

    Raises
    ------
    torch.OutOfMemoryError
        If there is no room on the device.
    """
    device = torch.device(device)
    task.networks.to(device)
    optimisers = task.optimisers()
    saved: dict[int, int] = {}
    most = 0

    own = {value.untyped_storage().data_ptr() for value in task.networks.state_dict().values()}

    def keep(value: Tensor) -> Tensor:
        nonlocal most
        storage = value.untyped_storage()
        if storage.data_ptr() not in own:
            saved[storage.data_ptr()] = storage.nbytes()
        most = max(most, sum(saved.values()))
        return value

    def backward(objective: Tensor) -> None:
        plain_backward(objective)
        saved.clear()

    batches = task.batches(source, 0, rank=0, ranks=ranks, device=device)
    try:
        with autocast(task.settings.precision, device):
            step(task, optimisers, _to(next(batches), device), 0, 0, backward, plain_clip)
            began = time.perf_counter()
            batch = _to(next(batches), device)
            waiting = time.perf_counter() - began
            _finish(device)
            began = time.perf_counter()
            step(task, optimisers, batch, 1, 0, backward, plain_clip)
            _finish(device)
            seconds = time.perf_counter() - began
            # Counted apart: the hooks slow a step down.
            with torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value):
                step(task, optimisers, batch, 2, 0, backward, plain_clip)
    finally:
        close = getattr(batches, "close", None)
        if close is not None:
            close()
    weights = {value.data_ptr(): _bytes(value) for value in task.networks.state_dict().values()}
    kept = [value for optimiser in optimisers.values() for state in optimiser.state.values()
            for value in state.values() if isinstance(value, Tensor)]  # fmt: skip
    gradients = [value for optimiser in optimisers.values() for value in parameters_of(optimiser)]
    return Trial(
        parameters=count(task),
        weights=sum(weights.values()),
        optimisers=sum(map(_bytes, kept)) + sum(map(_bytes, gradients)),
        activations=most,
        seconds=seconds,
        waiting=waiting,
        device=device.type,
    )


def room_for(
    make: Callable[[int], Task], source: Source, device: Any, batch_size: int, ranks: int = 1
) -> int:
    """Return the largest of a batch size's halves for which there is room on a device; 0: none.

    Parameters
    ----------
    make : callable
        Makes the task for a batch size.
    source : Source
    device : torch.device or str
    batch_size : int
        What there was no room for.
    ranks : int
        Processes that share a batch.
    """
    size = batch_size // 2 // ranks * ranks
    while size >= 1:
        forget(device)
        if _fits(make, source, device, size, ranks):
            return size
        size = size // 2 // ranks * ranks
    return 0


def _fits(make: Callable[[int], Task], source: Source, device: Any, size: int, ranks: int) -> bool:
    # A function of its own: what was tried is let go with it.
    try:
        try_out(make(size), source, device, ranks)
    except Exception as error:
        if is_out_of_memory(error):
            return False
        raise
    return True


def no_room(batch_size: int, fits: int, device: Any) -> FailureError:
    """Return the error that says which batch there is room for."""
    advice = (
        f"batches of {fits} fit: begin the run with `batch_size={fits}`"
        if fits
        else "not even the smallest fits: use `model='small'`, or another device"
    )
    return FailureError(
        f"{device}: found no room for batches of {batch_size}, wanted room for a step; {advice}"
    )


def _bytes(value: Tensor) -> int:
    return value.numel() * value.element_size()


def _to(batch: Any, device: torch.device) -> Any:
    if isinstance(batch, Tensor):
        return batch.to(device)
    if isinstance(batch, dict):
        return {name: _to(value, device) for name, value in batch.items()}
    if isinstance(batch, list | tuple):
        return type(batch)(_to(value, device) for value in batch)
    return batch


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def forget(device: Any) -> None:
    """Give back what a device holds for tensors that are no longer used."""
    kind = torch.device(device).type
    if kind == "cpu":
        return
    gc.collect()
    if kind == "cuda":
        torch.cuda.empty_cache()
