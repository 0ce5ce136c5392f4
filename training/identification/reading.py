"""Trains read from a recording with the true units' own maps: what can be seen of each.

Where motion spreads, no outline tells what belongs to whom; the maps of what each unit moves do.
All maps together are fitted to every frame by least squares, which are weighted by the noise of
pixels. What comes out of a unit's train is as near to its own as its energy allows against noise,
against neighbours whose motion is alike, and against the body's.
"""

import math

import numpy as np
import scipy
from numpy.typing import NDArray

from ...simulator.errors import InputError
from ...simulator.experiment.own_maps import OwnMaps
from .metrics.trains import TRAIN_LAG_BOUND, correlate_all
from .noise import Whitened, whiten
from .slow_motion import without_slow_motion
from .units import Recording

RIDGE = 1e-6
"""Of the maps' mean energy: what is added to each one's, so that those of units that move nothing,
or all alike, can be read too."""

TRAIN_RIDGE = 1e-3
"""The same of trains, from which maps are fitted."""

TURN = 0.25
"""Maps are fitted and trains are read in turns, s: long against the time over which a chain filters
noise, and short against that over which units come and go."""

BAND = 2.5
"""Width of the bands in which it is fitted what a recording's chain leaves of velocity, Hz."""

FITS = 3
"""Times that maps and these bands are fitted in turn."""

OTHERS = 10
"""Maps of what moves besides units, read along with theirs where they are fitted: an artery,
tremor, waves. Without them 0.67 of the units of 4 `typical` subjects were read with |r| > 0.7, with
4 0.97, with 10 all, as with the simulator's own maps; of `hard` ones a quarter, with the
simulator's 0.87: where units are many and weak, fitted maps are no ceiling."""

FEWEST_FRAMES = 4
"""Frames of a turn's part for each unit, at least, that maps can be fitted from."""


def read_with(known: Whitened, own: OwnMaps) -> NDArray[np.float32]:
    """Return the units' trains, float32 (unit, time) in mm/s, read with their own maps.

    Parameters
    ----------
    known : Whitened
    own : OwnMaps
        Of its recording.
    """
    maps = own.maps.reshape(len(own.maps), -1).astype(np.float64)
    weight = 1 / known.noise.sd.ravel()
    return known.trains(read_maps(maps, weight, known.values.astype(np.float64))[own.first])


def read_crosswise(
    known: Whitened, trains: NDArray[np.floating], frame_rate: float
) -> NDArray[np.float32]:
    """Return the units' trains as read with maps that are fitted elsewhere in time.

    In turns of a quarter of a second, maps are fitted in every other one, by least squares from the
    true trains as the recording's chain leaves them, and trains are read in the others; and the
    other way round. So nothing of a train that is read comes from the truth of its own time.

    Parameters
    ----------
    known : Whitened
    trains : float array of shape (unit, time)
        The true ones, mm/s.
    frame_rate : float
        Hz.

    Returns
    -------
    float32 array of shape (unit, time)

    Raises
    ------
    InputError
        If the recording is too short for its units.
    """
    units, frames = trains.shape
    turn = max(round(TURN * frame_rate), 1)
    part = np.arange(frames) // turn % 2
    fewest = min(int((part == 0).sum()), int((part == 1).sum()))
    if fewest < FEWEST_FRAMES * units or frames < 2 * turn:
        wanted = max(2 * FEWEST_FRAMES * units, 2 * turn)
        raise InputError(
            f"recording: found {frames} frames for {units} units, wanted {wanted} or more to fit "
            "their maps in one part and read trains in the other; give a longer one"
        )
    velocity = known.trains(known.values.astype(np.float64)).astype(np.float64)  # (pixel, time)
    courses = _as_recorded(known, trains, frame_rate)
    read = np.zeros((units, frames))
    for fitted in (part == 0, part == 1):
        maps = maps_of(courses[:, fitted], velocity[:, fitted])
        left = velocity[:, fitted] - maps.T @ courses[:, fitted]
        others, left = strongest(left)
        power = np.square(left).mean(axis=1)
        weight = 1 / np.sqrt(np.maximum(power, 1e-6 * power.mean() + 1e-300))
        together = np.concatenate([maps, others * np.linalg.norm(maps) / math.sqrt(units)])
        read[:, ~fitted] = read_maps(together, weight, velocity[:, ~fitted])[:units]
    return read.astype(np.float32)


