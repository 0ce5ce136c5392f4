"""Firing instants and the unit's twitch from a train, together, where twitches fuse as well.

A train is a sum of twitches, at instants whose intervals are fairly regular, and noise. For several
firing rates, and for twitches that are all alike or vary, the likeliest firings are found frame by
frame (:mod:`.firing_paths_kernels`). The twitch is fitted to those that explain the train best, and
they are sought again, more widely. A recording that was band-passed shows twitches so: the same is
done to those that are fitted in the end.
"""

import dataclasses
import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...simulator.imaging.filtering import BandPass
from .firing_fits import Fit, fitted, free_twitch
from .firing_paths_kernels import PLACES, likeliest_firings
from .firing_priors import interval_probabilities, usual_amplitude
from .firings import check_recording
from .leakage import without_leakage
from .twitch_shapes import (
    TWITCH_LENGTH,
    Grid,
    Shapes,
    band_seen,
    shapes_of,
    varied,
    whole_step,
)

RATE = 100.0
"""Faster recordings are averaged down to no less than this, Hz: velocity of a twitch of 50 ms has
1/1000 of its power beyond half of it."""

REFRACTORY = 0.008
"""Shortest interval that is looked for, s."""

INTERVALS = tuple(1 / np.geomspace(7.5, 42.0, 10))
"""Mean intervals that are tried, s: neighbours differ by 0.21 of them."""

CONTRACTION = 0.0825
"""Usual contraction time, s: the middle of 75-90 ms (Rohlén et al. 2020)."""

VARIED = 0.1
"""How much the size and duration of twitches may vary, where alike ones explain a train badly: of
twitches that vary by 0.2, more firings are told with this than with 0.2, which lets rates be
mistaken."""

VARIED_INTERVALS = tuple(1 / np.geomspace(7.5, 42.0, 7))
"""Mean intervals that are tried with these, s."""

WELL = 0.6
"""Log evidence a frame from which on alike twitches explain a train well: of plain sequences, all
at 8-13 Hz and most at 15-20 Hz."""

MARGIN = 10.0
"""Alike twitches have to explain a train better than varied ones by so much, as log evidence: these
are followed in fewer histories, and what is mistaken for alike loses more."""

FREE_MARGIN = 10.0
"""A twitch of any form has to explain a train better than one of the family by so much."""

NOISE, VARIED_NOISE = 0.03, 0.01
"""Share of a train's energy that a twitch of the usual form may leave."""

LEAST_NOISE = 0.015
"""The same of a twitch that was fitted, at least."""

WIDTH, VARIED_WIDTH, LAST_WIDTH = 48, 24, 96
"""Histories that are followed at first, of varied twitches, and about what is likeliest."""

FOLLOWING = 3
"""Last firings whose twitches are not settled yet."""

ABOUT = (0.9, 1.0, 1.11)
"""Intervals that are tried again, over the likeliest."""

SURE = 0.5
"""Log evidence a frame from which on firings are believed rather than regular ones of least squares
on a grid: of analytic sequences at 8-13 Hz, all that were found had more, and of other makers',
whose twitches are of another form, none, though a fifth of theirs were right."""

BADLY = 0.05
"""Where the family leaves more of a train's energy, known firings stay where they are."""

UNKNOWN_START = 0.06
"""What came before a recording is forgotten after about this time, s."""

PIECE = 4.0
"""Longer recordings are taken in pieces, s."""


@dataclass(frozen=True)
class Found:
    """Firings of a train, and what was assumed.

    Parameters
    ----------
    places : int64 array of shape (firing,)
        Onsets, rising, see :data:`.firing_paths_kernels.PLACES`.
    evidence : float
        Log density of the train, however it fired.
    interval : float
        Mean interval, s.
    variation : float
        SD of the size and of the duration of twitches, over their means.
    """

    places: NDArray[np.int64]
    evidence: float
    interval: float
    variation: float = 0.0


