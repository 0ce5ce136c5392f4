"""What is seen of a train that may be a unit's: how often it is found, where, when, and how alike.

None of these traits takes motion to end where a territory does, or to spread in any way.
"""

import math
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from .....simulator.twitch import twitch_velocity
from ...firing import firings
from ...noise import Whitened
from ..blocks import Blocks
from ..evidence import CORE, FOOT, place_of, smoothed, upright
from .recurrence import Gathered

NAMES = (
    "support",
    "likeness",
    "ways",
    "strength",
    "share",
    "core",
    "foot",
    "trough",
    "radius",
    "halves",
    "halves-near",
    "halves-ratio",
    "thirds",
    "skewness",
    "kurtosis",
    "variation",
    "rate",
    "pulses",
    "contrast",
)
"""Names of the traits, in their order; see :func:`traits_of`."""

NEAR = 2.0
"""Surroundings of a place in which halves are compared, mm."""

CONTRACTION_TIMES = (60.0, 80.0, 100.0)
"""Of the twitches that a train is compared with, ms."""

UNKNOWN_VARIATION = 1.5
"""Of intervals, where there are fewer than four."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Seen:
    """Trains, upright, and what is seen of them.

    Parameters
    ----------
    trains : float64 array of shape (train, component)
        Whitened components; of such a sign that the map's peak is positive.
    courses : float32 array of shape (train, time)
        mm/s, of any scale.
    centres : float64 array of shape (train, 2)
        Of the place where the map is above half its peak: depth and width, mm.
    radii : float64 array of shape (train,)
        Of a disc of that place's area, mm.
    traits : float64 array of shape (train, trait)
        By :data:`NAMES`.
    """

    trains: Floats
    courses: NDArray[np.float32]
    centres: Floats
    radii: Floats
    traits: Floats


def traits_of(
    found: Whitened, blocks: Blocks, gathered: Gathered, noise: float, frame_rate: float
) -> Seen:
    """Return what is seen of gathered trains.

    - support, likeness, ways: how often a train was found (logarithm), how alike, and in how many
      ways;
    - strength: the logarithm of its map's peak over noise; share: of the energy at the peak's place
      that is the train's; contrast: the logarithm of the peak over the map's mean size;
    - core, foot, trough, radius: shares of the map's squares in the connected place around its peak
      above half and above a tenth of it; the deepest trough over the peak; the logarithm of the
      place's radius in mm;
    - halves, halves-near, halves-ratio, thirds: correlation of the maps of both halves of the
      recording, all over the image and around the peak; size of the logarithm of the ratio of what
      they hold there; the least third's share of the largest's;
    - skewness and kurtosis of the course; variation of the intervals of its firings, and their rate
      (Hz); pulses: share of the course that equal twitches at these firings explain.

    Parameters
    ----------
    found : Whitened
    blocks : Blocks
        Of the recording.
    gathered : Gathered
        In the coefficients of a cosine transform over time that the recording's noise is known in.
    noise : float
        Largest singular value of noise.
    frame_rate : float
        Hz.
    """
    trains = gathered.trains @ found.noise.whitening
    trains /= np.maximum(np.sqrt(np.square(trains).sum(axis=1)), 1e-300)[:, None]
    maps = blocks.images((blocks.values @ trains.T).T)
    smooth = np.array([smoothed(one, blocks.size) for one in maps]).reshape(maps.shape)
    sign = np.array([upright(one) for one in smooth]).reshape(len(maps))
    trains, smooth = trains * sign[:, None], smooth * sign[:, None, None]
    courses = found.trains(trains)
    where, centres, radii = _in_space(smooth, blocks, noise)
    cores = np.array([place_of(one, CORE) for one in smooth], np.bool_).reshape(smooth.shape)
    alike = _in_parts(found, blocks, courses, cores)
    when = _in_time(courses, frame_rate)
    support = gathered.support.copy()
    support[:, 0] = np.log(support[:, 0])
    traits = np.column_stack([support, where[:, :-1], alike, when, where[:, -1]])
    return Seen(trains, courses, centres, radii, traits)


def _in_space(smooth: Floats, blocks: Blocks, noise: float) -> tuple[Floats, Floats, Floats]:
    """Return strength, share, core, foot, trough, radius and contrast; centres; and radii."""
    whole = smoothed(blocks.images(_length(blocks.values)[None])[0], blocks.size)
    area = math.prod(blocks.size)
    rows, centres = np.zeros((len(smooth), 7)), np.zeros((len(smooth), 2))
    radii = np.zeros(len(smooth))
    for unit, image in enumerate(smooth):
        top = max(float(image.max()), 1e-300)
        core, foot = place_of(image, CORE), place_of(image, FOOT)
        squares = np.square(image)
        energy = max(float(squares.sum()), 1e-300)
        radii[unit] = math.sqrt(core.sum() * area / math.pi)
        centres[unit] = (np.argwhere(core).mean(axis=0) + 0.5) * blocks.size
        rows[unit] = (
            math.log(max(top / max(noise, 1e-300), 1e-9)),
            float((squares[core] / np.maximum(np.square(whole[core]), 1e-300)).max()),
            squares[core].sum() / energy,
            squares[foot].sum() / energy,
            max(-float(image.min()), 0.0) / top,
            math.log(radii[unit]),
            math.log(top / max(float(np.abs(image).mean()), 1e-300)),
        )
    return rows, centres, radii


def _in_parts(
    found: Whitened, blocks: Blocks, courses: NDArray[np.float32], cores: NDArray[np.bool_]
) -> Floats:
    """Return how alike a train's maps are in parts of the recording, float64 (train, 4)."""
    frames = courses.shape[1]
    thirds = [slice(frames * part // 3, frames * (part + 1) // 3) for part in range(3)]
    halves = [slice(0, frames // 2), slice(frames // 2, frames)]
    first, second = (_maps_in(found, blocks, courses, part) for part in halves)
    kept = cores.reshape(len(cores), len(blocks.values))
    reach = [max(round(NEAR / size), 1) for size in blocks.size]
    around = scipy.ndimage.maximum_filter(cores, size=(1, *(2 * n + 1 for n in reach)))
    around = np.asarray(around).reshape(kept.shape)
    inside = np.array([_mean_in(_maps_in(found, blocks, courses, part), kept) for part in thirds])
    top = np.maximum(inside.max(axis=0, initial=0.0), 1e-300)
    levels = [np.maximum(_mean_in(half, kept), 1e-12) for half in (first, second)]
    ratio = np.abs(np.log(levels[0] / levels[1]))
    return np.column_stack(
        [
            _correlation(first, second, np.ones(kept.shape, bool)),
            _correlation(first, second, around),
            np.minimum(ratio, 3.0),
            np.clip(inside.min(axis=0, initial=np.inf) / top, -1.0, 1.0),
        ]
    )


def _maps_in(found: Whitened, blocks: Blocks, courses: NDArray[np.float32], part: slice) -> Floats:
    """Return how much of each course each block holds in part of the time, (train, block)."""
    own = np.zeros(courses.shape)
    own[:, part] = courses[:, part]
    energy = np.maximum(np.square(own).sum(axis=1), 1e-300)
    return found.products(blocks.values, own).T / energy[:, None]


def _mean_in(maps: Floats, places: NDArray[np.bool_]) -> Floats:
    return np.asarray((maps * places).sum(axis=1) / np.maximum(places.sum(axis=1), 1))


def _correlation(one: Floats, two: Floats, places: NDArray[np.bool_]) -> Floats:
    """Return the correlation of maps (map, block) over some blocks each."""
    first, second = (np.where(places, each - _mean_in(each, places)[:, None], 0.0)
                     for each in (one, two))  # fmt: skip
    return (first * second).sum(axis=1) / np.maximum(_length(first) * _length(second), 1e-300)


def _length(rows: Floats) -> Floats:
    return np.sqrt(np.square(rows).sum(axis=1))


def _in_time(courses: NDArray[np.float32], frame_rate: float) -> Floats:
    """Return skewness, kurtosis, variation of intervals, rate and pulses, float64 (train, 5)."""
    centred = courses.astype(np.float64) - courses.mean(axis=1, dtype=np.float64)[:, None]
    frames = centred.shape[1]
    centred *= math.sqrt(frames) / np.maximum(_length(centred), 1e-300)[:, None]
    instants = firings(courses, frame_rate)
    rows = np.zeros((len(courses), 5))
    for unit, padded in enumerate(instants):
        firing = padded[~np.isnan(padded)]
        intervals = np.diff(firing)
        variation = UNKNOWN_VARIATION
        if len(intervals) > 3:
            variation = float(intervals.std() / intervals.mean())
        rows[unit, 2:4] = variation, len(firing) * frame_rate / frames
    rows[:, 0] = (centred**3).mean(axis=1)
    rows[:, 1] = (centred**4).mean(axis=1)
    rows[:, 4] = pulses(centred, instants, frame_rate)
    return rows


def pulses(courses: Floats, instants: Floats, frame_rate: float) -> Floats:
    """Return what share of courses equal twitches at given instants explain, float64 (train,).

    Parameters
    ----------
    courses : float64 array of shape (train, time)
        Of mean 0.
    instants : float64 array of shape (train, pulse)
        s, padded with NaN.
    frame_rate : float
        Hz.
    """
    frames = courses.shape[1]
    hits = np.zeros((len(courses), frames + 1))
    unit, pulse = np.nonzero(~np.isnan(instants))
    place = np.clip(instants[unit, pulse] * frame_rate, 0.0, frames - 1e-6)
    whole = place.astype(int)
    np.add.at(hits, (unit, whole), 1 - (place - whole))
    np.add.at(hits, (unit, whole + 1), place - whole)
    spectrum = np.fft.rfft(hits[:, :frames], 2 * frames, axis=1)
    energy = np.maximum(np.square(courses).sum(axis=1), 1e-300)
    best = np.zeros(len(courses))
    for contraction_time in CONTRACTION_TIMES:
        twitch = twitch_velocity(np.arange(frames) / frame_rate, contraction_time=contraction_time)
        fitted = np.fft.irfft(spectrum * np.fft.rfft(twitch, 2 * frames), axis=1)[:, :frames]
        fitted -= fitted.mean(axis=1, keepdims=True)
        product = (fitted * courses).sum(axis=1)
        own = np.square(fitted).sum(axis=1)
        share = np.square(np.maximum(product, 0.0)) / np.maximum(own * energy, 1e-300)
        best = np.maximum(best, share)
    return best
