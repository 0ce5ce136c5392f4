"""What a training run does, as the loop sees it; a task knows nothing of the loop."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Protocol

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
    settings : Settings
    networks : nn.Module
        All that is trained, with all that has to be saved to go on, as parameters and buffers.
    score : str
        The measure of :meth:`validate` that tells the best checkpoint.
    higher_is_better : bool
        Whether a larger score is the better one.
    """

    name: ClassVar[str]
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


__all__ = ["Batch", "Settings", "Task"]
