"""Units with the confidence that all methods share, the most certain first."""

import dataclasses

import numpy as np

from ..remarks import joined
from ..units import Recording, Units
from .gathering import parts_of
from .model import joint


def with_confidence(recording: Recording, units: Units, *, keep: bool = False) -> Units:
    """Return units with the numbers that tell how far each may be believed, and their joint.

    Parameters
    ----------
    recording : Recording
        In which they were found.
    units : Units
        With the method's own confidence.
    keep : bool
        Whether that stays, and with it the units' order.

    Returns
    -------
    Units
        With ``parts``; the most certain first. With the remark ``too-short-to-repeat`` where
        nothing can be said of whether units repeat: then the method's own confidence stays.
    """
    parts = parts_of(recording, units)
    units = dataclasses.replace(units, parts=parts)
    if not parts.repeat:
        units = dataclasses.replace(units, remarks=joined(*units.remarks, "too-short-to-repeat"))
    if keep or not parts.repeat:
        return units
    units = dataclasses.replace(units, confidence=joint(parts))
    return units.taken(np.argsort(-units.confidence, kind="stable"))
