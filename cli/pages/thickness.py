"""The page about an evaluation of networks that measure muscle thickness."""

import csv
import io
import json
import math
from collections.abc import Sequence

from markupsafe import Markup

from ...datasets.location import Location
from ...simulator.errors import FailureError
from ...training.sections.protocol.files import CAPTIONS, SEGMENTATION, SETTINGS, THICKNESS
from .document import document, section
from .markup import UNKNOWN, element, fixed, join
from .tables import Column, RowHead, definitions, table
from .translation import embedded_figure

Rows = Sequence[dict[str, str]]

TITLE = "Muscle thickness, by what networks were trained on"

OVERLAPS = {"precision": "Precision", "recall": "Recall", "dice": "Dice", "iou": "IoU"}

MEASURES = {"manual": "Drawn (px)", "automatic": "Found (px)", "rmse": "RMSE (px)",
            "bias": "Bias (px)", "lower_limit": "Lower limit (px)",
            "upper_limit": "Upper limit (px)"}  # fmt: skip


def thickness_page(folder: Location) -> str:
    """Return the page about an evaluation of thickness.

    Parameters
    ----------
    folder : Location
        What ``musim evaluate thickness`` wrote.

    Raises
    ------
    FailureError
        If its files are not of that form.
    """
    try:
        settings = json.loads(folder.read(SETTINGS))
        figures = json.loads(folder.read(CAPTIONS))
        overlaps, thickness = _rows(folder, SEGMENTATION), _rows(folder, THICKNESS)
        origin = [
            ("Real images", ", ".join(settings["real"]["images"])),
            *((f"{kind.capitalize()} images", ", ".join(settings[kind]) or "none")
              for kind in ("generated", "simulated")),
            ("Steps of each training", str(settings["training"]["steps"])),
            ("Evaluation", str(folder)),
            ("Software", ", ".join(f"{k} {v}" for k, v in sorted(settings["software"].items()))),
        ]  # fmt: skip
        body = [
            element(
                "header",
                element("p", "Evaluation of networks that find aponeuroses", class_="kind"),
                element("h1", TITLE),
                element("p", f"{overlaps[0]['images']} test images that no network saw.",
                        class_="summary"),
            ),
            element(
                "main",
                element("p", "The headings of tables sort them.", class_="help", hidden=True),
                *(
                    section(f"table-{number}", heading, _overlaps(overlaps, number))
                    for number, heading in (
                        ("4", "40 % of the real images train (Table 4)"),
                        ("6", "Fewer real images (Table 6)"),
                    )
                ),
                section("thickness", "Thickness (Table 5)", _thickness(thickness)),
                *(embedded_figure(folder, figure) for figure in figures),
                section("origin", "Where this comes from", definitions(origin)),
            ),
        ]  # fmt: skip
        return document(TITLE, join(*body))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise FailureError(
            f"{folder}: found tables of another form ({type(error).__name__}: {error}), wanted "
            "those of musim evaluate thickness; evaluate again with --overwrite"
        ) from error


def _rows(folder: Location, name: str) -> Rows:
    return list(csv.DictReader(io.StringIO(folder.read(name).decode())))


def _overlaps(rows: Rows, number: str) -> Markup:
    shown = [row for row in rows if row["table"] == number]
    columns = [_column("Images", shown, "trained_on", 0)]
    for name, heading in OVERLAPS.items():
        columns.append(_column(heading, shown, name, 3))
        if any(row[f"paper_{name}"] for row in shown):
            columns.append(_column(f"{heading}, paper", shown, f"paper_{name}", 3))
    caption = "Means over test images; beside them what Katakis et al. 2023 report of theirs"
    return table(f"overlaps-{number}", caption, "Trained on", _heads(shown), columns)


def _thickness(rows: Rows) -> Markup:
    columns = [
        _column("Images", rows, "drawn", 0),
        _column("Measured", rows, "measured", 0),
        *(_column(heading, rows, name, 2) for name, heading in MEASURES.items()),
        Column("Median error", [
            (value, UNKNOWN if math.isnan(value) else f"{fixed(100 * value, 1)} %")
            for value in _values(rows, "error")
        ]),
    ]  # fmt: skip
    caption = "Pixels of depth; limits of agreement as Bland and Altman 1986 have them"
    return table("thickness", caption, "Trained on", _heads(rows), columns)


def _heads(rows: Rows) -> list[RowHead]:
    return [RowHead(place, row["experiment"]) for place, row in enumerate(rows)]


def _column(heading: str, rows: Rows, name: str, decimals: int) -> Column:
    return Column(heading, [(value, fixed(value, decimals)) for value in _values(rows, name)])


def _values(rows: Rows, name: str) -> list[float]:
    return [float(row[name] or "nan") for row in rows]
