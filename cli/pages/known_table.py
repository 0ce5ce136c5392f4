"""The table of firings that came with a recording: which unit found fires as each of them."""

import math
from typing import Any

from markupsafe import Markup

from ...datasets.event_tables import padded
from ...training.identification.firing_evaluation import LEAST_AGREEMENT, score_pair
from ...training.identification.firing_sources import FEWEST, Firings, Pair
from .findings import Findings
from .markup import UNKNOWN, fixed, share
from .tables import Cell, Column, RowHead, numbers, table

COUNTS = {"matched": "Matched", "missed": "Missed", "false": "False"}
"""Headings of how many firings of a pair are what."""


def known_table(findings: Findings) -> Markup | None:
    """Return the table of known firings against those found; None where there are too few.

    Parameters
    ----------
    findings : Findings
    """
    if not any(len(one.firings) >= FEWEST for one in findings.known):
        return None
    found, known = (
        Firings("", tuple(str(one.number) for one in every),
                padded([one.firings.tolist() for one in every]))
        for every in (findings.units, findings.known)
    )  # fmt: skip
    _, scored = score_pair(Pair(findings.index, found, known, (0.0, findings.duration)))
    by_unit = {row["unit"]: row for row in scored}
    rows = [by_unit.get(str(one.number), {}) for one in findings.known]
    columns = [
        Column("Name", [(one.name, one.name) for one in findings.known]),
        Column("Firings", numbers([float(len(one.firings)) for one in findings.known], 0)),
        Column("Rate (Hz)", numbers([_of(row, "firing_rate") for row in rows], 1)),
        Column("Found as unit", [_found(row) for row in rows]),
        Column("Lag (ms)", numbers([1000 * _of(row, "lag") for row in rows], 0)),
        *(Column(text, numbers([_of(row, name) for row in rows], 0))
          for name, text in COUNTS.items()),
        Column("Agreement", numbers([_of(row, "firing_agreement") for row in rows], 2)),
        Column("With a wrong unit", numbers([_of(row, "firing_chance") for row in rows], 2)),
        Column("Rate found (Hz)", numbers([_of(row, "found_rate") for row in rows], 1)),
        Column("CoV found", [(_of(row, "found_variation"), share(_of(row, "found_variation")))
                             for row in rows]),
    ]  # fmt: skip
    heads = [
        RowHead(one.number, f"k{one.number}", f"k{one.number}", "missed") for one in findings.known
    ]
    caption = (
        "Firings that came with the recording, and the unit found that fires as they do: matched "
        "within 10 ms after a constant lag, over matched, missed and false ones; found with an "
        f"agreement above {fixed(LEAST_AGREEMENT, 1)}"
    )
    return table("known", caption, "Known unit", heads, columns)


def _of(row: dict[str, Any], name: str) -> float:
    return float(row.get(name, math.nan))


def _found(row: dict[str, Any]) -> Cell:
    found = row.get("found_as")
    return (math.nan, UNKNOWN) if found is None else (float(found), found)
