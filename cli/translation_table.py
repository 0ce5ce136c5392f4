"""The table of an evaluation of translations, as the terminal shows it."""

import math

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..training.translation.evaluation import PAPER, TranslationEvaluation
from ..training.translation.metrics.alarms import LEAST_PIXELS
from ..training.translation.metrics.table import METRICS, cells_of

WIDE = 100
"""Columns of a terminal in which every score fits into one line."""


def print_translation(found: TranslationEvaluation, console: Console) -> None:
    """Print our rows and the paper's, whether labels survived, alarms and settings."""
    # Where both do not fit beside one another, SDs stand below means: rich would drop a column.
    narrow = console.width < WIDE
    headings = [name.replace(" ", "\n", 1) if narrow else name for name in METRICS.values()]
    table = Table("", *headings, box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.columns[0].overflow = "fold"
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    for rows, title in ((found.rows, ""), (PAPER, "Ali et al. 2022")):
        if title:
            table.add_section()
            table.add_row(f"{title} (compare rows, not digits)")
        for row in rows:
            table.add_row(escape(f"{row.direction}: {row.name}"),
                          *(cell.replace(" ", "\n") if narrow else cell
                            for cell in cells_of(row)))  # fmt: skip
    console.print("Mean (SD) over all pairs of sequences; xCorr and lag over pixels.")
    console.print(table)
    for each in found.translations:
        survival = ", ".join(f"{name.replace('_', ' ')} {score}"
                             for name, score in each.survival.items())  # fmt: skip
        known = survival or "not compared, for there is no truth of the simulated sequences"
        console.print(f"{each.name}: labels: {known}", soft_wrap=True, markup=False)
        if all(math.isnan(row["checkerboard"]) for row in each.sequences):
            small = f"images are below {LEAST_PIXELS} x {LEAST_PIXELS} px"
            console.print(f"{each.name}: no checkerboard was looked for: {small}",
                          soft_wrap=True, markup=False)  # fmt: skip
        for alarm in each.alarms:
            console.print(f"[red]Alarm:[/red] {escape(each.name)}: {escape(alarm)}",
                          soft_wrap=True)  # fmt: skip
    console.print(found.settings.describe(), soft_wrap=True, style="dim")
