"""Tables of a page, sorted by their headings, and lists of names with what they stand for."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from .markup import UNKNOWN, element, fixed, share

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
    in_order = all(one.order <= other.order for one, other in itertools.pairwise(heads))
    head = [
        element(
            "th",
            element("button", text, element("span", class_="arrow", aria_hidden="true"),
                    type="button"),
            scope="col",
            aria_sort="ascending" if place == 0 and in_order else "none",
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
    return framed(caption, head, body, data_picker=name, class_="sortable")


def framed(caption: str, head: list[Markup], body: list[Markup], **attributes: Any) -> Markup:
    """Return a table in a frame of its own, which scrolls where the page is too narrow for it.

    Parameters
    ----------
    caption : str
    head : list of Markup
        Cells of the row of headings.
    body : list of Markup
        The other rows.
    **attributes
        Of the table.
    """
    return element(
        "div",
        element(
            "table",
            element("caption", caption),
            element("thead", element("tr", *head)),
            element("tbody", *body),
            **attributes,
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


def definitions(pairs: Sequence[tuple[str, str]]) -> Markup:
    """Return names and what they stand for, as a list; empty ones as a dash."""
    entries = [
        element("div", element("dt", name), element("dd", text or UNKNOWN)) for name, text in pairs
    ]
    return element("dl", *entries)
