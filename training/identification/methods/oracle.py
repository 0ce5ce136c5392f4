"""The most that methods of this family could reach: one half of the truth is given."""

import numpy as np

from ....simulator.errors import InputError
from ....simulator.sequence import Truth
from ..noise import features
from ..units import Recording, Units
from .diffuse import diffuse_units, is_diffuse
from .ica import as_recorded, standing_out
from .model import Model, units_of


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
        values = standing_out(found)
        if known == "trains" and is_diffuse(values, found.shape[1:]):
            return diffuse_units(recording, found, values, as_recorded(found, trains), rounds=0)
        model = Model.of(found, trains)
        if known == "trains":
            model.fit_memberships()
        else:
            flat = truth.territory.reshape(truth.unit_count, -1).T
            model.membership = np.ascontiguousarray(flat, np.float64)
            model.fit_trains()
        return units_of(recording, model, *model.support())

    return method
