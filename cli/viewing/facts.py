"""What is known of a sequence, in a few words, and what is drawn over its image beside units."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...datasets.images.stored import images_of
from ...datasets.store import Store
from ...datasets.videos.trials import trials_of
from ...datasets.volumes.slices import slices_of
from ...training.identification.other_motion import other_motion_in
from ...training.identification.stored import optional
from ..pages.outlines import outline
from ..pages.sources import noise_of
from .shown import FOUND, Recording

DETAIL = 20.0
"""Steps of outlines to the mm, or px where millimetres are not known."""

APONEUROSES = (("superficial aponeurosis", "#e69f00"), ("deep aponeurosis", "#56b4e9"))
ANATOMY, OTHER_MOTION = "#5a4632", "#b3261e"
"""Colours as on pages and pictures."""


def facts_of(store: Store, index: int) -> list[str]:
    """Say in a few words what is known of one sequence.

    Parameters
    ----------
    store : Store
    index : int
        The sequence.
    """
    if store.is_section:
        image = images_of(store)[index]
        known = {name: value for name, value in image.truth.items() if math.isfinite(value)}
        named = [] if image.name == f"{index:06d}" else [image.name]
        return [*named, *(_measure(name, value) for name, value in known.items())]
    if store.is_video:
        return [trials_of(store)[index].name]
    if store.is_slices:
        one = slices_of(store)[index]
        return [f"{one.plane}, at {one.position:.1f} mm"]
    if store.kind == "identified":
        return ["their recording is not found any more"]
    noise = noise_of(store, index) if store.parameters is not None else ""
    return [noise] if noise else []


def proportions_of(store: Store, index: int) -> tuple[float, float]:
    """Return depth and width of an image in one unit, whichever it is: how it is to be drawn.

    Images and slices of a store may have pixels of a shape of their own each.
    """
    _, rows, columns = store.layout.shape
    depth, width = store.layout.pixel_size
    if store.is_section:
        depth, width = 1.0, images_of(store)[index].scale.shape
    elif store.is_slices:
        depth, width = (float(store.read(name, index)) for name in ("pixel_depth", "pixel_width"))
    return rows * depth, columns * width


def _measure(name: str, value: float) -> str:
    what, _, unit = name.rpartition("_")
    return f"{what.replace('_', ' ')} {value:.1f} {unit}"


def marks_of(recording: Recording, store: Store, index: int) -> list[dict[str, Any]]:
    """Return what is drawn over an image beside its units: ``label``, ``path`` and ``colour``.

    Parameters
    ----------
    recording : Recording
    store : Store
        The recording's.
    index : int
        The sequence.

    Returns
    -------
    list of dict
        Aponeuroses of sections, fat and artery of the virtual experiment, and motion that methods
        left out of the units. Paths are those of SVG, in :data:`DETAIL` steps to the mm.
    """
    layout = store.layout
    size = (layout.shape[1] * layout.pixel_size[0], layout.shape[2] * layout.pixel_size[1])

    def drawn(label: str, mask: NDArray[np.bool_], colour: str) -> dict[str, Any]:
        return {"label": label, "path": outline(mask, DETAIL, size), "colour": colour}

    marks = []
    if "aponeurosis_mask" in layout.variables:
        masks = [mask for mask in store.read("aponeurosis_mask", index) > 0 if mask.any()]
        named = APONEUROSES if len(masks) == 2 else (("aponeuroses", APONEUROSES[0][1]),)
        both = zip(masks, named, strict=False)
        marks += [drawn(label, mask, colour) for mask, (label, colour) in both]
    if store.has_truth:
        marks += _anatomy(store, index, size)
    for units in recording.sets:
        place = units.place_of(store, index) if units.kind == FOUND else None
        if place is not None:
            found = other_motion_in(optional(units.watched.store, "other_motion", place))
            marks += [
                drawn(f"{one.kind}, left out by {units.name}", one.mask, OTHER_MOTION)
                for one in found
            ]
    return marks


def _anatomy(store: Store, index: int, size: tuple[float, float]) -> list[dict[str, Any]]:
    marks = []
    fat, artery = store.fat(index), store.artery(index)
    if fat > 0:
        line = f"M0 {fat * DETAIL:.1f}H{size[1] * DETAIL:.1f}"
        marks.append({"label": "below skin and fat", "path": line, "colour": ANATOMY})
    if artery is not None:
        across, down, radius = (
            n * DETAIL for n in (artery.width, artery.depth, artery.radius)
        )  # fmt: skip
        half = f"a{radius:.1f} {radius:.1f} 0 1 0"
        path = (
            f"M{across - radius:.1f} {down:.1f}{half} {2 * radius:.1f} 0{half} {-2 * radius:.1f} 0"
        )
        marks.append({"label": "artery", "path": path, "colour": ANATOMY})
    return marks
