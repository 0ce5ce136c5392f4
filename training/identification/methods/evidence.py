"""What tells units from chance, texture and copies of other units.

A unit's map is one place that moves together, in both halves of the recording, more than noise
does; its train is not another's once more, nor a mixture of others'. How far each of these signs
can be trusted is learned from recordings of several makers (``python -m benchmarks.identification
--fit``), so that what comes out is a probability.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, label, uniform_filter1d

from .candidates import Candidates

SMOOTHING = 0.6
"""SD of the Gaussian over which a map is smoothed before it is looked at, mm."""

CORE, FOOT = 0.5, 0.1
"""Levels, as shares of a map's peak, at which the place around the peak is cut out."""

WEIGHTS = (-4.228, 0.211, 4.423, 1.107, -0.013, 0.516)
"""Of 1 and of the signs: log odds that a candidate is a unit (its train's correlation with a true
one exceeds 0.8). Learned, as CERTAINTY is, by ``python -m benchmarks.identification --fit``."""

CERTAINTY = (1.096, 0.952)
"""Of 1 and of these log odds: log odds that a candidate which was chosen is a unit. Most that are
no units are copies or mixtures, and those are left out."""

SAME_TRAIN = 0.7
"""Correlation, without its sign, of trains that are one unit's."""

LAG = 0.05
"""Largest lag at which trains are compared, s: waves take less to cross a unit's surroundings."""

MIXTURE = 0.5
"""Share of a train's energy, beyond chance, that others explain if it is mixed of them."""

UNIT_RADII = (0.8, 9.0)
"""Radii that the place of a unit's map may have, mm: from a quarter of the smallest disc that is in
the image to the largest (2.5-10 mm across, Ali et al. 2020) with motion that spreads as far again.
What is smaller is a flaw of single pixels, what is larger moves the whole image."""

SURROUNDINGS = (1.5, 2.0)
"""A unit's copies lie within this many times both radii, and so much more, mm."""

BURST = 0.1
"""Time over which a train's power is averaged, s."""

BURSTS = 0.75
"""Share of a train's power in the busiest third of the time if it comes in bursts; that of a unit
that fires at 6 Hz or more is about a half."""

OVERLAP = 0.5
"""Time that must be left to compare a train with itself, s."""

BEATS = (0.55, 1.6)
"""Intervals of heartbeats, s."""

BEAT = 0.6
"""Correlation of a train with itself one heartbeat later."""


def signs_of(
    candidates: Candidates, noise: float, size: tuple[float, float]
) -> NDArray[np.float64]:
    """Return the signs by which units are told, float64 (candidate, 5).

    They are the log odds of the map's stability; the shares of its squares in the connected place
    around its peak above half and above a tenth of it; its deepest trough over its peak; and the
    logarithm of its singular value over that of noise.

    Parameters
    ----------
    candidates : Candidates
    noise : float
        The largest singular value of noise.
    size : (float, float)
        Of a block, mm.
    """
    trains, maps = candidates.trains, candidates.maps
    strength = np.sqrt(np.square(trains).sum(axis=1) * np.square(maps).sum(axis=(1, 2)))
    odds = np.log((candidates.stability + 0.02) / (1.02 - candidates.stability))
    shapes = np.array([_shape(image, size) for image in maps]).reshape(-1, 3)
    above = np.log(np.maximum(strength / max(noise, 1e-30), 1e-6))
    return np.column_stack([odds, shapes, above])


def _shape(image: NDArray[np.float64], size: tuple[float, float]) -> tuple[float, float, float]:
    smooth = smoothed(image, size)
    smooth *= upright(smooth)
    top, whole = float(smooth.max()), float(np.square(smooth).sum())
    if not top > 0:
        return 0.0, 0.0, 1.0
    core, foot = (
        float(np.square(smooth[place_of(smooth, level)]).sum()) / whole for level in (CORE, FOOT)
    )
    return core, foot, max(-float(smooth.min()), 0.0) / top


def smoothed(image: NDArray[np.float64], size: tuple[float, float]) -> NDArray[np.float64]:
    """Return a map smoothed over less than a unit."""
    return np.asarray(gaussian_filter(image, (SMOOTHING / size[0], SMOOTHING / size[1])))


def upright(image: NDArray[np.float64]) -> float:
    """Return -1 where a map is deeper than high, else 1."""
    return -1.0 if -float(image.min()) > float(image.max()) else 1.0


def place_of(image: NDArray[np.float64], level: float) -> NDArray[np.bool_]:
    """Return the connected place around a map's peak above a share of it, bool (depth, width)."""
    parts: NDArray[np.int64] = np.zeros(image.shape, np.int64)
    label(image > level * image.max(), output=parts)
    return parts == parts[np.unravel_index(int(image.argmax()), image.shape)]


