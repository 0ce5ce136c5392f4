"""``musim evaluate state``."""

import math
import time

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ..simulator.errors import InputError
from .config import config_option
from .console import out, print_json, progress
from .options import json_option

PROTOCOL = "cunningham-2017"

COMBINED = "combined"


@click.command(
    short_help="Score what runs tell of a muscle's state in B-mode videos.",
    epilog="""\b
Examples:
  musim evaluate state cnn klt absolute --out states
  musim evaluate state cnn --data other.zarr
  musim evaluate state cnn klt --dose none=still.zarr --dose 1mm=drifting.zarr --resume
""",
)
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@click.option("--protocol", type=click.Choice([PROTOCOL]), default=PROTOCOL, show_default=True,
              help="Whose tables and figures.")  # fmt: skip
@click.option("--data", default=None, metavar="STORE",
              help="Videos of the participant held out.  [default: the store trained on]",
              )  # fmt: skip
@click.option("--dose", "doses", multiple=True, metavar="NAME=STORE",
              help="Videos of that participant with another dose; may be repeated.",
              )  # fmt: skip
@click.option("-o", "--out", "target", default="states", show_default=True, metavar="FOLDER",
              help="Where tables and figures are written.")  # fmt: skip
@click.option("--workers", type=int, default=None, metavar="NUMBER",
              help="Processes.  [default: one a processor]")  # fmt: skip
@click.option("--resume", is_flag=True,
              help="Go on with an evaluation; also with other runs and doses.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace an evaluation that is there.")
@json_option
@config_option
def state(runs, protocol, data, doses, target, workers, resume, overwrite,
          as_json) -> None:  # fmt: skip
    """Score what each RUN of musim train state predicts of the participant that it held out.

    Changes of EMG, torque and angle from frame to frame are scored as by Cunningham et al. 2017:
    Table 1 (test.csv), Tables 2 to 4 (changes.csv), Figs 4 and 5 (series.csv) and 6
    (coherence.csv). Beyond: states, which changes are added up to or which are predicted, and how
    they drift (states.csv), and all this by dose (doses.csv). Predictions are kept.
    """
    from ..training.state.protocol.evaluation import evaluate_state

    began = time.perf_counter()
    with progress("predicting", "frames") as report:
        found = evaluate_state(
            runs, target, data=data, doses=doses_from(doses), workers=workers, resume=resume,
            overwrite=overwrite, on_progress=report,
        )  # fmt: skip
    if as_json:
        print_json(
            evaluation=target, protocol=protocol, held_out=found.held_out, stores=found.stores,
            **found.summary(),
        )  # fmt: skip
        return
    console = out()
    console.print(f"Participant {found.held_out}, who was held out; changes from frame to frame "
                  "(Tables 2 to 4)", soft_wrap=True, markup=False)  # fmt: skip
    console.print(_changes(found))
    _print_tests(found, console)
    console.print("States, by adding changes up or as predicted", markup=False)
    console.print(_states(found))
    if len(found.stores) > 1:
        console.print(f"R2 by dose, {_shown_task(found)} task", markup=False)
        console.print(_doses(found))
    seconds = time.perf_counter() - began
    console.print(f"{target}: changes.csv, states.csv, figures ({seconds:.0f} s). Look at them: "
                  f"musim report {target}", soft_wrap=True, markup=False)  # fmt: skip


def doses_from(texts) -> dict[str, str]:
    """Return stores by the names that --dose gives them.

    Raises
    ------
    InputError
        If one is written otherwise than NAME=STORE, or a name is there twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, store = (part.strip() for part in text.partition("="))
        if not (name and equals and store):
            raise InputError(f"--dose: found {text!r}, wanted NAME=STORE, such as none=still.zarr")
        if name in found:
            raise InputError(f"--dose: found {name!r} twice, wanted each name once; rename one")
        found[name] = store
    return found


def _table(*headings: str, words: int) -> Table:
    """Return a table whose first columns hold words, the others numbers."""
    table = Table(*headings, box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for column in table.columns[words:]:
        column.justify, column.no_wrap = "right", True
    return table


def _number(value: float | None, decimals: int = 3) -> str:
    return "–" if value is None or math.isnan(value) else f"{value:.{decimals}f}"


def _measured(value: float, unit: str) -> str:
    """Return a value with its unit, with three digits."""
    return "–" if math.isnan(value) else f"{value:.3g} {unit}"


def _changes(found) -> Table:
    table = _table("signal", "task", "run", "MSE", "NRMSE", "RMSE", "R2", "paper", words=3)
    for row in sorted(found.changes, key=_by_signal_and_task(found)):
        table.add_row(
            row["signal"], row["task"] or "–", row["run"], _number(row["mse"]),
            _number(row["nrmse"]), _measured(row["rmse"], row["unit"]), _number(row["r2"]),
            _number(row["paper_r2"]),
        )  # fmt: skip
    return table


def _by_signal_and_task(found):
    """Return what sorts rows of runs by signal and task, in the order in which they came."""
    order = {(row["signal"], row["task"]): 0 for row in found.changes}
    places = {key: place for place, key in enumerate(order)}
    return lambda row: places[row["signal"], row["task"]]


def _print_tests(found, console: Console) -> None:
    said = []
    for row in found.tests:
        paper = row["paper_test_mse"]
        beside = "" if math.isnan(paper) else f" (paper {paper:.3f})"
        said.append(f"{row['run']} {_number(row['test_mse'])}{beside}")
    console.print(f"Test MSE (Table 1): {', '.join(said)}", soft_wrap=True, markup=False)
    console.print()


def _shown_task(found) -> str:
    tasks = [row["task"] for row in found.states]
    return COMBINED if COMBINED in tasks else tasks[0]


def _states(found) -> Table:
    table = _table("signal", "task", "run", "states", "R2", "RMSE", "drift a second", "at the end",
                   words=4)  # fmt: skip
    for row in sorted(found.states, key=_by_signal_and_task(found)):
        table.add_row(
            row["signal"], row["task"] or "–", row["run"], row["how"], _number(row["r2"]),
            _measured(row["rmse"], row["unit"]), _measured(row["slope"], row["unit"]),
            _measured(row["end"], row["unit"]),
        )  # fmt: skip
    return table


def _doses(found) -> Table:
    task = _shown_task(found)
    table = _table("signal", "run", "of", *found.stores, words=3)
    kinds = {"changes": "r2", "states, integrated": "integrated_r2",
             "states, absolute": "absolute_r2"}  # fmt: skip
    signals = dict.fromkeys(row["signal"] for row in found.doses)
    for signal in signals:
        for run in found.runs:
            rows = {row["dose"]: row for row in found.doses
                    if (row["signal"], row["run"], row["task"])
                    == (signal, run.name, task)}  # fmt: skip
            for kind, key in kinds.items():
                values = [rows[name][key] if name in rows else math.nan for name in found.stores]
                if not all(math.isnan(value) for value in values):
                    table.add_row(signal, run.name, kind, *(_number(value) for value in values))
    return table
