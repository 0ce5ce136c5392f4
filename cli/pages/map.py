"""The figure of the territories: outlines, found and true, over the map of the velocity's SD."""

import base64
import io
import math

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from ..page_findings import Findings, FoundUnit, TrueUnit
from ..pictures.scales import round_ticks
from .markup import colour_class, element, fixed, join, listed
from .outlines import label_places, outline

WIDEST, TALLEST = 360.0, 480.0
LEFT, TOP, RIGHT, BOTTOM = 50.0, 12.0, 82.0, 44.0
"""Sizes in the drawing's own units; the page scales them."""

PALEST, DARKEST = (255.0, 255.0, 255.0), (140.0, 140.0, 140.0)
"""Ends of the scale: dark outlines show on all of it."""
NOT_FINITE = (239, 227, 194)


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
    depth, width = findings.size
    scale = min(WIDEST / width, TALLEST / depth)
    box = (width * scale, depth * scale)
    highest = highest_of(findings.velocity_sd)
    truths = {unit.number: unit for unit in findings.true_units}
    # Large ones first, so that the pointer reaches those that lie on them.
    found = sorted(findings.units, key=lambda unit: -int(unit.mask.sum()))
    outlines = [
        _found_unit(unit, truths.get(-1 if unit.partner is None else unit.partner), scale, findings)
        for unit in found
    ]
    missed = [_missed_unit(unit, scale, findings) for unit in findings.missed]
    total = (LEFT + box[0] + RIGHT, TOP + box[1] + BOTTOM)
    return element(
        "svg",
        element("defs", _hatching(), _scale_of_greys()),
        element(
            "g",
            element(
                "image",
                href=grey_png(findings.velocity_sd, highest),
                width=box[0],
                height=box[1],
                preserveAspectRatio="none",
                class_="pixels",
            ),
            *missed,
            *outlines,
            element("rect", width=box[0], height=box[1], class_="frame"),
            draw_axes(findings.size, scale),
            element("g", *_labels(findings, scale), class_="labels", aria_hidden="true"),
            draw_colour_bar(box, highest),
            transform=f"translate({LEFT:g} {TOP:g})",
        ),
        viewBox=f"0 0 {total[0]:.1f} {total[1]:.1f}",
        class_="map",
        role="group",
        aria_labelledby="map-caption",
        data_picker="map",
        # As wide as its drawing is, so that the letters of narrow images grow no larger.
        width=total[0] * 1.2,
    )


def highest_of(values: NDArray[np.float32]) -> float:
    """Return the end of the scale of a map, above 0."""
    return float(values[np.isfinite(values)].max(initial=0)) or 1.0


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
        tabindex=0 if unit.number == 0 else -1,
        aria_pressed="false",
        aria_label=describe_place(unit),
    )


def describe_place(unit: FoundUnit) -> str:
    """Say in a sentence where a unit is and what is known of it."""
    measures = unit.measures
    parts = [
        f"Unit {unit.number}: {fixed(measures['centre_depth_mm'], 1)} mm deep, "
        f"{fixed(measures['centre_width_mm'], 1)} mm across, "
        f"{fixed(measures['area_mm2'], 1)} square mm"
    ]
    if unit.partner is not None:
        parts.append(
            f"{unit.verdict} true unit {unit.partner}"
            if unit.verdict == "matches"
            else f"true unit {unit.partner}, {unit.verdict}"
        )
    elif unit.verdict:
        parts.append(f"{unit.verdict} (no match)")
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
        tabindex=0 if not findings.units and unit is findings.missed[0] else -1,
        aria_pressed="false",
        aria_label=f"True unit {unit.number}, {unit.verdict}: "
        f"{fixed(unit.properties['depth'], 1)} mm deep, "
        f"{fixed(unit.properties['width'], 1)} mm across",
    )


