"""What went wrong in detection: units missed, made up, split into parts or merged into one."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .detection import Matching
from .masks import areas, check_masks, shared_pixels


@dataclass(frozen=True)
class Faults:
    """Faults of one sequence's detection.

    Parameters
    ----------
    missed : int64 array of shape (unit,)
        True units that are not matched, nor split, nor merged; rising.
    false : int64 array of shape (prediction,)
        Predictions that are not matched, no part of a split unit and no merger; rising.
    split : mapping of int to tuple of int
        True unit to the predictions that share it, rising.
    merged : mapping of int to tuple of int
        Prediction to the true units that it joins, rising.
    """

    missed: NDArray[np.int64]
    false: NDArray[np.int64]
    split: Mapping[int, tuple[int, ...]]
    merged: Mapping[int, tuple[int, ...]]


def find_faults(
    predicted: NDArray[np.bool_], true: NDArray[np.bool_], matching: Matching
) -> Faults:
    """Say why units and predictions have no partner.

    A true unit is *split* if it has two or more parts, and the parts together cover more than half
    of it. Its parts are the prediction that it is matched with, if any, and every unmatched
    prediction with more than half of its own area in the unit and outside that one. So a second,
    alike prediction of a unit that was found is no part: it is false.

    A prediction has *merged* units if it joins two or more, and these together cover more than half
    of it. It joins the unit that it is matched with, if any, and every unmatched unit with more
    than half of its own area in the prediction and outside that one. So a small unit within the
    territory of one that was found is not merged: it is missed.

    The two are one rule with the roles exchanged. Where territories overlap, a unit may be both.

    Parameters
    ----------
    predicted : bool array of shape (prediction, depth, width)
    true : bool array of shape (unit, depth, width)
    matching : Matching
        Which prediction is which unit.

    Returns
    -------
    Faults

    Raises
    ------
    InputError
        If they are not bool masks of one image.
    """
    predicted, true = check_masks(predicted, true)
    found = dict(zip(matching.true.tolist(), matching.predicted.tolist(), strict=True))
    named = {prediction: unit for unit, prediction in found.items()}
    units = np.union1d(matching.true, matching.missed)
    predictions = np.union1d(matching.predicted, matching.false)
    split = _pieces(true, units, predicted, matching.false, found)
    merged = _pieces(predicted, predictions, true, matching.missed, named)
    explained_units = [*split, *(unit for joined in merged.values() for unit in joined)]
    explained_predictions = [*merged, *(part for parts in split.values() for part in parts)]
    return Faults(
        missed=np.setdiff1d(matching.missed, explained_units).astype(np.int64),
        false=np.setdiff1d(matching.false, explained_predictions).astype(np.int64),
        split=split,
        merged=merged,
    )


def _pieces(
    wholes: NDArray[np.bool_],
    of_wholes: NDArray[np.int64],
    pieces: NDArray[np.bool_],
    free: NDArray[np.int64],
    partner: Mapping[int, int],
) -> dict[int, tuple[int, ...]]:
    """Return the pieces of each whole that has two or more, and of which they cover over half.

    Parameters
    ----------
    wholes : bool array of shape (whole, depth, width)
    of_wholes : int64 array
        The wholes to look at.
    pieces : bool array of shape (piece, depth, width)
    free : int64 array
        Unmatched pieces.
    partner : mapping of int to int
        Whole to the piece that it is matched with.
    """
    rest = wholes.copy()
    for whole, piece in partner.items():
        rest[whole] &= ~pieces[piece]
    # Whole numbers on both sides: "more than half" is exact. An empty piece lies in nothing.
    inside = 2 * shared_pixels(pieces[free], rest) > areas(pieces[free])[:, None]
    found = {}
    for whole in of_wholes.tolist():
        members = free[inside[:, whole]].tolist()
        if whole in partner:
            members.append(partner[whole])
        if len(members) < 2:
            continue
        covered = pieces[members].any(axis=0) & wholes[whole]
        if 2 * np.count_nonzero(covered) > np.count_nonzero(wholes[whole]):
            found[whole] = tuple(sorted(members))
    return found
