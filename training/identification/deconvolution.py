"""Firing instants and the unit's twitch from a train, together, where twitches fuse as well.

A train is a sum of twitches of one form that differ in size, at instants whose intervals are fairly
regular, and noise. From many states of firings, twitch, rate and regularity those are drawn that a
train makes likely (Metropolis-Hastings; firings are born, moved and removed as in Pnevmatikakis et
al. 2013, doi:10.1109/ACSSC.2013.6810445, whose pulses are those of calcium). It is begun from
several rates, at first as if there were more noise, and what explains the train best goes on. Of
the last states that one is told whose firings agree best with all others'.
"""

import functools
import itertools
import math

import numpy as np
from numpy.typing import NDArray

from .chains import TWITCH_LENGTH, USUAL, Chain, Grid, free_twitch, usual_amplitude
from .deconvolution_kernels import draw_states, most_agreeing
from .firing_density_kernels import (
    AMPLITUDE,
    CONTRACTION,
    INTERVAL,
    INTERVAL_SD,
    NOISE,
    PLACES,
    RATIO,
    VARIATION,
    fill_twitches,
)
from .firings import check_recording
from .leakage import without_leakage

RATE = 100.0
"""Faster recordings are averaged down to no less than this, Hz: velocity of a twitch of 50 ms has
1/1000 of its power beyond half of it."""

REFRACTORY = 0.004
"""Shortest interval, s."""

INTERVALS = (0.115, 0.08, 0.056, 0.043, 0.0355, 0.029)
"""Mean intervals that are begun from, s."""

PIECE = 4.0
"""Longer recordings are taken in pieces, s."""

SWEEPS, LAST_SWEEPS = 120, 60
"""Of each beginning, and of the one that goes on."""

HEAT, LAST_HEAT = 1.0, 0.3
"""How much more noise is assumed at first, see :func:`.deconvolution_kernels.draw_states`."""

SAMPLES = 30
"""States that firings are chosen from."""

REACH = 0.01
"""Firings of two states agree within this, s."""

NOISE_FROM = 60.0
"""Velocity above this frequency is noise, Hz."""

LEAST_NOISE = 1e-4
"""Noise over signal, as powers, is no less: twitches are not known better."""


