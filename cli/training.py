"""What all commands of ``musim train`` do whose steps are batches."""

import time
from dataclasses import asdict

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from ..simulator.errors import InputError
from ..training.tasks import plan
from ..training.tasks import train as train_task
from ..training.tasks import try_out as try_task
from .console import err, megabytes, out, print_json, progress
from .run_options import settings_from

NO_DATA = {
    "segment": "found no --data, wanted images to train on; name a folder or a store",
    "diffuse": "found no --data, wanted images to train on; name a folder or a store",
    "translate-paired": "found no --data, and no --a and --b, wanted a store of paired slices, or "
    "two of sequences that show the same; name them",
    "state": "found no --data, wanted a store of videos to train on; name it",
}
"""What is said where nothing is given to train on, of tasks that have nothing without end."""


def run_training(task_class, options, more, source_of) -> None:
    """Train a task, or try it out, as options ask for, and tell what came of it.

    Parameters
    ----------
    task_class : type
        The class of a task.
    options : dict
        Those of :mod:`.run_options`, and those that `source_of` takes out.
    more : mapping of str to object
        Settings with options of their own; None where an option was not given.
    source_of : callable
        Takes options and returns what is trained on, None without any.
    """
    target, model = options.pop("target"), options.pop("model") or ""
    common = {key: options.pop(key) for key in ("steps", "batch_size", "precision", "seed")}
    texts = settings_from(options.pop("changes"), {**common, **more})
    where = {key: options.pop(key) for key in ("accelerator", "devices")}
    resume, overwrite = options.pop("resume"), options.pop("overwrite")
    dry, as_json = options.pop("dry_run"), options.pop("as_json")
    source = source_of(options)
    if source is None and not resume:
        endless = "found neither --data nor --endless, wanted one of them to train on"
        raise InputError(NO_DATA.get(task_class.name, endless))
    if resume and overwrite:
        raise InputError("found both --resume and --overwrite, wanted one of them")
    asked = {"model": model, "texts": texts, "source": source, "resume": resume}
    if dry:
        _show_trial(task_class, *plan(task_class, target, **asked), where, as_json)
        return
    began, trained = time.perf_counter(), False
    with progress(f"training {task_class.name}", "steps") as report:

        def note(done, total):
            nonlocal trained
            trained = True
            report(done, total)

        best = train_task(
            task_class, target, **asked, **where, overwrite=overwrite, on_progress=note
        )
    took = time.perf_counter() - began
    if as_json:
        print_json(run=target, trained=trained, best_validation=best, seconds=took)
        return
    seconds = f" ({took:.0f} s)" if trained else ""
    before = "" if trained else "finished before, nothing was done (--steps makes it longer); "
    found = ", ".join(
        f"{key} {value:.0f}" if key == "step" else f"{key} {value:.4g}"
        for key, value in best.items()
    )
    out().print(f"{target}: {before}best validation: {found or 'none'}{seconds}", soft_wrap=True,
                markup=False)  # fmt: skip


def _show_trial(task_class, settings, source, where, as_json) -> None:
    if as_json:
        trial = try_task(task_class, settings, source, **where)
        print_json(settings=settings.to_json(), memory=trial.memory, **asdict(trial))
        return
    console = out()
    table = Table("setting", "value", "meaning", box=SIMPLE_HEAD, pad_edge=False)
    for setting, value, unit, meaning in settings.describe():
        table.add_row(*(escape(each) for each in (setting, f"{value} {unit}".strip(), meaning)))
    console.print(table)
    err().print("doing three steps ...")
    trial = try_task(task_class, settings, source, **where)
    for network, number in trial.parameters.items():
        console.print(f"{network}: {number:,} parameters")
    console.print(f"together: {sum(trial.parameters.values()):,} parameters")
    console.print(
        f"memory: {megabytes(trial.memory)} and the libraries' own (weights "
        f"{megabytes(trial.weights)}, gradients and optimisers {megabytes(trial.optimisers)}, "
        f"kept for differentiation {megabytes(trial.activations)})", soft_wrap=True,
    )  # fmt: skip
    hours = (trial.seconds + trial.waiting) * settings.steps / 3600
    console.print(
        f"a step: {trial.seconds:.3g} s on {trial.device}, and {trial.waiting:.2g} s waiting for "
        f"its batch: {hours:.3g} h for {settings.steps:,} steps", soft_wrap=True,
    )  # fmt: skip
