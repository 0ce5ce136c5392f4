"""Trains of outlines that people drew, read from the recording."""

import dataclasses
import functools
import math

import numpy as np
from numpy.typing import NDArray

from ....simulator.errors import InputError
from ..confidence.places import around
from ..firing import firings
from ..firings import with_firings
from ..methods import LONGEST
from ..methods.long_recordings import read_throughout
from ..methods.model import Model
from ..methods.prepared import Prepared, prepare
from ..methods.responses import Form, field_of, fit
from ..methods.sharp import SHARP, sharpness
from ..methods.spread import Spread, spread_units, with_trains
from ..noise import Whitened, whiten
from ..reading import maps_of, read_maps, strongest
from ..units import Recording, Units


class TrainReader:
    """Reads trains of territories from a recording, those of all units together.

    Trains are fitted to every frame by least squares, weighted by the noise of pixels: with the
    territories as they are where motion ends sharply at them, and else with what each unit moves.

    Parameters
    ----------
    recording : Recording
    trains : float32 array of shape (unit, time)
        Those found in it, mm/s, which tell how motion spreads.
    firings : str, optional
        How firings are found in trains, one of :data:`..firings.FIRINGS`.

    Raises
    ------
    InputError
        If the recording shows nothing that moves.
    """

    def __init__(
        self, recording: Recording, trains: NDArray[np.float32], firings: str | None = None
    ) -> None:
        prepared, _ = prepare(recording, LONGEST)
        if prepared is None:
            raise InputError(
                "recording: found too few frames that hold an image of their own, wanted more to "
                "read trains from"
            )
        self.prepared: Prepared = prepared
        self._trains, self._firings = trains[:, prepared.span], firings

    @property
    def recording(self) -> Recording:
        """What is looked at together."""
        return self.prepared.recording

    @functools.cached_property
    def _spread(self) -> Spread | None:
        """How motion spreads; None where it ends sharply at territories."""
        found = self._whitened
        if len(self._trains):
            spread = with_trains(self.recording, found, found.values_of(self._trains))
        else:
            spread = spread_units(self.recording, found)
        spreads = len(spread.trains) and sharpness(found, spread.trains) < SHARP
        return spread if spreads else None

    @functools.cached_property
    def _form(self) -> Form:
        """The form in which it does."""
        spread = self._spread
        if spread is None:
            raise TypeError("found motion that ends at territories, wanted one that spreads")
        return fit(spread.maps, spread.blocks.size).form

    @property
    def _whitened(self) -> Whitened:
        return whiten(self.recording)

    def read(
        self,
        territory: NDArray[np.float32],
        trains: NDArray[np.float32],
        chosen: list[int],
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Return trains and firings of some units among all that move.

        Parameters
        ----------
        territory : float32 array of shape (unit, depth, width)
            Of all units.
        trains : float32 array of shape (unit, time)
            Of all units, mm/s: of those that are chosen what is known of them so far, 0 if nothing.
        chosen : list of int
            Places of those whose trains are asked for.

        Returns
        -------
        trains : float32 array of shape (chosen, time)
            mm/s, of the whole recording.
        firings : float64 array of shape (chosen, pulse)
            s, padded with NaN.
        """
        found, span = self._whitened, self.prepared.span
        if self._spread is None:
            read = _within_territories(found, territory)
        else:
            known = found.values_of(trains[:, span])
            read = self._beyond_territories(territory, known, chosen)
        train = found.trains(read)
        whole = self.prepared.whole
        units = Units(
            territory=territory,
            train=train,
            firing=firings(train, whole.frame_rate),
            confidence=np.ones(len(train)),
        )
        if self.prepared.in_part:
            # The others' trains are needed to read each one's own.
            units = read_throughout(whole, units, span, self.prepared.slow)
        units = with_firings(whole, units.taken(np.array(chosen)), self._firings)
        return units.train, units.firing

    def _beyond_territories(
        self, territory: NDArray[np.float32], known: NDArray[np.float64], chosen: list[int]
    ) -> NDArray[np.float64]:
        """Return trains, float64 (unit, component), where motion spreads.

        Units whose trains are known move what these trains explain; those that are chosen, what
        theirs explain within their outlines, or what outlines like theirs move here. What else
        moves away from these is read along, unless a unit of which nothing is known may be in it.
        """
        values = self._whitened.values.astype(np.float64)
        begun = np.square(known).sum(axis=1) > 0
        maps = np.zeros((len(territory), len(values)))
        maps[begun] = maps_of(known[begun], values)
        near = around(territory[chosen] > 0.5, self.recording.pixel_size).any(axis=0)
        # Near them, what is left may be their own: what was known of them was not all. Of units
        # that were one so far, that by which they differ reaches farther.
        alone = len(chosen) == 1 and begun[chosen].all() and not near.all()
        others, left = strongest(values - maps.T @ known, ~near.ravel() if alone else None)
        for place in chosen:
            if begun[place]:
                maps[place] *= territory[place].ravel()
            else:
                whole = territory[place].astype(np.float64)
                field = field_of(whole, self._form, self.recording.pixel_size)
                maps[place] = field.ravel()
        power = np.square(left).mean(axis=1)
        weight = 1 / np.sqrt(np.maximum(power, 1e-6 * power.mean() + 1e-300))
        if alone:
            others *= np.linalg.norm(maps) / math.sqrt(len(maps))
            maps = np.concatenate([maps, others])
        return read_maps(maps, weight, values)[: len(territory)]

    def in_part(self, units: Units) -> Units:
        """Return units of the whole recording as those of what is looked at together."""
        span, rate = self.prepared.span, self.recording.frame_rate
        if not self.prepared.in_part:
            return units
        start, stop = span.start / rate, span.stop / rate
        inside = (units.firing >= start) & (units.firing < stop)
        firing = np.sort(np.where(inside, units.firing - start, np.nan), axis=1)
        return dataclasses.replace(units, train=units.train[:, span], firing=firing)


def _within_territories(found: Whitened, territory: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return trains, float64 (unit, component), where motion ends at territories."""
    model = Model.of(found, np.zeros((len(territory), found.values.shape[1])))
    model.membership = np.ascontiguousarray(territory.reshape(len(territory), -1).T, np.float64)
    model.fit_trains()
    return model.trains
