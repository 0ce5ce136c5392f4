"""Units found anew in each of several overlapping epochs, and those of the whole among them.

As R. Rohlén, M. Carbonaro et al. 2023 do with consecutive epochs of two seconds
(doi:10.1088/1741-2552/ace6fc); those units that come back with the same map are motor units.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from ....simulator.errors import InputError
from ..metrics import match_trains
from ..metrics.firing import score_all_at_best_lag
from ..units import Recording, Units, is_still
from .gathering import LAG
from .places import places_of
from .repeatability import SHORTEST_EPOCH, jaccard

FEWEST = 2
"""Fewer epochs repeat nothing."""


def spans_of(frames: int, frame_rate: float, epochs: int) -> list[slice]:
    """Return the frames of equal epochs, each of which overlaps the next one by half.

    Raises
    ------
    InputError
        If there are fewer than two, or they are shorter than a twitch.
    """
    if epochs < FEWEST:
        raise InputError(f"`epochs`: found {epochs}, wanted {FEWEST} or more")
    edges = np.linspace(0, frames, epochs + 2).round().astype(int)
    spans = [slice(first, last) for first, last in zip(edges[:-2], edges[2:], strict=True)]
    shortest = min(span.stop - span.start for span in spans) / frame_rate
    if shortest < SHORTEST_EPOCH:
        raise InputError(
            f"`epochs`: found {epochs}, of {shortest:.3g} s each, wanted {SHORTEST_EPOCH:g} s or "
            "more, the length of a twitch; ask for fewer, or give a longer recording"
        )
    return spans


def with_epochs(
    recording: Recording, units: Units, find: Callable[[Recording], Units], epochs: int
) -> Units:
    """Return units with how they come back where each epoch is looked at alone.

    Parameters
    ----------
    recording : Recording
    units : Units
        Found in all of it, with parts.
    find : callable
        Finds units in a recording.
    epochs : int
        How many, each overlapping the next by half.

    Returns
    -------
    Units
        With ``parts.epoch_jaccard``, the mean over epochs of the Jaccard index of the unit's
        territory and of that of the unit whose train matches its own (|r| > 0.7 within 20 ms, one
        to one), and ``parts.epoch_agreement``, that of their firings within 10 ms; 0 in epochs
        where none matches.

    Raises
    ------
    InputError
        See :func:`spans_of`.
    """
    rate = recording.frame_rate
    spans = spans_of(len(recording.tvi), rate, epochs)
    if units.parts is None:
        return units
    alike, agreement = np.zeros((2, units.count, epochs))
    places = places_of(units.territory)
    for epoch, span in enumerate(spans):
        part = Recording(recording.tvi[span], rate, recording.pixel_size)
        if is_still(part):
            continue
        found = find(part)
        matching = match_trains(found.train, units.train[:, span], rate)
        others = places_of(found.territory)
        window = (0.0, (span.stop - span.start) / rate)
        for other, unit in zip(matching.predicted, matching.true, strict=True):
            alike[unit, epoch] = jaccard(places[unit], others[other])
            ((scored,),) = score_all_at_best_lag(
                found.firing[other][None], units.firing[unit][None] - span.start / rate, window,
                bound=LAG,
            )  # fmt: skip
            agreement[unit, epoch] = np.nan_to_num(scored.agreement)
    parts = dataclasses.replace(
        units.parts, epoch_jaccard=alike.mean(axis=1), epoch_agreement=agreement.mean(axis=1)
    )
    return dataclasses.replace(units, parts=parts)
