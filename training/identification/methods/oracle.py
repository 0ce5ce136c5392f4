"""The most that methods of this family could reach: one half of the truth is given."""

import numpy as np
from numpy.typing import NDArray

from ....simulator.errors import InputError
from ....simulator.sequence import Truth
from ..noise import Features, features
from ..units import Recording, Units
from .model import Model, units_of
from .responses import field_of, fit
from .sharp import SHARP, sharpness
from .spread import Spread, spread_units, units_of_spread, with_trains


def oracle(known: str):
    """Return the method that is given the true "territories" or "trains" and fits the others."""

    def method(recording: Recording, truth: Truth | None = None) -> Units:
        if truth is None:
            raise InputError(
                f"oracle-{known}: found no truth, wanted the recording's; give a simulated one"
            )
        found = features(recording)
        shapes = truth.territory.shape[1:], truth.twitch_train.shape[1:]
        wanted = found.shape[1:], found.shape[:1]
        if shapes != wanted:
            raise InputError(f"truth: found arrays of {shapes}, wanted {wanted} as the recording's")
        trains = found.values_of(truth.twitch_train)
        flat = np.ascontiguousarray(truth.territory.reshape(truth.unit_count, -1).T, np.float64)
        if known == "trains":
            spread = with_trains(recording, found, trains)
            if len(spread.trains) and sharpness(found, spread.trains) < SHARP:
                return units_of_spread(recording, found, spread)
            model = Model.of(found, trains)
            model.fit_memberships()
            return units_of(recording, model, *model.support())
        spread = spread_units(recording, found)
        if len(spread.trains) and sharpness(found, spread.trains) < SHARP:
            flat = own_maps(recording, found, spread, truth.territory)
        model = Model.of(found, trains)
        model.membership = flat
        model.fit_trains()
        evidence, needed = model.support()
        model.membership = np.ascontiguousarray(
            truth.territory.reshape(truth.unit_count, -1).T, np.float64
        )
        return units_of(recording, model, evidence, needed)

    return method


def own_maps(
    recording: Recording, found: Features, spread: Spread, territory: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return what units of known territories move where motion spreads, float64 (pixel, unit).

    They begin as what the recording's form of spread makes of the territories, and become the
    units' own maps: what of the trains that these fields give each place holds.

    Parameters
    ----------
    recording : Recording
    found : Features
    spread : Spread
        What is found in the recording without the territories.
    territory : float array of shape (unit, depth, width)
    """
    form = fit(spread.maps, spread.blocks.size).form
    fields = np.array([
        field_of(np.asarray(one, np.float64), form, recording.pixel_size) for one in territory
    ])  # fmt: skip
    flat = fields.reshape(len(fields), -1).T
    values = found.values.astype(np.float64)
    trains = np.linalg.pinv(flat) @ values
    return np.ascontiguousarray(values @ np.linalg.pinv(trains))
