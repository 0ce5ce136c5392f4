"""Twitches as trains show them: of one form or varied, as the recording's band-pass leaves them."""

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...simulator.imaging.filtering import BandPass
from ...simulator.twitch import twitch_velocity
from .firing_paths_kernels import PLACES

TWITCH_LENGTH = 0.28
"""A twitch is over after this time, s."""

RINGING = 0.5
"""A band-pass of zero phase spreads a twitch to both sides by so many periods of its lower corner:
of one of 5-50 Hz, 0.01 of the energy lies further off."""

MOST_SPREAD = 0.3
"""It is followed no further, s: what a low corner does so far off is little."""

SETTLED = 2.5
"""So many periods of the lower corner off, nothing is left."""

CONTRACTION_STEP = 0.03
"""Contraction times are told apart by this part."""

USUAL_BAND = 5.0, 50.0
"""Of the band-pass of recordings, Hz (Ali et al. 2022); of order 4."""

LOW_SHARE = 0.002
"""Trains with less of their energy below half of its lower corner went through it: of twitches that
did not, at 8-13 Hz, 0.011 lies there, of faster ones more; of those that did, below 0.0005."""

RANK = 3
"""Courses that span how twitches differ in size and duration by 20 %: to within 2 % of energy."""


@dataclass(frozen=True)
class Grid:
    """Frames of trains, and how they come from a recording's.

    Parameters
    ----------
    frame_rate : float
        The recording's, Hz.
    together : int
        Frames of the recording that are averaged to one.
    band : BandPass, optional
        What the recording was passed through.
    """

    frame_rate: float
    together: int = 1
    band: BandPass | None = None

    @property
    def rate(self) -> float:
        """Frames a second, Hz."""
        return self.frame_rate / self.together

    @property
    def step(self) -> float:
        """Distance of places, s."""
        return 1 / (self.rate * PLACES)

    @property
    def delay(self) -> float:
        """Time of the first frame's middle in the recording, s."""
        return (self.together - 1) / (2 * self.frame_rate)

    @property
    def ahead(self) -> int:
        """Frames by which a twitch is seen before its onset."""
        if self.band is None:
            return 0
        return math.ceil(min(RINGING / self.band.low, MOST_SPREAD) * self.rate)


@dataclass(frozen=True, eq=False)
class Shapes:
    """What a firing may do. Known by itself, not by its values: they are kept.

    Parameters
    ----------
    twitch : float64 array of shape (place, time)
        The usual twitch; row r began r places before frame 0. Rows have the mean square length 1.
    bases : float64 array of shape (basis, place, time)
        Orthogonal courses of how twitches differ.
    variances : float64 array of shape (basis,)
        Of how much of each they hold.
    """

    twitch: NDArray[np.float64]
    bases: NDArray[np.float64]
    variances: NDArray[np.float64]

    @property
    def dense(self) -> NDArray[np.float64]:
        """The usual twitch at all places since it is seen, float64 (place,)."""
        return np.ascontiguousarray(self.twitch.T).ravel()


def whole_step(contraction: float) -> int:
    """Return the number of the contraction time that is nearest to one in s."""
    return round(math.log(contraction) / CONTRACTION_STEP)


@functools.lru_cache(maxsize=256)
def shapes_of(step: int, variation: float, grid: Grid) -> Shapes:
    """Return the twitches of the family with a contraction time.

    Parameters
    ----------
    step : int
        Its number, see :func:`whole_step`.
    variation : float
        SD of the size and of the duration of twitches, over their means.
    grid : Grid
    """
    contraction = math.exp(step * CONTRACTION_STEP)
    # Log-normal durations, by Gauss and Hermite's rule, and two sizes of the same variance.
    nodes, weights = np.polynomial.hermite_e.hermegauss(7 if variation else 1)
    sd = math.sqrt(math.log1p(variation**2))
    times = np.exp(sd * nodes - sd**2 / 2)
    courses = np.array([velocity(contraction, time, grid) / time for time in times])
    return varied(courses, weights / weights.sum(), variation)


