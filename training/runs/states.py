"""Whether a checkpoint belongs to a task, and giving it back."""

import json
from typing import Any

from torch import Tensor

from ...simulator.errors import InputError
from .task import Task


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


def check_state(task: Task, state: dict[str, Any], where: Any) -> None:
    """Raise InputError unless a checkpoint is of a task with just these settings.

    The number of steps may differ: a run can be made longer.
    """
    try:
        found = json.loads(state["settings"])
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InputError(
            f"{where}: found damaged settings in the checkpoint, wanted those of run.json; copy it "
            "again, or begin another run"
        )
    wanted = json.loads(json.dumps(task.settings.to_json()))
    other = [key for key in wanted if key in found and found[key] != wanted[key] and key != "steps"]
    if other:
        raise InputError(
            f"{where}: found a checkpoint made with {other[0]} = {found[other[0]]}, wanted "
            f"{wanted[other[0]]} as in run.json; restore run.json and the checkpoint together"
        )
    try:
        for name, optimiser in task.optimisers().items():
            optimiser.load_state_dict(state["optimisers"][name])
    except (KeyError, ValueError, TypeError, AttributeError):
        raise InputError(
            f"{where}: found the state of other optimisers, wanted that of this run's settings; "
            "restore run.json and the checkpoint together"
        ) from None
