"""Twitch trains against true ones: rate of agreement of their peaks, and correlation."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....simulator.errors import InputError
from .firing import ROUNDING, TOLERANCE, check_lag_bound, match_instants
from .ratios import agreement_rate

SMOOTHING = 0.0275
"""Length of the running mean, s: 11 frames at 400 Hz (Ali et al. 2020, section III.C,
doi:10.1109/ACCESS.2020.3023495)."""

LEAST_PROMINENCE = 1e-9
"""Prominence over the train's largest size below which a peak is rounding's work."""


@dataclass(frozen=True)
class RateOfAgreement:
    """Peaks that two trains have in common.

    Parameters
    ----------
    common : int
        Peaks that match: c.
    only_predicted : int
        Peaks of the predicted train alone: A.
    only_true : int
        Peaks of the true train alone: B.
    """

    common: int
    only_predicted: int
    only_true: int

    @property
    def value(self) -> float:
        """Rate c / (c + A + B), 0..1 (Ali et al. 2020, equation 1); 1 where neither has a peak."""
        return agreement_rate(self.common, self.only_predicted, self.only_true)


def smoothing_frames(frame_rate: float, duration: float = SMOOTHING) -> int:
    """Return the odd number of frames nearest to a duration, the larger of two; at least 1.

    An even number would move peaks by half a frame. 27.5 ms are 11 frames at 400 Hz, 15 at 512 Hz.

    Parameters
    ----------
    frame_rate : float
        Hz.
    duration : float
        s, 0 or more.

    Raises
    ------
    InputError
        If the frame rate is not a positive number or the duration not one of 0 or more.
    """
    frame_rate = check_frame_rate(frame_rate)
    if not 0 <= duration < math.inf:
        raise InputError(f"smoothing: found {duration} s, wanted 0 or more")
    return 2 * math.floor(duration * frame_rate / 2) + 1


def running_mean(train: ArrayLike, frames: int) -> NDArray[np.float64]:
    """Return the mean of each frame and those around it.

    Near the ends the mean is that of the frames that there are: nothing is made up beyond them.

    Parameters
    ----------
    train : array of shape (time,)
    frames : int
        Frames in the mean, odd.

    Returns
    -------
    float64 array of shape (time,)
    """
    values = _check_train(train)
    half = frames // 2
    padded = np.zeros(values.size + 2 * half)
    padded[half : half + values.size] = values
    # Added up in the same order for every frame, not as a running total: stretches that are alike
    # stay exactly alike, and zeros stay zero.
    total = np.zeros(values.size)
    for shift in range(2 * half + 1):
        total += padded[shift : shift + values.size]
    frame = np.arange(values.size)
    count = np.minimum(frame + half, values.size - 1) - np.maximum(frame - half, 0) + 1
    return total / count


def peak_instants(
    train: ArrayLike, frame_rate: float, *, smoothing: float = SMOOTHING
) -> NDArray[np.float64]:
    """Return when a smoothed train has its local maxima above 0.

    A plateau counts once, at its middle (the earlier of two middle frames). The first and the last
    frame are no maxima, nor is a plateau that reaches one: what lies beyond them is not known. A
    peak that stands out by less than 1e-9 of the train's largest size is left out as rounding.

    Parameters
    ----------
    train : array of shape (time,)
        Velocity, mm/s, from time 0; the scale has no influence, the sign has.
    frame_rate : float
        Hz.
    smoothing : float
        Length of the running mean, s; rounded as :func:`smoothing_frames` says.

    Returns
    -------
    float64 array of shape (peak,)
        Instants, s, rising.

    Raises
    ------
    InputError
        If the train is not one row of finite numbers or the frame rate is not positive.
    """
    smooth = running_mean(train, smoothing_frames(frame_rate, smoothing))
    least = LEAST_PROMINENCE * float(np.abs(smooth).max(initial=0.0))
    peaks = _maxima(smooth, least)
    return peaks[smooth[peaks] > 0] / frame_rate


def _maxima(values: NDArray[np.float64], least: float) -> NDArray[np.int64]:
    """Return the middles of local maxima of a prominence, both ways, of `least` or more, rising.

    ``scipy.signal.find_peaks`` returns the same, and takes a second to import.
    """
    last = np.flatnonzero(np.append(np.diff(values) != 0, True))
    first = np.append(0, last[:-1] + 1)
    levels = values[first]
    inner = levels[1:-1]
    highest = np.flatnonzero((inner > levels[:-2]) & (inner > levels[2:])) + 1
    steps = levels.tolist()
    standing = [
        place
        for place in highest.tolist()
        if _stands_out(steps, place, -1, least) and _stands_out(steps, place, 1, least)
    ]
    return (first[standing] + last[standing]) // 2


def _stands_out(levels: list[float], place: int, step: int, least: float) -> bool:
    """Tell whether values fall by `least` on one side of a maximum before they rise above it."""
    height, beside = levels[place], place + step
    while 0 <= beside < len(levels) and levels[beside] <= height:
        if height - levels[beside] >= least:
            return True
        beside += step
    return False


def rate_of_agreement(
    predicted: ArrayLike,
    true: ArrayLike,
    frame_rate: float,
    *,
    smoothing: float = SMOOTHING,
    tolerance: float = TOLERANCE,
) -> RateOfAgreement:
    """Compare when two trains peak (Ali et al. 2020, section III.C and Fig. 11).

    Both are smoothed, their local maxima above 0 taken, and matched one to one, as many as can be.

    Parameters
    ----------
    predicted, true : arrays of shape (time,)
        Velocity, mm/s, over the same frames.
    frame_rate : float
        Hz.
    smoothing : float
        Length of the running mean, s.
    tolerance : float
        Largest distance of peaks that match, s, itself included.

    Returns
    -------
    RateOfAgreement

    Raises
    ------
    InputError
        If a train is not one row of finite numbers, the lengths differ or the frame rate is not
        positive.
    """
    ours, theirs = _check_trains(predicted, true)
    found = peak_instants(ours, frame_rate, smoothing=smoothing)
    wanted = peak_instants(theirs, frame_rate, smoothing=smoothing)
    common = len(match_instants(found, wanted, tolerance)[0])
    return RateOfAgreement(common, len(found) - common, len(wanted) - common)


def train_correlation(predicted: ArrayLike, true: ArrayLike) -> float:
    """Return Pearson's correlation of two trains; 0 where one of them is constant.

    Parameters
    ----------
    predicted, true : arrays of shape (time,)
        Over the same frames.

    Returns
    -------
    float
        -1..1. A train that never changes tells nothing about the other, so it scores 0, not NaN:
        a mean must not be kinder to a method that gives up.

    Raises
    ------
    InputError
        If a train is not one row of finite numbers or the lengths differ.
    """
    return _correlation(*_check_trains(predicted, true))


def lagged_correlation(
    predicted: ArrayLike, true: ArrayLike, frame_rate: float, bound: float
) -> tuple[float, float]:
    """Return the largest correlation of two trains over whole-frame lags, and its lag.

    At each lag the frames that both have are compared, three at least.

    Parameters
    ----------
    predicted, true : arrays of shape (time,)
        Over the same frames.
    frame_rate : float
        Hz.
    bound : float
        Largest lag either way, s, 0 or more.

    Returns
    -------
    correlation : float
        -1..1.
    lag : float
        s; positive where the predicted train comes later. Of equals the smallest, then the
        negative one.

    Raises
    ------
    InputError
        If a train is not one row of finite numbers, the lengths differ, the bound is negative, or
        the frame rate is not positive.
    """
    ours, theirs = _check_trains(predicted, true)
    frame_rate, bound = check_frame_rate(frame_rate), check_lag_bound(bound)
    steps = max(min(math.floor((bound + ROUNDING) * frame_rate), ours.size - 3), 0)
    best, best_lag = _correlation(ours, theirs), 0
    for lag in sorted(range(-steps, steps + 1), key=lambda s: (abs(s), s)):
        late, early = (ours, theirs) if lag >= 0 else (theirs, ours)
        found = _correlation(late[abs(lag) :], early[: early.size - abs(lag)])
        # Rounding alone does not make a lag better.
        if found > best + 1e-12:
            best, best_lag = found, lag
    return best, best_lag / frame_rate


def check_frame_rate(frame_rate: float) -> float:
    """Return a frame rate, Hz, if it is a positive number, else raise InputError."""
    if not 0 < frame_rate < math.inf:
        raise InputError(f"frame rate: found {frame_rate} Hz, wanted a positive number")
    return float(frame_rate)


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    centred = []
    for values in (one, other):
        # Exactly constant: the mean's rounding would leave a pattern to correlate with.
        if values.size < 2 or np.ptp(values) == 0:
            return 0.0
        scaled = values / np.abs(values).max()  # squares neither overflow nor vanish
        centred.append(scaled - scaled.mean())
    first, second = centred
    size = math.sqrt(float(first @ first) * float(second @ second))
    return min(max(float(first @ second) / size, -1.0), 1.0) if size > 0 else 0.0


def _check_train(train: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(train, np.float64)
    if values.ndim != 1 or values.size == 0 or not np.isfinite(values).all():
        raise InputError(
            f"train: found shape {values.shape} with {int((~np.isfinite(values)).sum())} values "
            "that are not finite, wanted one row of numbers"
        )
    return values


def _check_trains(
    predicted: ArrayLike, true: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    ours, theirs = _check_train(predicted), _check_train(true)
    if ours.size != theirs.size:
        raise InputError(
            f"predicted train: found {ours.size} frames, wanted the true train's {theirs.size}"
        )
    return ours, theirs
