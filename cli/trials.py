"""What ``musim generate --dry-run`` says."""

import dataclasses
from typing import TYPE_CHECKING, Any

from .console import duration, megabytes, out
from .wording import counted

if TYPE_CHECKING:
    from ..datasets.trial import Trial


def told(trial: "Trial", target: str, sequences: int, *, as_json: bool) -> dict[str, Any]:
    """Return what a store will take as plain values, and say it unless a program reads."""
    if not as_json:
        out().print(
            f"{target} would take {megabytes(trial.bytes)} on the disk, and to make it about "
            f"{duration(trial.duration)} and {megabytes(trial.memory)} of memory, with "
            f"{counted(trial.workers, 'worker')}. This was told from "
            f"{counted(trial.made, 'sequence')}; nothing is written.",
            soft_wrap=True,
        )
    return {"store": target, "sequences": sequences, **dataclasses.asdict(trial),
            "duration": trial.duration}  # fmt: skip