def deconvolve(
    train: NDArray[np.float32], frame_rate: float, *, free: bool = False
) -> NDArray[np.float64]:
    """Find the firing instants of trains, and each unit's twitch.

    Draws depend on a train's place alone: the same trains give the same instants.

    Parameters
    ----------
    train : float32 array of shape (unit, time)
        Velocity, mm/s, of units that move at one time; what leaks from one to another is taken off.
    frame_rate : float
        Hz.
    free : bool
        Whether twitches take any form in the end, not one of the family alone.

    Returns
    -------
    float64 array of shape (unit, pulse)
        Instants inside the recording, s, rising; padded with NaN.

    Raises
    ------
    InputError
        If the recording shows less than three intervals, or has too few frames a second.
    """
    check_recording(train.shape[1], frame_rate)
    if not len(train):
        return np.zeros((0, 0))
    together = max(int(frame_rate // RATE), 1)
    count = train.shape[1] // together
    coarse = train[:, : count * together].reshape(len(train), count, together).mean(axis=2)
    coarse = coarse.astype(np.float64)
    noise = noise_of(train, frame_rate) / together
    rate = frame_rate / together
    pieces = max(round(count / (PIECE * rate)), 1)
    edges = np.linspace(0, count, pieces + 1).astype(int)
    found: list[list[NDArray[np.float64]]] = [[] for _ in train]
    for start, stop in itertools.pairwise(edges):
        # The piece goes on after its last instant, whose twitch would not be seen otherwise.
        part = coarse[:, start : stop + math.ceil(TWITCH_LENGTH * rate)]
        grid = Grid(part.shape[1], frame_rate, together)
        low = start / rate if start else 0.0
        high = stop / rate if stop < count else train.shape[1] / frame_rate
        for unit, instants in enumerate(_instants(part, noise, grid, free)):
            times = instants + start / rate + (together - 1) / (2 * frame_rate)
            found[unit].append(times[(times >= low) & (times < high)])
    whole = [np.concatenate(times) for times in found]
    padded = np.full((len(train), max((len(times) for times in whole), default=0)), np.nan)
    for row, times in zip(padded, whole, strict=True):
        row[: len(times)] = times
    return padded


def noise_of(train: NDArray[np.float32], frame_rate: float) -> NDArray[np.float64]:
    """Return the mean square of noise in trains, from frequencies that no twitch has.

    Returns
    -------
    float64 array of shape (unit,)
        (mm/s)^2.
    """
    frames = train.shape[1]
    frequency = np.fft.rfftfreq(frames, 1 / frame_rate)
    high = frequency > min(NOISE_FROM, 0.4 * frame_rate)
    centred = train - train.mean(axis=1, dtype=np.float64)[:, None]
    power = np.square(np.abs(np.fft.rfft(centred, axis=1))) / frames
    return power[:, high].mean(axis=1)


def _instants(
    trains: NDArray[np.float64], noise: NDArray[np.float64], grid: Grid, free: bool
) -> list[NDArray[np.float64]]:
    """Return the instants of one piece of all trains, s after its first frame's middle."""
    trains = trains - trains.mean(axis=1)[:, None]
    size = np.sqrt(np.square(trains).mean(axis=1))
    moving = np.flatnonzero(size > 0)
    scaled = trains[moving] / size[moving, None]
    floor = np.maximum(noise[moving] / np.square(size[moving]), LEAST_NOISE)
    randoms = [np.random.default_rng([unit, grid.frames]) for unit in moving.tolist()]
    chains = [
        max(
            (_begun(one, level, interval, grid, random) for interval in INTERVALS),
            key=lambda chain: chain.evidence,
        )
        for one, level, random in zip(scaled, floor, randoms, strict=True)
    ]
    courses = np.array([chain.course(grid.frames) for chain in chains]).reshape(scaled.shape)
    cleaned = without_leakage(scaled, courses)
    found = [np.zeros(0) for _ in trains]
    for unit, one, chain, random in zip(moving.tolist(), cleaned, chains, randoms, strict=True):
        _draw(one, chain, grid, random, LAST_HEAT, LAST_SWEEPS)
        if free:
            chain.twitches = free_twitch(one, chain, grid)
            _draw(one, chain, grid, random, LAST_HEAT, LAST_SWEEPS, is_free=True)
        samples, counts = chain.samples
        high, reach = grid.frames * PLACES, int(REACH / grid.step)
        chosen, _ = most_agreeing(samples, counts, 0, high, reach)
        found[unit] = samples[chosen, : counts[chosen]] * grid.step
    return found


def _begun(
    train: NDArray[np.float64],
    noise: float,
    interval: float,
    grid: Grid,
    random: np.random.Generator,
) -> Chain:
    """Return a chain that began with regular firings."""
    most = int((grid.frames + grid.length) * grid.step * PLACES / REFRACTORY / 4) + 8
    state = np.zeros(8)
    state[[CONTRACTION, RATIO, INTERVAL]] = USUAL[0, CONTRACTION], USUAL[0, RATIO], interval
    state[[INTERVAL_SD, VARIATION, NOISE]] = 0.2, USUAL[0, VARIATION], noise
    state[AMPLITUDE] = usual_amplitude(interval, grid.rate)
    twitches = np.zeros((PLACES, grid.length))
    fill_twitches(
        twitches, state[CONTRACTION], state[RATIO], grid.rate, grid.together, grid.frame_rate
    )
    first = -grid.length * PLACES + 0.5 * interval / grid.step
    places = np.arange(first, grid.frames * PLACES, interval / grid.step).astype(np.int64)
    firings = np.zeros(most, np.int64)
    firings[: len(places)] = places
    chain = Chain(twitches, firings, np.full(most, state[AMPLITUDE]), len(places), state)
    _draw(train, chain, grid, random, HEAT, SWEEPS)
    return chain


def _draw(
    train: NDArray[np.float64],
    chain: Chain,
    grid: Grid,
    random: np.random.Generator,
    heat: float,
    sweeps: int,
    is_free: bool = False,
) -> None:
    """Draw further states of a chain."""
    samples = np.zeros((SAMPLES, len(chain.firings)), np.int64)
    counts, shapes = np.zeros(SAMPLES, np.int64), np.zeros((SAMPLES, 9))
    chain.count = draw_states(
        random, train, chain.twitches, chain.firings, chain.amplitudes, chain.count, chain.state,
        USUAL, _logarithms(grid), max(int(REFRACTORY / grid.step), 1), grid.rate, grid.together,
        grid.frame_rate, is_free, heat, sweeps, samples, counts, shapes,
    )  # fmt: skip
    chain.samples, chain.evidence = (samples, counts), float(shapes[::5, -1].mean())


@functools.lru_cache(maxsize=4)
def _logarithms(grid: Grid) -> NDArray[np.float64]:
    """Return the logarithm of every number of places, in s."""
    places = np.arange((grid.frames + grid.length) * PLACES + 2)
    return np.log(np.maximum(places, 0.1) * grid.step)
