"""What was found out about a run, as tables to be read: at the command line and on a page."""

from collections.abc import Mapping
from typing import Any

from ...sections.likeness.tables import UNKNOWN, ShownTable

HALVES = ("superficial", "deep")


def counts(numbers: Mapping[str, Any]) -> str:
    """Return what was looked at, in a sentence; `numbers` are an :func:`.evaluation.summary`."""
    imposed = f", and {numbers['frames']} frames of trials moved" if numbers["frames"] else ""
    filters = f", {numbers['filters']} filters shown" if numbers["filters"] else ""
    return (
        f"Method {numbers['method']}: each output raised from {numbers['starts']} "
        f"starts{filters}{imposed}."
    )


def tables_of(numbers: Mapping[str, Any]) -> list[ShownTable]:
    """Return the tables of an :func:`.evaluation.summary`."""
    rows = numbers["motion"]
    tables = [
        ShownTable(
            "motion",
            "Motion that each output responds to most",
            "To the right, px from frame to frame, mean (SD) over starts",
            ("superficial half", "deep half", "share of shear", "response, SD", "to noise, SD"),
            tuple(
                (
                    _heading(row),
                    (
                        *_spreads(row, *HALVES),
                        _number(row["shear_share"]), _number(row["response"], 1),
                        _number(row["response_to_noise"], 1),
                    ),
                )
                for row in rows
            ),
            (
                "Halves that go in opposite directions are a shear (share 1), halves that go the "
                "same way a translation (0). How large motion is follows from how far the output "
                "was raised.",
            ),
        )
    ]  # fmt: skip
    if any(row["slope_shear"] is not None for row in rows):
        tables.append(
            ShownTable(
                "tuning",
                "What is told of motion that is imposed on real frames",
                "In SD of the trials' changes for each px of a half, mean (SD) over frames",
                ("translation to the right", "shear, superficial half to the right"),
                tuple((_heading(row), _spreads(row, "slope_translation", "slope_shear"))
                      for row in rows),
                (),
            )
        )  # fmt: skip
    known = [row for row in rows if row["trials_deep"] is not None]
    if known:
        tables.append(
            ShownTable(
                "trials",
                "How halves move in trials",
                "To the right, px from frame to frame, for a change of 1 SD and none of the other",
                ("superficial half", "deep half"),
                tuple((_heading(row), tuple(_number(row[f"trials_{half}"]) for half in HALVES))
                      for row in known),
                ("By least squares, of corners that were followed.",),
            )
        )  # fmt: skip
    return tables


def _heading(row: Mapping[str, Any]) -> str:
    kind = {"EMG": " (active)", "angle": " (passive)"}.get(row["output"], "")
    return row["output"] + kind


def _spreads(row: Mapping[str, Any], *names: str) -> tuple[str, ...]:
    return tuple(f"{_number(row[name])} ({_number(row[f'{name}_sd'])})" for name in names)


def _number(value: float | None, decimals: int = 2) -> str:
    return UNKNOWN if value is None else f"{value:.{decimals}f}"
