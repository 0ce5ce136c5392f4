"""The figure of the trains: a row for each unit, found over true, with the firings as ticks."""

import math
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from ..pictures.scales import round_length, round_ticks
from ..wording import counted
from .findings import Findings, FoundUnit, TrueUnit
from .map import label_of, left_out
from .markup import colour_class, element, fixed, join, listed
from .sources import KnownTrain

MOST_POINTS = 1000
"""Points of a drawn train: two a pixel of a wide screen."""

BREADTH = 1000.0
"""Width of a row's drawing, which the page stretches to the room that there is."""

STRIP = 8.0
"""Height of the ticks of one train, px."""


@dataclass(frozen=True)
class Scale:
    """The one scale of all rows.

    Parameters
    ----------
    height : float
        Of the part of a row that the signals have, px.
    low, high : float
        Velocities at its ends, mm/s.
    """

    height: float
    low: float
    high: float

    @property
    def pixels(self) -> float:
        """Pixels to the mm/s."""
        return self.height / (self.high - self.low)

    def bar(self) -> float:
        """Return a round velocity that is at most a row high, mm/s."""
        return round_length(self.high - self.low)


def scale_of(findings: Findings) -> Scale:
    """Return the scale on which every signal that is shown has room."""
    shown = [unit.train for unit in (*findings.units, *findings.true_units)]
    values = [train[np.isfinite(train)] for train in shown]
    low = min((float(v.min(initial=0)) for v in values), default=0.0)
    high = max((float(v.max(initial=0)) for v in values), default=0.0)
    rows = len(findings.drawn) + len(findings.missed_drawn)
    height = 42.0 if rows <= 10 else 32.0 if rows <= 20 else 26.0
    return Scale(height, low, high if high > low else low + 1.0)


def draw_trains(findings: Findings) -> Markup:
    """Draw each unit's twitch train and firings, and beneath them those of the true unit.

    Parameters
    ----------
    findings : Findings

    Returns
    -------
    Markup
        Rows, the true units that were missed last, and the axis of time.
    """
    scale = scale_of(findings)
    truths = {unit.number: unit for unit in findings.true_units}
    rows = [
        *(
            _row(unit, None if unit.partner is None else truths[unit.partner], scale, findings)
            for unit in findings.drawn
        ),
        *(_row(None, unit, scale, findings) for unit in findings.missed_drawn),
    ]
    rows += [_known_row(train, findings, first=not rows) for train in findings.known]
    if not rows:
        return element("p", "No unit was found.", class_="nothing")
    return element(
        "div",
        _scale_bar(scale) if findings.units or findings.missed else None,
        element(
            "div", *rows, role="group", aria_labelledby="trains-caption", data_picker="trains",
            class_="rows",
        ),
        axis_of_time(findings),
        class_="trains",
    )  # fmt: skip


def axis_of_time(findings: Findings) -> Markup:
    """Draw the axis beneath rows."""
    marks = [
        element("span", f"{second:g}", style=f"left:{100 * second / findings.duration:.4g}%")
        for second in round_ticks(findings.duration, most=8)
    ]
    axis = element("div", *marks, class_="ticks")
    return element("div", axis, element("p", "Time (s)"), class_="time", aria_hidden="true")


def _row(
    found: FoundUnit | None, true: TrueUnit | None, scale: Scale, findings: Findings
) -> Markup:
    """Draw one row: a found unit's, with or without the true one, or that of one missed."""
    unit = found or true
    assert unit is not None
    strips = 2 if findings.score is not None else 1
    total = scale.height + STRIP * strips + 4
    bottom = scale.height + 2
    lines = [grid_of_time(findings, total), _baseline(scale)]
    if true is not None:
        lines += [
            element("path", d=_path(true.train, scale), class_="true"),
            element(
                "path", d=instants(true.firings, findings, bottom + STRIP), class_="true instants"
            ),
        ]
    if found is not None:
        lines += [
            element("path", d=_path(found.train, scale), class_="found"),
            element("path", d=instants(found.firings, findings, bottom), class_="found instants"),
        ]
    drawing = element(
        "svg",
        *lines,
        viewBox=f"0 0 {BREADTH:g} {total:g}",
        preserveAspectRatio="none",
        height=total,
        aria_hidden="true",
    )
    first = findings.drawn[0] if findings.drawn else findings.missed_drawn[0]
    return element(
        "div",
        element("span", label_of(unit), class_="label"),
        drawing,
        class_=f"row {colour_class(unit.number) if found is not None else 'missed'}",
        data_key=unit.key,
        data_pick=True,
        role="button",
        tabindex=0 if unit is first else -1,
        aria_pressed="false",
        aria_label=_describe(found, true),
    )