def deconvolve(
    train: NDArray[np.float32],
    frame_rate: float,
    known: NDArray[np.float64] | None = None,
    *,
    free: bool = False,
    band: BandPass | None = None,
) -> NDArray[np.float64]:
    """Find the firing instants of trains, and each unit's twitch.

    Parameters
    ----------
    train : float32 array of shape (unit, time)
        Velocity, mm/s, of units that move at one time; what leaks from one to another is taken off.
    frame_rate : float
        Hz.
    known : float64 array of shape (unit, pulse), optional
        Firings that trains keep, s, unless twitches explain them well: then others are found, or
        these fitted. Trains without are NaN throughout.
    free : bool
        Whether twitches take any form in the end, not one of the family alone.
    band : BandPass, optional
        What the recording was passed through, forwards and backwards. Without, it is told from the
        trains, see :func:`.twitch_shapes.band_seen`.

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
    known = np.full((len(train), 0), np.nan) if known is None else known
    band = band_seen(train, frame_rate) if band is None else band
    grid = Grid(frame_rate, max(int(frame_rate // RATE), 1), band)
    count = train.shape[1] // grid.together
    coarse = train[:, : count * grid.together].astype(np.float64)
    coarse = coarse.reshape(len(train), count, -1).mean(axis=2)
    pieces = max(round(count / (PIECE * grid.rate)), 1)
    edges = np.linspace(0, count, pieces + 1).astype(int)
    around = math.ceil(TWITCH_LENGTH * grid.rate)
    found: list[list[NDArray[np.float64]]] = [[] for _ in train]
    for start, stop in itertools.pairwise(edges):
        # A piece begins before its first instant and goes on after its last, to see whole twitches.
        first = max(start - around, 0)
        low = start / grid.rate if start else 0.0
        high = stop / grid.rate if stop < count else train.shape[1] / frame_rate
        shift, part = first / grid.rate + grid.delay, coarse[:, first : stop + around]
        for unit, instants in enumerate(_instants(part, known - shift, grid, free)):
            times = instants + shift
            found[unit].append(times[(times >= low) & (times < high)])
    rows = [np.concatenate(times) for times in found]
    padded = np.full((len(train), max((len(times) for times in rows), default=0)), np.nan)
    for row, times in zip(padded, rows, strict=True):
        row[: len(times)] = times
    return padded


def _instants(
    trains: NDArray[np.float64], known: NDArray[np.float64], grid: Grid, free: bool
) -> list[NDArray[np.float64]]:
    """Return the instants of one piece of all trains, s after its first frame's middle."""
    trains = trains - trains.mean(axis=1)[:, None]
    size = np.sqrt(np.square(trains).mean(axis=1))
    moving = np.flatnonzero(size > 0)
    scaled = trains[moving] / size[moving, None]
    given = [_given(known[unit], trains.shape[1], grid) for unit in moving]
    # Twitches of a band-pass are long and begin before their onset: paths are followed with those
    # that it did not touch, which differ little in the middle, and fits are made with its own.
    plain = dataclasses.replace(grid, band=None)
    begun = [_sought(one, plain) for one in scaled]
    kept = [
        row is not None and best.evidence < SURE * trains.shape[1]
        for row, best in zip(given, begun, strict=True)
    ]
    fits = [_fitted(one, best, plain) for one, best in zip(scaled, begun, strict=True)]
    courses = np.array([fit.course for fit in fits]).reshape(scaled.shape)
    cleaned = without_leakage(scaled, courses)
    found = [np.zeros(0) for _ in trains]
    for place, (unit, one) in enumerate(zip(moving.tolist(), cleaned, strict=True)):
        known_best = given[place] if kept[place] else None
        best = known_best or _sought_again(one, begun[place], fits[place], plain)
        last = _fitted(one, best, grid)
        if known_best is not None and last.noise > BADLY:
            last = dataclasses.replace(last, places=best.places.astype(np.float64))
        elif known_best is None and free:
            last = _with_free_twitch(one, best, fits[place].noise, last, grid)
        found[unit] = last.places * grid.step
    return found


