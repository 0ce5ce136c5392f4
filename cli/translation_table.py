"""The table of an evaluation of translations, as the terminal shows it."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ..training.translation.evaluation import PAPER, Evaluation
from ..training.translation.metrics.table import METRICS, Row


def print_translation(found: Evaluation, console: Console) -> None:
    """Print our rows and the paper's, whether labels survived, alarms and settings."""
    table = Table("", *METRICS.values(), box=SIMPLE_HEAD, pad_edge=False,
                  collapse_padding=True)  # fmt: skip
    table.columns[0].min_width = 22
    for column in table.columns[1:]:
        column.justify = "right"
    for rows, title in ((found.rows, ""), (PAPER, "Ali et al. 2022")):
        if title:
            table.add_section()
            table.add_row(f"{title} (compare rows, not digits)")
        for row in rows:
            table.add_row(f"{row.direction}: {row.name}", *cells_of(row))
    console.print("Mean (SD) over all pairs of sequences; xCorr and lag over pixels.")
    console.print(table)
    for each in found.translations:
        survival = ", ".join(f"{name.replace('_', ' ')} {score}"
                             for name, score in each.survival.items())  # fmt: skip
        if survival:
            console.print(f"{each.name}: labels: {survival}", soft_wrap=True, markup=False)
        for alarm in each.alarms:
            console.print(f"[red]Alarm:[/red] {alarm}", soft_wrap=True)
    console.print(found.settings.describe(), soft_wrap=True, style="dim")


def cells_of(row: Row) -> list[str]:
    """Return a row's cells in the order of the metrics."""
    return [str(row.scores[name]) if name in row.scores else "–" for name in METRICS]
