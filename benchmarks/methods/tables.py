"""The tables of methods side by side."""

import math
from collections.abc import Sequence

from benchmarks.methods.scores import Row

MEASURES = {
    "recall": "recall",
    "precision": "precision",
    "outlines": "IoU > 0.5: recall",
    "correlation": "\\|r\\|",
    "firings": "firings (chance)",
    "seconds": "s",
}
"""What is told of a method on recordings of one kind, and its headings."""


def cell(rows: Sequence[Row]) -> dict[str, float]:
    """Return what is told of one method on recordings of one kind.

    Recall and precision are of all units of all recordings, the others means over recordings where
    they are known.
    """

    def total(name: str) -> float:
        return float(sum(float(row[name]) for row in rows))

    def mean(name: str) -> float:
        known = [float(row[name]) for row in rows if not math.isnan(float(row[name]))]
        return sum(known) / len(known) if known else math.nan

    return {
        "recall": total("by_train") / max(total("units"), 1),
        "precision": total("by_train") / total("found") if total("found") else math.nan,
        "outlines": total("by_outline") / max(total("units"), 1),
        "correlation": mean("correlation"),
        "firings": mean("firings"),
        "firings_chance": mean("firings_chance"),
        "seconds": mean("seconds"),
        "recordings": float(len(rows)),
    }


def cells(rows: Sequence[Row]) -> dict[str, dict[str, dict[str, float]]]:
    """Return cells by kind and column, in the order of the rows."""
    sorted_: dict[str, dict[str, list[Row]]] = {}
    for row in rows:
        sorted_.setdefault(str(row["kind"]), {}).setdefault(str(row["column"]), []).append(row)
    return {
        kind: {column: cell(some) for column, some in of_kind.items()}
        for kind, of_kind in sorted_.items()
    }


def _text(value: float, digits: int = 2) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def table(rows: Sequence[Row]) -> list[str]:
    """Return the lines of the table, in Markdown: a row for each kind and method."""
    lines = [
        f"| recordings | method | {' | '.join(MEASURES.values())} |",
        f"|---|---|{'---:|' * len(MEASURES)}",
    ]
    for kind, columns in cells(rows).items():
        most = max(found["recordings"] for found in columns.values())
        for number, (column, found) in enumerate(columns.items()):
            values = [_text(found[name]) for name in ("recall", "precision", "outlines")]
            values.append(_text(found["correlation"], 3))
            values.append(f"{_text(found['firings'])} ({_text(found['firings_chance'])})")
            values.append(_text(found["seconds"], 1))
            of = f"{kind} ({most:.0f})" if number == 0 else ""
            fewer = f" ({found['recordings']:.0f})" if found["recordings"] < most else ""
            lines.append(f"| {of} | `{column}`{fewer} | {' | '.join(values)} |")
    return lines
