"""The page about an evaluation of translations: its figures, its table beside the paper's."""

import base64
import json
import math
from typing import Any

from markupsafe import Markup

from ...datasets.location import Location
from ...simulator.errors import FailureError
from ...training.translation.evaluation import CAPTIONS, SETTINGS
from ...training.translation.metrics.table import METRICS
from .document import document, section
from .markup import UNKNOWN, element, fixed, join
from .tables import Cell, Column, RowHead, definitions, table

DECIMALS = {"lag": 1}

NO_TRUTH = "Not compared: there is no truth of the simulated sequences."


def translation_page(folder: Location) -> str:
    """Return the page about an evaluation of translations.

    Parameters
    ----------
    folder : Location
        What ``musim evaluate translate`` wrote.

    Raises
    ------
    FailureError
        If its files are not of that form.
    """
    try:
        found = json.loads(folder.read(SETTINGS))
        figures = json.loads(folder.read(CAPTIONS)) if folder.exists(CAPTIONS) else []
        return _page(folder, found, figures)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FailureError(
            f"{folder}: found tables of another form ({type(error).__name__}: {error}), wanted "
            "those of musim evaluate translate; evaluate again with --overwrite"
        ) from error


def _page(folder: Location, found: dict[str, Any], figures: list[dict[str, str]]) -> str:
    # In the order of the table, first and last of which are no translations; JSON keeps none.
    order = [row["name"] for row in found["rows"][1:-1]]
    names = ", ".join(order)
    alarms = [f"{name}: {text}" for name in order for text in found["alarms"][name]]
    origin = [
        ("Simulated (A)", found["a"]),
        ("Experimental (B)", found["b"]),
        *((f"Translated: {name}", found["translated"][name]) for name in order),
        ("Evaluation", str(folder)),
        ("Software", ", ".join(f"{name} {v}" for name, v in sorted(found["software"].items()))),
    ]
    sections = [
        section("scores", "Scores", _table("scores", "Mean (SD) here", found["rows"]),
                *(element("p", text) for text in found["text"])),
        section("paper", "Ali et al. 2022", _table(
            "paper", "Mean (SD) in Table 1 of the paper, whose B is recorded", found["paper"])),
    ]  # fmt: skip
    survival = {name: found["survival"][name] for name in order if found["survival"][name]}
    labels = _survival(survival) if survival else element("p", NO_TRUTH)
    sections.insert(1, section("labels", "Labels", labels))
    body = [
        element(
            "header",
            element("p", "Evaluation of translated sequences", class_="kind"),
            element("h1", names),
            *(element("p", f"Alarm: {text}", class_="summary") for text in alarms),
        ),
        element(
            "main",
            element("p", "The headings of tables sort them.", class_="help", hidden=True),
            *sections,
            *(embedded_figure(folder, figure) for figure in figures),
            section("origin", "Where this comes from", definitions(origin)),
        ),
    ]
    return document(f"{names}: evaluation of translated sequences", join(*body))


def _table(name: str, caption: str, rows: list[dict[str, Any]]) -> Markup:
    heads = [RowHead(place, f"{row['direction']}: {row['name']}") for place, row in enumerate(rows)]
    columns = [
        Column(heading, [_cell(row["scores"].get(metric), metric) for row in rows])
        for metric, heading in METRICS.items()
    ]
    return table(name, caption, "Sequences", heads, columns)


def _survival(survival: dict[str, dict[str, Any]]) -> Markup:
    names = next(iter(survival.values()))
    measures = sorted(names, key=lambda name: (name.split("_")[0], name.endswith("after")))
    heads = [RowHead(place, name) for place, name in enumerate(survival)]
    columns = [
        Column(measure.replace("_", " "), [_cell(row[measure], measure)
                                           for row in survival.values()])
        for measure in measures
    ]  # fmt: skip
    caption = "Motion of units' own pixels against their true trains, mean (SD) over units"
    return table("labels", caption, "Translation", heads, columns)


def _cell(score: dict[str, Any] | None, metric: str) -> Cell:
    if score is None or score["mean"] is None:
        return math.nan, UNKNOWN
    decimals = DECIMALS.get(metric, 2)
    spread = "" if score["sd"] is None else f" ({fixed(score['sd'], decimals)})"
    return score["mean"], fixed(score["mean"], decimals) + spread


def embedded_figure(folder: Location, figure: dict[str, str]) -> Markup:
    """Return a section with a picture, embedded whole."""
    file = f"{figure['name']}.png"
    if not folder.exists(file):
        raise FailureError(
            f"{folder}: found no {file}, wanted all figures of the evaluation; evaluate again with "
            "--overwrite"
        )
    picture = base64.b64encode(folder.read(file)).decode()
    image = element(
        "img", class_="chart", src=f"data:image/png;base64,{picture}", alt=figure["text"]
    )
    return section(
        f"chart-{figure['name']}",
        figure["title"],
        element("figure", element("div", image, class_="paper"),
                element("figcaption", figure["text"])),
    )  # fmt: skip
