"""How firings agree by the true units' rates: twitches of fast units fuse."""

import itertools
import math

import numpy as np

from .metrics.ratios import known, mean_of_known
from .rows import IdentificationEvaluation, Row

RATE_EDGES = (0.0, 8.0, 13.0, 20.0, 35.0, math.inf)
"""Edges of the bins of firing rates, Hz."""

BY_RATE = ("firing_agreement", "firing_chance", "firing_oracle")
"""Columns of true units of which there are means by their rates."""


def by_firing_rate(evaluation: IdentificationEvaluation) -> list[Row]:
    """Return a row for each bin of :data:`RATE_EDGES` that has true units.

    Returns
    -------
    list of dict
        ``low`` and ``high`` (Hz), ``units``, ``recall`` by trains; means over the units of
        ``firing_agreement``, ``firing_chance`` and ``firing_oracle``, each with its SD (``_sd``);
        NaN where not known. Empty for an evaluation of an older musim, which knew no rates.
    """
    if not evaluation.units or "firing_rate" not in evaluation.units[0]:
        return []
    columns = {
        name: np.array([row.get(name, math.nan) for row in evaluation.units], np.float64)
        for name in ("firing_rate", "train_found", *BY_RATE)
    }
    rows = []
    for low, high in itertools.pairwise(RATE_EDGES):
        inside = (columns["firing_rate"] >= low) & (columns["firing_rate"] < high)
        if not inside.any():
            continue
        row: Row = {
            "low": low,
            "high": high,
            "units": int(inside.sum()),
            "recall": float(columns["train_found"][inside].mean()),
        }
        for name in BY_RATE:
            values = known(columns[name][inside])
            row[name] = mean_of_known(values)
            row[f"{name}_sd"] = float(values.std(ddof=1)) if values.size > 1 else math.nan
        rows.append(row)
    return rows


def rate_range(row: Row) -> str:
    """Return the range of rates of a row of :func:`by_firing_rate` in words, Hz."""
    low, high = row["low"], row["high"]
    return f"{low:g}-{high:g}" if math.isfinite(high) else f"{low:g} and more"
