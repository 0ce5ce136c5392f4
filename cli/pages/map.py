"""The figure of the territories: outlines, found and true, over the map of the velocity's SD."""

from markupsafe import Markup

from ...training.identification.other_motion import OtherMotion
from .findings import Findings, FoundUnit, TrueUnit
from .markup import colour_class, element, fixed, join, listed
from .outlines import label_places, outline
from .plane import Plane, highest_of, scale_of_greys

WIDEST, TALLEST, LARGER = 360.0, 480.0, 1.2
"""Sizes in the drawing's own units, and by how much the page enlarges them."""


def draw_map(findings: Findings) -> Markup:
    """Draw the velocity's SD over time with the outlines of the masks, in mm.

    Found units are drawn through in their colours, in long dashes where the outline is uncertain;
    the true unit that each matches in short dashes, true ones that were missed dotted and hatched.

    Parameters
    ----------
    findings : Findings

    Returns
    -------
    Markup
        An SVG element.
    """
    plane = Plane(findings.size, WIDEST, TALLEST)
    truths = {unit.number: unit for unit in findings.true_units}
    # Large ones first, so that the pointer reaches those that lie on them.
    found = sorted(findings.drawn, key=lambda unit: -int(unit.mask.sum()))
    outlines = [
        _found_unit(
            unit, truths.get(-1 if unit.partner is None else unit.partner), plane.scale, findings
        )
        for unit in found
    ]
    return plane.draw(
        findings.velocity_sd,
        highest_of(findings.velocity_sd),
        [
            *(_other_motion(one, plane.scale, findings) for one in findings.other_motion),
            *(_missed_unit(unit, plane.scale, findings) for unit in findings.missed_drawn),
            *outlines,
        ],
        labels=element("g", *_labels(findings, plane.scale), class_="labels", aria_hidden="true"),
        definitions=element("defs", _hatching(), scale_of_greys()),
        larger=LARGER,
        class_="map",
        role="group",
        aria_labelledby="map-caption",
        data_picker="map",
    )


def _found_unit(
    unit: FoundUnit, truth: TrueUnit | None, scale: float, findings: Findings
) -> Markup:
    path = outline(unit.mask, scale, findings.size)
    true = None
    if truth is not None:
        true = element("path", d=outline(truth.mask, scale, findings.size), class_="true")
    return element(
        "g",
        true,
        element("path", d=path, class_="found uncertain" if unit.uncertain else "found"),
        class_=f"unit {colour_class(unit.number)}",
        data_key=unit.key,
        data_pick=True,
        role="button",
        tabindex=0 if unit is findings.drawn[0] else -1,
        aria_pressed="false",
        aria_label=describe_place(unit),
    )


def _other_motion(one: OtherMotion, scale: float, findings: Findings) -> Markup:
    return element(
        "path",
        element("title", f"{one.kind}, left out of the units"),
        d=outline(one.mask, scale, findings.size),
        class_="other-motion",
    )


def describe_place(unit: FoundUnit) -> str:
    """Say in a sentence where a unit is and what is known of it."""
    measures = unit.measures
    parts = [
        f"Unit {unit.number}: {fixed(measures['centre_depth_mm'], 1)} mm deep, "
        f"{fixed(measures['centre_width_mm'], 1)} mm across, "
        f"{fixed(measures['area_mm2'], 1)} square mm"
    ]
    verdict = unit.verdict
    if verdict is not None and verdict.partner is None:
        parts.append(f"{verdict.words} (no train matches)")
    elif verdict is not None:
        parts.append(
            f"true unit {verdict.partner}, {verdict.words}, outline IoU {fixed(verdict.iou)}"
        )
    if unit.uncertain:
        parts.append("outline uncertain")
    return "; ".join(parts)


def _missed_unit(unit: TrueUnit, scale: float, findings: Findings) -> Markup:
    return element(
        "g",
        element("path", d=outline(unit.mask, scale, findings.size), class_="missed"),
        class_="unit",
        data_key=unit.key,
        data_pick=True,
        role="button",
        tabindex=0 if not findings.drawn and unit is findings.missed_drawn[0] else -1,
        aria_pressed="false",
        aria_label=f"True unit {unit.number}, {unit.verdict.words}: "
        f"{fixed(unit.properties['depth'], 1)} mm deep, "
        f"{fixed(unit.properties['width'], 1)} mm across",
    )


def _labels(findings: Findings, scale: float) -> list[Markup]:
    """Return the numbers of units, each inside its territory and apart from the others."""
    shown: list[FoundUnit | TrueUnit] = [*findings.drawn, *findings.missed_drawn]
    places = label_places([unit.mask for unit in shown], findings.size)
    labels = []
    for unit, place in zip(shown, places, strict=True):
        if place is None:
            continue
        text = label_of(unit)
        true = isinstance(unit, TrueUnit)
        wide = 7.0 * len(text) + 7
        labels.append(
            element(
                "g",
                element("rect", x=-wide / 2, y=-8, width=wide, height=16, rx=8),
                element("text", text, y=4.3),
                class_="label missed" if true else f"label {colour_class(unit.number)}",
                data_key=unit.key,
                transform=f"translate({place[1] * scale:.1f} {place[0] * scale:.1f})",
            )
        )
    return labels


def label_of(unit: FoundUnit | TrueUnit) -> str:
    """Return the short name of a unit: a star marks one whose train matches no true unit's."""
    if isinstance(unit, TrueUnit):
        return f"t{unit.number}"
    stranger = unit.verdict is not None and unit.partner is None
    return f"{unit.number}*" if stranger else str(unit.number)


def _hatching() -> Markup:
    return element(
        "pattern",
        element("path", d="M0 0V6", class_="hatch"),
        id="hatching",
        width=6,
        height=6,
        patternUnits="userSpaceOnUse",
        patternTransform="rotate(45)",
    )


def left_out(findings: Findings) -> str:
    """Say which units are not drawn; nothing where all are."""
    pairs = (
        ("units found", findings.drawn, findings.units),
        ("units missed", findings.missed_drawn, findings.missed),
    )
    told = [
        f"the strongest {len(drawn)} of {len(units)} {what}"
        for what, drawn, units in pairs
        if len(drawn) < len(units)
    ]
    return f" Drawn are {listed(told)}; the tables have all." if told else ""


def caption_of_map(findings: Findings) -> Markup:
    """Say what the lines of the map are."""
    parts = [
        "Grey: standard deviation of the velocity over time. ",
        element("span", "Solid", class_="key found"),
        " and numbered: units found. " if findings.units else ": units found (none here). ",
    ]
    uncertain = [label_of(unit) for unit in findings.units if unit.uncertain]
    if uncertain:
        parts += [
            element("span", "Long dashes", class_="key uncertain"),
            f": outline uncertain, though the train is not: {listed(uncertain)}. ",
        ]
    if findings.score is not None:
        parts += [
            element("span", "Short dashes" if uncertain else "Dashed", class_="key true"),
            ": the true unit whose train each matches, wherever its outline lies. ",
        ]
        if findings.missed:
            missed = listed([label_of(unit) for unit in findings.missed_drawn])
            parts += [
                element("span", "Dotted and hatched", class_="key missed"),
                f": true units not matched, {missed}. ",
            ]
        if any(unit.partner is None for unit in findings.units):
            parts.append("* the train matches no true unit's.")
    if findings.other_motion:
        parts += [
            element("span", "Red, dashed and dotted", class_="key other-motion"),
            ": motion that is no unit's, of an artery or of the whole muscle. ",
        ]
    return join(*parts, left_out(findings))