def _known_row(train: KnownTrain, findings: Findings, *, first: bool) -> Markup:
    """Draw a row of firings alone."""
    total = STRIP + 12
    drawing = element(
        "svg",
        grid_of_time(findings, total),
        element("path", d=instants(train.firings, findings, 6), class_="true instants"),
        viewBox=f"0 0 {BREADTH:g} {total:g}",
        preserveAspectRatio="none",
        height=total,
        aria_hidden="true",
    )
    return element(
        "div",
        element("span", f"k{train.number}", class_="label"),
        drawing,
        class_="row missed",
        data_key=f"k{train.number}",
        data_pick=True,
        role="button",
        tabindex=0 if first else -1,
        aria_pressed="false",
        aria_label=f"Known unit {train.name}: {counted(len(train.firings), 'firing')}",
        title=train.name,
    )


def _describe(found: FoundUnit | None, true: TrueUnit | None) -> str:
    if found is None:
        return "" if true is None else (
            f"True unit {true.number}, {true.verdict.words}: {counted(len(true.firings), 'firing')}"
        )  # fmt: skip
    rate = fixed(found.measures["firing_rate_hz"], 1)
    text = f"Train of unit {found.number}: {counted(len(found.firings), 'firing')}, {rate} Hz"
    if found.measures["doubts"]:
        text += f"; confidence {fixed(found.measures['confidence'])}: {found.measures['doubts']}"
    if true is not None and found.verdict is not None:
        correlation = fixed(found.verdict.correlation)
        text += f"; true unit {true.number} has {len(true.firings)}, correlation {correlation}"
    return text


def decimate(values: NDArray[np.float32], most: int = MOST_POINTS) -> NDArray[np.int64]:
    """Choose the frames of a signal that a line through them needs to look as the whole does.

    Parameters
    ----------
    values : array of shape (time,)
    most : int
        Frames to choose, at most.

    Returns
    -------
    int64 array
        Rising; all frames if they are few enough, else the first, the last, and the lowest and the
        highest of each of equal spans.
    """
    if len(values) <= most:
        return np.arange(len(values))
    spans = np.array_split(np.arange(len(values)), (most - 2) // 2)
    safe = np.nan_to_num(values)
    chosen = {0, len(values) - 1}
    for span in spans:
        chosen |= {int(span[np.argmin(safe[span])]), int(span[np.argmax(safe[span])])}
    return np.array(sorted(chosen), np.int64)


def _path(train: NDArray[np.float32], scale: Scale) -> str:
    """Return the path of a signal; frames that are not finite break it."""
    frames = decimate(train)
    x = frames * (BREADTH / len(train))
    y = (scale.high - train[frames].astype(np.float64)) * scale.pixels
    pieces, pen = [], "M"
    for across, down in zip(x.tolist(), y.tolist(), strict=True):
        if not math.isfinite(down):
            pen = "M"
            continue
        pieces.append(f"{pen}{across:.4g} {down:.1f}")
        pen = "L"
    return "".join(pieces)


def instants(firings: NDArray[np.float64], findings: Findings, top: float) -> str:
    """Return the path of ticks at firings, from `top` down, px."""
    across = (firings * (BREADTH / findings.duration)).tolist()
    return "".join(f"M{x:.1f} {top:.1f}v{STRIP - 2:g}" for x in across)


def _baseline(scale: Scale) -> Markup:
    return element("path", d=f"M0 {scale.high * scale.pixels:.1f}H{BREADTH:g}", class_="zero")


def grid_of_time(findings: Findings, height: float) -> Markup:
    """Draw a line at each round second of a row of a height, px."""
    seconds = round_ticks(findings.duration, most=8)
    across = [second * BREADTH / findings.duration for second in seconds]
    return element("path", d="".join(f"M{x:.4g} 0V{height:g}" for x in across), class_="grid")


def _scale_bar(scale: Scale) -> Markup:
    length = scale.bar()
    pixels = length * scale.pixels
    return element(
        "p",
        element(
            "svg",
            element("path", d=f"M3 0V{pixels:.1f}"),
            width=6,
            height=round(pixels, 1),
            aria_hidden="true",
        ),
        f" {length:g} mm/s",
        class_="scale",
    )


def caption_of_trains(findings: Findings) -> Markup:
    """Say what the lines and ticks of the rows are."""
    parts = [
        "Velocity of each unit, all on one scale (bar), and its firings as ticks. ",
        element("span", "Colour", class_="key found"),
        ": found.",
    ]
    if findings.score is not None:
        parts += [
            " ",
            element("span", "Grey", class_="key true"),
            ": the matching true train beneath it, and its firings in the lower ticks.",
        ]
        if findings.missed:
            parts.append(" Last rows, t: true units that no found one matches.")
    if findings.known:
        names = [f"k{train.number} ({train.name})" for train in findings.known]
        parts.append(f" Last rows: firings that came with the recording, {listed(names)}.")
    return join(*parts, left_out(findings))
