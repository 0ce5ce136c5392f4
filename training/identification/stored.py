"""What a store of the units found holds: from units to its variables, and back."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...datasets.layout import Layout
from ...datasets.origin import Identified
from ...datasets.store import Store, open_sequences
from ...simulator.errors import FailureError
from .confidence.parts import Parts
from .confidence.places import places_of
from .frame_faults import Span, spans_of
from .metrics.firing import rate_and_variation
from .other_motion import in_words, other_motion_in
from .remarks import from_bits, to_bits
from .units import Recording, Units
from .ways import Way, from_code, to_code

VARIABLES = (
    "territory",
    "twitch_train",
    "firing",
    "unit_count",
    "centre_depth",
    "centre_width",
    "diameter",
    "overlap",
    "firing_rate",
    "interval_variation",
    "confidence",
    "velocity_sd",
    "outline_confidence",
    "explained_share",
    "residual_sd",
    "remarks",
    "frame_fault",
    "method_confidence",
    "map_repeatability",
    "train_repeatability",
    "firing_repeatability",
    "pulse_to_noise",
    "local_share",
    "local_share_of_all",
    "mixture_share",
    "stronger_likeness",
    "epoch_jaccard",
    "epoch_agreement",
    "cut_count",
    "other_motion",
    "way",
    "way_found",
    "way_wanted",
)
"""What is written. Stores of earlier versions lack the last ones."""

DERIVED = ("interval_variation", "area")
"""Numbers of :class:`.confidence.parts.Parts` that follow from other variables."""

PARTS = tuple(one.name for one in fields(Parts) if one.name not in DERIVED)
"""Those that are variables themselves."""


@dataclass(frozen=True)
class Outcome:
    """What was found in one recording, in short.

    Parameters
    ----------
    units : int
    explained_share : float
        0..1; NaN where it is not known.
    remarks : tuple of str
    frame_faults : tuple of Span
        Frames that hold no image of their own, in their order.
    cut : int
        Units that were left out, less certain than was asked for.
    other_motion : str
        Where motion lies that is no unit's and was left out; empty where there is none.
    way : Way, optional
        Which of its ways the method took, and why; None where it has one alone, or where an earlier
        version wrote the store.
    """

    units: int
    explained_share: float
    remarks: tuple[str, ...]
    frame_faults: tuple[Span, ...] = ()
    cut: int = 0
    other_motion: str = ""
    way: Way | None = None


def outcome_of(store: Store, index: int) -> Outcome:
    """Read what was found in one recording, in short."""
    share, bits, faults, cut = (
        optional(store, name, index)
        for name in ("explained_share", "remarks", "frame_fault", "cut_count")
    )
    return Outcome(
        units=int(store.read("unit_count", index)),
        explained_share=math.nan if share is None else float(share),
        remarks=() if bits is None else from_bits(int(bits)),
        frame_faults=() if faults is None else spans_of(faults),
        cut=0 if cut is None else int(cut),
        other_motion=in_words(
            other_motion_in(optional(store, "other_motion", index)), store.layout.pixel_size
        ),
        way=_way_of(store, index),
    )


def ways_of(outcomes: Sequence[Outcome]) -> list[Way | None]:
    """Return the ways that led to units in some recordings; None where there are no units."""
    return [outcome.way if outcome.units else None for outcome in outcomes]


def _way_of(store: Store, index: int) -> Way | None:
    code, found, wanted = (optional(store, f"way{of}", index) for of in ("", "_found", "_wanted"))
    if code is None or found is None or wanted is None:
        return None
    return from_code(int(code), float(found), float(wanted))


def optional(store: Store, name: str, index: int) -> NDArray[Any] | None:
    """Return one variable of one sequence; None where an earlier version wrote the store."""
    return store.read(name, index) if name in store.layout.variables else None


def outline_confidence_of(store: Store, index: int) -> NDArray[np.float64]:
    """Return the units' certainty of their outlines, (unit,); NaN where it is not known."""
    count = int(store.read("unit_count", index))
    found = optional(store, "outline_confidence", index)
    return np.full(count, np.nan) if found is None else found[:count]


def parts_in(store: Store, index: int) -> Parts | None:
    """Return the numbers of a recording's units; None where an earlier version wrote the store.

    None, too, where nobody has worked them out.
    """
    if any(name not in store.layout.variables for name in PARTS):
        return None
    count = int(store.read("unit_count", index))
    if np.isnan(store.read("method_confidence", index)[:count]).any():
        return None
    pixel = float(np.prod(store.layout.pixel_size))
    return Parts(
        **{name: store.read(name, index)[:count] for name in PARTS},
        interval_variation=store.read("interval_variation", index)[:count],
        area=places_of(store.read("territory", index)[:count]).sum(axis=(1, 2)) * pixel,
    )


def units_in(store: Store, index: int) -> Units:
    """Return the units found in a recording, as the method gave them."""
    count = int(store.read("unit_count", index))
    outcome = outcome_of(store, index)
    read = {name: store.read(name, index)[:count] for name in ("territory", "twitch_train")}
    firing = store.read("firing", index)[:count]
    longest = int((~np.isnan(firing)).sum(axis=1).max(initial=0))
    known = optional(store, "outline_confidence", index)
    residual = optional(store, "residual_sd", index)
    return Units(
        territory=read["territory"],
        train=read["twitch_train"],
        firing=firing[:, :longest],
        confidence=store.read("confidence", index)[:count],
        # What an earlier version did not know is not known to be uncertain.
        outline_confidence=np.ones(count) if known is None else known[:count],
        remarks=outcome.remarks,
        explained_share=outcome.explained_share,
        residual_sd=residual,
        frame_fault=optional(store, "frame_fault", index),
        parts=parts_in(store, index),
        cut=outcome.cut,
        other_motion=optional(store, "other_motion", index),
        way=outcome.way,
    )


