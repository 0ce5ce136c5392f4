"""``musim train judge``."""

import time
from collections.abc import Callable
from contextlib import ExitStack

import click
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from ..simulator.errors import InputError
from .config import config_option
from .console import duration, err, megabytes, out, print_json, progress
from .options import json_option
from .run_options import overwrite_option, setting_option, settings_from


@click.command(
    short_help="Train the judgement of what may be a unit.",
    epilog="""\b
Examples:
  musim train judge --out judge
  musim train judge -n 1200 --seed 7 --workers 8 --out judge
  musim train judge --set kinds=easy,typical,noise --out judge --dry-run
  musim train judge --out judge --resume
  musim identify musim.zarr --run judge
""",
)
@click.option("-o", "--out", "target", required=True, metavar="RUN",
              help="The folder of the run: settings, examples, history, weights.")  # fmt: skip
@click.option("-n", "--examples", default=None, metavar="NUMBER",
              help="Recordings to learn from.  [default: 640]")  # fmt: skip
@click.option("--seed", default=None, metavar="NUMBER",
              help="Of examples and weights.  [default: 31]")  # fmt: skip
@setting_option
@click.option("--workers", type=int, default=None, metavar="NUMBER",
              help="Processes that draw examples.  [default: one a processor]")  # fmt: skip
@click.option("--dry-run", is_flag=True,
              help="Print settings, parameters and time of an example; train nothing.")  # fmt: skip
@click.option(
    "--resume", is_flag=True,
    help="Go on with a run; with more --examples also with one that is finished.",
)  # fmt: skip
@overwrite_option
@json_option
@config_option
def judge(target, examples, seed, changes, workers, dry_run, resume, overwrite, as_json) -> None:
    """Train the networks with which the method learned judges what may be a unit, and outlines it.

    Recordings of known units are simulated. What windows of them hold is told apart: trains of
    units, and all else; then places around units: their territories, and all else. Each fifth round
    of kinds of recordings is kept apart: it tells when learning is to end, and how good the
    networks are, beside a logistic regression. Weights are JSON text.
    """
    from ..training.identification.learning.run import plan, train_judge

    texts = settings_from(changes, {"examples": examples, "seed": seed})
    if resume and overwrite:
        raise InputError("found both --resume and --overwrite, wanted one of them")
    if dry_run:
        _show_trial(plan(target, texts, resume=resume), workers, as_json)
        return
    began = time.perf_counter()
    with ExitStack() as bar:
        found = train_judge(
            target, texts=texts, workers=workers, resume=resume, overwrite=overwrite,
            on_example=_stage(bar, "drawing", "examples"),
            on_network=_stage(bar, "fitting", "networks"),
        )  # fmt: skip
    took = time.perf_counter() - began
    if as_json:
        print_json(run=target, trained=found.trained, seconds=took, **found.measures)
        return
    console = out()
    table = Table("", "area under ROC curve", "calibration error", "log loss", box=SIMPLE_HEAD,
                  pad_edge=False)  # fmt: skip
    for name in ("networks", "logistic_regression"):
        row = found.measures[name]
        values = (row["area_under_curve"], row["calibration_error"], row["log_loss"])
        table.add_row(name.replace("_", " "), *(f"{value:.3f}" for value in values))
    console.print(table)
    outlines = found.measures["outlines"]
    console.print(
        f"outlines of {outlines['units']:,} units: intersection over union "
        f"{outlines['overlap']:.2f} in the mean, above 0.5 in {outlines['right']:.0%}",
        soft_wrap=True,
    )  # fmt: skip
    learned, apart = (found.measures[name] for name in ("learned", "apart"))
    before = "" if found.trained else "finished before, nothing was done (-n makes it longer); "
    seconds = f" ({duration(took)})" if found.trained else ""
    console.print(
        f"{target}: {before}learned from {learned['trains']:,} trains, {learned['true']:.0%} "
        f"units'; measured on {apart['trains']:,} others{seconds}. Use it: musim identify STORE "
        f"--run {target}", soft_wrap=True, markup=False,
    )  # fmt: skip


def _stage(bar: ExitStack, what: str, unit: str) -> Callable[[int, int], None]:
    """Return what shows the progress of a stage: a bar in place of that of the stage before."""
    report: Callable[[int, int], None] | None = None

    def show(done: int, total: int) -> None:
        nonlocal report
        if report is None:
            bar.close()
            report = bar.enter_context(progress(what, unit))
        report(done, total)

    return show


def _show_trial(settings, workers, as_json) -> None:
    from ..datasets.parallel import default_workers
    from ..training.identification.learning.trial import try_out

    if not as_json:
        table = Table("setting", "value", "meaning", box=SIMPLE_HEAD, pad_edge=False)
        for setting, value, unit, meaning in settings.describe():
            table.add_row(*(escape(each) for each in (setting, f"{value} {unit}".strip(), meaning)))
        out().print(table)
        err().print("drawing an example of each kind ...")
    trial = try_out(settings)
    if as_json:
        print_json(settings=settings.to_json(), parameters=trial.parameters,
                   seconds=trial.seconds, disk=trial.disk)  # fmt: skip
        return
    workers = workers or default_workers()
    console = out()
    console.print(f"{settings.networks + 1} networks: {trial.parameters:,} parameters")
    console.print(
        f"an example: {trial.seconds:.2g} s on one processor and {megabytes(trial.disk)}: "
        f"{duration(trial.seconds * settings.examples / workers)} for {settings.examples:,} of "
        f"{workers} workers; fitting takes minutes more", soft_wrap=True,
    )  # fmt: skip