def probability(signs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how probably each candidate is a unit, float64 (candidate,), from its signs."""
    odds = WEIGHTS[0] + signs @ np.array(WEIGHTS[1:])
    return np.asarray(1 / (1 + np.exp(-odds)))


def certainty(signs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how probably each candidate that was chosen is a unit, float64 (candidate,)."""
    odds = WEIGHTS[0] + signs @ np.array(WEIGHTS[1:])
    return np.asarray(1 / (1 + np.exp(-(CERTAINTY[0] + CERTAINTY[1] * odds))))


def chosen(
    probabilities: NDArray[np.float64],
    courses: NDArray[np.floating],
    frame_rate: float,
    least: float,
    first: NDArray[np.int64] | None = None,
    beside: NDArray[np.bool_] | None = None,
) -> tuple[list[int], list[int]]:
    """Choose candidates, the likeliest first, that are no copies or mixtures of those before.

    Parameters
    ----------
    probabilities : float64 array of shape (candidate,)
    courses : float array of shape (candidate, time)
        Their trains over time.
    frame_rate : float
        Hz.
    least : float
        Probability below which none is chosen.
    first : int64 array, optional
        Candidates that come before all others.
    beside : bool array of shape (candidate, candidate), optional
        Which lie so near to which that one may be the other's copy; all, if not given. Units that
        fire at like rates may have like trains by chance: at a distance, that makes none a copy.

    Returns
    -------
    chosen : list of int
    copies : list of int
        Candidates that would have been chosen but for one that they repeat.
    """
    if not len(courses):
        return [], []
    unit_courses = courses - courses.mean(axis=1, keepdims=True)
    length = np.sqrt(np.square(unit_courses).sum(axis=1))
    unit_courses = unit_courses / np.maximum(length, 1e-30)[:, None]
    freedom = degrees_of_freedom(unit_courses)
    rank = probabilities.copy()
    if first is not None:
        rank[first] += 1.0
    taken: list[int] = []
    copies: list[int] = []
    for candidate in np.argsort(-rank, kind="stable"):
        if probabilities[candidate] < least:
            continue
        if taken:
            course = unit_courses[candidate]
            near = taken if beside is None else [one for one in taken if beside[candidate, one]]
            likeness = likeness_of(course, unit_courses[near], round(LAG * frame_rate))
            basis, _ = np.linalg.qr(unit_courses[taken].T)
            explained = float(np.square(basis.T @ course).sum())
            chance = min(len(taken) / freedom, 0.9)
            mixed = (explained - chance) / (1 - chance) > MIXTURE
            if likeness > SAME_TRAIN or mixed:
                if likeness > SAME_TRAIN:
                    copies.append(int(candidate))
                continue
        taken.append(int(candidate))
    return taken, copies


def places_of(
    maps: NDArray[np.float64], size: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where maps are above half their peak.

    Parameters
    ----------
    maps : float64 array of shape (map, depth, width)
    size : (float, float)
        Of a block, mm.

    Returns
    -------
    centres : float64 array of shape (map, 2)
        Depth and width, mm.
    radii : float64 array of shape (map,)
        Of the disc of the place's area, mm.
    """
    centres, radii = np.zeros((len(maps), 2)), np.zeros(len(maps))
    for number, image in enumerate(maps):
        smooth = smoothed(image, size)
        place = place_of(smooth * upright(smooth), CORE)
        centres[number] = (np.argwhere(place).mean(axis=0) + 0.5) * size
        radii[number] = math.sqrt(place.sum() * math.prod(size) / math.pi)
    return centres, radii


def are_beside(centres: NDArray[np.float64], radii: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which places lie so near to one another that one may be the other's copy.

    Returns
    -------
    bool array of shape (map, map)
    """
    away = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    return away <= SURROUNDINGS[0] * (radii[:, None] + radii[None]) + SURROUNDINGS[1]


def likeness_of(course: NDArray[np.floating], others: NDArray[np.floating], reach: int) -> float:
    """Return the largest correlation, without its sign and at any lag, of a course with others.

    Parameters
    ----------
    course : float array of shape (time,)
    others : float array of shape (other, time)
        All of length 1.
    reach : int
        Largest lag, frames.
    """
    frames = len(course)
    reach = min(reach, frames - 1)
    spectrum = np.fft.rfft(course, 2 * frames)
    lagged = np.fft.irfft(np.fft.rfft(others, 2 * frames, axis=1).conj() * spectrum, axis=1)
    near = np.concatenate([lagged[:, : reach + 1], lagged[:, 2 * frames - reach :]], axis=1)
    return float(np.abs(near).max(initial=0.0))


def degrees_of_freedom(courses: NDArray[np.floating]) -> float:
    """Return how many independent values a course of such a spectrum has, 10 or more."""
    power = np.square(np.abs(np.fft.rfft(courses, axis=1))).mean(axis=0)
    return max(2 * float(power.sum() ** 2 / max(np.square(power).sum(), 1e-300)), 10.0)


def is_pulse(course: NDArray[np.floating], frame_rate: float) -> bool:
    """Tell whether a train repeats as heartbeats do, so that it is an artery's.

    A vessel moves for a short while with every beat, and as it did the beat before; a unit fires
    all the time, at intervals that vary. In a recording of less than two beats nothing is told.

    Parameters
    ----------
    course : float array of shape (time,)
    frame_rate : float
        Hz.
    """
    frames = len(course)
    centred = course - course.mean()
    first, last = (round(beat * frame_rate) for beat in BEATS)
    last = min(last, frames - round(OVERLAP * frame_rate))
    power = np.sort(uniform_filter1d(np.square(centred), max(round(BURST * frame_rate), 1)))
    busiest = power[-(frames // 3) :].sum() / max(float(power.sum()), 1e-300)
    if last <= first or busiest < BURSTS:
        return False
    likeness = []
    for lag in range(first, last + 1, max(int(frame_rate / 200), 1)):
        one, two = course[lag:], course[: frames - lag]
        one, two = one - one.mean(), two - two.mean()
        # Windows in which next to nothing moves are alike by chance.
        scale = math.sqrt(float(one @ one) * float(two @ two))
        scale = max(scale, 0.1 * float(centred @ centred), 1e-30)
        likeness.append(float(one @ two) / scale)
    return max(likeness) > BEAT
