"""Mean and spread of a store's voxels, computed once and kept in its attributes."""

import json
import math
from collections.abc import Callable

import numpy as np

from ..simulator.errors import InputError, MusimError
from ..simulator.sequence import signal_power
from .labels import Labelled
from .origin import moment_attributes, moments_of
from .sealing import set_attributes
from .store import Store
from .store_files import ROOT


def standardisation(
    store: Store,
    *,
    keep: bool = True,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[float, float]:
    """Return mean and standard deviation of all voxels of a store, mm/s.

    They are read from the store's attributes, or computed sequence by sequence and kept there. For
    rendered stores they follow from the truth, with the variance that the noise has on average; of
    quick recordings, from their voxels.

    Parameters
    ----------
    store : Store
    keep : bool
        Whether to write what was computed to the store; where it cannot be written it is not.
    on_progress : callable
        Called with the numbers of sequences done and in all.

    Raises
    ------
    InputError
        If voxels are not finite, or all alike.
    """
    labelled = isinstance(store, Labelled)  # its attributes are of the units, not of recordings
    kept = None if labelled else moments_of(json.loads(store.location.read(ROOT))["attributes"])
    if kept is not None:
        return kept
    mean = power = 0.0
    for index in range(len(store)):
        # Of units, moments follow from the truth; anything else is looked at.
        known = store.kind == "rendered" and not store.has_recordings
        first, second = (_rendered_moments if known else _dense_moments)(store, index)
        # Running means: sums of many sequences would lose digits.
        mean += (first - mean) / (index + 1)
        power += (second - power) / (index + 1)
        on_progress(index + 1, len(store))
    sd = math.sqrt(max(power - mean**2, 0.0))
    if not (math.isfinite(mean) and math.isfinite(sd) and sd > 0):
        raise InputError(
            f"{store.location}: found voxels of mean {mean:.3g} and standard deviation {sd:.3g} "
            "mm/s, wanted finite ones that differ"
        )
    if keep and not labelled:
        try:
            set_attributes(store.location, moment_attributes(mean, sd))
        except MusimError:
            # A store that only others may write is standardised anew each time.
            return mean, sd
    return mean, sd


def _dense_moments(store: Store, index: int) -> tuple[float, float]:
    voxels = store.tvi(index)
    return float(voxels.mean(dtype=float)), float(np.square(voxels, dtype=float).mean())


def _rendered_moments(store: Store, index: int) -> tuple[float, float]:
    territory = store.read("territory", index).astype(np.float32, copy=False)
    trains = store.read("twitch_train", index)
    means = territory.mean(axis=(1, 2), dtype=float) * trains.mean(axis=1, dtype=float)
    power = signal_power(territory, trains) + float(store.read("noise_sd", index)) ** 2
    return float(means.sum()), power