def _given(known: NDArray[np.float64], frames: int, grid: Grid) -> Found | None:
    """Return firings that are known, if there are enough in this piece."""
    places = np.rint(known[~np.isnan(known)] / grid.step).astype(np.int64)
    places = places[(places >= 0) & (places < frames * PLACES)]
    if len(places) < 2:
        return None
    return Found(places, 0.0, float(np.diff(places).mean()) * grid.step)


def _sought(train: NDArray[np.float64], grid: Grid) -> Found:
    """Return the likeliest firings with the usual twitch, of all rates and variations."""
    usual = whole_step(CONTRACTION)
    shapes = shapes_of(usual, 0.0, grid)
    alike = [_path(train, grid, shapes, one, 0.0, NOISE, WIDTH) for one in INTERVALS]
    best = max(alike, key=lambda one: one.evidence)
    if best.evidence > WELL * len(train):
        return best
    shapes = shapes_of(usual, VARIED, grid)
    varied = [
        _path(train, grid, shapes, one, VARIED, VARIED_NOISE, VARIED_WIDTH)
        for one in VARIED_INTERVALS
    ]
    other = max(varied, key=lambda one: one.evidence)
    return best if best.evidence > other.evidence + MARGIN else other


def _sought_again(train: NDArray[np.float64], best: Found, fit: Fit, grid: Grid) -> Found:
    """Return the likeliest firings about those that were found, with the twitch fitted to them."""
    shapes = shapes_of(fit.step, best.variation, grid)
    return _path_about(train, grid, shapes, best, fit.noise)


def _with_free_twitch(
    train: NDArray[np.float64], best: Found, left: float, fit: Fit, grid: Grid
) -> Fit:
    """Return a fit with a twitch of any smooth form, if the train is likelier with it."""
    if grid.band is not None or best.variation:
        return fit
    twitch = free_twitch(train, fit, grid)
    shapes = varied(twitch[None], np.ones(1), 0.0)
    again = _path_about(train, grid, shapes, best, left)
    if again.evidence < best.evidence + FREE_MARGIN:
        return fit
    return fitted(train, again.places, again.interval, 0.0, grid, fit.step, twitch)


def _path_about(
    train: NDArray[np.float64], grid: Grid, shapes: Shapes, best: Found, left: float
) -> Found:
    noise = min(max(1.5 * left, LEAST_NOISE), NOISE)
    tried = [
        _path(train, grid, shapes, best.interval * share, best.variation, noise, LAST_WIDTH)
        for share in ABOUT
    ]
    return max(tried, key=lambda one: one.evidence)


def _path(
    train: NDArray[np.float64], grid: Grid, shapes: Shapes, interval: float, variation: float,
    noise: float, width: int,
) -> Found:  # fmt: skip
    """Return the likeliest firings of a mean interval."""
    densities, survivals = interval_probabilities(interval, grid.step)
    amplitude = usual_amplitude(interval, grid.step, shapes)
    frames = noise + 0.5 * np.exp(-np.arange(len(train)) / (UNKNOWN_START * grid.rate))
    places, evidence = likeliest_firings(
        np.random.default_rng(0), train, frames, amplitude * shapes.twitch,
        amplitude * shapes.bases, shapes.variances, FOLLOWING if len(shapes.bases) else 1,
        densities, survivals, max(round(REFRACTORY / grid.step), 1), width,
    )  # fmt: skip
    return Found(places, evidence, interval, variation)


def _fitted(train: NDArray[np.float64], found: Found, grid: Grid) -> Fit:
    usual = whole_step(CONTRACTION)
    variation = 0.0 if grid.band else found.variation
    return fitted(train, found.places, found.interval, variation, grid, usual)
