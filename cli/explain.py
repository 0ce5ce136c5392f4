"""``musim explain``."""

import time

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from .config import config_option
from .console import out, print_json, progress
from .options import json_option


@click.command(
    epilog="""\b
Examples:
  musim explain states --out explanation
  musim explain states --data trials.zarr --starts 16 --out explanation
  musim explain klt --json
  musim report explanation --out explanation.html
"""
)
@click.argument("run", metavar="RUN")
@click.option("--data", default="", metavar="STORE",
              help="Trials on whose frames motion is imposed.  [default: the run's own, of the "
              "participant held out]")  # fmt: skip
@click.option("--starts", type=int, default=8, show_default=True, metavar="NUMBER",
              help="Of noise, from each of which every output is raised.")  # fmt: skip
@click.option("--filters", type=int, default=8, show_default=True, metavar="NUMBER",
              help="Of each convolution that are shown.")  # fmt: skip
@click.option("--frames", type=int, default=24, show_default=True, metavar="NUMBER",
              help="Of trials, on which motion is imposed.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, metavar="NUMBER",
              help="Of which filters are shown.")  # fmt: skip
@click.option("-o", "--out", "target", default=None, metavar="FOLDER",
              help="Also write tables and figures.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace an explanation that is there.")
@json_option
@config_option
def explain(run, data, starts, filters, frames, seed, target, overwrite, as_json) -> None:
    """Tell what a network of musim train state responds to: RUN is the folder of its training.

    Frames are made out of noise that raise each output most, and filters, as Cunningham et al. 2017
    do; the motion between the two frames shows what is taken for activity and what for rotation.
    Then real frames are moved by known translations and shears, and what is told of them is noted.
    """
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


def print_explanation(numbers: dict, console: Console) -> None:
    """Print what was found out about a run, table by table."""
    from ..training.state.explaining.tables import counts, tables_of

    console.print(counts(numbers), markup=False, soft_wrap=True)
    console.print()
    for shown in tables_of(numbers):
        table = Table("", *shown.columns, box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
        for column in table.columns[1:]:
            column.justify = "right"
        for heading, cells in shown.rows:
            table.add_row(heading, *cells)
        console.print(f"{shown.title} ({shown.caption[0].lower()}{shown.caption[1:]})",
                      markup=False, soft_wrap=True)  # fmt: skip
        console.print(table)
        for text in shown.text:
            console.print(text, markup=False, style="dim", highlight=False, soft_wrap=True)
        console.print()
    for remark in numbers["remarks"]:
        console.print(f"Remark: {remark}.", markup=False, soft_wrap=True)
