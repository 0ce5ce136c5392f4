"""What ``musim evaluate translate --paired`` and ``musim explain`` of such runs print."""

import time
from collections.abc import Iterable
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from .console import out, print_json, progress


def score_pairs(runs, target: str, as_json: bool, **options: Any) -> None:
    """Score runs on pairs, and print the tables."""
    from ..training.paired.protocol.evaluation import evaluate_pairs
    from ..training.paired.protocol.tables import grid_lines, shown_tables

    began = time.perf_counter()
    with progress("translating", "slices") as report:
        found = evaluate_pairs(runs, target, **options, on_progress=report)
    summary = found.summary()
    if as_json:
        print_json(evaluation=target, data=found.store, **summary)
        return
    console = out()
    print_tables(shown_tables(summary["table"]), console)
    for line in grid_lines(found.table, found.grid_limit):
        console.print(f"Alarm: {line}.", markup=False, soft_wrap=True)
    console.print(f"{target}: table.csv, planes.csv, slices.csv, figures "
                  f"({time.perf_counter() - began:.0f} s). Look at them: musim report {target}",
                  soft_wrap=True, markup=False)  # fmt: skip


def print_tables(tables: Iterable[Any], console: Console) -> None:
    """Print tables, each with its title and what belongs beside it."""
    for shown in tables:
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


def explain_paired(run, target: str | None, as_json: bool, **options: Any) -> None:
    """Find out where the answer of a run on pairs comes from, and print it."""
    from ..training.paired.explaining.evaluation import explain_pairs
    from ..training.paired.explaining.tables import counts, summary, tables_of

    began = time.perf_counter()
    data = options.pop("data")
    with progress("explaining", "points") as report:
        found = explain_pairs(run, data, target, **options, on_progress=report)
    numbers = summary(found)
    if as_json:
        print_json(explanation=target, **numbers)
        return
    console = out()
    console.print(counts(numbers), markup=False, soft_wrap=True)
    console.print()
    print_tables(tables_of(numbers), console)
    if target is not None:
        console.print(f"{target}: curve.csv, map.csv, sizes.csv, structures.csv, figures "
                      f"({time.perf_counter() - began:.0f} s). Look at them: musim report {target}",
                      soft_wrap=True, markup=False)  # fmt: skip
