"""The tasks of ``musim train`` by name, and how a run of one is begun, resumed and used."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..simulator.errors import InputError
from .runs.folder import BEST, LAST, RunFolder
from .runs.grid import Grid
from .runs.settings import Settings

if TYPE_CHECKING:
    from .runs.task import Task
    from .runs.trial import Trial


@dataclass(frozen=True)
class Kind:
    """Where a task's parts are, so that they are imported only when used.

    Parameters
    ----------
    module : str
        Relative to :mod:`musim.training`.
    task, settings : str
        Names of its classes.
    source : str
        Module and name of what it is trained on.
    """

    module: str
    task: str
    settings: str
    source: str = ".runs.sources:Source"

    def _load(self, name: str) -> Any:
        return getattr(importlib.import_module(self.module, __package__), name)

    @property
    def task_class(self) -> Any:
        """The task's class."""
        return self._load(self.task)

    @property
    def settings_class(self) -> type[Settings]:
        """The class of its settings."""
        return self._load(self.settings)

    @property
    def source_class(self) -> Any:
        """The class of what it is trained on."""
        module, name = self.source.split(":")
        return getattr(importlib.import_module(module, __package__), name)

    @property
    def models(self) -> Mapping[str, Mapping[str, Any]]:
        """Sizes by name, each with the settings that differ from their defaults."""
        return self._load("MODELS")


TASKS = {
    "detect": Kind(".identification.networks.detection_task", "DetectTask", "DetectSettings"),
    "twitch": Kind(".identification.networks.twitch_task", "TwitchTask", "TwitchSettings"),
    "translate": Kind(
        ".translation.translation_task", "TranslateTask", "TranslateSettings",
        ".translation.domains:Domains",
    ),
}  # fmt: skip


def settings_for(name: str, model: str, texts: Mapping[str, str]) -> Settings:
    """Return the settings of a model, with those that a user changed.

    Raises
    ------
    InputError
        If there is no such model or setting, or a text cannot be read.
    """
    kind = TASKS[name]
    if model not in kind.models:
        raise InputError(f"model: found {model!r}, wanted one of {', '.join(kind.models)}")
    return kind.settings_class.from_texts(texts, kind.models[model])


def make(name: str, settings: Settings, source: Any) -> "Task":
    """Return a new task for what it will be trained on.

    Raises
    ------
    InputError
        If it cannot be trained on that.
    """
    task = TASKS[name].task_class(settings, source.grid)
    task.check(source)
    return task


def try_out(name: str, settings: Settings, source: Any, device: str) -> "Trial":
    """Do a step of a task and tell what it takes, without a run folder.

    Raises
    ------
    FailureError
        If there is no room on the device.
    """
    import torch

    from .runs.trial import no_room, room_for
    from .runs.trial import try_out as try_task

    try:
        return try_task(make(name, settings, source), source, device)
    except torch.OutOfMemoryError:
        fits = room_for(_maker(name, settings, source), source, device, settings.batch_size)
        raise no_room(settings.batch_size, fits, device) from None


def train(
    name: str,
    folder: str | Path,
    *,
    model: str = "small",
    texts: Mapping[str, str] | None = None,
    source: Any = None,
    resume: bool = False,
    overwrite: bool = False,
    accelerator: str = "auto",
    devices: int = 1,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, float]:
    """Train a task into a run folder.

    Parameters
    ----------
    name : str
        One of :data:`TASKS`.
    folder : path
    model : str
        A size of the task's.
    texts : mapping of str to str
        Settings that differ from the model's, as typed. With `resume`, ``steps`` alone.
    source : Source, or what the task takes
        Not given with `resume`: it is the run's.
    resume, overwrite : bool
        Whether to go on with, or to replace, a run that is there.
    accelerator, devices, on_progress
        See :func:`.runs.loop.fit`.

    Returns
    -------
    dict of float
        Measures of the best validation.

    Raises
    ------
    InputError
        If something cannot be used; what this call began to write is then removed.
    FailureError
        If a loss is not finite, there is no room, or the folder cannot be written.
    """
    import torch

    from .runs.loop import fit
    from .runs.trial import no_room, room_for

    run = RunFolder(folder)
    texts = dict(texts or {})
    if resume and overwrite:
        raise InputError("found both --resume and --overwrite, wanted one of them")
    if resume:
        settings, source = _resumed(run, name, texts)
    else:
        settings = settings_for(name, model, texts)
        if source is None:
            raise InputError("source: found none, wanted sequences to train on")
    task = make(name, settings, source)
    if not resume:
        run.create(_description(name, model, settings, source), overwrite=overwrite)
    begun = not resume
    try:
        return fit(
            task, source, run, resume=resume and (run.path / LAST).exists(),
            accelerator=accelerator, devices=devices, on_progress=on_progress,
        )  # fmt: skip
    except torch.OutOfMemoryError:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        del task
        fits = room_for(_maker(name, settings, source), source, device, settings.batch_size)
        if begun and not (run.path / LAST).exists():
            run.remove()
        raise no_room(settings.batch_size, fits, device) from None
    except InputError:
        if begun:
            run.remove()
        raise


def open_run(folder: str | Path, name: str) -> "tuple[Task, Grid]":
    """Return a trained task, with the weights of its best validation, and the grid it is for.

    Raises
    ------
    InputError
        If there is no run of the task, or its checkpoint cannot be used.
    """
    from .runs.loop import load_networks

    run = RunFolder(folder)
    description = run.describe(name)
    grid = Grid.from_json(description["grid"])
    kind = TASKS[name]
    task = kind.task_class(kind.settings_class.from_json(description["settings"]), grid)
    chosen = BEST if (run.path / BEST).exists() else LAST
    load_networks(task, run.load(chosen), run.path / chosen)
    task.networks.eval()
    return task, grid


def _maker(name: str, settings: Settings, source: Any) -> Callable[[int], "Task"]:
    def make_with(batch_size: int) -> "Task":
        changed = type(settings).from_json({**settings.to_json(), "batch_size": batch_size})
        return make(name, changed, source)

    return make_with


def _resumed(run: RunFolder, name: str, texts: Mapping[str, str]) -> tuple[Settings, Any]:
    description = run.describe(name)
    other = [key for key in texts if key != "steps"]
    if other:
        raise InputError(
            f"{run}: found {other[0]} changed with --resume, wanted the run's own; only steps may "
            "be: begin another run for the rest"
        )
    kind = TASKS[name]
    settings = kind.settings_class.from_json(description["settings"])
    if texts:
        settings = kind.settings_class.from_texts(texts, settings.__dict__)
    return settings, kind.source_class.from_json(description["source"])


def _description(name: str, model: str, settings: Settings, source: Any) -> dict[str, Any]:
    return {
        "task": name,
        "model": model,
        "settings": settings.to_json(),
        "source": source.to_json(),
        "grid": source.grid.to_json(),
    }
