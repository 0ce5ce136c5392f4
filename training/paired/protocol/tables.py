"""Tables 1 and 2 of Grant-Jacob et al. 2021: rows of means over slices, as they are read."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ...sections.likeness.tables import UNKNOWN, ShownTable
from .paper import NETWORKS, PLANES
from .scoring import BODY, DEFINITIONS, PUBLISHED, USUAL, mean_row

Row = dict[str, Any]

ALL = "all"
"""Stands for a plane where all are taken together."""

NETWORK, BASELINE = "network", "without a network"


def table_rows(kinds: Mapping[str, str], rows: Mapping[str, Sequence[Mapping[str, Any]]],
               architectures: Mapping[str, str]) -> list[Row]:  # fmt: skip
    """Return the rows of Tables 1 and 2: of each translation, all planes and then each.

    Parameters
    ----------
    kinds : mapping of str to str
        :data:`NETWORK` or :data:`BASELINE`, by the translation's name.
    rows : mapping of str to sequence of mapping
        See :func:`.scoring.slice_rows`; by the translation's name.
    architectures : mapping of str to str
        Of networks.
    """
    found = []
    for name, some in rows.items():
        architecture = architectures.get(name, "")
        about = {"translation": name, "kind": kinds[name], "architecture": architecture}
        found.append(mean_row(about, ALL, some) | _paper(architecture, ALL))
        for plane in ("coronal", "sagittal", "axial"):
            here = [row for row in some if row["plane"] == plane]
            if here:
                found.append(mean_row(about, plane, here) | _paper(architecture, plane))
    return found


def _paper(architecture: str, plane: str) -> Row:
    """Return what the paper reports of an architecture, NaN of what it does not."""
    if plane == ALL:
        reported = NETWORKS.get(architecture, {})
    else:
        reported = PLANES.get(plane, {}) if architecture == "pix2pix" else {}
    nothing = (math.nan, math.nan)
    return {
        f"paper_{name}{end}": reported.get(name, nothing)[place]
        for name in PUBLISHED
        for place, end in enumerate(("", "_sd"))
    }


def best_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the network of the least NRMSE over all planes.

    Parameters
    ----------
    rows : sequence of mapping
        Of :func:`table_rows`.
    """
    networks = [row for row in rows if row["plane"] == ALL and row["kind"] == NETWORK]
    return min(networks, key=lambda row: (math.isnan(row["nrmse"]), row["nrmse"]))["translation"]


def shown_tables(rows: Sequence[Mapping[str, Any]]) -> list[ShownTable]:
    """Return the tables as text, at the command line and on a page.

    Parameters
    ----------
    rows : sequence of mapping
        Of :func:`table_rows`, also as JSON has them.
    """
    everything = [row for row in rows if row["plane"] == ALL]
    beside = [row for row in everything if _number(row["paper_nrmse"]) is not None]
    first = [(row["translation"], _cells(row, PUBLISHED)) for row in everything]
    first += [
        (f"published: {row['architecture']}", _cells(row, PUBLISHED, "paper_"))
        for row in _once(beside)
    ]
    named = [row for row in rows if row["plane"] != ALL and row["kind"] == NETWORK]
    second = [
        (f"{row['translation']}, {row['plane']}", (str(row["slices"]), *_cells(row, PUBLISHED)))
        for row in named
    ]
    second += [
        (f"published: {row['architecture']}, {row['plane']}",
         (UNKNOWN, *_cells(row, PUBLISHED, "paper_")))
        for row in _once([row for row in named if _number(row["paper_nrmse"]) is not None])
    ]  # fmt: skip
    grids = [(row["translation"], _grid_cells(row)) for row in everything]
    return [
        ShownTable(
            "table-1", "Scores of all slices (Table 1)", "Mean ± SD over slices",
            tuple(PUBLISHED.values()), tuple(first), (DEFINITIONS,),
        ),
        ShownTable(
            "table-2", "Scores by plane (Table 2)", "Mean ± SD over slices of a plane",
            ("slices", *PUBLISHED.values()), tuple(second),
            ("What the paper reports of planes is of pix2pix alone.",),
        ),
        ShownTable(
            "usual", "The same by the usual definitions", "Mean ± SD over slices",
            (*USUAL.values(), *BODY.values()),
            tuple((row["translation"], _cells(row, {**USUAL, **BODY})) for row in everything),
            (),
        ),
        ShownTable(
            "grids", "Grids in the spectrum", "Power of the most isolated peak over that around it",
            ("Median strength", "Slices with an alarm", "Slices looked at"), tuple(grids), (),
        ),
    ]  # fmt: skip


def _once(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the first row of each architecture and plane."""
    found = {(row["architecture"], row["plane"]): row for row in reversed(rows)}
    return list(found.values())[::-1]


def _cells(row: Mapping[str, Any], names: Mapping[str, str], begin: str = "") -> tuple[str, ...]:
    return tuple(
        spread(row[f"{begin}{name}"], row[f"{begin}{name}_sd"], 1 if "psnr" in name else 4)
        for name in names
    )


def _grid_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    median = _number(row["grid"])
    shown = UNKNOWN if median is None else f"{median:.1f}"
    return shown, str(row["grids"]), str(row["grids_looked_for"])


def spread(mean: float | None, sd: float | None, decimals: int) -> str:
    """Return mean ± SD as text."""
    if _number(mean) is None:
        return UNKNOWN
    end = "" if _number(sd) is None else f" ± {sd:.{decimals}f}"
    return f"{mean:.{decimals}f}{end}"


def _number(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value


def grid_lines(rows: Sequence[Mapping[str, Any]], limit: float) -> list[str]:
    """Return a line for each translation in which there are grids.

    Parameters
    ----------
    rows : sequence of mapping
        Of :func:`table_rows`.
    limit : float
        Strength that is no alarm.
    """
    return [
        f"grid in {row['grids']} of {row['grids_looked_for']} slices of {row['translation']}, "
        f"with a median of {row['grid']:.0f} times the power around it (alarm above {limit:.0f})"
        for row in rows
        if row["plane"] == ALL and row["grids"]
    ]
