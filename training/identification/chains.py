"""What a deconvolution goes through: frames, states of a train, and the form of twitches."""

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...simulator.twitch import twitch_velocity
from .firing_density_kernels import (
    AMPLITUDE,
    CONTRACTION,
    INTERVAL_SD,
    NOISE,
    PLACES,
    RATIO,
    VARIATION,
    add,
)

TWITCH_LENGTH = 0.32
"""A twitch is over after this time, s."""

SMOOTHNESS = 0.3
"""How much a free twitch is held to one of the family, against what the train says."""

LAPLACE = 0.55
"""Weight, in choosing a beginning, of how freely its firings can be moved. By Laplace's method it
is 1; states have not come to rest then, and slow trains would be preferred."""

USUAL = np.zeros((2, 8))
USUAL[:, CONTRACTION] = 0.08, 0.2
USUAL[:, RATIO] = 5 / 3, 0.2
USUAL[:, INTERVAL_SD] = 0.18, 0.3
USUAL[:, VARIATION] = 0.1, 8
USUAL[1, NOISE] = LAPLACE
USUAL.setflags(write=False)


@dataclass
class Chain:
    """States of one train, one after another.

    Parameters
    ----------
    twitches : float64 array of shape (place, time)
        See :func:`.firing_density_kernels.fill_twitches`.
    firings : int64 array of shape (firing,)
    amplitudes : float64 array of shape (firing,)
    count : int
    state : float64 array of shape (8,)
    """

    twitches: NDArray[np.float64]
    firings: NDArray[np.int64]
    amplitudes: NDArray[np.float64]
    count: int
    state: NDArray[np.float64]
    evidence: float = -math.inf
    samples: Any = None

    def course(self, frames: int) -> NDArray[np.float64]:
        """Return what the firings and the twitch make together, float64 (time,)."""
        course = np.zeros(frames)
        for place, amplitude in zip(
            self.firings[: self.count], self.amplitudes[: self.count], strict=True
        ):
            add(course, self.twitches, place, amplitude)
        return course - course.mean()


@dataclass(frozen=True)
class Grid:
    """Frames of a piece, and how they come from the recording's.

    Parameters
    ----------
    frames : int
    frame_rate : float
        The recording's, Hz.
    together : int
        Frames of the recording that are averaged to one.
    """

    frames: int
    frame_rate: float
    together: int

    @property
    def rate(self) -> float:
        """Frames a second, Hz."""
        return self.frame_rate / self.together

    @property
    def step(self) -> float:
        """Distance of places, s."""
        return 1 / (self.rate * PLACES)

    @property
    def length(self) -> int:
        """Frames of a twitch."""
        return math.ceil(TWITCH_LENGTH * self.rate)


@functools.lru_cache(maxsize=64)
def usual_amplitude(interval: float, rate: float, variation: float = 0.2) -> float:
    """Return the amplitude that twitches have in a train of mean square 1, on average.

    The power of a train is that of its firings, a renewal process with normal intervals, times that
    of the twitch (Cox and Lewis 1966, The Statistical Analysis of Series of Events, section 4.5).

    Parameters
    ----------
    interval : float
        Mean interval, s.
    rate : float
        Frames a second, Hz; in these the twitch has the square length 1.
    variation : float
        SD of intervals over their mean.
    """
    frames = 1024
    velocity = twitch_velocity(np.arange(frames) / rate, 1.0, 1000 * USUAL[0, CONTRACTION])
    twitch = np.square(np.abs(np.fft.rfft(velocity / np.sqrt(np.square(velocity).sum()))))[1:]
    turn = 2 * np.pi * np.fft.rfftfreq(frames, 1 / rate)[1:] * interval
    kept = np.exp(-1j * turn - 0.5 * np.square(variation * turn))
    firing = (1 - np.square(np.abs(kept))) / np.square(np.abs(1 - kept)) / (interval * rate)
    return 1 / math.sqrt(2 * float(firing @ twitch) / frames)


def free_twitch(train: NDArray[np.float64], chain: Chain, grid: Grid) -> NDArray[np.float64]:
    """Return the twitch that fits a train best at a chain's firings, of any smooth form.

    It is piecewise linear between the frames' distances; second differences of what parts it from
    the chain's twitch are held small.

    Returns
    -------
    float64 array of shape (place, time)
        As :func:`.firing_density_kernels.fill_twitches` fills it.
    """
    knots = grid.length + 1
    design = np.zeros((grid.frames, knots))
    for place, amplitude in zip(
        chain.firings[: chain.count], chain.amplitudes[: chain.count], strict=True
    ):
        since = np.arange(grid.frames) - place / PLACES
        seen = np.flatnonzero((since >= 0) & (since < grid.length))
        low = since[seen].astype(int)
        design[seen, low] += amplitude * (1 - (since[seen] - low))
        design[seen, low + 1] += amplitude * (since[seen] - low)
    left = train - chain.course(grid.frames)
    design -= design.mean(axis=0)
    # It begins and ends with no velocity.
    inner = design[:, 1:-1]
    bends = np.diff(np.eye(knots), 2, axis=0)[:, 1:-1]
    gram = inner.T @ inner
    stiff = SMOOTHNESS * np.trace(gram) / len(gram) * (bends.T @ bends)
    change = np.zeros(knots)
    change[1:-1] = np.linalg.solve(gram + stiff, inner.T @ (left - left.mean()))
    share = np.arange(PLACES)[:, None] / PLACES
    twitches = chain.twitches + (1 - share) * change[:-1] + share * change[1:]
    size = math.sqrt(float(np.square(twitches).sum()) / PLACES)
    chain.amplitudes *= size
    chain.state[AMPLITUDE] *= size
    return twitches / size
