"""Units as a page shows them: where they lie, what they do, and which others are like them."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...datasets.store import Store
from ...training.identification.metrics.detection import intersection_over_union
from ...training.identification.metrics.firing import firings_within, rate_and_variation
from ...training.identification.metrics.trains import correlate_all
from ...training.identification.stored import outline_confidence_of
from ...training.identification.units import UNCERTAIN_OUTLINE
from ..pages.outlines import label_places, outline
from ..pages.sources import known_names
from .shown import FOUND, KNOWN, UnitSet

DETAIL = 20.0
"""Steps of outlines to the mm."""

FEWEST_PIXELS = 0.5
"""Membership above which a pixel is the unit's."""


@dataclass(frozen=True)
class Units:
    """Units of one sequence.

    Parameters
    ----------
    territory : float32 array of shape (unit, depth, width)
    train : float32 array of shape (unit, time)
        mm/s.
    firing : tuple of float64 arrays of shape (firing,)
        Instants inside the sequence, s.
    """

    territory: NDArray[np.float32]
    train: NDArray[np.float32]
    firing: tuple[NDArray[np.float64], ...]

    @property
    def masks(self) -> NDArray[np.bool_]:
        """Pixels that are each unit's, bool (unit, depth, width)."""
        return self.territory > FEWEST_PIXELS


def read_units(store: Store, index: int) -> Units:
    """Read the units of one sequence of a store, without padding.

    Where nothing but their firings is known, territories and trains are 0.
    """
    count = int(store.read("unit_count", index))
    firing = store.read("firing", index)[:count]
    frames, *image = store.layout.shape
    territory, train = np.zeros((count, *image), np.float32), np.zeros((count, frames), np.float32)
    if store.has_units:
        territory, train = (
            store.read(name, index)[:count] for name in ("territory", "twitch_train")
        )
    window = (0.0, store.layout.shape[0] / store.layout.frame_rate)
    return Units(
        territory.astype(np.float32, copy=False),
        np.nan_to_num(train).astype(np.float32, copy=False),
        tuple(firings_within(row, window) for row in firing),
    )


def described(units: UnitSet, recording: Store, sequence: int) -> list[dict[str, Any]] | None:
    """Return what a page says of each unit of a set, as plain values.

    Parameters
    ----------
    units : UnitSet
    recording : Store
    sequence : int
        Of the recording.

    Returns
    -------
    list of dict, or None
        None where nobody has looked for units in the sequence.
    """
    place = units.place_of(recording, sequence)
    if place is None:
        return None
    store = units.watched.store
    found = read_units(store, place)
    layout = store.layout
    size = (layout.shape[1] * layout.pixel_size[0], layout.shape[2] * layout.pixel_size[1])
    window = (0.0, layout.shape[0] / layout.frame_rate)
    confidence = outlines = None
    if units.kind == FOUND:
        confidence = store.read("confidence", place)
        outlines = outline_confidence_of(store, place)
    names = known_names(store, place) if units.kind == KNOWN else None
    masks = found.masks
    labels = label_places(list(masks), size)
    rows = []
    for number, mask in enumerate(masks):
        rate, variation = rate_and_variation(found.firing[number], window)
        centre = centre_of(found.territory[number], layout.pixel_size)
        rows.append(
            {
                "unit": number,
                "name": None if names is None else names[number],
                "outline": outline(mask, DETAIL, size),
                "label": labels[number],
                "centre": centre,
                "area": float(mask.sum() * math.prod(layout.pixel_size)),
                "rate": rate,
                "variation": variation,
                "peak": float(np.abs(found.train[number]).max(initial=0)),
                "firings": np.round(found.firing[number], 6).tolist(),
                "confidence": None if confidence is None else float(confidence[number]),
                "uncertain": outlines is not None and bool(outlines[number] < UNCERTAIN_OUTLINE),
            }
        )
    return rows


def centre_of(
    territory: NDArray[np.float32], pixel_size: tuple[float, float]
) -> tuple[float, float] | None:
    """Return depth and width of a territory's centre of mass, mm; None outside the image."""
    total = float(territory.sum())
    if total <= 0:
        return None
    depth, width = (
        float(territory.sum(axis=axis) @ (np.arange(n) + 0.5)) * step / total
        for axis, n, step in zip((1, 0), territory.shape, pixel_size, strict=True)
    )
    return depth, width


def neighbours(
    own: Units,
    unit: int,
    others: list[tuple[int, Units]],
    own_set: int,
    frame_rate: float,
    pixel_size: tuple[float, float],
) -> list[dict[str, Any]]:
    """Return how like a unit all others are, the most alike first.

    Parameters
    ----------
    own : Units
    unit : int
        One of them.
    others : list of (int, Units)
        Sets by number, `own` among them, all of one sequence.
    own_set : int
        The number of `own`.
    frame_rate : float
        Hz.
    pixel_size : (float, float)
        mm.

    Returns
    -------
    list of dict
        ``set``, ``unit``; ``iou`` of the masks, ``correlation`` of the trains at their best
        ``lag`` (s, above 0 where this unit's comes later), ``distance`` of the centres (mm; None
        if one lies outside the image).
    """
    here = centre_of(own.territory[unit], pixel_size)
    rows = []
    for number, units in others:
        if not len(units.train):
            continue
        overlap = intersection_over_union(own.masks[unit : unit + 1], units.masks)[0]
        correlation, lag = correlate_all(own.train[unit : unit + 1], units.train, frame_rate)
        for other in range(len(units.train)):
            if (number, other) == (own_set, unit):
                continue
            there = centre_of(units.territory[other], pixel_size)
            rows.append(
                {
                    "set": number,
                    "unit": other,
                    "iou": float(overlap[other]),
                    "correlation": float(correlation[0, other]),
                    "lag": float(lag[0, other]),
                    "distance": None if here is None or there is None else math.dist(here, there),
                }
            )
    far = math.inf
    rows.sort(
        key=lambda row: (
            -row["iou"] - max(abs(row["correlation"]) - 0.5, 0.0),
            far if row["distance"] is None else row["distance"],
        )
    )
    return rows
