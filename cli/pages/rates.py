"""The figure of firing rates: for each unit its firings, and the rate of each of its intervals."""

import math
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from ...training.identification.metrics.firing import rate_and_variation
from ..wording import counted
from .findings import Findings
from .map import label_of, left_out
from .markup import UNKNOWN, colour_class, element, fixed, join, listed, share
from .trains import BREADTH, STRIP, axis_of_time, grid_of_time, instants

FEW, HEIGHTS = 10, (40.0, 30.0)
"""Heights of the part of a row that the rates have, px: of up to so many rows, and of more."""

EDGE = 3.0
"""Room above the axis of rates, px, for dots at its end."""

LEAST_TOP, MOST_TOP, STEP = 20.0, 50.0, 10.0
"""The axis of rates ends at a multiple of the last, Hz, within these."""


@dataclass(frozen=True)
class Axis:
    """The axis of rates, the same in all rows.

    Parameters
    ----------
    height : float
        px.
    top : float
        Its end, Hz; it begins at 0.
    """

    height: float
    top: float

    def down(self, rates: NDArray[np.float64]) -> list[float]:
        """Return how far down in a row rates (Hz) stand, px; those above lie at the end."""
        return (EDGE + self.height * (1 - np.minimum(rates, self.top) / self.top)).tolist()


@dataclass(frozen=True)
class Shown:
    """A train of firings that has a row.

    Parameters
    ----------
    key, label, name, style : str
        What tells it from all else, its short name, what it is in words, and the row's class.
    firings : float64 array of shape (firing,)
        Instants inside the sequence, s.
    true : float64 array of shape (firing,), optional
        Those of the true unit that it matches.
    title : str, optional
        Its whole name, where the label does not tell it.
    """

    key: str
    label: str
    name: str
    style: str
    firings: NDArray[np.float64]
    true: NDArray[np.float64] | None = None
    title: str | None = None


def draw_rates(findings: Findings) -> Markup | None:
    """Draw each unit's firings and the rates of its intervals; None where nothing fires twice.

    Parameters
    ----------
    findings : Findings

    Returns
    -------
    Markup, optional
        Rows as those of the trains: units found, true ones that were missed, known trains; beside
        each its mean rate and the variation of its intervals.
    """
    shown = _shown(findings)
    every = [row for one in shown for row in (one.firings, one.true) if row is not None]
    if not any(len(row) > 1 for row in every):
        return None
    axis = Axis(HEIGHTS[len(shown) > FEW], top_of(every))
    rows = [_row(one, axis, findings, is_first=place == 0) for place, one in enumerate(shown)]
    return element(
        "div",
        element(
            "div", *rows, role="group", aria_labelledby="rates-caption", data_picker="rates",
            class_="rows",
        ),
        axis_of_time(findings),
        class_="trains rates",
    )  # fmt: skip


def _shown(findings: Findings) -> list[Shown]:
    truths = {unit.number: unit for unit in findings.true_units}
    found = [
        Shown(
            unit.key, label_of(unit), f"unit {unit.number}",
            f"row {colour_class(unit.number)}", unit.firings,
            None if unit.partner is None else truths[unit.partner].firings,
        )
        for unit in findings.drawn
    ]  # fmt: skip
    missed = [
        Shown(unit.key, label_of(unit), f"true unit {unit.number}", "row missed", unit.firings)
        for unit in findings.missed_drawn
    ]
    known = [
        Shown(f"k{one.number}", f"k{one.number}", f"known unit {one.name}", "row missed",
              one.firings, title=one.name)
        for one in findings.known
    ]  # fmt: skip
    return [*found, *missed, *known]


