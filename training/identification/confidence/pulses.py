"""How clearly a train's firings stand out of what their twitches do not explain.

Electromyography tells how far a decomposition can be trusted by how the pulses of a unit stand out
of all else once its responses are undone (pulse-to-noise ratio: A. Holobar, M. A. Minetto and D.
Farina 2013, doi:10.1109/NER.2013.6696002; silhouette: F. Negro et al. 2016, Journal of Neural
Engineering 13, doi:10.1088/1741-2560/13/2/026027). Twitches last longer than the intervals between
them, so that undoing them makes more of noise than of pulses. Here the twitches themselves are held
against what they leave of the train.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ....simulator.twitch import twitch_velocity
from ..firing import CONTRACTION_TIMES, TWITCH_LENGTH

RATE = 125.0
"""Faster trains are averaged down to no less than this, Hz: twitches need no finer steps."""

MOST = 40.0
"""A ratio is told up to this, and down to as much below 0, dB."""

FEWEST_FIRINGS = 3
"""Fewer do not make a train."""


def pulse_to_noise(
    train: NDArray[np.floating], firing: NDArray[np.float64], frame_rate: float
) -> float:
    """Return the energy of a train's twitches over that of what they leave, dB.

    The twitch is that of the family which explains most of the train: equal twitches at all
    firings, fitted by least squares.

    Parameters
    ----------
    train : float array of shape (time,)
        mm/s.
    firing : float64 array of shape (pulse,)
        s; NaN is none.
    frame_rate : float
        Hz.

    Returns
    -------
    float
        Within +-40; NaN with fewer than three firings, or of a train that does not move.
    """
    together = max(int(frame_rate // RATE), 1)
    count = len(train) // together
    coarse = np.asarray(train[: count * together], np.float64).reshape(count, together)
    course = coarse.mean(axis=1)
    course -= course.mean()
    energy = float(course @ course)
    known = firing[np.isfinite(firing)] - (together - 1) / (2 * frame_rate)
    if len(known) < FEWEST_FIRINGS or not energy > 0:
        return math.nan
    explained = max(
        np.square(twitches @ course) / max(float(twitches @ twitches), 1e-300)
        for twitches in _twitches(known, count, frame_rate / together)
    )
    share = float(explained) / energy
    least = 10 ** (-MOST / 10)
    return 10 * math.log10(max(share, least) / max(1 - share, least * max(share, least)))


def _twitches(firing: NDArray[np.float64], frames: int, rate: float) -> list[NDArray[np.float64]]:
    """Return equal twitches at some firings, for each contraction time that is tried."""
    lead = math.ceil(TWITCH_LENGTH * rate)
    places = firing * rate + lead
    places = places[(places >= 0) & (places < frames + lead - 1)]
    whole = places.astype(np.int64)
    impulses = np.zeros(frames + 2 * lead)
    # Between two frames, by the distance to either.
    np.add.at(impulses, whole, 1 - (places - whole))
    np.add.at(impulses, whole + 1, places - whole)
    fired = np.fft.rfft(impulses)
    since = np.arange(lead) / rate
    found = []
    for contraction_time in CONTRACTION_TIMES:
        twitch = twitch_velocity(since, contraction_time=contraction_time)
        course = np.fft.irfft(fired * np.fft.rfft(twitch, len(impulses)), len(impulses))
        course = course[lead : lead + frames]
        found.append(course - course.mean())
    return found
