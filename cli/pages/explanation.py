"""The page about what a network of states has learned: its tables and figures."""

from typing import Any

from ...datasets.location import Location
from ...training.state.explaining.files import CAPTIONS, SETTINGS
from ...training.state.explaining.tables import counts, tables_of
from .document import document, section
from .likeness import shown_table
from .markup import element, join
from .stored import page_of
from .tables import definitions
from .translation import embedded_figure


def explanation_page(folder: Location) -> str:
    """Return the page about what a run has learned.

    Parameters
    ----------
    folder : Location
        What ``musim explain`` wrote.

    Raises
    ------
    FailureError
        If its files are not of that form.
    """
    return page_of(folder, (SETTINGS, CAPTIONS), _page, "musim explain", "explain again")


def _page(folder: Location, found: dict[str, Any], figures: list[dict[str, str]]) -> str:
    numbers = found["explanation"]
    title = f"What {found['run'].rstrip('/').rsplit('/', 1)[-1]} has learned"
    origin = [
        ("Run", found["run"]),
        ("Weights", f"SHA-256 {found['weights']}"),
        ("Trials", ", ".join(found["trials"]) or "none"),
        ("Explanation", str(folder)),
        ("Software", ", ".join(f"{name} {v}" for name, v in sorted(found["software"].items()))),
    ]
    body = [
        element(
            "header",
            element("p", "Explanation of a network of a muscle's states", class_="kind"),
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
    return document(title, join(*body))