def varied(courses: NDArray[np.float64], weights: NDArray[np.float64], variation: float) -> Shapes:
    """Return shapes of the mean of courses, how they differ, and in size.

    Parameters
    ----------
    courses : float64 array of shape (course, place)
    weights : float64 array of shape (course,)
        Their probabilities.
    variation : float
        SD of their size over its mean; without any, they do not differ.
    """
    mean = weights @ courses
    size = math.sqrt(float(np.square(mean).sum()) / PLACES)
    mean, courses = mean / size, courses / size
    if not variation:
        return Shapes(_rows(mean), np.zeros((0, *_rows(mean).shape)), np.zeros(0))
    sized = np.concatenate([courses * (1 - variation), courses * (1 + variation)]) - mean
    sized *= np.sqrt(np.concatenate([weights, weights]) / 2)[:, None]
    _, spread, directions = np.linalg.svd(sized, full_matrices=False)
    bases = np.array([_rows(one) for one in directions[:RANK]])
    return Shapes(_rows(mean), bases, np.square(spread[:RANK]))


def _rows(course: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.ascontiguousarray(course.reshape(-1, PLACES).T)


def velocity(contraction: float, duration: float, grid: Grid) -> NDArray[np.float64]:
    """Return a twitch's velocity at all places since it is seen, float64 (place,).

    Parameters
    ----------
    contraction : float
        Contraction time of the usual twitch, s.
    duration : float
        Times of this one over those of the usual twitch.
    grid : Grid
    """
    settled = math.ceil(SETTLED / grid.band.low * grid.rate) if grid.band else 0
    frames = math.ceil(TWITCH_LENGTH * grid.rate)
    places = np.arange(-settled * PLACES, (frames + settled) * PLACES, dtype=np.float64)
    since = places * grid.step
    course = np.zeros(len(since))
    for each in range(grid.together):
        later = each / grid.frame_rate - grid.delay
        course += twitch_velocity((since + later) / duration, 1.0, 1000 * contraction)
    if grid.band is None:
        return course
    course = _passed(course, grid.band, 1 / grid.step)
    first = settled - grid.ahead
    return np.asarray(course)[first * PLACES : (settled + frames + grid.ahead) * PLACES]


def _passed(course: NDArray[np.float64], band: BandPass, rate: float) -> NDArray[np.float64]:
    """Return a course that a band-pass was run over, forwards and backwards, in frames at a rate.

    By the closed form of what both directions of a Butterworth filter leave of each frequency
    (bilinear transform): SciPy's filters take as long to import as all firings of a unit.
    """
    frames = 2 * len(course)  # what follows is still: nothing comes round
    angle = np.pi * np.fft.rfftfreq(frames)
    sine, cosine = np.sin(angle), np.cos(angle)
    low = math.tan(math.pi * band.low / rate)
    if band.high < 0.45 * rate:
        high = math.tan(math.pi * band.high / rate)
        held = (sine * cosine * (high - low)) ** (2 * band.order)
        lost = (sine**2 - low * high * cosine**2) ** (2 * band.order)
    else:  # all of it is below the upper corner
        held, lost = sine ** (2 * band.order), (low * cosine) ** (2 * band.order)
    return np.fft.irfft(np.fft.rfft(course, frames) * (held / (held + lost)), frames)[: len(course)]


def band_seen(train: NDArray[np.float32], frame_rate: float) -> BandPass | None:
    """Return the usual band-pass if trains show that they went through one.

    Twitches have energy at low frequencies, unless it was taken away.

    Parameters
    ----------
    train : float32 array of shape (unit, time)
    frame_rate : float
        Hz.
    """
    frames = train.shape[1]
    centred = train - train.mean(axis=1, dtype=np.float64)[:, None]
    # What a window's sides let through lies far below what is looked for.
    power = np.square(np.abs(np.fft.rfft(centred * np.hanning(frames), axis=1))).sum(axis=0)
    frequency = np.fft.rfftfreq(frames, 1 / frame_rate)
    low, high = USUAL_BAND
    whole = float(power[frequency < high].sum())
    if whole == 0 or float(power[frequency < low / 2].sum()) > LOW_SHARE * whole:
        return None
    return BandPass(low=low, high=min(high, 0.45 * frame_rate), frame_rate=frame_rate)
