"""Ways to find firings in units' trains, chosen by their names."""

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from ...simulator.imaging.filtering import BandPass
from .units import Recording, Units

Instants = NDArray[np.float64]

LOWEST_RATE = 60.0
"""Slower recordings do not show fused twitches, Hz."""

SHORTEST = 0.345
"""Shorter recordings do not hold three intervals of a unit at 8.7 Hz, s."""


@dataclass(frozen=True)
class Way:
    """A way to find firings.

    Parameters
    ----------
    summary : str
    find : callable, optional
        Takes trains, float32 (unit, time) in mm/s, the frame rate in Hz, the instants that the
        method gives and what the recording was passed through, and returns instants, float64
        (unit, pulse) in s; none for the method's.
    """

    summary: str
    find: Callable[[NDArray[np.float32], float, Instants, BandPass | None], Instants] | None = None


REGULAR = 0.3
"""SD over mean of intervals below which firings are those of twitches apart. Where twitches fuse,
least squares miss some and make up others: of trains found in analytic sequences at 15-20 Hz, those
below agreed with the truth by 0.98, others by 0.66; at 25-35 Hz none was below; at 8-13 Hz, of five
makers and of the virtual experiment, 0.98 and more were."""


def is_regular(firing: Instants) -> bool:
    """Return whether a unit's firings are as regular as a motor unit's; of fewer than four, no."""
    intervals = np.diff(firing[~np.isnan(firing)])
    return len(intervals) > 2 and float(intervals.std()) < REGULAR * float(intervals.mean())


def _deconvolved(
    train: NDArray[np.float32],
    frame_rate: float,
    known: Instants,
    band: BandPass | None,
    *,
    free: bool = False,
) -> Instants:
    from .deconvolution import deconvolve  # Numba, where firings are looked for

    regular = np.array([is_regular(row) for row in known], bool)
    known = np.where(regular[:, None], known, np.nan)
    return deconvolve(train, frame_rate, known, free=free, band=band)


FIRINGS = {
    "family": Way(
        "The likeliest, with a twitch of the usual family that is fitted; regular ones of a grid "
        "stay where it does not explain a train.",
        _deconvolved,
    ),
    "free": Way(
        "The same, with a twitch of any smooth form where a train is likelier with it.",
        functools.partial(_deconvolved, free=True),
    ),
    "grid": Way("Those of the method: least squares on a grid; fused twitches are taken for one."),
}
"""The ways by name."""

USUAL_FIRINGS = "family"
"""The way unless another is asked for; where a recording does not allow it, `grid`."""


def way_named(name: str | None) -> Way:
    """Return a way by its name, the usual one for None.

    Raises
    ------
    InputError
        If there is none.
    """
    name = USUAL_FIRINGS if name is None else name
    if name not in FIRINGS:
        raise InputError(f"firings: found {name!r}, wanted one of {', '.join(FIRINGS)}")
    return FIRINGS[name]


def check_recording(frames: int, frame_rate: float) -> None:
    """Raise InputError unless fused twitches can be told apart in so many frames."""
    if frame_rate < LOWEST_RATE:
        raise InputError(
            f"frame rate: found {frame_rate:g} Hz, wanted {LOWEST_RATE:g} Hz or more to tell fused "
            "twitches apart; give a faster recording or choose `firings` grid"
        )
    if frames / frame_rate < SHORTEST:
        raise InputError(
            f"recording: found {frames / frame_rate:.3g} s, wanted {SHORTEST:.3g} s or more, three "
            "intervals of a slow unit; give a longer one or choose `firings` grid"
        )


def with_firings(recording: Recording, units: Units, name: str | None = None) -> Units:
    """Return units with the firings that a way finds in their trains.

    Parameters
    ----------
    recording : Recording
    units : Units
        With those of the method that found them.
    name : str, optional
        One of :data:`FIRINGS`. Without one, the usual way, if the recording allows it.

    Raises
    ------
    InputError
        If there is no such way, or the recording does not allow it.
    """
    way = way_named(name)
    if way.find is None or not units.count:
        return units
    try:
        check_recording(units.train.shape[1], recording.frame_rate)
    except InputError:
        if name is None:
            return units
        raise
    return dataclasses.replace(
        units,
        firing=way.find(units.train, recording.frame_rate, units.firing, recording.band),
    )
