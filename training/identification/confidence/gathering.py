"""What tells how far the units of a recording may be believed, worked out from it."""

import math

import numpy as np

from ..firing import firings
from ..metrics.firing import rate_and_variation, score_all_at_best_lag
from ..noise import whiten
from ..units import Recording, Units
from .energy import shares_of
from .parts import Parts
from .places import around, places_of
from .pulses import pulse_to_noise
from .repeatability import repeated

LAG = 0.03
"""Largest lag of firings and of those found again, s: less than half an interval."""


def parts_of(recording: Recording, units: Units) -> Parts:
    """Work out what tells how far units may be believed.

    Parameters
    ----------
    recording : Recording
        In which they were found.
    units : Units

    Raises
    ------
    InputError
        If nothing can be found in such a recording, see :func:`..units.check`.
    """
    count, frames = units.count, len(recording.tvi)
    rate, size = recording.frame_rate, recording.pixel_size
    window = (0.0, frames / rate)
    unknown = np.full(count, np.nan)
    known = whiten(recording)
    places = places_of(units.territory)
    again = repeated(recording, around(places, size), units.train, known.noise) if count else None
    shares = shares_of(known, places, units.train, rate, size)
    pulses, agreement = unknown, unknown
    if again is not None:
        pulses, agreement = np.zeros(count), np.zeros(count)
        found = firings(again.read.astype(np.float32), rate)
        for unit, firing in enumerate(units.firing):
            pulses[unit] = pulse_to_noise(again.read[unit], firing, rate)
            ((scored,),) = score_all_at_best_lag(found[unit][None], firing[None], window, bound=LAG)
            agreement[unit] = scored.agreement
    variations = [rate_and_variation(firing, window)[1] for firing in units.firing]
    return Parts(
        method_confidence=units.confidence.astype(np.float64),
        map_repeatability=unknown if again is None else again.maps,
        train_repeatability=unknown if again is None else again.trains,
        firing_repeatability=agreement,
        pulse_to_noise=pulses,
        local_share=shares.own,
        local_share_of_all=shares.every,
        mixture_share=shares.mixture,
        stronger_likeness=shares.likeness,
        epoch_jaccard=unknown,
        epoch_agreement=unknown,
        interval_variation=np.array(variations, np.float64).reshape(count),
        area=places.sum(axis=(1, 2)) * math.prod(size),
    )
