"""The reliability diagram: whether confidence means what it says."""

import math

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from ..charts import Chart
from ..colours import COLOURS, GREY
from .axes import finish
from .metrics.calibration import BINS, calibration_error
from .rows import IdentificationEvaluation


def draw_reliability(evaluation: IdentificationEvaluation) -> Chart | None:
    """Draw how far confidence of the units found can be believed; None without any of them."""
    if not evaluation.predictions:
        return None
    sure, true = (
        [row[name] for row in evaluation.predictions] for name in ("confidence", "train_matched")
    )
    return reliability_chart(sure, true, f"units found by {evaluation.method}")


def reliability_chart(confidence: ArrayLike, true: ArrayLike, what: str) -> Chart:
    """Draw the share of units that are true by their trains, against their confidence.

    Parameters
    ----------
    confidence : array of shape (prediction,)
        0..1.
    true : array of shape (prediction,)
        Whether each is true, 0 or 1.
    what : str
        Whose units.

    Returns
    -------
    Chart
        A point at the mean confidence of each of ten equal bins, with the standard error of the
        share (Wilson's interval: none is 0 or 1 for sure) and beneath the number of units.

    Raises
    ------
    InputError
        If a confidence is not in 0..1, or there is not one truth for each.
    """
    error = calibration_error(confidence, true)
    sure, right = np.asarray(confidence, np.float64), np.asarray(true, np.float64)
    figure = Figure(figsize=(3.6, 3.4), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], "--", color=GREY, linewidth=0.8, label="means what it says")
    place = np.minimum(np.floor(sure * BINS), BINS - 1).astype(np.int64)
    at, shares, below, above = [], [], [], []
    for number in np.unique(place):
        inside = place == number
        count, share = int(inside.sum()), float(right[inside].mean())
        low, high = wilson(share, count)
        at.append(float(sure[inside].mean()))
        shares.append(share)
        below.append(share - low)
        above.append(high - share)
        axes.annotate(str(count), (at[-1], 0.015), fontsize=6, ha="center", color=GREY)
    axes.errorbar(
        at, shares, [below, above], color=COLOURS[0], marker="o", markersize=4, linewidth=1,
        elinewidth=0.6, capsize=2, label="units found",
    )  # fmt: skip
    axes.set_xlim(-0.02, 1.02)
    axes.legend(fontsize=7, frameon=False, loc="upper left")
    finish(axes, "Confidence (below: units)", "Share true by train")
    title = "Reliability of confidence"
    figure.suptitle(f"{title}:\n{what}", fontsize=10)
    text = (
        f"{title}: share of {what} that are true by their trains, against their confidence, in ten "
        "bins with standard errors; on the dashed line, of units given 0.8, 80 % are true. "
        f"Expected calibration error {error:.3f} over {sure.size}."
    )
    return Chart("reliability", title, text, figure)


def wilson(share: float, count: int) -> tuple[float, float]:
    """Return the ends of Wilson's interval of one standard error around a share.

    E. B. Wilson 1927, doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> [round(end, 3) for end in wilson(1.0, 4)]
    [0.8, 1.0]
    """
    middle = (share + 0.5 / count) / (1 + 1 / count)
    half = math.sqrt(share * (1 - share) / count + 0.25 / count**2) / (1 + 1 / count)
    # The share lies between them, but for rounding where it is 0 or 1.
    return min(max(middle - half, 0.0), share), max(min(middle + half, 1.0), share)
