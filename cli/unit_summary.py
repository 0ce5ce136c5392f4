"""A recording's units as a table at the command line, the surest first, and what is doubted."""

import math

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from ..datasets.store import Store
from ..training.identification.unit_table import table_rows
from .pages.markup import fixed, share

MOST_UNITS = 25
"""Units that are listed."""


def units_in(store: Store, index: int) -> Table | None:
    """Return the units found in a recording as a table; None without any.

    Parameters
    ----------
    store : Store
        Made by ``musim identify``.
    index : int
        The sequence.
    """
    rows = table_rows(store, index)
    if not rows:
        return None
    order = sorted(rows, key=lambda row: (-_known(row["confidence"]), row["unit"]))
    headings = ("unit", "confidence", "map", "firings", "dB", "motion", "Hz", "CV", "doubts")
    table = Table(*headings, box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for column in table.columns[:-1]:
        column.justify, column.no_wrap = "right", True
    for row in order[:MOST_UNITS]:
        table.add_row(
            str(row["unit"]),
            fixed(row["confidence"]),
            fixed(row["map_repeatability"]),
            fixed(row["firing_repeatability"]),
            fixed(row["pulse_to_noise_db"], 1),
            share(row["local_share"]),
            fixed(row["firing_rate_hz"], 1),
            fixed(row["interval_variation"]),
            escape(row["doubts"]),
        )
    if len(order) > MOST_UNITS:
        table.add_row("…", *[""] * 7, f"and {len(order) - MOST_UNITS} more, less sure")
    table.caption = (
        "map, firings: how far they repeat between halves; dB: twitches over the rest; motion: "
        "share explained where the unit lies"
    )
    table.caption_justify = "left"
    return table


def _known(confidence: float) -> float:
    return -1.0 if math.isnan(confidence) else confidence
