"""One step of training, the same for the loop and for a trial."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ...simulator.errors import FailureError
from .task import Task


class NotFiniteError(FailureError):
    """A loss is NaN or infinite: training has diverged."""


Backward = Callable[[Tensor], None]
Clip = Callable[[Optimizer, float], None]
Losses = Callable[[str, Any, int, int], dict[str, Tensor]]


def step(
    task: Task,
    optimisers: Mapping[str, Optimizer],
    batch: Any,
    number: int,
    rank: int,
    backward: Backward,
    clip: Clip,
    losses_of: Losses | None = None,
) -> dict[str, float]:
    """Lower all losses of a task once.

    Parameters
    ----------
    task : Task
    optimisers : mapping of name to Optimizer
        What :meth:`Task.optimisers` gave, perhaps wrapped.
    batch : what :meth:`Task.batches` yields
    number : int
        The step's.
    rank : int
    backward : callable
        Differentiates a loss.
    clip : callable
        Clips the gradients of an optimiser's parameters to a norm.
    losses_of : callable, optional
        Stands in for :meth:`Task.losses`, to which it leads.

    Returns
    -------
    dict of float
        The losses by name, and their sum, ``loss``.

    Raises
    ------
    NotFiniteError
        If a loss is not finite; nothing was stepped with it.
    """
    task.prepare(number, optimisers)
    found: dict[str, float] = {}
    total = 0.0
    for name, optimiser in optimisers.items():
        optimiser.zero_grad(set_to_none=True)
        losses = (losses_of or task.losses)(name, batch, number, rank)
        objective = torch.stack(list(losses.values())).sum()
        values = torch.stack([loss.detach().float() for loss in losses.values()]).tolist()
        for key, value in zip(losses, values, strict=True):
            if not math.isfinite(value):
                raise NotFiniteError(
                    f"step {number}: found {key} = {value}, wanted a finite loss; lower "
                    "the learning rate, or train with `precision='32-true'`."
                )
        backward(objective)
        most = task.clip(name)
        if most > 0:
            clip(optimiser, most)
        optimiser.step()
        found.update(zip(losses, values, strict=True))
        total += sum(values)
    return {**found, "loss": total}


def plain_backward(objective: Tensor) -> None:
    """Differentiate a loss."""
    objective.backward()


def plain_clip(optimiser: Optimizer, most: float) -> None:
    """Clip the gradients of an optimiser's parameters to a norm."""
    nn.utils.clip_grad_norm_(parameters_of(optimiser), most)


def parameters_of(optimiser: Optimizer) -> list[nn.Parameter]:
    """Return all parameters that an optimiser steps."""
    return [parameter for group in optimiser.param_groups for parameter in group["params"]]


def is_finite(networks: nn.Module) -> bool:
    """Return whether all weights and buffers are finite."""
    values = [*networks.parameters(), *networks.buffers()]
    checks = [torch.isfinite(value).all() for value in values if value.is_floating_point()]
    return bool(torch.stack([check.cpu() for check in checks]).all()) if checks else True
