"""What a training run does, as the loop sees it, and the tasks that there are by name.

A task knows nothing of the loop.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Protocol, TypeVar

from torch import Tensor, device, nn
from torch.optim import Optimizer

from .settings import Settings
from .sources import Batch, Source


class Task(Protocol):
    """Networks, their losses, and how batches and validations of them are made.

    A step of training goes through the optimisers in their order; for each, :meth:`losses` is
    asked for its losses, whose sum is differentiated and stepped. Whatever a step draws at random
    depends on (seed, step, rank) alone, so that a run that is resumed equals one that is not.

    Attributes
    ----------
    name : str
        The task's, as in ``musim train NAME``; run folders of another are refused.
    settings_class : type
        That of its settings, a :class:`.settings.Settings`.
    models : mapping of str to mapping
        Sizes by name, each with the settings that differ from their defaults; :data:`MODEL` is one.
    source_class : type
        That of what it is trained on: with a ``grid``, ``to_json`` and ``from_json``, as
        :class:`.sources.Source` has them.
    settings : Settings
    networks : nn.Module
        All that is trained, with all that has to be saved to go on, as parameters and buffers.
    score : str
        The measure of :meth:`validate` that tells the best checkpoint.
    higher_is_better : bool
        Whether a larger score is the better one.
    """

    name: ClassVar[str]
    settings_class: ClassVar[type[Settings]]
    models: ClassVar[Mapping[str, Mapping[str, Any]]]
    source_class: ClassVar[Any]
    score: ClassVar[str]
    higher_is_better: ClassVar[bool]
    settings: Any
    networks: nn.Module

    def check(self, source: Source) -> None:
        """Raise InputError unless this task can be trained on what `source` gives."""
        ...

    def optimisers(self) -> dict[str, Optimizer]:
        """Return new optimisers by name, in the order in which they step."""
        ...

    def prepare(self, step: int, optimisers: Mapping[str, Optimizer]) -> None:
        """Make ready for a step: learning rates, frozen parts, networks in training mode."""
        ...

    def batches(
        self, source: Source, step: int, *, rank: int, ranks: int, device: device
    ) -> Iterator[Any]:
        """Yield this process's share of the batches of training, from step `step` on, for ever."""
        ...

    def losses(self, optimiser: str, batch: Any, step: int, rank: int) -> dict[str, Tensor]:
        """Return the losses that an optimiser lowers; their sum is differentiated."""
        ...

    def clip(self, optimiser: str) -> float:
        """Return the norm to which gradients are clipped; 0: not at all."""
        ...

    def extra(self) -> dict[str, Any]:
        """Return what else has to be saved to go on, as tensors and plain values."""
        ...

    def load_extra(self, state: Mapping[str, Any]) -> None:
        """Take what :meth:`extra` returned."""
        ...

    def validate(self, source: Source, device: device) -> dict[str, float]:
        """Return measures on sequences that are never trained on; `score` is among them."""
        ...


MODEL = "small"
"""The size of a network unless another is asked for; every task has it."""

TASKS: dict[str, Any] = {}
"""The tasks' classes by name, of all modules that were imported."""

TaskClass = TypeVar("TaskClass", bound=type[Any])


def register(task: TaskClass) -> TaskClass:
    """Let a class be one of the tasks, by its name; for use as a decorator.

    Raises
    ------
    TypeError
        If the class does not say all that a task says of itself, or lacks a model.
    ValueError
        If there is another task of its name.
    """
    said = ("name", "settings_class", "models", "source_class", "score", "higher_is_better")
    lacking = [name for name in said if not hasattr(task, name)]
    if lacking:
        raise TypeError(f"{task.__name__}: found no {lacking[0]}, wanted one, as every task has it")
    if MODEL not in task.models:
        raise TypeError(f"{task.__name__}: found no model {MODEL!r}, wanted one; add it to models")
    if TASKS.setdefault(task.name, task) is not task:
        raise ValueError(f"{task.__name__}: found another task named {task.name!r}; rename one")
    return task


__all__ = ["MODEL", "TASKS", "Batch", "Settings", "Task", "register"]
