"""Whether the labels of a simulated sequence still hold after its translation.

The truth of a store goes on to its translation. That is sound only if the tissue inside a unit's
territory still moves as the unit's twitch train says, which is what is measured here.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....simulator.errors import InputError
from ....simulator.sequence import Truth
from ...identification.metrics.agreement import rate_of_agreement, train_correlation


@dataclass(frozen=True)
class UnitSurvival:
    """A unit's train against the motion of its own pixels, before and after a translation.

    Parameters
    ----------
    unit : int
        Its place in the truth.
    pixels : int
        Pixels whose mean signal is compared.
    alone : bool
        Whether they are the unit's alone; if it has none, its whole territory is taken.
    correlation_before, correlation_after : float
        Pearson's correlation with the true twitch train.
    agreement_before, agreement_after : float
        Rate of agreement with it.
    """

    unit: int
    pixels: int
    alone: bool
    correlation_before: float
    correlation_after: float
    agreement_before: float
    agreement_after: float


def own_pixels(territory: NDArray[Any]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the pixels that tell most about each unit.

    Parameters
    ----------
    territory : array of shape (unit, depth, width)
        Membership, 0..1; a unit has the pixels of more than one half.

    Returns
    -------
    masks : bool array of shape (unit, depth, width)
        Pixels in which no other unit has any share; where a unit has none such, all of its own.
    alone : bool array of shape (unit,)
        Whether they are the unit's alone.
    """
    inside = territory > 0.5
    shared = (territory > 0).sum(axis=0) > 1
    masks = inside & ~shared
    alone = masks.any(axis=(1, 2))
    return np.where(alone[:, None, None], masks, inside), alone


def label_survival(
    truth: Truth, before: NDArray[Any], after: NDArray[Any], frame_rate: float
) -> list[UnitSurvival]:
    """Compare each visible unit's train with the motion of its pixels before and after.

    Parameters
    ----------
    truth : Truth
        Of both sequences.
    before, after : arrays of shape (time, depth, width)
        Their scales have no influence; their signs have.
    frame_rate : float
        Hz.

    Returns
    -------
    list of UnitSurvival
        Units without a pixel, or whose train is constant, are left out.

    Raises
    ------
    InputError
        If the sequences or the truth do not fit one another.
    """
    wanted = (truth.twitch_train.shape[1], *truth.territory.shape[1:])
    for name, sequence in (("sequence", before), ("translated sequence", after)):
        if sequence.shape != wanted:
            raise InputError(
                f"{name}: found shape {sequence.shape}, wanted {wanted} as its truth has"
            )
    masks, alone = own_pixels(truth.territory)
    rows = []
    for unit in np.flatnonzero(masks.any(axis=(1, 2))).tolist():
        train = truth.twitch_train[unit]
        if np.ptp(train) == 0:
            continue
        ours, theirs = (
            sequence[:, masks[unit]].mean(axis=1, dtype=np.float64) for sequence in (before, after)
        )
        rows.append(
            UnitSurvival(
                unit,
                int(masks[unit].sum()),
                bool(alone[unit]),
                train_correlation(ours, train),
                train_correlation(theirs, train),
                rate_of_agreement(ours, train, frame_rate).value,
                rate_of_agreement(theirs, train, frame_rate).value,
            )
        )
    return rows
