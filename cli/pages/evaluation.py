"""The page about an evaluation: its figures, and its tables by condition."""

import base64
import io
import math
from typing import Any

from markupsafe import Markup

from ...training.charts import Chart
from ...training.identification.by_rate import by_firing_rate, rate_range
from ...training.identification.figures import draw_charts
from ...training.identification.metrics.emg_rules import NAMES as BY_RULES
from ...training.identification.metrics.emg_rules import SUFFIXES
from ...training.identification.rows import IdentificationEvaluation
from ...training.identification.tables import calibration, difficulties, summary
from ..wording import counted
from .document import document, section
from .markup import UNKNOWN, element, fixed, join
from .tables import Cell, Column, RowHead, definitions, table

NAMES = {
    "units": "Units",
    "snr": "SNR (dB)",
    "synchrony": "Synchrony",
    "overlap": "Share in other units",
}
"""Headings of what makes sequences difficult."""

TRAIN_HEADINGS = {
    "train_recall": "Recall",
    "train_recall_identifiable": "Recall of units that can be seen",
    "train_precision": "Precision",
    "train_match_correlation": "Correlation",
    "train_chance": "Correlation of a wrong unit",
    "firing_agreement": "Agreement of firings",
    "firing_chance": "Agreement with a wrong unit",
}
"""Headings of the scores by trains that are shown."""

FIRING_HEADINGS = {
    "firing_agreement_5ms": "Agreement, 5\u00a0ms",
    "firing_agreement": "Agreement, 10\u00a0ms",
    "firing_agreement_15ms": "Agreement, 15\u00a0ms",
    "firing_oracle": "The oracle, 10\u00a0ms",
    "train_firing_recall": "Firing recall",
    "train_firing_precision": "Firing precision",
    "train_firing_rate_error": "Rate error (Hz)",
    "train_interval_variation_error": "Interval CoV error",
}
"""Headings of the scores of firings that are shown."""

MASK_HEADINGS = {
    "detection_recall_iou03": "Recall, IoU > 0.3",
    "detection_precision_iou03": "Precision, IoU > 0.3",
    "detection_recall": "Recall, IoU > 0.5",
    "detection_precision": "Precision, IoU > 0.5",
    "mask_recall": "Mask recall",
    "mask_precision": "Mask precision",
    "mask_iou": "Mask IoU",
    "rate_of_agreement": "RoA",
    "firing_recall": "Firing recall",
    "firing_precision": "Firing precision",
}
"""Headings of the scores by outlines that are shown."""

MEANS = {
    "train-means": (
        "Means by trains",
        "Units matched by trains (size of correlation above 0.7 at a lag within 20 ms), their "
        "firings within 10 ms. A unit can be seen if its train, read with what each unit moves "
        "where, is its own",
        TRAIN_HEADINGS,
    ),
    "firing-means": (
        "Means of firings",
        "Firings of units matched by trains, after the best lag of each: matched over matched, "
        "missed and false; the oracle finds them in the true trains with the true noise",
        FIRING_HEADINGS,
    ),
    "means": (
        "Means by outlines",
        "Units matched by outlines (overlap IoU above 0.5, where no other is named)",
        MASK_HEADINGS,
    ),
}
"""Tables of means by their names: title, what they are of, and headings."""

RULES_HEADINGS = (
    "Recall", "Precision", "F1 of those found", "F1 with a wrong unit", "Score (sum of F1)",
)  # fmt: skip
"""Headings of what rules of electromyograms say."""


def means_of(evaluation: IdentificationEvaluation) -> dict[str, tuple[str, str, dict[str, str]]]:
    """Return the tables of means of an evaluation, as :data:`MEANS` has those of all."""
    if not evaluation.rules:
        return MEANS
    ruled = {}
    for end, reach in SUFFIXES.items():
        within = f"{1000 * (reach or 0.001):g} ms"
        headings = {
            f"{name}{end}": text for name, text in zip(BY_RULES, RULES_HEADINGS, strict=True)
        }
        if not end:
            headings["rules_duplicates"] = "Copies dropped"
        ruled[f"rules-means{end}".replace("_", "-")] = (
            f"Means by firings, within {within}",
            f"Units matched by firings alone within {within}, by the rules of {evaluation.rules} "
            "for decomposed electromyograms",
            headings,
        )
    return MEANS | ruled


WHOLE = {"units": 0, "snr": 0}
"""Difficulties that are whole numbers; others have two decimals."""


def evaluation_page(
    evaluation: IdentificationEvaluation, place: str, software: dict[str, str]
) -> str:
    """Return the page about an evaluation.

    Parameters
    ----------
    evaluation : IdentificationEvaluation
    place : str
        Where it lies, as it was given.
    software : dict of str to str
        The versions with which it was made.
    """
    charts = draw_charts(evaluation)
    rows = summary(evaluation)
    origin = [
        ("Method", evaluation.method),
        ("Protocol", evaluation.protocol),
        ("Evaluation", place),
        ("Sequences", str(len(evaluation.sequences))),
        ("Software", ", ".join(f"{name} {v}" for name, v in sorted(software.items()))),
    ]
    body = [
        element(
            "header",
            element("p", "Evaluation of identified motor units", class_="kind"),
            element("h1", f"{evaluation.method} on {evaluation.protocol}"),
            element("p", _summary(evaluation), class_="summary"),
        ),
        element(
            "main",
            element("p", "The headings of tables sort them.", class_="help", hidden=True),
            *(_chart(chart) for chart in charts),
            *(
                section(name, title, means_table(evaluation, rows, name))
                for name, (title, _, headings) in means_of(evaluation).items()
                if _shown(rows, headings)
            ),
            _by_rate(evaluation),
            section("origin", "Where this comes from", definitions(origin)),
        ),
    ]
    return document(f"{evaluation.method} on {evaluation.protocol}: evaluation", join(*body))