def shown_velocity_sd(store: Store, index: int) -> NDArray[np.float32]:
    """Return the map of the velocity's SD, (depth, width), whose largest value ends a scale.

    Pixels that show no tissue may have a thousand times the SD of others, which would be invisible
    beside them: they are given no more than the largest of the others.
    """
    velocity_sd = store.read("velocity_sd", index)
    left = optional(store, "residual_sd", index)
    if left is None or "blind-pixels" not in outcome_of(store, index).remarks:
        return velocity_sd
    tissue = np.isfinite(left)  # of the others nothing is known
    return np.minimum(velocity_sd, velocity_sd[tissue].max()) if tissue.any() else velocity_sd


def velocity_sd(
    tvi: NDArray[np.float32], frame_fault: NDArray[np.uint8] | None
) -> NDArray[np.float32]:
    """Return the SD over those frames that hold an image of their own, float32 (depth, width).

    Parameters
    ----------
    tvi : float32 array of shape (time, depth, width)
    frame_fault : uint8 array of shape (time,), or None
        See :func:`.frame_faults.frame_faults`; None where it is not known.
    """
    if frame_fault is not None and 0 < np.count_nonzero(frame_fault) < len(tvi):
        tvi = tvi[frame_fault == 0]
    return tvi.std(axis=0, dtype=np.float64).astype(np.float32)


def source_of(layout: Layout, index: int) -> tuple[Store, int]:
    """Return the store that a result's sequence comes from, and its index there.

    Raises
    ------
    InputError
        If that store is not there any more.
    """
    address, place = layout.origin_as(Identified).source_of(index)
    return open_sequences(address), place


def pack(units: Units, recording: Recording, layout: Layout) -> dict[str, NDArray[Any]]:
    """Return the variables of one recording's units, padded to the layout's sizes.

    Parameters
    ----------
    units : Units
    recording : Recording
    layout : Layout

    Raises
    ------
    FailureError
        If there are more units or firings than the layout has room for.
    """
    count, duration = units.count, len(recording.tvi) / recording.frame_rate
    pixels = int(np.prod(units.territory.shape[1:]))
    masks = units.masks.reshape(count, pixels)
    dz, dx = recording.pixel_size
    area = masks.sum(axis=1) * dz * dx
    weight = units.territory.reshape(count, pixels).astype(np.float64)
    weight /= np.maximum(weight.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    rows, columns = np.divmod(np.arange(masks.shape[1]), units.territory.shape[2])
    shared = masks & (masks.sum(axis=0) > 1)
    rates = [rate_and_variation(firing, (0.0, duration)) for firing in units.firing]
    values: dict[str, NDArray[Any]] = {
        "territory": units.territory,
        "twitch_train": units.train,
        "firing": units.firing,
        "centre_depth": weight @ ((rows + 0.5) * dz),
        "centre_width": weight @ ((columns + 0.5) * dx),
        "diameter": 2 * np.sqrt(area / np.pi),
        "overlap": shared.sum(axis=1) / np.maximum(masks.sum(axis=1), 1),
        "firing_rate": np.array([rate for rate, _ in rates], np.float64),
        "interval_variation": np.array([variation for _, variation in rates], np.float64),
        "confidence": units.confidence,
        "outline_confidence": units.outline_confidence,
    }
    unknown = np.full(count, np.nan)
    for name in PARTS:
        values[name] = unknown if units.parts is None else getattr(units.parts, name)
    arrays: dict[str, NDArray[Any]] = {
        "unit_count": np.array(count, np.int32),
        "velocity_sd": velocity_sd(recording.tvi, units.frame_fault),
        "explained_share": np.array(units.explained_share, np.float64),
        "residual_sd": np.full(units.territory.shape[1:], np.nan, np.float32)
        if units.residual_sd is None
        else units.residual_sd,
        "remarks": np.array(to_bits(units.remarks), np.int32),
        "cut_count": np.array(units.cut, np.int32),
        "way": np.array(to_code(units.way), np.uint8),
        "way_found": np.array(np.nan if units.way is None else units.way.found, np.float64),
        "way_wanted": np.array(np.nan if units.way is None else units.way.wanted, np.float64),
        "other_motion": np.zeros(units.territory.shape[1:], np.uint8)
        if units.other_motion is None
        else units.other_motion,
        "frame_fault": np.zeros(len(recording.tvi), np.uint8)
        if units.frame_fault is None
        else units.frame_fault,
    }
    for name, value in values.items():
        variable = layout.variable(name)
        room = tuple(layout.sizes[dim] for dim in variable.dims[1:])
        if any(have > most for have, most in zip(value.shape, room, strict=True)):
            found = " x ".join(
                f"{n} ({dim})" for n, dim in zip(value.shape, variable.dims[1:], strict=True)
            )
            most = " x ".join(str(n) for n in room)
            raise FailureError(f"{name}: found {found}, wanted no more than {most}")
        arrays[name] = np.full(room, variable.fill_value, variable.dtype)
        arrays[name][tuple(slice(n) for n in value.shape)] = value
    return arrays
