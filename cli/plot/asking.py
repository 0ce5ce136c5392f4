"""What a figure is asked of: where a sequence lies, which units, when, and on which axes."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...datasets.store import Store, check_velocity, open_store
from ...simulator.errors import InputError
from ...simulator.parameters import Parameters
from ...simulator.sequence import Truth
from ..pictures.panels import Page
from ..pictures.scene import strongest
from ..pictures.subjects import DrawnTruth, DrawnUnits, StoredSequence, Subject

Source = Store | Truth | str | Path

DOTS_PER_INCH = 110
"""Of figures on a screen; files have what `savefig` is asked for."""


def store_of(source: Source) -> Store:
    """Return a store, opened if it is given by its place.

    Raises
    ------
    InputError
        If there is none, or it is a truth.
    """
    if isinstance(source, Truth):
        raise InputError("source: found a truth, wanted a store; generate one to draw this of it")
    return source if isinstance(source, Store) else open_store(source)


def subject_of(source: Source, index: int, parameters: Parameters | None) -> Subject:
    """Return what is drawn.

    Raises
    ------
    InputError
        If there is no such sequence, the store holds no tissue velocity, or a truth comes without
        its parameters.
    """
    if isinstance(source, Truth):
        if parameters is None:
            raise InputError(
                "parameters: found none beside a truth, wanted those that it was drawn with; they "
                "tell its frame rate and the size of pixels"
            )
        return DrawnTruth(source, parameters)
    store = store_of(source)
    check_velocity(store)
    check_index(store, index)
    return StoredSequence(store, index)


def check_index(store: Store, index: int) -> None:
    """Raise InputError unless there is such a sequence."""
    if not 0 <= index < len(store):
        raise InputError(f"{store.location}: found sequence {index}, wanted 0 to {len(store) - 1}")


def chosen_units(units: DrawnUnits, wanted: Sequence[int] | None) -> list[int]:
    """Return which units are drawn: those asked for, or the strongest.

    Raises
    ------
    InputError
        If one of them is not there.
    """
    if wanted is None:
        return strongest(units.train, units.territory)
    count = len(units.territory)
    for unit in wanted:
        if not 0 <= unit < count:
            there = f"wanted 0 to {count - 1}" if count else "but there is none"
            raise InputError(f"units: found unit {unit}, {there}")
    return list(wanted)


def check_time(time: tuple[float, float] | None, duration: float) -> tuple[float, float]:
    """Return a span of time, s; the whole sequence if none is asked for.

    Raises
    ------
    InputError
        If it does not lie in the sequence, or is empty.
    """
    if time is None:
        return 0.0, duration
    start, stop = time
    if not (math.isfinite(start) and 0 <= start < stop <= duration * (1 + 1e-9)):
        raise InputError(
            f"time: found {start:g} to {stop:g} s, wanted a span inside 0 to {duration:g} s"
        )
    return float(start), float(stop)


def own_axes(
    axes: Axes | None, width: float, height: float, *, left: float, right: float, top: float = 0.3
) -> tuple[Axes, Page | None]:
    """Return axes to draw on, and the page that they are on if they are not the caller's.

    Parameters
    ----------
    axes : Axes, optional
        The caller's.
    width, height : float
        Of the axes, where they are new, inches.
    left, right, top : float
        Room about them, inches.
    """
    if axes is not None:
        return axes, None
    page = Page(left + width + right, top + height + 0.45, DOTS_PER_INCH)
    return page.axes(left, top, width, height), page


def figure_of(axes: Axes) -> Figure:
    """Return the figure that axes stand on."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    return figure


def proportions(size: tuple[float, float], width: float, tallest: float) -> tuple[float, float]:
    """Return width and height of a map, inches, at most as large as its room."""
    ratio = float(np.clip(size[0] / size[1], 0.2, 6.0))
    return min(width, tallest / ratio), min(width * ratio, tallest)
