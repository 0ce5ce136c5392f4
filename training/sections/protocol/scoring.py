"""What a network finds in images that it never saw, beside what was drawn there."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..aponeuroses import aponeuroses_of
from ..image_sets import ImageSet
from ..segmentation.segment_losses import overlaps
from ..segmentation.segmenting import PROBABILITY, Segmenter
from ..thickness import thickness_of

OVERLAPS = ("precision", "recall", "dice", "iou")

LIMITS = 1.96
"""Standard deviations to either side of the mean within which 95 % of differences lie (Bland and
Altman 1986, doi:10.1016/S0140-6736(86)90837-8)."""


def score_images(segmenter: Segmenter, images: ImageSet) -> list[dict[str, Any]]:
    """Return a row for each image.

    Parameters
    ----------
    segmenter : Segmenter
    images : ImageSet
        With masks.

    Returns
    -------
    list of dict
        ``image``; precision, recall, ``dice`` and ``iou``; thickness ``manual_px`` and
        ``automatic_px`` [pixels of depth], NaN where there is none, and ``reason``.
    """
    found = segmenter.probabilities(images.images) > PROBABILITY
    scores = overlaps(torch.from_numpy(found), torch.from_numpy(images.masks))
    rows = []
    for number, name in enumerate(images.names):
        manual = _thickness(images.masks[number], images, number)
        automatic = _thickness(found[number], images, number)
        rows.append({
            "image": name,
            **{measure: float(values[number]) for measure, values in scores.items()},
            "manual_px": manual.pixels,
            "automatic_px": automatic.pixels,
            "reason": (manual.reason and f"drawn: {manual.reason}") or automatic.reason,
        })  # fmt: skip
    return rows


def _thickness(mask: NDArray[np.bool_], images: ImageSet, number: int) -> Any:
    return thickness_of(aponeuroses_of(mask), mask.shape[1], images.scales[number])


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return means and deviations over images, as Tables 4 and 5 of the paper have them.

    Parameters
    ----------
    rows : sequence of mapping
        What :func:`score_images` gave.

    Returns
    -------
    dict of float
        ``images``; mean and SD of each overlap. Of images with a drawn thickness (``drawn``) those
        that were ``measured``, and of these: mean and SD of ``manual`` and ``automatic`` thickness
        [px], ``rmse`` and ``bias`` [px], lower and upper ``limit`` of agreement [px], and the
        median ``error`` as a share of the drawn thickness.
    """
    found: dict[str, float] = {"images": len(rows)}
    for name in OVERLAPS:
        values = np.array([row[name] for row in rows], float)
        found |= {name: float(values.mean()), f"{name}_sd": float(values.std())}
    drawn = [row for row in rows if not math.isnan(row["manual_px"])]
    both = [row for row in drawn if not math.isnan(row["automatic_px"])]
    found |= {"drawn": len(drawn), "measured": len(both)}
    manual = np.array([row["manual_px"] for row in both], float)
    automatic = np.array([row["automatic_px"] for row in both], float)
    if not both:
        return found | dict.fromkeys(THICKNESS, math.nan)
    difference = automatic - manual
    bias, spread = float(difference.mean()), float(difference.std(ddof=1)) if len(both) > 1 else 0.0
    return found | dict(zip(THICKNESS, (
        float(manual.mean()), float(manual.std()), float(automatic.mean()),
        float(automatic.std()), float(np.sqrt((difference**2).mean())), bias,
        bias - LIMITS * spread, bias + LIMITS * spread,
        float(np.median(np.abs(difference) / manual)),
    ), strict=True))  # fmt: skip


THICKNESS = ("manual", "manual_sd", "automatic", "automatic_sd", "rmse", "bias", "lower_limit",
             "upper_limit", "error")  # fmt: skip
