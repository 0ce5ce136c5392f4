"""The figure of what the units leave unexplained: its map beside the velocity's, on one scale."""

import math

import numpy as np
from markupsafe import Markup

from ...training.identification.frame_faults import OF_FRAMES, in_words
from ...training.identification.other_motion import LEFT_OUT
from ...training.identification.other_motion import in_words as places_in_words
from ...training.identification.remarks import REMARKS
from .findings import Findings
from .markup import colour_class, element, join, left, share
from .outlines import outline
from .plane import Plane, highest_of

WIDEST, TALLEST = 330.0, 360.0
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
    plane = Plane(findings.size, WIDEST, TALLEST)
    # Both on one scale, that of the velocity.
    highest = highest_of(findings.velocity_sd)
    outlines = [
        element(
            "path",
            d=outline(unit.mask, plane.scale, findings.size),
            class_=f"ghost {colour_class(unit.number)}" + (" uncertain" if unit.uncertain else ""),
            data_key=unit.key,
        )
        for unit in findings.units
    ]
    panels = [
        plane.draw(
            values,
            highest,
            outlines,
            heading=title,
            class_="remainder",
            role="img",
            aria_label=f"{title}: map of the standard deviation over time",
        )
        for title, values in (("Velocity", findings.velocity_sd), ("Left unexplained", left))
    ]
    return element("div", *panels, class_="pair")


def caption_of_remainder(findings: Findings) -> Markup:
    """Say what the two maps are."""
    parts = [
        "Standard deviation over time of the velocity with its noise, and of what is left of it "
        "above noise when the units' trains have explained of every pixel what they can, inside "
        "their outlines and outside. One scale of grey for both."
    ]
    if findings.units:
        parts.append(" Thin: the outlines of the units found.")
    if findings.residual_sd is not None and np.isnan(findings.residual_sd).any():
        parts.append(" Sand: pixels that show no tissue.")
    return join(*parts)


def share_of(findings: Findings) -> str:
    """Say how much of the motion the units explain and leave; nothing where that is not known."""
    if math.isnan(findings.explained_share):
        return ""
    explained = f"{share(findings.explained_share)} of the energy of the velocity above noise"
    explained = f"The units explain {explained}" if findings.units else f"{explained} is explained"
    return f"{explained}: {left(findings.explained_share)} of the motion is left unexplained."


def remarks_on(findings: Findings) -> list[Markup]:
    """Return the remarks about a recording as paragraphs: what was seen, and what to try."""
    paragraphs = []
    for name in findings.remarks:
        remark = REMARKS[name]
        where = in_words([one for one in findings.frame_faults if OF_FRAMES[one.fault] == name])
        others = [one for one in findings.other_motion if LEFT_OUT[one.kind] == name]
        step = (findings.size[0] / findings.shape[1], findings.size[1] / findings.shape[2])
        where = where or places_in_words(others, step).capitalize()
        paragraphs.append(
            element(
                "p",
                element("strong", f"{remark.words.capitalize()}."),
                f" {remark.sentence} {where + '. ' if where else ''}{remark.advice}",
                class_="remark",
            )
        )
    return paragraphs
