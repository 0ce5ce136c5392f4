"""Figures of what was found: beside the truth, and what it leaves unexplained."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from ...datasets.store import Store
from ...training.colours import COLOURS
from ..pages.findings import Findings, FoundUnit, TrueUnit, read_findings
from ..pages.map import label_of
from ..pictures.panels import Page, draw_deviation, draw_marks
from ..pictures.scene import Mark, Places, Signals, Trace, anatomy_of, survey
from ..pictures.subjects import StoredSequence
from .asking import DOTS_PER_INCH, check_time, proportions, store_of
from .sequences import draw_signals, rows_height

MISSED = "#606060"
"""Of true units that were missed."""


def found(
    units: Store | str | Path, index: int = 0, *, time: tuple[float, float] | None = None
) -> Figure:
    """Draw the units that were found in a recording, beside the true ones where they are known.

    On the map of the recording's velocity: outlines of what was found in colour, of all true units
    in black beneath. Then a row for each unit found, the surest first: its train over that of the
    true unit which it matches (grey), its firings over the true ones. Rows that begin with t are
    true units that were missed; a star marks a unit that matches none.

    Parameters
    ----------
    units : Store, str or path
        What ``musim identify`` made.
    index : int
        The recording.
    time : (float, float), optional
        First and last instant of the trains that are shown, s; all, if not given.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the store holds no units that were found, or there is no such recording or span of time.
    FailureError
        If the store is damaged.
    """
    store = store_of(units)
    findings = read_findings(store, index)
    span = check_time(time, findings.duration)
    shown = [*findings.drawn, *findings.missed_drawn]
    truths = {unit.number: unit for unit in findings.true_units}
    traces = tuple(_trace(unit, truths, findings) for unit in shown)
    truth = StoredSequence(store, index).truth
    places = Places(
        size=findings.size, has_units=True,
        marks=tuple(_mark(unit, findings) for unit in shown if unit.mask.any()),
        truths=tuple(unit.mask.astype(np.float32) for unit in findings.true_units),
        **anatomy_of(truth),
    )  # fmt: skip
    width, height = proportions(findings.size, 4.0, 5.0)
    # As tall as the map where there is room for it, but single trains are not stretched.
    rows = max(rows_height(len(traces)), min(height, 0.7 * len(traces)))
    left = 0.6 + width + 1.35
    page = Page(left + 5.6 + 0.55, 0.75 + max(height, rows) + 0.45, DOTS_PER_INCH)
    page.title(0.6, 0.25, _title(findings), font_size=9)
    axes = page.axes(0.6, 0.75, width, height)
    highest = float(findings.velocity_sd.max(initial=0)) or 1.0
    picture = draw_deviation(axes, findings.velocity_sd, highest, findings.size)
    draw_marks(axes, places, font_size=9 if len(places.marks) <= 15 else 7.5)
    axes.set_title(
        "Found in colour, true in black" if truths else "Found in colour", fontsize=8, pad=3
    )
    page.colour_bar(page.axes(0.6 + width + 0.12, 0.75, 0.11, height), picture, "SD (mm/s)")
    axes = page.axes(left, 0.75, 5.6, rows)
    signals = Signals(
        frame_rate=findings.frame_rate, shape=findings.shape, traces=traces, has_units=True
    )
    draw_signals(axes, signals, span)
    axes.set_title(
        "Trains and firings, true ones grey beneath" if truths else "Trains and firings",
        fontsize=8, pad=3,
    )  # fmt: skip
    return page.figure


def _trace(unit: FoundUnit | TrueUnit, truths: dict[int, TrueUnit], findings: Findings) -> Trace:
    if isinstance(unit, TrueUnit):
        nothing = np.empty(0)
        return Trace(label_of(unit), MISSED, np.full(findings.shape[0], np.nan, np.float32),
                     nothing, unit.train, unit.firings)  # fmt: skip
    true = None if unit.partner is None else truths[unit.partner]
    colour = COLOURS[unit.number % len(COLOURS)]
    if true is None:
        return Trace(label_of(unit), colour, unit.train, unit.firings)
    return Trace(label_of(unit), colour, unit.train, unit.firings, true.train, true.firings)


def _mark(unit: FoundUnit | TrueUnit, findings: Findings) -> Mark:
    rows, columns = np.nonzero(unit.mask)
    high, wide = (
        length / count for length, count in zip(findings.size, findings.shape[1:], strict=True)
    )
    depth, width = float((rows.mean() + 0.5) * high), float((columns.mean() + 0.5) * wide)
    if isinstance(unit, TrueUnit):
        return Mark(label_of(unit), MISSED, depth, width, np.zeros(unit.mask.shape, np.float32))
    colour = COLOURS[unit.number % len(COLOURS)]
    mask = unit.mask.astype(np.float32)
    return Mark(label_of(unit), colour, depth, width, mask, unit.uncertain)


def _title(findings: Findings) -> str:
    parts = [f"{findings.method} on {findings.source.rstrip('/').rsplit('/', 1)[-1]}"]
    parts.append(f"sequence {findings.source_index}")
    count = len(findings.units)
    parts.append(f"{count} unit found" if count == 1 else f"{count} units found")
    if findings.score is not None:
        matched = len(findings.true_units) - len(findings.missed)
        parts.append(f"{matched} of {len(findings.true_units)} true units by their trains")
    else:
        parts.append(findings.truth_note.rstrip("."))
    return "  ·  ".join(parts)


def explained(units: Store | str | Path, index: int = 0) -> Figure:
    """Draw how much moves, how much of it the units found explain, and what they leave.

    Three maps of the SD of velocity over time, on one scale: of the recording, of the sum of
    territories times trains, and of what the trains leave of the velocity above noise.

    Parameters
    ----------
    units : Store, str or path
        What ``musim identify`` made.
    index : int
        The recording.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the store holds no units that were found, or there is no such recording.
    FailureError
        If the store is damaged.
    """
    store = store_of(units)
    findings = read_findings(store, index)
    maps = [
        ("Recorded", findings.velocity_sd),
        ("Territories times trains", survey(StoredSequence(store, index))[2]),
    ]
    if findings.residual_sd is not None:
        maps.append(("Left unexplained, above noise", findings.residual_sd))
    highest = max(float(each[np.isfinite(each)].max(initial=0)) for _, each in maps) or 1.0
    width, height = proportions(findings.size, 2.7, 4.5)
    page = Page(0.6 + len(maps) * (width + 0.3) + 0.6, 0.75 + height + 0.45, DOTS_PER_INCH)
    share = findings.explained_share
    told = "" if np.isnan(share) else f": {100 * share:.0f} % of the energy above noise explained"
    page.title(0.6, 0.25, f"{_title(findings)}{told}", font_size=9)
    for number, (what, values) in enumerate(maps):
        axes = page.axes(0.6 + number * (width + 0.3), 0.75, width, height)
        picture = draw_deviation(axes, values, highest, findings.size)
        axes.set_title(what, fontsize=8, pad=3)
        if number:
            axes.set_ylabel("")
            axes.tick_params(labelleft=False)
        if number == len(maps) - 1:
            bar = page.axes(0.6 + len(maps) * (width + 0.3) - 0.18, 0.75, 0.11, height)
            page.colour_bar(bar, picture, "SD (mm/s)")
    return page.figure
