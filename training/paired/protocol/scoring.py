"""The scores of one generated slice, and their means over slices."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....datasets.volumes.slices import cut
from ...translation.metrics.table import score_of
from ..grid import grid_of
from ..metrics import (
    LEVELS,
    global_similarity,
    normalised_error,
    peak_ratio,
    peak_ratio_of_range,
    relative_error,
    root_mean_square_error,
    windowed_similarity,
)
from .survey import Survey

PUBLISHED = {"nrmse": "NRMSE ↓", "psnr": "PSNR, dB ↑", "ssim": "SSIM ↑"}
"""Measures as Grant-Jacob et al. 2021 define them, and their headings."""

USUAL = {
    "relative_error": "NRMSE ↓",
    "psnr_of_range": "PSNR, dB ↑",
    "windowed_ssim": "SSIM ↑",
}
"""What the same names usually mean."""

BODY = {"body_error": "RMSE in the body ↓"}
"""Over the range of levels, in pixels of the body alone: air is easy."""

MEASURES = {**PUBLISHED, **USUAL, **BODY}

GRID = ("grid", "grid_depth", "grid_width")

COLUMNS = (*MEASURES, *GRID)
"""What is measured of a slice, in order: a grid's strength, and its period over depth and width."""

DEFINITIONS = (
    "NRMSE is over the range of the actual slice, PSNR takes the greatest value of both slices, "
    "and SSIM is of one window, the whole image, as in the paper; all on the whole canvas, in "
    "levels of 0 to 255. Usual definitions: NRMSE over the root mean square of the actual slice, "
    "PSNR of 255 levels, SSIM as the mean over Gaussian windows of 11 x 11 px. RMSE in the body is "
    "over 255 levels, where there is no air."
)


def scores_of(
    actual: NDArray[np.float64],
    generated: NDArray[np.float64],
    body: NDArray[np.bool_],
    size: tuple[int, int],
) -> list[float]:
    """Score a generated slice.

    Parameters
    ----------
    actual, generated : float64 arrays of shape (depth, width)
        On the whole canvas, in levels.
    body : bool array of shape (rows, columns)
        Pixels of the body, without what is around the slice.
    size : (int, int)
        Rows and columns of the slice, in the middle of the canvas.

    Returns
    -------
    list of float
        In the order of :data:`COLUMNS`; NaN where there is no answer.
    """
    inside = cut(actual, size), cut(generated, size)
    in_body = [image[body] for image in inside]
    grid = grid_of(inside[1])
    return [
        normalised_error(actual, generated),
        peak_ratio(actual, generated),
        global_similarity(actual, generated),
        relative_error(actual, generated),
        peak_ratio_of_range(actual, generated),
        windowed_similarity(actual, generated),
        root_mean_square_error(*in_body) / LEVELS if body.any() else math.nan,
        grid.strength,
        *grid.period,
    ]


def slice_rows(
    name: str, survey: Survey, scores: NDArray[np.float64], alarms: NDArray[np.bool_]
) -> list[dict[str, Any]]:
    """Return a row for each slice of a translation.

    Parameters
    ----------
    name : str
        Of the translation.
    survey : Survey
        Of the slices.
    scores : float64 array of shape (slice, column)
        See :func:`scores_of`.
    alarms : bool array of shape (slice,)
        Whether each has a grid.
    """
    return [
        {
            "translation": name,
            "slice": index,
            "plane": survey.planes[index],
            "position": survey.positions[index],
            **dict(zip(COLUMNS, row.tolist(), strict=True)),
            "grid_alarm": int(alarm),
        }
        for index, (row, alarm) in enumerate(zip(scores, alarms, strict=True))
    ]


def mean_row(
    about: Mapping[str, Any], plane: str, rows: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return means and SDs over slices.

    Parameters
    ----------
    about : mapping
        What the row begins with.
    plane : str
        What slices they are.
    rows : sequence of mapping
        See :func:`slice_rows`.

    Returns
    -------
    dict
        Means, and under ``..._sd`` SDs (n - 1), of :data:`MEASURES`; slices that are the actual
        ones to the last digit (``identical``) have no PSNR to take a mean of. ``grid``: the median
        strength; ``grids``: slices with an alarm.
    """
    found: dict[str, Any] = {**about, "plane": plane, "slices": len(rows)}
    for name in MEASURES:
        values = np.array([row[name] for row in rows], np.float64)
        score = score_of(np.where(np.isfinite(values), values, math.nan))
        found |= {name: score.mean, f"{name}_sd": score.sd}
    strengths = [row["grid"] for row in rows if not math.isnan(row["grid"])]
    return found | {
        "identical": sum(math.isinf(row["psnr"]) and row["psnr"] > 0 for row in rows),
        "grid": float(np.median(strengths)) if strengths else math.nan,
        "grids": sum(row["grid_alarm"] for row in rows),
        "grids_looked_for": len(strengths),
    }
