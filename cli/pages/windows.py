"""The page about where the answer of a run on pairs comes from: its tables and figures."""

from typing import Any

from ...datasets.location import Location
from ...training.paired.explaining.files import CAPTIONS, SETTINGS
from ...training.paired.explaining.tables import counts, tables_of
from .document import document, section
from .likeness import shown_table
from .markup import element, join
from .stored import page_of
from .tables import definitions
from .translation import embedded_figure


def windows_page(folder: Location) -> str:
    """Return the page about where the answer of a run on pairs comes from.

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


def _page(folder: Location, settings: dict[str, Any], figures: list[dict[str, str]]) -> str:
    numbers = settings["explanation"]
    title = f"Where the answers of {settings['run'].rstrip('/').rsplit('/', 1)[-1]} come from"
    origin = [
        ("Run", settings["run"]),
        ("Weights", f"SHA-256 {settings['weights']}"),
        ("Slices", settings["data"]),
        ("Seed of the points", str(settings["seed"])),
        ("Explanation", str(folder)),
        ("Software", ", ".join(f"{k} {v}" for k, v in sorted(settings["software"].items()))),
    ]
    windows, structures = (shown_table(shown) for shown in tables_of(numbers))
    shown = {figure["name"]: embedded_figure(folder, figure) for figure in figures}
    body = [
        element(
            "header",
            element("p", "Explanation of the translation of paired slices", class_="kind"),
            element("h1", title),
            element("p", counts(numbers), class_="summary"),
        ),
        element(
            "main",
            windows,
            *(shown[f"explain-{name}"] for name in ("curve", "map", "windows")),
            structures,
            *(shown[f"explain-{name}"] for name in ("structures", "lost")),
            section("origin", "Where this comes from", definitions(origin)),
        ),
    ]
    return document(title, join(*body))
