"""Figures of evaluations, as ``musim evaluate`` writes and ``musim report`` shows them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from ...datasets.location import Location
from ...simulator.errors import InputError
from ...training.charts import Chart
from ...training.identification.evaluation import SETTINGS, read_evaluation
from ...training.identification.rows import IdentificationEvaluation
from ...training.translation.metrics.findings import TranslationEvaluation
from ..pictures.panels import Drawing

Evaluation = IdentificationEvaluation | TranslationEvaluation | Sequence[IdentificationEvaluation]


def scores(evaluation: str | Path | Evaluation, figure: str | None = None) -> Figure:
    """Draw a figure of an evaluation: scores against difficulty, firings by rate, reliability.

    Parameters
    ----------
    evaluation : str or path, IdentificationEvaluation, TranslationEvaluation, or several
        What :func:`musim.evaluate` or :func:`musim.evaluate_translation` gave, or the folder of any
        evaluation; of several evaluations of identification, methods are compared.
    figure : str, optional
        Which, by its name (:func:`score_names` lists them); the first, if not given.

    Returns
    -------
    Figure
        Of a folder of another evaluation than of identification, the picture that lies there.

    Raises
    ------
    InputError
        If there is no finished evaluation, or no such figure of it.
    """
    charts = _figures(evaluation)
    if not charts:
        raise InputError("evaluation: found none with a figure, wanted units that were found")
    if figure is None:
        figure = next(iter(charts))
    if figure not in charts:
        raise InputError(f"figure: found {figure!r}, wanted one of {', '.join(charts)}")
    return charts[figure]


def score_names(
    evaluation: str | Path | Evaluation,
) -> tuple[str, ...]:
    """Return the names of the figures that :func:`scores` draws of an evaluation.

    Raises
    ------
    InputError
        If there is no finished evaluation.
    """
    return tuple(_figures(evaluation))


def _figures(
    evaluation: str | Path | Evaluation,
) -> dict[str, Figure]:
    if isinstance(evaluation, str | Path):
        location = Location(evaluation)
        if not (location.is_local and location.exists(SETTINGS)):
            return _of_folder(location)
        evaluation = read_evaluation(evaluation)
    return {chart.name: _shown(chart) for chart in _charts(evaluation)}


def _charts(
    evaluation: Evaluation,
) -> list[Chart]:
    if isinstance(evaluation, IdentificationEvaluation):
        from ...training.identification.figures import draw_charts

        return draw_charts(evaluation)
    if isinstance(evaluation, Sequence):
        from ...training.identification.comparison_figure import draw

        if not evaluation:
            raise InputError("evaluation: found none, wanted one or more")
        return [draw(evaluation)]
    from ...training.translation.figures import draw_charts as draw_translation

    return draw_translation(evaluation)


def _shown(chart: Chart) -> Figure:
    # It stays the figure that pages show; all that is new is that notebooks show it, too.
    chart.figure.__class__ = Drawing
    return chart.figure


def _of_folder(location: Location) -> dict[str, Figure]:
    """Return the pictures of a folder, each as a figure of just its pixels."""
    if not location.is_local or not list(location.path.glob("*.json")):
        raise InputError(f"{location}: found no evaluation, wanted the folder of one")
    figures = {}
    for path in sorted(location.path.glob("*.png")):
        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("RGBA"))
        high, wide = pixels.shape[:2]
        figure = Drawing(figsize=((wide + 0.01) / 150, (high + 0.01) / 150), dpi=150)
        figure.figimage(pixels)
        figures[path.stem] = figure
    return figures