def _labels(findings: Findings, scale: float) -> list[Markup]:
    """Return the numbers of units, each inside its territory and apart from the others."""
    shown: list[FoundUnit | TrueUnit] = [*findings.units, *findings.missed]
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
    """Return the short name of a unit: a star marks one that matches no true unit."""
    if isinstance(unit, TrueUnit):
        return f"t{unit.number}"
    return f"{unit.number}*" if unit.verdict and unit.partner is None else str(unit.number)


def draw_axes(size: tuple[float, float], scale: float) -> Markup:
    """Draw the ticks and titles of a map's axes, in mm."""
    height, breadth = size[0] * scale, size[1] * scale
    marks = []
    for value in round_ticks(size[1], most=max(3, int(breadth / 45))):
        x = value * scale
        marks.append(element("path", d=f"M{x:.1f} {height:.1f}v5", class_="tick"))
        marks.append(element("text", f"{value:g}", x=x, y=height + 18, class_="middle"))
    for value in round_ticks(size[0], most=max(3, int(height / 30))):
        y = value * scale
        marks.append(element("path", d=f"M0 {y:.1f}h-5", class_="tick"))
        marks.append(element("text", f"{value:g}", x=-8, y=y + 4, class_="end"))
    titles = (
        element("text", "Width (mm)", x=breadth / 2, y=height + 37, class_="middle"),
        element(
            "text",
            "Depth (mm)",
            transform=f"translate(-36 {height / 2:.1f}) rotate(-90)",
            class_="middle",
        ),
    )
    return element("g", *marks, *titles, class_="axes")


def draw_colour_bar(box: tuple[float, float], highest: float) -> Markup:
    """Draw the scale of greys to the right of a map, from 0 to `highest`, mm/s."""
    left, height = box[0] + 12, box[1]
    values = round_ticks(highest, most=max(3, min(5, int(height / 30))))
    decimals = max(0, -math.floor(math.log10(values[1] if len(values) > 1 else 1) + 1e-9))
    marks = [
        join(
            element(
                "path", d=f"M{left + 12:.1f} {height * (1 - v / highest):.1f}h4", class_="tick"
            ),
            element(
                "text",
                fixed(v, decimals),
                x=left + 19,
                y=height * (1 - v / highest) + 4,
            ),
        )
        for v in values
    ]
    return element(
        "g",
        element("rect", x=left, width=12, height=height, fill="url(#greys)", class_="bar"),
        *marks,
        element(
            "text",
            "SD of velocity (mm/s)" if height > 150 else "SD (mm/s)",
            transform=f"translate({left + 64:.1f} {height / 2:.1f}) rotate(-90)",
            class_="middle",
        ),
        class_="axes",
    )


def _scale_of_greys() -> Markup:
    ends = [f"rgb({','.join(f'{c:g}' for c in colour)})" for colour in (DARKEST, PALEST)]
    stops = [
        element("stop", offset=offset, stop_color=end)
        for offset, end in zip(("0", "1"), ends, strict=True)
    ]
    return element("linearGradient", *stops, id="greys", x1=0, y1=0, x2=0, y2=1)


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


def grey_png(values: NDArray[np.float32], highest: float) -> str:
    """Return an image as a data URL, one pixel a pixel, from pale at 0 to dark at `highest`."""
    finite = np.isfinite(values)
    share = np.clip(np.where(finite, values, 0) / highest, 0, 1)[..., None]
    colours = np.array(PALEST) + share * (np.array(DARKEST) - np.array(PALEST))
    pixels = np.where(finite[..., None], colours.round(), NOT_FINITE).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


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
            ": the true unit that each matches (overlap IoU above 0.5). ",
        ]
        if findings.missed:
            parts += [
                element("span", "Dotted and hatched", class_="key missed"),
                f": true units not matched, {listed([label_of(u) for u in findings.missed])}. ",
            ]
        if any(unit.partner is None for unit in findings.units):
            parts.append("* matches no true unit.")
    return join(*parts)
