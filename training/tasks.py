"""How a run of a task is begun, resumed, tried out and used; which task, its class says."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..datasets.grid import Grid
from ..simulator.errors import FailureError, InputError
from .runs.folder import BEST, LAST, RUN, RunFolder
from .runs.settings import Settings

if TYPE_CHECKING:
    from .runs.trial import Trial

TaskT = TypeVar("TaskT")

TaskClass = type[Any]
"""A class that is a :class:`.runs.task.Task`."""


def settings_for(task_class: TaskClass, model: str, texts: Mapping[str, str]) -> Settings:
    """Return the settings of a model, with those that a user changed.

    Parameters
    ----------
    task_class : type
        The class of a task.
    model : str
        One of its models; the usual one, if empty.
    texts : mapping of str to str
        Settings that differ from the model's, as typed.

    Raises
    ------
    InputError
        If there is no such model or setting, or a text cannot be read.
    """
    from .runs.task import MODEL

    models = task_class.models
    if (model or MODEL) not in models:
        raise InputError(f"model: found {model!r}, wanted one of {', '.join(models)}")
    return task_class.settings_class.from_texts(texts, models[model or MODEL])


def make(task_class: type[TaskT], settings: Settings, source: Any) -> TaskT:
    """Return a new task for what it will be trained on.

    Raises
    ------
    InputError
        If it cannot be trained on that.
    """
    task: Any = task_class
    task = task(settings, source.grid)
    task.check(source)
    return task


def try_out(
    task_class: TaskClass,
    settings: Settings,
    source: Any,
    accelerator: str = "auto",
    devices: int = 1,
) -> "Trial":
    """Do a step of a task and tell what it takes, without a run folder.

    Parameters
    ----------
    task_class : type
        The class of a task.
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
    # What takes long before the first step is left out.
    source = getattr(source, "for_trying", source)
    try:
        return try_task(make(task_class, settings, source), source, device, devices)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
    raise _no_room(task_class, settings, source, device, devices)


def plan(
    task_class: TaskClass,
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
                "`resume=True`, wanted none; the run knows its own"
            )
        return _resumed(RunFolder(folder), task_class, texts)
    if source is None:
        raise InputError("source: found none, wanted sequences to train on")
    if not isinstance(source, task_class.source_class):
        source = task_class.source_class.of(source)
    return settings_for(task_class, model, texts).on(source), source


def train(
    task_class: TaskClass,
    folder: str | Path,
    *,
    model: str = "",
    texts: Mapping[str, Any] | None = None,
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
    task_class : type
        The class of a task.
    folder : path
    model : str
        A size of the task's; :data:`.runs.task.MODEL`, if not given. Not given with `resume`.
    texts : mapping of str to object
        Settings that differ from the model's, as typed, or their values. With `resume`, ``steps``
        alone.
    source : Source, or what the task takes
        What it is trained on: a store or its place, or the parameters of sequences without end; of
        ``TranslateTask`` a pair of stores. Not given with `resume`: it is the run's.
    resume, overwrite : bool
        Whether to go on with, or to replace, a run that is there; one that has weights stays until
        the new one is trained.
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
    given = {"model": model, "texts": texts, "source": source}
    where = {"accelerator": accelerator, "devices": devices, "on_progress": on_progress}
    with RunFolder(folder).at_work(resume=resume, overwrite=overwrite) as run:
        return _train_in(run, task_class, given, where, resume=resume, overwrite=overwrite)


def _train_in(
    run: RunFolder,
    task_class: TaskClass,
    given: Mapping[str, Any],
    where: Mapping[str, Any],
    *,
    resume: bool,
    overwrite: bool,
) -> dict[str, float]:
    from .runs.devices import check_devices, is_out_of_memory
    from .runs.loop import fit
    from .runs.task import MODEL

    if not resume:
        run.check_free(overwrite=overwrite)
    settings, source = plan(task_class, run.path, **given, resume=resume)
    devices = where["devices"]
    device = check_devices(where["accelerator"], devices, settings.batch_size, settings.precision)
    task = make(task_class, settings, source)
    goes_on = resume and (run.path / LAST).exists()
    if resume:
        _lengthen(run, settings)
    else:
        _check_batches(task, source, devices)
        description = _description(task, given["model"] or MODEL, settings, source)
        run.create(description, overwrite=overwrite)
    try:
        return fit(task, source, run, resume=goes_on, **where)
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
    raise _no_room(task_class, settings, source, device, devices)


def open_run(folder: str | Path, task_class: type[TaskT]) -> tuple[TaskT, Grid]:
    """Return a trained task, with the weights of its best validation, and the grid it is for.

    Parameters
    ----------
    folder : path
        What ``musim train`` wrote.
    task_class : type
        The class of the task that the run has to be of.

    Raises
    ------
    InputError
        If there is no run of the task, or its checkpoint cannot be used.
    """
    from .runs.states import load_networks

    run = RunFolder(folder)
    of_task: Any = task_class
    description = run.describe(of_task.name)
    grid = _read(run, description, "grid", Grid)
    task = of_task(_read(run, description, "settings", of_task.settings_class), grid)
    chosen = _used(run)
    load_networks(task, run.load(chosen), run.path / chosen)
    task.networks.eval()
    return task, grid


def digest_of(folder: str | Path) -> str:
    """Return the SHA-256 of the checkpoint that :func:`open_run` takes, in hexadecimal.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    run = RunFolder(folder)
    chosen = _used(run)
    try:
        return hashlib.sha256((run.path / chosen).read_bytes()).hexdigest()
    except OSError:
        run.load(chosen)  # which says what is wrong
        raise


def _used(run: RunFolder) -> str:
    return BEST if (run.path / BEST).exists() else LAST


def _no_room(
    task_class: TaskClass, settings: Settings, source: Any, device: Any, devices: int
) -> FailureError:
    from .runs.trial import forget, no_room, room_for

    def make_with(batch_size: int) -> Any:
        changed = type(settings).from_json({**settings.to_json(), "batch_size": batch_size})
        return make(task_class, changed, source)

    forget(device)
    fits = room_for(make_with, source, device, settings.batch_size, devices)
    return no_room(settings.batch_size, fits, device)


def _check_batches(task: Any, source: Any, devices: int) -> None:
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


def _resumed(
    run: RunFolder, task_class: TaskClass, texts: Mapping[str, str]
) -> tuple[Settings, Any]:
    description = run.describe(task_class.name)
    other = [key for key in texts if key != "steps"]
    if other:
        raise InputError(
            f"{run}: found {other[0]} changed with `resume=True`, wanted the run's own; only steps "
            "may be: begin another run for the rest"
        )
    settings = _read(run, description, "settings", task_class.settings_class)
    source = _read(run, description, "source", task_class.source_class)
    if source.grid.to_json() != _read(run, description, "grid", Grid).to_json():
        raise InputError(
            f"{run}: found sequences of {source.grid} where it was begun with others, wanted "
            f"{_read(run, description, 'grid', Grid)}; restore the store, or begin another run"
        )
    if texts:
        settings = task_class.settings_class.from_texts(texts, settings.__dict__)
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


def _description(task: Any, model: str, settings: Settings, source: Any) -> dict[str, Any]:
    return {
        "task": task.name,
        "model": model,
        "settings": settings.to_json(),
        "source": source.to_json(),
        "grid": source.grid.to_json(),
    }
