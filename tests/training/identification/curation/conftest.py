"""A simulated recording, and units in it as a method might have found them."""

import numpy as np
import pytest

from musim.datasets import generate
from musim.simulator import Parameters, Range
from musim.training.identification.methods import METHODS, Method
from musim.training.identification.results import identify_stores
from musim.training.identification.units import Units

WHO = {"sequence": 0, "by": "anna", "when": "2026-01-31T12:00:00Z"}

PARAMETERS = Parameters(
    units=Range(3, 3), pixels=(24, 20), size=(12.0, 10.0), diameter=Range(3.5, 4.5), frames=320,
    snr=Range(20, 20), synchrony=Range(0, 0),
)  # fmt: skip


def units_of_truth(truth, frames, rate, places=None):
    """The true units, or some of them, the most certain first; a unit may be there twice."""
    places = range(truth.unit_count) if places is None else places
    inside = [row[(row >= 0) & (row < frames / rate)] for row in truth.firing]
    firing = np.full((len(places), 40), np.nan)
    for row, place in zip(firing, places, strict=True):
        row[: inside[place].size] = inside[place]
    chosen = list(places)
    return Units(
        territory=truth.territory[chosen], train=truth.twitch_train[chosen], firing=firing,
        confidence=np.linspace(0.9, 0.5, len(chosen)),
    )  # fmt: skip


def found_in(store, out, places=None, *, weaker=1.0, keeps_confidence=True):
    """Store true units of a simulated store as found by a method, the last one perhaps weaker."""

    def method(recording, truth):
        found = units_of_truth(truth, len(recording.tvi), recording.frame_rate, places)
        found.train[-1] *= weaker
        return found

    METHODS["told"] = Method("told", "", method, "needed", keeps_confidence=keeps_confidence)
    try:
        return identify_stores(store, out, method="told", workers=1)
    finally:
        del METHODS["told"]


@pytest.fixture(scope="session")
def recording(tmp_path_factory):
    """Two sequences of three units each; not to be changed."""
    out = tmp_path_factory.mktemp("curated") / "recording.zarr"
    return generate(PARAMETERS, out, sequences=2, seed=4, workers=1)


@pytest.fixture(scope="session")
def units(recording):
    """All of their units, found; not to be changed."""
    return found_in(recording, recording.location.path.with_name("units.zarr"))
