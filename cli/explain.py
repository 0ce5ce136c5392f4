"""``musim explain``."""

import time
from typing import Any

import click
from click.core import ParameterSource
from rich.console import Console

from ..simulator.errors import InputError
from .config import config_option
from .console import out, print_json, progress
from .options import json_option
from .paired_tables import explain_paired, print_tables

OF_STATES, OF_PAIRS = ("starts", "filters", "frames"), ("points", "slices")
"""Options that one kind of run has and the other has not."""


@click.command(
    epilog="""\b
Examples:
  musim explain states --out explanation
  musim explain states --data trials.zarr --starts 16 --out explanation
  musim explain klt --json
  musim explain pix2pix --data right.zarr --out windows
  musim report explanation --out explanation.html
"""
)
@click.argument("run", metavar="RUN")
@click.option("--data", default="", metavar="STORE",
              help="Trials on whose frames motion is imposed, or paired slices.  [default: the "
              "trials of the participant held out]")  # fmt: skip
@click.option("--starts", type=int, default=8, show_default=True, metavar="NUMBER",
              help="States: of noise, from each of which every output is raised.")  # fmt: skip
@click.option("--filters", type=int, default=8, show_default=True, metavar="NUMBER",
              help="States: of each convolution that are shown.")  # fmt: skip
@click.option("--frames", type=int, default=24, show_default=True, metavar="NUMBER",
              help="States: of trials, on which motion is imposed.")  # fmt: skip
@click.option("--points", type=int, default=60, show_default=True, metavar="NUMBER",
              help="Pairs: drawn in the body, about which windows grow.")  # fmt: skip
@click.option("--slices", type=int, default=24, show_default=True, metavar="NUMBER",
              help="Pairs: in which points lie and structures are sought.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, metavar="NUMBER",
              help="Of which filters are shown, or where points lie.")  # fmt: skip
@click.option("-o", "--out", "target", default=None, metavar="FOLDER",
              help="Also write tables and figures.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace an explanation that is there.")
@json_option
@config_option
def explain(run, data, starts, filters, frames, points, slices, seed, target, overwrite,
            as_json) -> None:  # fmt: skip
    """Tell what a network responds to: RUN is the folder of its training.

    Of musim train state, frames are made out of noise that raise each output most, and filters, as
    Cunningham et al. 2017 do; the motion between the two frames shows what is taken for activity
    and what for rotation. Then real frames are moved by known translations and shears, and what is
    told of them is noted.

    Of musim train translate on pairs, the answer at a point is asked for with nothing but a square
    about it given, and the square grows, as Grant-Jacob et al. 2021 do: how far the network looks.
    And structures are sought by their width: how small one may be and still be there.
    """
    from ..training.paired.protocol.predictions import TASK
    from ..training.runs.folder import RunFolder

    if RunFolder(run).describe()["task"] == TASK:
        _check_options(run, OF_STATES, "of musim train state")
        if not data:
            raise InputError("--data: found none, wanted a store of paired slices, which the run "
                             "has not seen")  # fmt: skip
        explain_paired(run, target, as_json, data=data, points=points, slices=slices, seed=seed,
                       overwrite=overwrite)  # fmt: skip
        return
    _check_options(run, OF_PAIRS, "on pairs")
    from ..training.state.explaining import evaluation

    began = time.perf_counter()
    with progress("explaining", "parts") as report:
        found = evaluation.explain_run(
            run, target, data=data, starts=starts, filters=filters, frames=frames, seed=seed,
            overwrite=overwrite, on_progress=report,
        )  # fmt: skip
    numbers = evaluation.summary(found)
    if as_json:
        print_json(explanation=target, **numbers)
        return
    console = out()
    print_explanation(numbers, console)
    if target is not None:
        console.print(f"{target}: motion.csv, tuning.csv, filters.csv, figures "
                      f"({time.perf_counter() - began:.0f} s). Look at them: musim report {target}",
                      soft_wrap=True, markup=False)  # fmt: skip


def _check_options(run: Any, others: tuple[str, ...], whose: str) -> None:
    """Raise InputError if options of another kind of run were given."""
    context = click.get_current_context()
    for name in others:
        if context.get_parameter_source(name) != ParameterSource.DEFAULT:
            raise InputError(f"--{name}: found it given, wanted it for runs {whose} alone; {run} "
                             "is of another kind: leave it out")  # fmt: skip


def print_explanation(numbers: dict, console: Console) -> None:
    """Print what was found out about a run, table by table."""
    from ..training.state.explaining.tables import counts, tables_of

    console.print(counts(numbers), markup=False, soft_wrap=True)
    console.print()
    print_tables(tables_of(numbers), console)
    for remark in numbers["remarks"]:
        console.print(f"Remark: {remark}.", markup=False, soft_wrap=True)
