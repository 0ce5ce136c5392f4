"""The page about one recording: the units found in it, beside the truth where it is known."""

from dataclasses import dataclass
from pathlib import PurePath
from urllib.parse import quote

from markupsafe import Markup

from ...training.identification.metrics.ratios import mean_of_known
from ..wording import counted
from .confidence_table import confidence_table, doubts_in_words, is_known
from .document import document, section
from .findings import Findings
from .known_table import known_table
from .map import caption_of_map, draw_map
from .markup import element, fixed, join
from .rates import caption_of_rates, draw_rates
from .remainder import caption_of_remainder, draw_remainder, remarks_on, share_of
from .tables import definitions
from .trains import caption_of_trains, draw_trains
from .unit_tables import missed_table, scores_tables, units_table

HELP = (
    "Point at a unit, or press Tab to reach a figure or table and the arrow keys to go from unit "
    "to unit: it shows in all of them. Click or Enter keeps it, Escape lets it go. The headings of "
    "tables sort them."
)


@dataclass(frozen=True)
class Links:
    """The pages beside a page, in the same folder.

    Parameters
    ----------
    previous, following : str, optional
        Names of their files.
    """

    previous: str | None = None
    following: str | None = None


def recording_page(findings: Findings, links: Links | None = None) -> str:
    """Return the page about the units found in one recording.

    Parameters
    ----------
    findings : Findings
    links : Links, optional
        To the other recordings of the result.
    """
    links = links or Links()
    body = [
        _header(findings, links),
        element(
            "main",
            element("p", HELP, class_="help", hidden=True),
            element(
                "div",
                _figure("map", "Territories", draw_map(findings), caption_of_map(findings)),
                _figure("trains", "Trains", draw_trains(findings), caption_of_trains(findings)),
                class_="figures",
            ),
            _rates(findings),
            _remainder(findings),
            *_tables(findings),
            section("origin", "Where this comes from", definitions(_origin(findings))),
        ),
    ]
    return document(f"{_name_of(findings)}: motor units", join(*body))


def _name_of(findings: Findings) -> str:
    name = PurePath(findings.source.rstrip("/")).name or findings.source
    return f"{name}, sequence {findings.source_index}"


def _header(findings: Findings, links: Links) -> Markup:
    return element(
        "header",
        _navigation(findings, links),
        element("p", "Motor units in tissue velocity", class_="kind"),
        element("h1", _name_of(findings)),
        *(element("p", line, class_="summary") for line in summary_of(findings)),
        *remarks_on(findings),
    )


def _navigation(findings: Findings, links: Links) -> Markup | None:
    if links.previous is None and links.following is None:
        return None
    place = f"Recording {findings.index + 1} of {findings.sequences}"
    return element(
        "nav",
        _link("← Previous", links.previous, "prev"),
        element("span", place),
        _link("Next →", links.following, "next"),
        aria_label="Recordings",
    )


def _link(text: str, target: str | None, relation: str) -> Markup:
    if target is None:
        return element("span", text, class_="off", aria_hidden="true")
    return element("a", text, href=f"./{quote(target)}", rel=relation)


def summary_of(findings: Findings) -> list[str]:
    """Say in a few sentences what was found, and how good it is where that is known."""
    count = len(findings.units)
    found = "No unit was found" if not count else f"{counted(count, 'unit')} found"
    if count:
        sure = [unit.measures["confidence"] for unit in findings.units]
        low, high = fixed(min(sure)), fixed(max(sure))
        found += f", confidence {low}" + ("" if low == high else f" to {high}")
    length = fixed(findings.duration)
    lines = [f"{found} in a recording of {length} s, by the method “{findings.method}”."]
    for more in (doubts_in_words(findings), share_of(findings)):
        lines[0] += f" {more}" if more else ""
    if findings.told:
        lines.append(f"Method: {findings.told}.")
    if findings.score is None:
        return [*lines, findings.truth_note]
    row, true = findings.score.to_row(), len(findings.true_units)
    matches = int(row["train_matches"])
    by_trains = (
        f"Against the truth: {matches} of {counted(true, 'true unit')} matched by their trains "
        f"(recall {fixed(row['train_recall'])}, precision {fixed(row['train_precision'])})"
    )
    by_outlines = (
        f"By outlines, with an IoU above 0.5, {findings.score.matching.matches} "
        f"(recall {fixed(row['detection_recall'])}, precision {fixed(row['detection_precision'])})"
    )
    if matches:
        verdicts = [unit.verdict for unit in findings.units if unit.verdict is not None]
        overlap = mean_of_known([one.iou for one in verdicts])
        by_trains += (
            f"; on average the size of the correlation is {fixed(row['train_match_correlation'])} "
            f"and the agreement of firings {fixed(row['firing_agreement'])}"
        )
        by_outlines += f"; the IoU of those matched by trains is {fixed(overlap)} on average"
    return [*lines, f"{by_trains}. {by_outlines}."]


def _figure(name: str, title: str, drawing: Markup, caption: Markup) -> Markup:
    return element(
        "section",
        element("h2", title, id=f"{name}-title"),
        element(
            "figure",
            element("div", drawing, class_="paper"),
            element("figcaption", caption, id=f"{name}-caption"),
        ),
        class_=f"part-{name}",
        aria_labelledby=f"{name}-title",
    )


def _rates(findings: Findings) -> Markup | None:
    drawing = draw_rates(findings)
    if drawing is None:
        return None
    return _figure("rates", "Firing rates", drawing, caption_of_rates(findings))


def _remainder(findings: Findings) -> Markup | None:
    drawing = draw_remainder(findings)
    if drawing is None:
        return None
    caption = caption_of_remainder(findings)
    return _figure("remainder", "What is left unexplained", drawing, caption)


def _tables(findings: Findings) -> list[Markup]:
    sections = []
    if findings.units:
        sections.append(section("units", "Units", units_table(findings)))
        if is_known(findings):
            title = "How far each unit may be believed"
            sections.append(section("confidence", title, confidence_table(findings)))
    if findings.missed:
        sections.append(section("missed", "Missed", missed_table(findings)))
    known = known_table(findings)
    if known is not None:
        sections.append(section("known", "Against known firings", known))
    if findings.score is not None:
        sections.append(section("scores", "Against the truth", *scores_tables(findings)))
    return sections


def _origin(findings: Findings) -> list[tuple[str, str]]:
    frames, depth, width = findings.shape
    pixel = [length / n for length, n in zip(findings.size, (depth, width), strict=True)]
    truth = findings.truth_note or f"known, {counted(len(findings.true_units), 'unit')} in view"
    return [
        ("Recording", f"{findings.source}, sequence {findings.source_index}"),
        ("Its origin", findings.origin),
        ("Truth", truth),
        ("Result", f"{findings.store}, sequence {findings.index}"),
        ("Method", findings.method),
        ("Image", f"{depth} × {width} px of {pixel[0]:.4g} × {pixel[1]:.4g} mm"),
        ("Time", f"{frames} frames at {findings.frame_rate:.6g} Hz, {fixed(findings.duration)} s"),
        ("Software", ", ".join(f"{name} {v}" for name, v in sorted(findings.software.items()))),
    ]
