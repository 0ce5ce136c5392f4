"""The numbers that tell how far a unit may be believed, each on its own."""

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Parts:
    """Numbers of the units of a recording, float64 (unit,) each; NaN where one is not known.

    Parameters
    ----------
    method_confidence : array
        What the method that found the unit says, 0..1.
    map_repeatability : array
        Jaccard index of the unit's map between epochs of half the recording, 0..1.
    train_repeatability : array
        Correlation of its train as interleaved sets of pixels tell it, by maps of the other half of
        the recording, 0..1.
    firing_repeatability : array
        Agreement of its firings, within 10 ms, with those found in its train as it is read by maps
        of the other half, 0..1.
    pulse_to_noise : array
        Energy of the twitches at its firings over what they leave of the train so read, dB.
    local_share : array
        Share of the energy of motion in its territory that the unit explains, 0..1.
    local_share_of_all : array
        The same by all units, 0..1.
    mixture_share : array
        Share of its train, beyond chance, that is a mixture of other units' trains, 0..1.
    stronger_likeness : array
        Correlation of its train with that of a stronger unit at any lag within 50 ms, 0..1.
    epoch_jaccard : array
        Mean over epochs that were identified anew of the Jaccard index of its territory and of that
        of the unit whose train matches, 0..1, 0 where none does; NaN unless that was asked for.
    epoch_agreement : array
        The same of the agreement of their firings.
    interval_variation : array
        SD over mean of the intervals between its firings.
    area : array
        Of its territory, mm2.
    """

    method_confidence: Numbers
    map_repeatability: Numbers
    train_repeatability: Numbers
    firing_repeatability: Numbers
    pulse_to_noise: Numbers
    local_share: Numbers
    local_share_of_all: Numbers
    mixture_share: Numbers
    stronger_likeness: Numbers
    epoch_jaccard: Numbers
    epoch_agreement: Numbers
    interval_variation: Numbers
    area: Numbers

    @property
    def repeat(self) -> bool:
        """Whether the recording was long enough to see whether units repeat."""
        return not self.area.size or bool(np.isfinite(self.map_repeatability).any())

    def taken(self, places: NDArray[np.integer] | NDArray[np.bool_]) -> "Parts":
        """Return those of some units, by their places or by whether each is taken."""
        return replace(self, **{one.name: getattr(self, one.name)[places] for one in fields(self)})
