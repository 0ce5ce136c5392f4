"""What ``musim evaluate firings`` prints: scores of sequences, and the units of one."""

import math

from rich.box import SIMPLE_HEAD
from rich.table import Table

from ..training.identification.firing_evaluation import LEAST_AGREEMENT, SCORES, FiringEvaluation
from ..training.identification.metrics.emg_rules import SUFFIXES
from .console import err, out
from .wording import counted

MOST_SEQUENCES = 20
"""Sequences of which each has a row."""

UNITS = {
    "firing_rate": "Hz",
    "interval_variation": "CoV",
    "found_rate": "Hz",
    "found_variation": "CoV",
    "lag": "lag ms",
    "matched": "matched",
    "missed": "missed",
    "false": "false",
    "firing_agreement": "agree",
}
"""Columns of the table of units, and their headings; of the true one first, then of its match."""

DECIMALS = {"firing_rate": 1, "found_rate": 1, "interval_variation": 2, "found_variation": 2,
            "firing_agreement": 3, "lag": 0}  # fmt: skip
"""Of columns that are no counts."""


def print_scores(scored: FiringEvaluation) -> None:
    """Print the scores of sequences, then the units if there is one sequence alone."""
    errors, console = err(), out()
    for text in scored.remarks:
        errors.print(text, soft_wrap=True, markup=False)
    alone = len(scored.sequences) == 1
    console.print(
        "Units by firings within 10 ms after the best lag: found with an agreement above "
        f"{LEAST_AGREEMENT:g}. Agreement within 5, 10, 15 ms; chance: of wrong units; errors of "
        "the rate (Hz) and of the variation of intervals (CoV).", soft_wrap=True, markup=False,
    )  # fmt: skip
    table = _table("#", "true", "found", *SCORES.values())
    for row in scored.sequences[:MOST_SEQUENCES]:
        numbers = [_text(row[name], 3) for name in SCORES]
        table.add_row(*(str(row[name]) for name in ("sequence", "units", "predictions")), *numbers)
    if not alone:
        means = [_text(_mean([row[name] for row in scored.sequences]), 3) for name in SCORES]
        counts = [str(sum(row[name] for row in scored.sequences))
                  for name in ("units", "predictions")]  # fmt: skip
        table.add_row("all", *counts, *means)
    console.print(table)
    if scored.rules:
        _print_rules(scored)
    if alone:
        _print_units(scored)


def _print_rules(scored: FiringEvaluation) -> None:
    console = out()
    console.print(f"By the rules {scored.rules} for decomposed electromyograms", markup=False)
    table = _table("within", "recall", "precision", "F1", "chance", "score", "copies")
    for end, reach in SUFFIXES.items():
        names = [f"rules_{name}{end}" for name in ("recall", "precision", "f1", "chance", "score")]
        values = [_text(_mean([row[name] for row in scored.sequences]), 3) for name in names]
        copies = str(sum(row["rules_duplicates"] for row in scored.sequences))
        table.add_row(f"{1000 * (reach or 0.001):g} ms", *values, copies)
    console.print(table)


def _print_units(scored: FiringEvaluation) -> None:
    console = out()
    table = _table("true", "found as", *UNITS.values())
    for row in scored.units:
        cells = []
        for name in UNITS:
            value = row[name] * (1000 if name == "lag" else 1)
            cells.append(_text(value, DECIMALS.get(name, 0)))
        table.add_row(row["unit"], row["found_as"] or "–", *cells)
    console.print(table)
    matched = sum(row["found_as"] is not None for row in scored.units)
    console.print(f"{matched} of {counted(len(scored.units), 'unit')} found", markup=False)


def _table(*headings: str) -> Table:
    table = Table(*headings, box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for column in table.columns:
        column.justify, column.no_wrap = "right", True
    return table


def _mean(values: list[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def _text(value: float, decimals: int) -> str:
    return "–" if math.isnan(value) else f"{value:.{decimals}f}"
