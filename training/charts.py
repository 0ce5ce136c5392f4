"""A figure of an evaluation, with what it is called and what it shows."""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Chart:
    """A figure with its name and a text that says what it shows.

    Parameters
    ----------
    name : str
        Of a file, without its ending.
    title, text : str
    figure : matplotlib Figure
    """

    name: str
    title: str
    text: str
    figure: "Figure"


def png(chart: Chart) -> bytes:
    """Return a figure as PNG."""
    picture = io.BytesIO()
    chart.figure.savefig(picture, format="png")
    return picture.getvalue()
