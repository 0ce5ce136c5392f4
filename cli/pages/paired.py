"""The page about an evaluation of runs on pairs: its tables and figures."""

import json
from typing import Any

from ...datasets.location import Location
from ...simulator.errors import FailureError
from ...training.paired.grid import describe
from ...training.paired.protocol.files import CAPTIONS, SETTINGS
from ...training.paired.protocol.tables import grid_lines, shown_tables
from .document import document, section
from .likeness import shown_table
from .markup import element, join
from .tables import definitions
from .translation import embedded_figure


def paired_page(folder: Location) -> str:
    """Return the page about an evaluation of runs on pairs.

    Parameters
    ----------
    folder : Location
        What ``musim evaluate translate --paired`` wrote.

    Raises
    ------
    FailureError
        If its files are not of that form.
    """
    try:
        settings = json.loads(folder.read(SETTINGS))
        figures = json.loads(folder.read(CAPTIONS))
        return _page(folder, settings, settings["found"], figures)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise FailureError(
            f"{folder}: found tables of another form ({type(error).__name__}: {error}), wanted "
            "those of musim evaluate translate; evaluate again with --overwrite"
        ) from error


def _page(
    folder: Location,
    settings: dict[str, Any],
    found: dict[str, Any],
    figures: list[dict[str, str]],
) -> str:
    title = f"Translated slices: {', '.join(run['name'] for run in settings['runs'])}"
    low, high, low_made, high_made = settings["levels"]
    origin = [
        ("Slices", settings["data"]),
        *((f"Run: {run['name']}", f"{run['folder']} ({run['architecture']})")
          for run in settings["runs"]),
        ("Levels of the input", f"0 to 255 are {low:g} to {high:g}, in all slices"),
        ("Levels of what is made", f"0 to 255 are {low_made:g} to {high_made:g}, in all slices"),
        ("Evaluation", str(folder)),
        ("Software", ", ".join(f"{k} {v}" for k, v in sorted(settings["software"].items()))),
    ]  # fmt: skip
    shown = {figure["name"]: embedded_figure(folder, figure) for figure in figures}
    table_1, table_2, usual, grids = shown_tables(found["table"])
    alarms = grid_lines(found["table"], found["grid_limit"])
    body = [
        element(
            "header",
            element("p", "Evaluation of the translation of paired slices", class_="kind"),
            element("h1", title),
            element("p", f"Least NRMSE: {found['best']}.", class_="summary"),
            *(element("p", f"Alarm: {line}.", class_="summary") for line in alarms),
        ),
        element(
            "main",
            shown_table(table_1),
            shown["paired-differences"],
            shown_table(table_2),
            shown["paired-planes"],
            shown_table(usual),
            shown["paired-profile"],
            shown["paired-intensities"],
            shown_table(grids),
            element("p", describe()),
            shown["paired-spectrum"],
            section("origin", "Where this comes from", definitions(origin)),
        ),
    ]
    return document(title, join(*body))
