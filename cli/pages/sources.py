"""Where an identified recording comes from, and whether its truth is still to be had there."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...datasets.domains import EXPERIMENT, QUICK
from ...datasets.origin import Cut, Identified, recorded_by
from ...datasets.store import Store
from ...simulator.errors import MusimError
from ...simulator.sequence import Truth
from ...training.identification.metrics.firing import firings_within
from ...training.identification.same_recording import is_same_recording
from ...training.identification.stored import source_of

RECORDED = {EXPERIMENT: "virtual experiment", QUICK: "quick virtual experiment"}
"""What made recordings that are simulated, in words, by their domain."""


@dataclass(frozen=True)
class KnownTrain:
    """Firings that came with a recording, such as those of units in an electromyogram.

    Parameters
    ----------
    number : int
        Its place in the source.
    name : str
    firings : float64 array of shape (firing,)
        Instants inside the sequence, s.
    """

    number: int
    name: str
    firings: NDArray[np.float64]


@dataclass(frozen=True)
class Provenance:
    """What is known of where a recording comes from.

    Parameters
    ----------
    text : str
        What the source says of it; empty if it says nothing or is not there.
    truth : Truth, optional
    note : str
        Why there is no truth; empty where there is.
    known : tuple of KnownTrain
        Firings that came with a recording without truth.
    """

    text: str = ""
    truth: Truth | None = None
    note: str = ""
    known: tuple[KnownTrain, ...] = ()


def recorded_source(store: Store, index: int) -> tuple[str, int]:
    """Return what the result says of where a sequence comes from: a store, and the place in it."""
    return store.layout.origin_as(Identified).source_of(index)


def look_up(store: Store, index: int) -> Provenance:
    """Look at the source of a sequence, if it still is what units were found in.

    Parameters
    ----------
    store : Store
        Of the units found.
    index : int
        The sequence.
    """
    try:
        source, place = source_of(store.layout, index)
        if not is_same_recording(store, index, source, place):
            return Provenance(
                note="Another recording lies at the source's place now: no truth shown."
            )
        text = _describe(source, place)
        if source.has_truth:
            return Provenance(text, source.truth(place))
        known = _known_trains(source, place)
        note = "The recording comes without truth"
        return Provenance(
            text, None, f"{note}, but with known firings." if known else f"{note}.", known
        )
    except MusimError as error:
        return Provenance(note=f"The recording cannot be read any more ({error}).")


def _describe(source: Store, place: int) -> str:
    if source.parameters is not None:
        noise = noise_of(source, place)
        return f"Simulated with seed {source.seed}{noise and ', '}{noise}"
    cut = _cut(source, place)
    return "" if cut is None else f"Imported from {cut.file}, from {cut.start:g} s"


def _cut(source: Store, place: int) -> Cut | None:
    recorded = recorded_by(source.origin)
    return None if recorded is None else recorded.cuts[place]


def known_names(source: Store, place: int) -> tuple[str, ...]:
    """Return the names of the units whose firings came with a recording, or else their numbers."""
    cut = _cut(source, place)
    names = (cut.units if cut else None) or ()
    count = int(source.read("unit_count", place))
    return tuple(
        str(names[number]) if number < len(names) else str(number) for number in range(count)
    )


def _known_trains(source: Store, place: int) -> tuple[KnownTrain, ...]:
    if not {"firing", "unit_count"} <= set(source.layout.variables):
        return ()
    window = (0.0, source.layout.shape[0] / source.layout.frame_rate)
    firings = source.read("firing", place)
    return tuple(
        KnownTrain(number, name, firings_within(firings[number], window))
        for number, name in enumerate(known_names(source, place))
    )


def noise_of(store: Store, index: int) -> str:
    """Say what noise a simulated sequence has; empty if that is not known."""
    if store.domain in RECORDED:
        # None is added to them as they come: what the estimated velocity has is of the echoes.
        return "noise of the recording chain"
    if "snr" not in store.layout.variables:
        return ""
    snr = float(store.read("snr", index))
    if snr == math.inf:
        return "no noise"
    return f"SNR {round(snr, 1):g} dB" if math.isfinite(snr) else ""
