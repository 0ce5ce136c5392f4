"""The least confidence of units that are kept."""

import dataclasses

from ....simulator.errors import InputError
from ..units import Units


def check_least(least: float) -> float:
    """Return the least confidence of units that are kept.

    Raises
    ------
    InputError
        If it is not in 0..1.
    """
    if not 0 <= least <= 1:
        raise InputError(
            f"`min_confidence`: found {least:g}, wanted a number of 0 to 1; of units given 0.8, "
            "80 % are true"
        )
    return float(least)


def cut_below(units: Units, least: float) -> Units:
    """Return the units that are as certain as is asked for, with the number of those cut."""
    kept = units.confidence >= least
    return dataclasses.replace(units.taken(kept), cut=units.cut + int((~kept).sum()))
