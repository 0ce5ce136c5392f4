"""The page about an evaluation of images: its tables and figures."""

from typing import Any

from markupsafe import Markup

from ...datasets.location import Location
from ...training.sections.likeness.evaluation import CAPTIONS, SETTINGS
from ...training.sections.likeness.tables import ShownTable, counts, tables_of
from .document import document, section
from .markup import element, join
from .stored import page_of
from .tables import Column, RowHead, definitions, table
from .translation import embedded_figure


def likeness_page(folder: Location) -> str:
    """Return the page about an evaluation of images.

    Parameters
    ----------
    folder : Location
        What ``musim evaluate images`` wrote.

    Raises
    ------
    FailureError
        If its files are not of that form.
    """
    return page_of(folder, (SETTINGS, CAPTIONS), _page, "musim evaluate images", "evaluate again")


def _page(folder: Location, found: dict[str, Any], figures: list[dict[str, str]]) -> str:
    numbers = found["likeness"]
    title = f"{_name(found['other'])} beside {_name(found['real'])}"
    places = (("Real images", "real"), ("Other images", "other"), ("Training images", "train"))
    origin = [
        *((label, found[key]) for label, key in places if key in found),
        ("Evaluation", str(folder)),
        ("Software", ", ".join(f"{name} {v}" for name, v in sorted(found["software"].items()))),
    ]
    body = [
        element(
            "header",
            element("p", "Likeness of two sets of images", class_="kind"),
            element("h1", title),
            element("p", counts(numbers), class_="summary"),
            *(element("p", f"Remark: {text}.", class_="summary") for text in numbers["remarks"]),
        ),
        element(
            "main",
            *(embedded_figure(folder, figure) for figure in figures[:1]),
            *(shown_table(shown) for shown in tables_of(numbers)),
            *(embedded_figure(folder, figure) for figure in figures[1:]),
            section("origin", "Where this comes from", definitions(origin)),
        ),
    ]
    return document(f"{title}: likeness of two sets of images", join(*body))


def _name(address: str) -> str:
    return address.rstrip("/").rsplit("/", 1)[-1]


def shown_table(shown: ShownTable) -> Markup:
    """Return the section of a table that is to be read."""
    heads = [RowHead(place, heading) for place, (heading, _) in enumerate(shown.rows)]
    columns = [
        Column(heading, [(cells[place], cells[place]) for _, cells in shown.rows])
        for place, heading in enumerate(shown.columns)
    ]
    return section(
        shown.name,
        shown.title,
        table(shown.name, shown.caption, "Measure", heads, columns),
        *(element("p", text) for text in shown.text),
    )
