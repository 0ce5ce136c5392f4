"""A still picture of an image of the longitudinal section, without and with its truth."""

import math

import numpy as np

from ...datasets.images.stored import images_of
from ...datasets.store import Store
from ...simulator.errors import InputError
from .panels import Page, label_axes

WIDTH, MARGIN, TILE, TOP, TALLEST = 11.0, 0.6, 4.7, 0.75, 7.0
DOTS_PER_INCH = 150
COLOURS = ("#e69f00", "#56b4e9")
"""Of the superficial and the deep aponeurosis."""


def compose_section(store: Store, index: int) -> Page:
    """Draw an image as it is, and with outlines of its aponeuroses.

    Parameters
    ----------
    store : Store
        Of images of the longitudinal section.
    index : int

    Returns
    -------
    Page

    Raises
    ------
    InputError
        If there is no such image.
    FailureError
        If the store is damaged.
    """
    if not 0 <= index < len(store):
        raise InputError(f"{store.location}: found sequence {index}, wanted 0 to {len(store) - 1}")
    image = store.read("bmode", index)[0]
    shown = images_of(store)[index]
    masks = store.read("aponeurosis_mask", index) if shown.has_mask else ()
    scale, (depth, width) = shown.scale, image.shape
    # In pixels of depth where millimetres are not known, as the muscle is shaped.
    step = scale.depth_mm if scale.known else 1.0
    steps, unit = (step, step * scale.shape), "mm" if scale.known else "px of depth"
    high, across = depth * steps[0], width * steps[1]
    height = min(TILE * high / across, TALLEST)
    tile = height * across / high
    page = Page(WIDTH, TOP + height + 0.5, DOTS_PER_INCH)
    named = "" if shown.name == f"{index:06d}" else f" ({shown.name})"
    page.title(MARGIN, 0.26, f"{store.location}, image {index}{named}: {store.origin.made_by}",
               font_size=10)  # fmt: skip
    depths, widths = (
        (np.arange(n) + 0.5) * step for n, step in zip(image.shape, steps, strict=True)
    )
    for number, what in enumerate(("Image", _words(store, index, len(masks)))):
        left = MARGIN + number * (TILE + 0.4)
        page.text(left, TOP - 0.12, "ab"[number], fontsize=10, weight="bold")
        page.text(left + 0.17, TOP - 0.12, what, fontsize=9)
        axes = page.axes(left, TOP, tile, height)
        axes.imshow(image, cmap="gray", vmin=0, vmax=255, extent=(0, across, high, 0))
        label_axes(axes, f"Width ({unit})", f"Depth ({unit})" if number == 0 else "")
        if number == 1:
            for mask, colour in zip(masks, COLOURS, strict=False):
                if mask.any():
                    axes.contour(widths, depths, mask, [0.5], colors=colour, linewidths=0.9)
    return page


def _words(store: Store, index: int, masks: int) -> str:
    """Return what is known of an image, over its second picture."""
    if "muscle_thickness" not in store.layout.variables:
        return "Aponeuroses as drawn" if masks else "Nobody drew aponeuroses on it"
    thick, steep, length = (
        float(store.read(name, index))
        for name in ("muscle_thickness", "pennation", "fascicle_length")
    )
    told = f", fascicle {length:.1f} mm" if math.isfinite(length) else ""
    return f"Aponeuroses; thickness {thick:.1f} mm, pennation {math.degrees(steep):.1f} deg{told}"
