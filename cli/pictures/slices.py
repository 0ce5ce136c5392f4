"""A still picture of a slice through two volumes: one, the other, and their difference."""

import numpy as np

from ...datasets.store import Store
from ...datasets.volumes.slices import slices_of
from ...simulator.errors import InputError
from ...training.colours import VELOCITY_COLOURS
from .panels import NOTHING_COLOUR, Page, label_axes

WIDTH, MARGIN, TILE, TOP, TALLEST = 11.0, 0.6, 2.55, 0.75, 5.0
DOTS_PER_INCH = 150

SIDES = {
    "axial": ("Left to right", "Front to back"),
    "coronal": ("Left to right", "Head to feet"),
    "sagittal": ("Back to front", "Head to feet"),
}
"""Where columns and rows run, by plane."""


def compose_slice(store: Store, index: int) -> Page:
    """Draw a slice in the first volume, in the other, and the other less the first.

    Parameters
    ----------
    store : Store
        Of slices.
    index : int

    Returns
    -------
    Page

    Raises
    ------
    InputError
        If there is no such slice.
    FailureError
        If the store is damaged.
    """
    if not 0 <= index < len(store):
        raise InputError(f"{store.location}: found sequence {index}, wanted 0 to {len(store) - 1}")
    one = slices_of(store)[index]
    high, across = (n * step for n, step in zip(one.image.shape, one.pixel_size, strict=True))
    height = min(TILE * high / across, TALLEST)
    tile = height * across / high
    page = Page(WIDTH, TOP + height + 0.5, DOTS_PER_INCH)
    page.title(
        MARGIN, 0.26, f"{store.location}, slice {index} ({one.plane}, at {one.position:.1f} mm): "
        f"{store.origin.made_by}", font_size=10,
    )  # fmt: skip
    difference = one.image_b - one.image
    largest = float(np.abs(difference[np.isfinite(difference)]).max(initial=0)) or 1.0
    to_right, down = SIDES[one.plane]
    panels = (
        ("First volume", one.image, "gray", None),
        ("Second volume", one.image_b, "gray", None),
        ("Second less first", difference, VELOCITY_COLOURS, largest),
    )
    for number, (what, values, colours, limit) in enumerate(panels):
        left = MARGIN + number * (TILE + 0.8)
        page.text(left, TOP - 0.12, "abc"[number], fontsize=10, weight="bold")
        page.text(left + 0.17, TOP - 0.12, what, fontsize=9)
        axes = page.axes(left, TOP, tile, height)
        axes.set_facecolor(NOTHING_COLOUR)
        shown = axes.imshow(values, cmap=colours, extent=(0, across, high, 0))
        if limit is not None:
            shown.set_clim(-limit, limit)
        label_axes(axes, f"{to_right} (mm)", f"{down} (mm)" if number == 0 else "")
        axes.tick_params(labelleft=number == 0)
        bar = page.axes(left + tile + 0.06, TOP, 0.08, height)
        page.colour_bar(bar, shown, "Intensity" if number == len(panels) - 1 else "")
    return page
