"""Networks as a method: a trained detector outlines units, a trained estimator gives their trains.

The pipeline of Ali et al. 2020 (doi:10.1109/ACCESS.2020.3023495, section III): territories first,
then one twitch train a territory from the crop about it.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ....datasets.grid import Grid
from ....simulator.errors import InputError
from ...tasks import open_run
from ..firing import firings
from ..units import Recording, Units, check, none

TASKS = ("detect", "twitch")
"""Names of the tasks of which the method takes runs."""

WEIGHTS = Path(__file__).parent.parent / "networks" / "weights"
"""Runs that come with musim, one folder a task."""


@dataclass(frozen=True)
class Runs:
    """The two runs that the method needs.

    Parameters
    ----------
    detect, twitch : str
        Folders of ``musim train``.
    """

    detect: str
    twitch: str

    def to_json(self) -> dict[str, str]:
        """Return plain values."""
        return {"detect": self.detect, "twitch": self.twitch}


def resolve(runs: Sequence[str | Path]) -> Runs:
    """Return which run does what; those that come with musim stand in for what is not given.

    Parameters
    ----------
    runs : sequence of path
        At most one run of each task, in any order.

    Raises
    ------
    InputError
        If a folder holds no run, one of another task, or two are of the same.
    """
    from ...runs.folder import RunFolder

    chosen = {task: str(WEIGHTS / task) for task in TASKS}
    given: dict[str, str] = {}
    for run in runs:
        task = RunFolder(run).describe()["task"]
        if task not in TASKS:
            raise InputError(
                f"{run}: found a run of musim train {task}, wanted one of musim train detect or "
                "twitch"
            )
        if task in given:
            raise InputError(
                f"{run}: found a second run of musim train {task} beside {given[task]}, wanted one "
                "of each"
            )
        given[task] = str(Path(run).absolute())
    return Runs(**{**chosen, **given})


def network(recording: Recording, runs: Runs) -> Units:
    """Find units with trained networks.

    Parameters
    ----------
    recording : Recording
        Of the grid that both networks were trained for.
    runs : Runs

    Returns
    -------
    Units
        Territories are the detector's soft masks, confidence is its score.

    Raises
    ------
    InputError
        If the recording has another grid, or a run cannot be used.
    """
    import torch

    check(recording)
    detector, estimator = (_opened(task, getattr(runs, task), recording) for task in TASKS)
    tvi = torch.from_numpy(recording.tvi)
    with torch.inference_mode():
        masks, scores = detector.detect(tvi)
        order = torch.argsort(scores, descending=True, stable=True)
        masks, scores = masks[order], scores[order]
        kept = (masks > 0.5).flatten(1).any(1) if len(masks) else torch.zeros(0, dtype=torch.bool)
        masks, scores = masks[kept], scores[kept]
        if not len(masks):
            return none(recording)
        trains = estimator.estimate(tvi, masks)
    train = trains.numpy().astype(np.float32, copy=False)
    return Units(
        territory=masks.numpy().astype(np.float32, copy=False).clip(0, 1),
        train=train,
        firing=firings(train, recording.frame_rate),
        confidence=scores.numpy().astype(np.float64).clip(0, 1),
    )


def _opened(task: str, run: str, recording: Recording) -> Any:
    try:
        changed = max(entry.stat().st_mtime_ns for entry in os.scandir(run))
    except (OSError, ValueError):
        changed = 0
    opened, grid = _open(task, run, changed)
    depth, width = recording.pixel_size
    found = Grid(recording.tvi.shape, recording.frame_rate, (depth, width))
    if not grid.fits(found):
        raise InputError(
            f"found {found}, wanted {grid}, for which {run} was trained; musim import can resample "
            "recordings (`chain.frame_rate`, `chain.frames`, `chain.pixels`, `chain.size`)"
        )
    return opened


@lru_cache(maxsize=4)
def _open(task: str, run: str, changed: int) -> tuple[Any, Grid]:
    from ..networks.detection_task import DetectTask
    from ..networks.twitch_task import TwitchTask

    task_class: Any = {each.name: each for each in (DetectTask, TwitchTask)}[task]
    return open_run(run, task_class)