def _by_rate(evaluation: IdentificationEvaluation) -> Markup | None:
    """Return the section of firings by the true units' rates; None where they are not known."""
    rows = by_firing_rate(evaluation)
    if not rows:
        return None
    columns = [
        Column("True units", [(row["units"], str(row["units"])) for row in rows]),
        Column("Recall", [(row["recall"], fixed(row["recall"], 3)) for row in rows]),
        *(Column(text, [_with_spread(row, name) for row in rows])
          for name, text in RATE_HEADINGS.items()),
    ]  # fmt: skip
    heads = [RowHead(row["low"], rate_range(row).replace("-", "–")) for row in rows]
    caption = (
        "Firings within 10 ms, of units matched by trains, by the true units' rates: mean over "
        "units, with the SD in brackets; – where none is defined"
    )
    drawn = table("firing-rates", caption, "Hz", heads, columns)
    return section("firing-rates", "Firings by rate", drawn)


RATE_HEADINGS = {
    "firing_agreement": "Agreement",
    "firing_chance": "With a wrong unit",
    "firing_oracle": "The oracle",
}
"""Headings of what is told by the true units' rates."""


def _with_spread(row: dict[str, Any], name: str) -> Cell:
    return _cell({f"{name}_mean": row[name], f"{name}_sd": row[f"{name}_sd"]}, name)


def _summary(evaluation: IdentificationEvaluation) -> str:
    units = sum(int(row["units"]) for row in evaluation.sequences)
    matches = sum(int(row["matches"]) for row in evaluation.sequences)
    predictions = sum(int(row["predictions"]) for row in evaluation.sequences)
    seconds = [row["seconds"] for row in evaluation.sequences if not math.isnan(row["seconds"])]
    text = (
        f"{counted(len(evaluation.sequences), 'sequence')} with {counted(units, 'true unit')}: "
        f"{counted(predictions, 'unit')} found, "
    )
    if all("train_matches" in row for row in evaluation.sequences):
        trained = sum(int(row["train_matches"]) for row in evaluation.sequences)
        text += f"{trained} of them matched to a true one by their trains (correlation above 0.7), "
    text += f"{matches} of them matched to a true one by their outlines (overlap IoU above 0.5)"
    error, count = calibration(evaluation)
    if count:
        text += f"; their confidence is off by {fixed(error, 3)} (expected calibration error)"
    if seconds:
        text += f"; {fixed(sum(seconds) / len(seconds), 1)} s a sequence"
    return f"{text}."


def _chart(chart: Chart) -> Markup:
    """Return a section with a figure: drawn as SVG, embedded whole, apart from the page's names."""
    return section(
        f"chart-{chart.name}",
        chart.title,
        element(
            "figure",
            element(
                "div",
                element("img", class_="chart", src=_svg(chart), alt=chart.text),
                class_="paper",
            ),
            element("figcaption", chart.text),
        ),
    )


def _svg(chart: Chart) -> str:
    """Return a figure as a data URL, the same each time."""
    import matplotlib

    file = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": chart.name}):
        chart.figure.savefig(file, format="svg", metadata={"Creator": None, "Date": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(file.getvalue()).decode()}"


def _shown(rows: list[dict[str, Any]], headings: dict[str, str]) -> list[str]:
    """Return the scores that the evaluation has; an older musim wrote fewer."""
    return [name for name in headings if rows and f"{name}_mean" in rows[0]]


def means_table(
    evaluation: IdentificationEvaluation, rows: list[dict[str, Any]], name: str
) -> Markup:
    """Return a table of the scores' means by condition, with their SDs.

    Parameters
    ----------
    evaluation : IdentificationEvaluation
    rows : list of dict
        What :func:`musim.training.identification.tables.summary` gives.
    name : str
        One of :func:`means_of`.
    """
    _, subject, headings = means_of(evaluation)[name]
    names = difficulties(evaluation)
    measures = _shown(rows, headings)
    counts = "sequences" if rows and "sequences" in rows[0] else "count"
    columns = [
        Column(
            NAMES.get(name, name),
            [(row[name], fixed(row[name], WHOLE.get(name, 2))) for row in rows],
        )
        for name in names[1:]
    ]
    columns.append(
        Column(
            "Sequences" if counts == "sequences" else "True units",
            [(row[counts], str(row[counts])) for row in rows],
        )
    )
    columns += [Column(headings[score], [_cell(row, score) for row in rows]) for score in measures]
    heads = [
        RowHead(row[names[0]], fixed(row[names[0]], WHOLE.get(names[0], 2)))
        if names
        else RowHead(0, "all")
        for row in rows
    ]
    first = NAMES.get(names[0], names[0]) if names else "Sequences of"
    spread = "their standard error" if counts == "count" else "the SD over sequences"
    caption = f"{subject}: mean of each score, with {spread} in brackets; – where none is defined"
    return table(name, caption, first, heads, columns)


def _cell(row: dict[str, Any], name: str) -> Cell:
    mean = row[f"{name}_mean"]
    spread = row.get(f"{name}_sd", row.get(f"{name}_se", math.nan))
    if math.isnan(mean):
        return mean, UNKNOWN
    return mean, fixed(mean, 3) + ("" if math.isnan(spread) else f" ({fixed(spread, 3)})")
