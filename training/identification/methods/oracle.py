"""The most that methods of this family could reach: one half of the truth is given."""

import numpy as np
from numpy.typing import NDArray

from ....simulator.errors import InputError
from ....simulator.sequence import Truth
from ..firing import firings
from ..noise import Whitened, whiten
from ..reading import read_crosswise, read_with
from ..units import Recording, Units, none
from .model import Model, units_of
from .responses import field_of, fit
from .sharp import SHARP, sharpness
from .spread import Spread, spread_units, units_of_spread, with_trains


def with_true_trains(recording: Recording, truth: Truth) -> Units:
    """Find units whose trains are given, and fit their territories.

    Raises
    ------
    InputError
        If the truth is another recording's, or units cannot be sought in the recording.
    """
    found = _whole(recording, truth)
    trains = found.values_of(truth.twitch_train)
    spread = with_trains(recording, found, trains)
    if len(spread.trains) and sharpness(found, spread.trains) < SHARP:
        return units_of_spread(recording, found, spread)
    model = Model.of(found, trains)
    model.fit_memberships()
    return units_of(recording, model, *model.support())


def with_territories(recording: Recording, truth: Truth) -> Units:
    """Find units whose territories are given, and fit their trains.

    Raises
    ------
    InputError
        If the truth is another recording's, or units cannot be sought in the recording.
    """
    found = _whole(recording, truth)
    spread = spread_units(recording, found)
    model = Model.of(found, found.values_of(truth.twitch_train))
    model.membership = _flat(truth.territory)
    if len(spread.trains) and sharpness(found, spread.trains) < SHARP:
        model.membership = own_maps(recording, found, spread, truth.territory)
    model.fit_trains()
    evidence, needed = model.support()
    model.membership = _flat(truth.territory)
    return units_of(recording, model, evidence, needed)


def with_maps(recording: Recording, truth: Truth) -> Units:
    """Find units whose maps are given, whatever the tissue does, and read their trains.

    Where the truth does not hold its maps, they are fitted to the true trains in another part of
    the time (:func:`..reading.read_crosswise`).

    Raises
    ------
    InputError
        If the truth is another recording's, units cannot be sought in the recording, or it is too
        short for its units' maps to be fitted.
    """
    found = _whole(recording, truth)
    own, true = truth.own_maps, truth.twitch_train
    shown = np.flatnonzero((truth.territory > 0.5).any(axis=(1, 2)))
    if not len(shown):
        return none(recording)
    trains = (
        read_crosswise(found, true, recording.frame_rate) if own is None else read_with(found, own)
    )[shown]
    return Units(
        territory=truth.territory[shown],
        train=trains,
        firing=firings(trains, recording.frame_rate),
        confidence=np.ones(len(shown)),
    )


def _whole(recording: Recording, truth: Truth) -> Whitened:
    """Return the recording's whitened components; raise InputError if the truth is another's."""
    found = whiten(recording)
    shapes = truth.territory.shape[1:], truth.twitch_train.shape[1:]
    wanted = found.shape[1:], found.shape[:1]
    if shapes != wanted:
        raise InputError(f"truth: found arrays of {shapes}, wanted {wanted} as the recording's")
    return found


def _flat(territory: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return territories (unit, depth, width) as float64 (pixel, unit)."""
    return np.ascontiguousarray(territory.reshape(len(territory), -1).T, np.float64)


def own_maps(
    recording: Recording, found: Whitened, spread: Spread, territory: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return what units of known territories move where motion spreads, float64 (pixel, unit).

    They begin as what the recording's form of spread makes of the territories, and become the
    units' own maps: what of the trains that these fields give each place holds.

    Parameters
    ----------
    recording : Recording
    found : Whitened
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
