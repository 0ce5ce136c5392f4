"""From the units of a sequence after all changes to what a store holds of them."""

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....datasets.origin import Identified
from ..confidence.gathering import parts_of
from ..confidence.model import joint
from ..confidence.parts import Parts
from ..doubts import doubts
from ..explanation import explained
from ..methods import METHODS
from ..remarks import joined
from ..units import Units
from .working import Bench, State, WorkingUnit

ABOUT_UNITS = frozenset(
    ("motion-unexplained", "no-motion", "too-wide", "unlike-firings", "too-short-to-repeat")
)
"""Remarks that depend on which units there are; others are of the recording or of the method."""


@dataclass(frozen=True)
class Finished:
    """Units of a sequence as they are kept.

    Parameters
    ----------
    units : Units
        The most certain first.
    by_hand : uint8 array of shape (unit,)
        What people did with each.
    """

    units: Units
    by_hand: NDArray[np.uint8]


def finished(bench: Bench, state: State, *, only_accepted: bool = False) -> Finished:
    """Return the units that were not rejected, with the confidence that they now deserve.

    A unit that somebody accepted is certain: its confidence is 1. Where units went, came or
    changed, those of the others are worked out anew from the recording, as are the share of the
    motion that they explain and the remarks on them.

    Parameters
    ----------
    bench : Bench
    state : State
    only_accepted : bool
        Whether those that nobody judged are left out too.
    """
    kept = [u for u in state.units if not u.rejected and (u.accepted or not only_accepted)]
    units = _joined(bench, kept)
    if any(unit.changed for unit in kept) or len(kept) != bench.found.count:
        units = _judged(bench, units, kept)
    accepted = np.array([unit.accepted for unit in kept], np.bool_)
    units = dataclasses.replace(units, confidence=np.where(accepted, 1.0, units.confidence))
    order = np.argsort(-units.confidence, kind="stable")
    by_hand = np.array([unit.by_hand for unit in kept], np.uint8)
    return Finished(units.taken(order), by_hand[order])


def _joined(bench: Bench, kept: list[WorkingUnit]) -> Units:
    """Return units as they were found, or as they were changed, with all else as it was."""
    found, count = bench.found, len(kept)
    longest = max((unit.firing.size for unit in kept), default=0)
    firing = np.full((count, longest), np.nan)
    for row, unit in zip(firing, kept, strict=True):
        row[: unit.firing.size] = unit.firing
    parts = found.parts
    if parts is not None and all(unit.place is not None for unit in kept):
        parts = parts.taken(np.array([unit.place for unit in kept], np.int64))
    else:
        parts = None
    return dataclasses.replace(
        found,
        territory=np.array([u.territory for u in kept], np.float32).reshape(
            count, *found.territory.shape[1:]
        ),
        train=np.array([u.train for u in kept], np.float32).reshape(count, found.train.shape[1]),
        firing=firing,
        confidence=np.array([u.confidence for u in kept], np.float64),
        outline_confidence=np.array([u.outline_confidence for u in kept], np.float64),
        parts=parts,
    )


def _judged(bench: Bench, units: Units, kept: list[WorkingUnit]) -> Units:
    """Return units with what their confidence is joined from, and what they explain."""
    reader, found = bench.reader, bench.found
    remarks = tuple(name for name in units.remarks if name not in ABOUT_UNITS)
    part = dataclasses.replace(reader.in_part(units), remarks=remarks)
    sure = units.confidence
    parts: Parts | None = None
    if kept:
        part = dataclasses.replace(part, confidence=_methods_own(found, kept))
        parts = _with_epochs(parts_of(reader.recording, part), found, kept)
        if not parts.repeat:
            remarks = (*remarks, "too-short-to-repeat")
        elif not _keeps_confidence(bench):
            sure = joint(parts)
    part = explained(reader.recording, dataclasses.replace(part, remarks=remarks))
    residual, blind = part.residual_sd, reader.prepared.blind
    if residual is not None and blind.any():
        residual = np.where(blind, np.nan, residual).astype(np.float32)
    return dataclasses.replace(
        units,
        confidence=sure,
        parts=parts,
        explained_share=part.explained_share,
        residual_sd=residual,
        remarks=joined(*part.remarks, *doubts(units, reader.recording.pixel_size)),
    )


def _methods_own(found: Units, kept: list[WorkingUnit]) -> NDArray[np.float64]:
    """Return what the method said of each unit; of those that a change made, what is said now."""
    own = found.confidence if found.parts is None else found.parts.method_confidence
    return np.array([u.confidence if u.place is None else own[u.place] for u in kept], np.float64)


def _with_epochs(parts: Parts, found: Units, kept: list[WorkingUnit]) -> Parts:
    """Return parts with how units came back in epochs, of those that are as they were found."""
    if found.parts is None:
        return parts
    same = [unit.place if not unit.changed else None for unit in kept]
    before = {name: getattr(found.parts, name) for name in ("epoch_jaccard", "epoch_agreement")}
    return dataclasses.replace(
        parts,
        **{
            name: np.array([np.nan if n is None else values[n] for n in same], np.float64)
            for name, values in before.items()
        },
    )


def _keeps_confidence(bench: Bench) -> bool:
    """Return whether units keep the confidence that their method gave them.

    Those of a method that a script registered and this process does not know keep it.
    """
    method = METHODS.get(bench.store.layout.origin_as(Identified).method)
    return method is None or method.keeps_confidence