def rates_of(firings: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return one over each interval of a train, Hz, float64 (firing - 1,); of none, infinity."""
    with np.errstate(divide="ignore"):
        return 1 / np.diff(firings)


def top_of(every: list[NDArray[np.float64]]) -> float:
    """Return where the axis of rates ends, Hz."""
    rates = np.concatenate([rates_of(row) for row in every])
    steps = min(float(rates.max(initial=0.0)), MOST_TOP) / STEP
    # What rounding adds to a rate begins no step of its own.
    return min(max(math.ceil(steps - 1e-6) * STEP, LEAST_TOP), MOST_TOP)


def _row(one: Shown, axis: Axis, findings: Findings, *, is_first: bool) -> Markup:
    strips = 2 if findings.score is not None else 1
    bottom = EDGE + axis.height + 3
    total = bottom + STRIP * strips + 1
    is_found = one.style != "row missed"
    mine = "found" if is_found else "true"
    lines = [grid_of_time(findings, total), _grid_of_rates(axis)]
    if one.true is not None:
        lines += [
            element("path", d=_dots(one.true, axis, findings), class_="true dots"),
            element("path", d=instants(one.true, findings, bottom + STRIP), class_="true instants"),
        ]
    lines += [
        element("path", d=_dots(one.firings, axis, findings), class_=f"{mine} dots"),
        element("path", d=instants(one.firings, findings, bottom), class_=f"{mine} instants"),
    ]
    drawing = element(
        "svg", *lines, viewBox=f"0 0 {BREADTH:g} {total:g}", preserveAspectRatio="none",
        height=total, aria_hidden="true",
    )  # fmt: skip
    rate, variation = rate_and_variation(one.firings, (0.0, findings.duration))
    numbers = element(
        "span",
        element("strong", UNKNOWN if math.isnan(rate) else f"{fixed(rate, 1)} Hz"),
        element("span", f"CoV {share(variation)}"),
        class_="numbers",
    )
    return element(
        "div",
        element("span", one.label, class_="label"),
        element(
            "span",
            element("span", f"{axis.top:g}"),
            element("span", "0"),
            class_="hertz",
            style=f"height:{axis.height + 2 * EDGE:g}px",
            aria_hidden="true",
        ),
        drawing,
        numbers,
        class_=one.style,
        data_key=one.key,
        data_pick=True,
        role="button",
        tabindex=0 if is_first else -1,
        aria_pressed="false",
        title=one.title,
        aria_label=(
            f"Rates of {one.name}: {counted(len(one.firings), 'firing')}, {fixed(rate, 1)} Hz, "
            f"intervals vary by {share(variation)}"
        ),
    )


def _dots(firings: NDArray[np.float64], axis: Axis, findings: Findings) -> str:
    """Return a dot for each interval, at its end; those above the axis lie at its edge."""
    across = firings[1:] * (BREADTH / findings.duration)
    down = axis.down(rates_of(firings))
    return "".join(f"M{x:.1f} {y:.1f}h0" for x, y in zip(across.tolist(), down, strict=True))


def _grid_of_rates(axis: Axis) -> Markup:
    """Draw lines at the ends of the axis of rates and at every second step between."""
    steps = np.array([*np.arange(0, axis.top, 2 * STEP), axis.top])
    lines = [f"M0 {y:.1f}H{BREADTH:g}" for y in axis.down(steps)]
    return element("path", d="".join(lines), class_="zero")


def caption_of_rates(findings: Findings) -> Markup:
    """Say what dots, lines and numbers are."""
    every = [row for one in _shown(findings) for row in (one.firings, one.true) if row is not None]
    top = top_of(every)
    parts: list[Markup | str] = [
        "Each dot is one over an interval, at the firing that ends it, above the firings as ticks; "
        f"lines stand {2 * STEP:g} Hz apart, from 0 to {top:g} Hz"
    ]
    above = sum(int((rates_of(row) > top).sum()) for row in every)
    parts.append(f", and {counted(above, 'dot')} above lie at the edge. " if above else ". ")
    parts.append(
        "Beside them the mean rate (one over the mean interval) and the intervals' coefficient of "
        "variation (SD over mean), which of motor units is mostly 10 to 30 %."
    )
    if findings.score is not None:
        parts += [" ", element("span", "Grey", class_="key true"), ": the matching true unit's."]
        if findings.missed:
            parts.append(" Last rows, t: true units that no found one matches.")
    if findings.known:
        names = [f"k{train.number} ({train.name})" for train in findings.known]
        parts.append(f" Last rows: firings that came with the recording, {listed(names)}.")
    return join(*parts, left_out(findings))
