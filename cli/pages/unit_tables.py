"""The tables of a recording: units found, true units that were missed, scores by trains first."""

import math

from markupsafe import Markup

from ...training.identification.verdicts import FoundVerdict
from .findings import Findings
from .map import label_of
from .markup import colour_class, element, fixed
from .tables import Column, RowHead, framed, numbers, shares, table


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
        verdicts = [unit.verdict or FoundVerdict("") for unit in findings.units]
        partners = [math.nan if one.partner is None else float(one.partner) for one in verdicts]
        columns += [
            Column("True unit", numbers(partners, 0)),
            Column("Verdict", [(one.words, one.words) for one in verdicts]),
            Column("Correlation", numbers([one.correlation for one in verdicts], 2)),
            Column("Mask IoU", numbers([one.iou for one in verdicts], 2)),
            Column("Firing agreement", numbers([one.firing_agreement for one in verdicts], 2)),
            Column("Firing recall", numbers([one.firing_recall for one in verdicts], 2)),
            Column("Firing precision", numbers([one.firing_precision for one in verdicts], 2)),
        ]
    heads = [
        RowHead(unit.number, label_of(unit), unit.key, colour_class(unit.number))
        for unit in findings.units
    ]
    return table("units", "Units found", "Unit", heads, columns)


def missed_table(findings: Findings) -> Markup:
    """Return the table of the true units whose train no found one matches."""
    units = findings.missed
    properties = [unit.properties for unit in units]
    columns = [
        Column("Depth (mm)", numbers([row["depth"] for row in properties], 1)),
        Column("Width (mm)", numbers([row["width"] for row in properties], 1)),
        Column("Diameter (mm)", numbers([row["diameter"] for row in properties], 1)),
        Column("In the image", shares([row["visible_share"] for row in properties])),
        Column("In other units", shares([row["overlap"] for row in properties])),
        Column("Firings", numbers([float(len(unit.firings)) for unit in units], 0)),
        Column("Verdict", [(unit.verdict.words, unit.verdict.words) for unit in units]),
    ]
    heads = [RowHead(unit.number, label_of(unit), unit.key, "missed") for unit in units]
    return table("missed", "True units not matched by trains", "True unit", heads, columns)


BY_TRAINS = (
    ("Recall", "train_recall", "true units whose train is found"),
    ("Precision", "train_precision", "found units whose train is a true one's"),
    ("Correlation", "train_match_correlation", "size of it, of matched trains at their best lag"),
    ("… of a wrong unit", "train_chance", "the same with the likeliest other true unit"),
    (
        "Agreement of firings",
        "firing_agreement",
        "firings within 10 ms after the best lag, over those matched, missed and false",
    ),
    ("… within 5 ms", "firing_agreement_5ms", "the same, of firings that close"),
    ("… within 15 ms", "firing_agreement_15ms", "likewise"),
    ("… with a wrong unit", "firing_chance", "within 10 ms, with the other true units"),
    ("Firing recall", "train_firing_recall", "true firings that are found"),
    ("Firing precision", "train_firing_precision", "found firings that are true"),
    (
        "Rate error (Hz)",
        "train_firing_rate_error",
        "difference of mean rates, without its sign",
    ),
    (
        "Interval CoV error",
        "train_interval_variation_error",
        "the same of the intervals' SD over mean",
    ),
)
"""Of units matched by trains: heading, name in the row of scores, and what it says."""

BY_OUTLINES = (
    ("Recall, IoU > 0.3", "detection_recall_iou03", "true units whose outline is found"),
    ("Precision, IoU > 0.3", "detection_precision_iou03", "found outlines that are true"),
    ("Recall, IoU > 0.5", "detection_recall", "true units whose outline is found"),
    ("Precision, IoU > 0.5", "detection_precision", "found outlines that are true"),
    ("Mask IoU", "mask_iou", "overlap of matched territories, over their union"),
    ("Mask recall", "mask_recall", "pixels of the true territories that are found"),
    ("Mask precision", "mask_precision", "pixels of the found territories that are true"),
    ("Rate of agreement", "rate_of_agreement", "peaks of the trains within 15 ms of one another"),
    ("Train correlation", "train_correlation", "of the trains, without any shift"),
    ("Firing recall", "firing_recall", "true firings that are found, within 15 ms"),
    ("Firing precision", "firing_precision", "found firings that are true, within 15 ms"),
    ("Rate error (Hz)", "firing_rate_error", "absolute difference of the mean firing rates"),
)
"""The same of units matched by outlines."""

SCORES = {
    "Units matched by trains (size of correlation above 0.7 at a lag within 20 ms)": BY_TRAINS,
    "Units matched by outlines (overlap IoU above 0.5, where no other is named)": BY_OUTLINES,
}
"""Tables of scores by their captions; trains lead, as in evaluations."""


def scores_tables(findings: Findings) -> list[Markup]:
    """Return the tables of scores against the truth: by trains, then by outlines."""
    row = {} if findings.score is None else findings.score.to_row()
    return [_scores_table(row, caption, lines) for caption, lines in SCORES.items()]


def _scores_table(
    row: dict[str, float], caption: str, scores: tuple[tuple[str, str, str], ...]
) -> Markup:
    lines = [
        element(
            "tr",
            element("th", heading, scope="row"),
            element("td", fixed(float(row.get(name, math.nan)))),
            element("td", meaning, class_="words"),
        )
        for heading, name, meaning in scores
    ]
    heads = [
        element("th", text, scope="col", class_=style)
        for text, style in (("Score", None), ("Value", None), ("What it says", "words"))
    ]
    return framed(f"{caption}; means over the matches", heads, lines)
