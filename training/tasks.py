"""The tasks of ``musim train`` by name, and how a run of one is begun, resumed and used."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..simulator.errors import FailureError, InputError
from .runs.folder import BEST, LAST, RUN, RunFolder
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
    task, settings, source : str
        Module, relative to :mod:`musim.training`, and name of its class, of that of its settings,
        and of that of what it is trained on. Beside the settings stand its ``MODELS``.
    """

    task: str
    settings: str
    source: str = ".runs.sources:Source"

    @property
    def task_class(self) -> Any:
        """The task's class."""
        return _load(self.task)

    @property
    def settings_class(self) -> type[Settings]:
        """The class of its settings."""
        return _load(self.settings)

    @property
    def source_class(self) -> Any:
        """The class of what it is trained on."""
        return _load(self.source)

    @property
    def models(self) -> Mapping[str, Mapping[str, Any]]:
        """Sizes by name, each with the settings that differ from their defaults."""
        return _load(f"{self.settings.partition(':')[0]}:MODELS")


def _load(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module, __package__), name)


TASKS = {
    "detect": Kind(
        ".identification.networks.detection_task:DetectTask",
        ".identification.networks.detection_settings:DetectSettings",
    ),
    "twitch": Kind(
        ".identification.networks.twitch_task:TwitchTask",
        ".identification.networks.twitch_settings:TwitchSettings",
    ),
    "translate": Kind(
        ".translation.translation_task:TranslateTask",
        ".translation.translation_settings:TranslateSettings",
        ".translation.domains:Domains",
    ),
}


MODEL = "small"
"""The size of a network unless another is asked for."""


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


def try_out(
    name: str, settings: Settings, source: Any, accelerator: str = "auto", devices: int = 1
) -> "Trial":
    """Do a step of a task and tell what it takes, without a run folder.

    Parameters
    ----------
    name : str
        One of :data:`TASKS`.
    settings : Settings
    source : Source, or what the task takes
    accelerator, devices
        See :func:`.runs.loop.fit`; the share of one device is tried.

    Raises
    ------
    InputError
        If it cannot be trained on that, or there.
    FailureError
        If there is no room on the device.
    """
    from .runs.devices import check_devices, is_out_of_memory
    from .runs.trial import try_out as try_task

    device = check_devices(accelerator, devices, settings.batch_size, settings.precision)
    try:
        return try_task(make(name, settings, source), source, device, devices)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
    raise _no_room(name, settings, source, device, devices)


def plan(
    name: str,
    folder: str | Path,
    *,
    model: str = "",
    texts: Mapping[str, str] | None = None,
    source: Any = None,
    resume: bool = False,
) -> tuple[Settings, Any]:
    """Return the settings of a run and what it is trained on: of a new one, or one to resume.

    Parameters and errors are those of :func:`train`.
    """
    texts = dict(texts or {})
    if resume:
        if source is not None or model:
            raise InputError(
                f"{folder}: found {'data' if source is not None else 'a model'} given with "
                "--resume, wanted none; the run knows its own"
            )
        return _resumed(RunFolder(folder), name, texts)
    if source is None:
        raise InputError("source: found none, wanted sequences to train on")
    return settings_for(name, model or MODEL, texts), source


