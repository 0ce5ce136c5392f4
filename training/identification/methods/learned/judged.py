"""Units as learned judgement tells them from all that windows of a recording hold."""

import numpy as np
from numpy.typing import NDArray

from ...noise import Whitened
from ...units import Recording
from ..blocks import Blocks, blocks_of, signal_directions
from ..evidence import UNIT_RADII
from ..pulsation import is_pulse
from ..repeats import are_beside, chosen
from ..spread import LEAST, Spread, maps_of
from .judgement import learned
from .recurrence import gathered
from .traits import Seen, traits_of
from .windows import trains_of_windows


def seen_in(recording: Recording, found: Whitened) -> tuple[Seen, Blocks, NDArray[np.float64]]:
    """Return what may be units in a recording, and what is seen of each.

    Parameters
    ----------
    recording : Recording
    found : Whitened
        Of it.

    Returns
    -------
    seen : Seen
    blocks : Blocks
    directions : float64 array of shape (direction, component)
        In which the recording holds more than noise.
    """
    blocks = blocks_of(found, recording.pixel_size)
    directions, noise = signal_directions(blocks)
    trains, kind = trains_of_windows(found, blocks)
    # Components are correlated over time; coefficients of the cosine transform are not.
    coefficients = np.asarray(np.linalg.solve(found.noise.whitening.T, trains.T).T, np.float64)
    seen = traits_of(found, blocks, gathered(coefficients, kind), noise, recording.frame_rate)
    return seen, blocks, directions


def judged_units(recording: Recording, found: Whitened) -> Spread:
    """Find trains that learned judgement takes for units', and their maps.

    Parameters
    ----------
    recording : Recording
    found : Whitened
        Of it.

    Returns
    -------
    Spread
        Its signs are the traits by :data:`.traits.NAMES`.
    """
    seen, blocks, directions = seen_in(recording, found)
    sure = learned().probability(seen.traits)
    fitting = (seen.radii >= UNIT_RADII[0]) & (seen.radii <= UNIT_RADII[1])
    likely = np.flatnonzero((sure >= LEAST) & fitting)
    beside = are_beside(seen.centres[likely], seen.radii[likely])
    taken, _ = chosen(
        sure[likely], seen.courses[likely], recording.frame_rate, LEAST, beside=beside
    )
    pulses = [one for one in taken if is_pulse(seen.courses[likely[one]], recording.frame_rate)]
    kept, beating = likely[[one for one in taken if one not in pulses]], likely[pulses]
    trains = seen.trains[kept]
    maps = maps_of(blocks, trains)
    remarks = ("pulsation-left-out",) if pulses else ()
    return Spread(
        blocks, directions, trains, maps, sure[kept], seen.traits[kept], remarks,
        maps_of(blocks, seen.trains[beating]),
    )  # fmt: skip