def oracle_correlation(
    recording: Recording, trains: NDArray[np.floating], own: OwnMaps | None = None
) -> NDArray[np.float64]:
    """Return how the train that can be read of each true unit correlates with its own.

    Parameters
    ----------
    recording : Recording
    trains : float array of shape (unit, time)
        The true ones, mm/s.
    own : OwnMaps, optional
        What each unit moves where; without them, maps are fitted (:func:`read_crosswise`).

    Returns
    -------
    float64 array of shape (unit,)
        0..1, at the best lag within 20 ms; NaN where it cannot be told: nothing moves, or the
        recording is too short for its units.
    """
    if not len(trains):
        return np.zeros(0)
    try:
        recording, _ = without_slow_motion(recording)
        known = whiten(recording)
        read = (
            read_crosswise(known, trains, recording.frame_rate)
            if own is None
            else read_with(known, own)
        )
    except InputError:
        return np.full(len(trains), np.nan)
    return np.abs(np.diag(correlate_all(read, trains, recording.frame_rate, TRAIN_LAG_BOUND)[0]))


def read_maps(
    maps: NDArray[np.float64], weight: NDArray[np.float64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return maps' courses by weighted least squares.

    Parameters
    ----------
    maps : float64 array of shape (map, pixel)
    weight : float64 array of shape (pixel,)
        One over each pixel's SD of noise.
    values : float64 array of shape (pixel, time or component)

    Returns
    -------
    float64 array of shape (map, time or component)
    """
    weighted = maps * weight
    gram = weighted @ weighted.T
    size = np.trace(gram) / max(len(gram), 1)
    gram += RIDGE * max(float(size), 1e-300) * np.eye(len(gram))
    return np.asarray(np.linalg.solve(gram, (weighted * weight) @ values), np.float64)


def maps_of(courses: NDArray[np.float64], velocity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what of each course each pixel holds, float64 (unit, pixel), with a little ridge."""
    gram = courses @ courses.T
    size = np.trace(gram) / max(len(gram), 1)
    gram += TRAIN_RIDGE * max(float(size), 1e-300) * np.eye(len(gram))
    return np.asarray(np.linalg.solve(gram, courses @ velocity.T), np.float64)


def strongest(
    left: NDArray[np.float64], places: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the maps that explain most of what is left, of length 1, and what they leave of it.

    Parameters
    ----------
    left : float64 array of shape (pixel, time)
    places : bool array of shape (pixel,), optional
        Where what is left has to be explained; everywhere, if not given.

    Returns
    -------
    maps : float64 array of shape (map, pixel)
    left : float64 array of shape (pixel, time)
    """
    seen = left if places is None else left[places]
    _, directions = np.linalg.eigh(seen.T @ seen)
    directions = directions[:, -OTHERS:]
    maps = left @ directions
    length = np.linalg.norm(maps, axis=0)
    return (maps / np.where(length > 0, length, 1.0)).T, left - maps @ directions.T


def _as_recorded(
    known: Whitened, trains: NDArray[np.floating], frame_rate: float
) -> NDArray[np.float64]:
    """Return true trains as the recording's chain leaves them, float64 (unit, time).

    What it leaves of each band of frequencies, for all units and pixels alike, is fitted in turn
    with the maps.
    """
    whitening = known.noise.whitening
    frequencies, frames = len(whitening), trains.shape[1]
    back = np.linalg.inv(whitening)
    velocity = known.values.astype(np.float64) @ back  # (pixel, frequency), mm/s
    true = np.asarray(scipy.fft.dct(trains.astype(np.float64), norm="ortho", axis=1))
    true = true[:, 1 : frequencies + 1]
    band = (np.arange(1, frequencies + 1) * frame_rate / (2 * frames) / BAND).astype(int)
    left = np.ones(frequencies)
    for _ in range(FITS):
        shown = maps_of(true * left, velocity).T @ true  # (pixel, frequency)
        energy = np.bincount(band, np.square(shown).sum(axis=0))
        common = np.bincount(band, (shown * velocity).sum(axis=0))
        share = np.maximum(common / np.maximum(energy, 1e-300), 0.0)
        left = (share / max(float(share.max()), 1e-300))[band]
    coefficients = np.zeros((len(trains), frames))
    coefficients[:, 1 : frequencies + 1] = true * left
    return np.asarray(scipy.fft.idct(coefficients, norm="ortho", axis=1))
