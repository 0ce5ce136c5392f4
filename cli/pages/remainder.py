"""The figure of what the units leave unexplained: its map beside the velocity's, on one scale."""

import math

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from ...training.identification.remarks import REMARKS
from ..page_findings import Findings
from .map import draw_axes, draw_colour_bar, grey_png, highest_of
from .markup import colour_class, element, join, share
from .outlines import outline

WIDEST, TALLEST = 330.0, 360.0
LEFT, TOP, RIGHT, BOTTOM = 50.0, 26.0, 82.0, 44.0
"""Sizes in the drawing's own units; the page scales them."""


def draw_remainder(findings: Findings) -> Markup | None:
    """Draw the SD of the velocity, and of what is left of it, with the units' outlines.

    Parameters
    ----------
    findings : Findings

    Returns
    -------
    Markup or None
        Two drawings that stand side by side where there is room; None where what is left is not
        known.
    """
    left = findings.residual_sd
    if left is None or not np.isfinite(left).any():
        return None
    depth, width = findings.size
    scale = min(WIDEST / width, TALLEST / depth)
    panels = [
        _panel(findings, title, values, scale)
        for title, values in (("Velocity", findings.velocity_sd), ("Left unexplained", left))
    ]
    return element("div", *panels, class_="pair")


def _panel(findings: Findings, title: str, values: NDArray[np.float32], scale: float) -> Markup:
    """Draw one map with its axes and the scale of both."""
    depth, width = findings.size
    box = (width * scale, depth * scale)
    highest = highest_of(findings.velocity_sd)
    outlines = [
        element(
            "path",
            d=outline(unit.mask, scale, findings.size),
            class_=f"ghost {colour_class(unit.number)}" + (" uncertain" if unit.uncertain else ""),
            data_key=unit.key,
        )
        for unit in findings.units
    ]
    total = (LEFT + box[0] + RIGHT, TOP + box[1] + BOTTOM)
    return element(
        "svg",
        element(
            "g",
            element("text", title, x=box[0] / 2, y=-10, class_="middle heading"),
            element(
                "image",
                href=grey_png(values, highest),
                width=box[0],
                height=box[1],
                preserveAspectRatio="none",
                class_="pixels",
            ),
            *outlines,
            element("rect", width=box[0], height=box[1], class_="frame"),
            draw_axes(findings.size, scale),
            draw_colour_bar(box, highest),
            transform=f"translate({LEFT:g} {TOP:g})",
        ),
        viewBox=f"0 0 {total[0]:.1f} {total[1]:.1f}",
        class_="remainder",
        role="img",
        aria_label=f"{title}: map of the standard deviation over time",
        width=total[0],
    )


def caption_of_remainder(findings: Findings) -> Markup:
    """Say what the two maps are."""
    parts = [
        "Standard deviation over time of the velocity with its noise, and of what is left of it "
        "above noise when the units' trains have explained of every pixel what they can, inside "
        "their outlines and outside. One scale of grey for both."
    ]
    if findings.units:
        parts.append(" Thin: the outlines of the units found.")
    return join(*parts)


def share_of(findings: Findings) -> str:
    """Say how much of the motion the units explain; nothing where that is not known."""
    if math.isnan(findings.explained_share):
        return ""
    if not findings.units:
        return "Nothing of the motion above noise is explained."
    explained = share(findings.explained_share)
    return f"The units explain {explained} of the energy of the velocity above noise."


def remarks_on(findings: Findings) -> list[Markup]:
    """Return the remarks about a recording as paragraphs: what was seen, and what to try."""
    return [
        element(
            "p",
            element("strong", f"{remark.words.capitalize()}."),
            f" {remark.sentence} {remark.advice}",
            class_="remark",
        )
        for remark in (REMARKS[name] for name in findings.remarks)
    ]
