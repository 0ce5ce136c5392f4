"""The tables of a page: units, true units that were missed, scores; sorted by their headings."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ..page_findings import Findings
from .map import label_of
from .markup import UNKNOWN, colour_class, element, fixed, share

Cell = tuple[float | str, str]
"""What a cell is sorted by, and its text."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    heading : str
    cells : sequence of (number or str, str)
    """

    heading: str
    cells: Sequence[Cell]

    @property
    def is_text(self) -> bool:
        """Whether it holds words."""
        return any(isinstance(value, str) for value, _ in self.cells)


@dataclass(frozen=True)
class RowHead:
    """What a row of a table is about.

    Parameters
    ----------
    order : float
    text : str
    key : str, optional
        That of a unit, which can be picked; None for anything else.
    style : str
    """

    order: float
    text: str
    key: str | None = None
    style: str = ""


def table(
    name: str, caption: str, first: str, heads: Sequence[RowHead], columns: Sequence[Column]
) -> Markup:
    """Return a table whose headings sort it and whose rows can be picked.

    Parameters
    ----------
    name : str
        Tells it from the page's other tables.
    caption : str
    first : str
        Heading of the rows' heads.
    heads : sequence of RowHead
    columns : sequence of Column
    """
    headings = [(first, False), *((column.heading, column.is_text) for column in columns)]
    head = [
        element(
            "th",
            element("button", text, element("span", class_="arrow", aria_hidden="true"),
                    type="button"),
            scope="col",
            aria_sort="ascending" if place == 0 else "none",
            class_="words" if is_text else None,
        )
        for place, (text, is_text) in enumerate(headings)
    ]  # fmt: skip
    body = [
        element(
            "tr",
            element("th", _pick(one, first, place), scope="row", data_value=_order(one.order)),
            *(
                element(
                    "td",
                    column.cells[place][1],
                    data_value=_order(column.cells[place][0]),
                    class_="words" if column.is_text else None,
                )
                for column in columns
            ),
            class_=one.style or None,
            data_key=one.key,
        )
        for place, one in enumerate(heads)
    ]
    return element(
        "div",
        element(
            "table",
            element("caption", caption),
            element("thead", element("tr", *head)),
            element("tbody", *body),
            data_picker=name,
            class_="sortable",
        ),
        class_="scroll",
        role="region",
        tabindex=0,
        aria_label=caption,
    )


def _pick(head: RowHead, what: str, place: int) -> Markup | str:
    if head.key is None:
        return head.text
    return element(
        "button",
        head.text,
        type="button",
        class_="label",
        data_key=head.key,
        data_pick=True,
        tabindex=0 if place == 0 else -1,
        aria_pressed="false",
        aria_label=f"{what} {head.text}",
    )


def _order(value: float | str) -> str:
    """Return what a script sorts by; nothing where a number is not known."""
    if isinstance(value, str):
        return value
    return "" if math.isnan(value) else f"{value:.9g}"


def numbers(values: Sequence[float], decimals: int) -> list[Cell]:
    """Return cells of numbers."""
    return [(value, fixed(value, decimals)) for value in values]


def shares(values: Sequence[float]) -> list[Cell]:
    """Return cells of percentages."""
    return [(value, share(value)) for value in values]


def units_table(findings: Findings) -> Markup:
    """Return the table of the units found."""
    measures = [unit.measures for unit in findings.units]
    columns = [
        Column("Confidence", numbers([row["confidence"] for row in measures], 2)),
        Column("Depth (mm)", numbers([row["centre_depth_mm"] for row in measures], 1)),
        Column("Width (mm)", numbers([row["centre_width_mm"] for row in measures], 1)),
        Column("Area (mm²)", numbers([row["area_mm2"] for row in measures], 1)),
        Column("Firings", numbers([row["firings"] for row in measures], 0)),
        Column("Rate (Hz)", numbers([row["firing_rate_hz"] for row in measures], 1)),
        Column("Interval CoV", shares([row["interval_variation"] for row in measures])),
        Column("Peak (mm/s)", numbers([row["peak_velocity_mm_s"] for row in measures], 3)),
    ]
    if any(unit.uncertain for unit in findings.units):
        outlines = [(row["outline_confidence"], unit.uncertain)
                    for row, unit in zip(measures, findings.units, strict=True)]  # fmt: skip
        columns.insert(1, Column("Outline", [
            (sure, f"{fixed(sure)} uncertain" if uncertain else fixed(sure))
            for sure, uncertain in outlines
        ]))  # fmt: skip
    if findings.score is not None:
        scores = {
            name: [unit.scores.get(name, math.nan) for unit in findings.units]
            for name in ("iou", "rate_of_agreement", "firing_recall", "firing_precision")
        }
        partners = [
            math.nan if unit.partner is None else float(unit.partner) for unit in findings.units
        ]
        columns += [
            Column("True unit", numbers(partners, 0)),
            Column("Mask IoU", numbers(scores["iou"], 2)),
            Column("RoA", numbers(scores["rate_of_agreement"], 2)),
            Column("Firing recall", numbers(scores["firing_recall"], 2)),
            Column("Firing precision", numbers(scores["firing_precision"], 2)),
            Column("Verdict", [(unit.verdict, unit.verdict) for unit in findings.units]),
        ]
    heads = [
        RowHead(unit.number, label_of(unit), unit.key, colour_class(unit.number))
        for unit in findings.units
    ]
    return table("units", "Units found", "Unit", heads, columns)


def missed_table(findings: Findings) -> Markup:
    """Return the table of the true units that no found one matches."""
    units = findings.missed
    properties = [unit.properties for unit in units]
    columns = [
        Column("Depth (mm)", numbers([row["depth"] for row in properties], 1)),
        Column("Width (mm)", numbers([row["width"] for row in properties], 1)),
        Column("Diameter (mm)", numbers([row["diameter"] for row in properties], 1)),
        Column("In the image", shares([row["visible_share"] for row in properties])),
        Column("In other units", shares([row["overlap"] for row in properties])),
        Column("Firings", numbers([float(len(unit.firings)) for unit in units], 0)),
        Column("Verdict", [(unit.verdict, unit.verdict) for unit in units]),
    ]
    heads = [RowHead(unit.number, label_of(unit), unit.key, "missed") for unit in units]
    return table("missed", "True units not matched", "True unit", heads, columns)


SCORES = (
    ("Recall", "detection_recall", "true units that are found (overlap IoU above 0.5)"),
    ("Precision", "detection_precision", "found units that are true"),
    ("Mask IoU", "mask_iou", "overlap of matched territories, over their union"),
    ("Mask recall", "mask_recall", "pixels of the true territories that are found"),
    ("Mask precision", "mask_precision", "pixels of the found territories that are true"),
    ("Rate of agreement", "rate_of_agreement", "peaks of the trains within 15 ms of one another"),
    ("Train correlation", "train_correlation", "of matched trains, without any shift"),
    ("Firing recall", "firing_recall", "true firings that are found, within 15 ms"),
    ("Firing precision", "firing_precision", "found firings that are true, within 15 ms"),
    ("Rate error (Hz)", "firing_rate_error", "absolute difference of the mean firing rates"),
)
"""Heading, name in the row of scores, and what it says."""


def scores_table(findings: Findings) -> Markup:
    """Return the table of scores against the truth."""
    row = {} if findings.score is None else findings.score.to_row()
    lines = [
        element(
            "tr",
            element("th", heading, scope="row"),
            element("td", fixed(float(row.get(name, math.nan)))),
            element("td", meaning, class_="words"),
        )
        for heading, name, meaning in SCORES
    ]
    heads = [
        element("th", text, scope="col", class_=style)
        for text, style in (("Score", None), ("Value", None), ("What it says", "words"))
    ]
    caption = "Scores against the truth; from the third on, means over the matched units"
    return element(
        "div",
        element(
            "table",
            element("caption", caption),
            element("thead", element("tr", *heads)),
            element("tbody", *lines),
        ),
        class_="scroll",
        role="region",
        tabindex=0,
        aria_label="Scores against the truth",
    )


def definitions(pairs: Sequence[tuple[str, str]]) -> Markup:
    """Return names and what they stand for, as a list; empty ones as a dash."""
    entries = [
        element("div", element("dt", name), element("dd", text or UNKNOWN)) for name, text in pairs
    ]
    return element("dl", *entries)