def train(
    name: str,
    folder: str | Path,
    *,
    model: str = "",
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
        A size of the task's; :data:`MODEL`, if not given. Not given with `resume`.
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
        If something cannot be used; nothing of this call is then left, and a run that was there is
        as it was.
    FailureError
        If a loss is not finite, there is no room, or the folder cannot be written.
    """
    from .runs.devices import check_devices, is_out_of_memory
    from .runs.loop import fit

    run = RunFolder(folder)
    if resume and overwrite:
        raise InputError("found both --resume and --overwrite, wanted one of them")
    if not resume:
        run.check_free(overwrite=overwrite)
    settings, source = plan(name, folder, model=model, texts=texts, source=source, resume=resume)
    device = check_devices(accelerator, devices, settings.batch_size, settings.precision)
    task = make(name, settings, source)
    goes_on = resume and (run.path / LAST).exists()
    if resume:
        _lengthen(run, settings)
    else:
        _check_batches(task, source, devices)
        run.create(_description(name, model or MODEL, settings, source), overwrite=overwrite)
    try:
        return fit(
            task, source, run, resume=goes_on, accelerator=accelerator, devices=devices,
            on_progress=on_progress,
        )  # fmt: skip
    except Exception as error:
        full = is_out_of_memory(error)
        # Once there are weights, they are worth more than a clean folder.
        begun = not resume and not (run.path / LAST).exists()
        if begun and (full or isinstance(error, InputError)):
            run.remove()
        if not full:
            raise
    # Not above: the error holds on to all that filled the device.
    del task
    raise _no_room(name, settings, source, device, devices)


def open_run(folder: str | Path, name: str) -> "tuple[Task, Grid]":
    """Return a trained task, with the weights of its best validation, and the grid it is for.

    Raises
    ------
    InputError
        If there is no run of the task, or its checkpoint cannot be used.
    """
    from .runs.states import load_networks

    run = RunFolder(folder)
    description = run.describe(name)
    grid = _read(run, description, "grid", Grid)
    kind = TASKS[name]
    task = kind.task_class(_read(run, description, "settings", kind.settings_class), grid)
    chosen = BEST if (run.path / BEST).exists() else LAST
    load_networks(task, run.load(chosen), run.path / chosen)
    task.networks.eval()
    return task, grid


def _no_room(name: str, settings: Settings, source: Any, device: Any, devices: int) -> FailureError:
    from .runs.trial import forget, no_room, room_for

    def make_with(batch_size: int) -> "Task":
        changed = type(settings).from_json({**settings.to_json(), "batch_size": batch_size})
        return make(name, changed, source)

    forget(device)
    fits = room_for(make_with, source, device, settings.batch_size, devices)
    return no_room(settings.batch_size, fits, device)


def _check_batches(task: "Task", source: Any, devices: int) -> None:
    """Make the first batch, and have the source checked, before anything is written."""
    import torch

    check_ready = getattr(source, "check_ready", None)
    if check_ready is not None:
        check_ready(devices)
    batches = task.batches(source, 0, rank=0, ranks=devices, device=torch.device("cpu"))
    try:
        next(batches)
    finally:
        close = getattr(batches, "close", None)
        if close is not None:
            close()


def _resumed(run: RunFolder, name: str, texts: Mapping[str, str]) -> tuple[Settings, Any]:
    description = run.describe(name)
    other = [key for key in texts if key != "steps"]
    if other:
        raise InputError(
            f"{run}: found {other[0]} changed with --resume, wanted the run's own; only steps may "
            "be: begin another run for the rest"
        )
    kind = TASKS[name]
    settings = _read(run, description, "settings", kind.settings_class)
    source = _read(run, description, "source", kind.source_class)
    if source.grid.to_json() != _read(run, description, "grid", Grid).to_json():
        raise InputError(
            f"{run}: found sequences of {source.grid} where it was begun with others, wanted "
            f"{_read(run, description, 'grid', Grid)}; restore the store, or begin another run"
        )
    if texts:
        settings = kind.settings_class.from_texts(texts, settings.__dict__)
    return settings, source


def _lengthen(run: RunFolder, settings: Settings) -> None:
    """Write another number of steps down, so that the next to resume goes on to it too."""
    description = run.describe()
    if description["settings"].get("steps") == settings.steps:
        return
    done = run.load(LAST)["step"] if (run.path / LAST).exists() else 0
    if settings.steps < done:
        raise InputError(f"steps: found {settings.steps}, wanted at least the {done} that are done")
    run.change_settings(settings.to_json())


def _read(run: RunFolder, description: Mapping[str, Any], key: str, kind: Any) -> Any:
    try:
        return kind.from_json(description[key])
    except InputError as error:
        raise InputError(f"{run}: found {RUN} changed ({error}); restore it") from None
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError(
            f"{run}: found {RUN} damaged at {key}, wanted it whole; restore it"
        ) from None


def _description(name: str, model: str, settings: Settings, source: Any) -> dict[str, Any]:
    return {
        "task": name,
        "model": model,
        "settings": settings.to_json(),
        "source": source.to_json(),
        "grid": source.grid.to_json(),
    }
