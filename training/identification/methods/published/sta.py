"""Spike-triggered averages: maps and twitches of units whose firings are known."""

import math

import numpy as np
from numpy.typing import NDArray

from .....simulator.errors import InputError
from ...units import Recording, Units, none
from ..sharp import plateau
from .descriptions import StaSettings
from .pooling import LEVEL, without_specks
from .preparing import check_recording

SHIFTS = 8
"""Averages of shifted firings that the confidence compares with."""

Floats = NDArray[np.float64]


def sta(recording: Recording, settings: StaSettings, events: Floats) -> Units:
    """Find the maps and twitches of units whose firings are known.

    Parameters
    ----------
    recording : Recording
    settings : StaSettings
    events : float64 array of shape (unit, pulse)
        Instants, s, padded with NaN; before 0 and after the end some may lie.

    Raises
    ------
    InputError
        If no unit fires often enough, or units cannot be sought in the recording.
    """
    check_recording(recording)
    frames, rate = len(recording.tvi), recording.frame_rate
    inside = np.sort(np.where((events >= 0) & (events < frames / rate), events, np.nan), axis=1)
    counts = (~np.isnan(inside)).sum(axis=1)
    enough = np.flatnonzero(counts >= settings.triggers)
    if not enough.size:
        raise InputError(
            f"events: found {int(counts.max(initial=0))} firings of a unit at most in "
            f"{frames / rate:.3g} s, wanted {settings.triggers} or more; give a longer recording "
            "or set fewer `settings.triggers`"
        )
    lags = np.arange(-round(settings.before / 1e3 * rate), round(settings.after / 1e3 * rate) + 1)
    flat = recording.tvi.reshape(frames, -1)
    centred = flat - flat.mean(axis=0)
    territories, trains, kept, confidence = [], [], [], []
    for unit in enough:
        onsets = events[unit][~np.isnan(events[unit])]
        image, twitch, certainty = averaged(centred, onsets, rate, lags)
        sign = -1.0 if (image**3).sum() < 0 else 1.0
        level = sign * plateau(image * sign)
        image, twitch = image / level, twitch * level
        mask = without_specks((image > LEVEL).reshape(recording.tvi.shape[1:]))
        if not mask.any():
            continue
        image = np.clip(image, 0, 1).reshape(mask.shape)
        territories.append(np.where(mask, image, 0))
        trains.append(_train(onsets, twitch, lags, frames, rate))
        confidence.append(certainty)
        kept.append(unit)
    if not kept:
        return none(recording)
    order = np.argsort(-np.array(confidence), kind="stable")
    firing = inside[np.array(kept)[order]]
    return Units(
        territory=np.array(territories, np.float32)[order],
        train=np.array(trains, np.float32)[order],
        firing=firing[:, : max(int(counts[kept].max()), 1)],
        confidence=np.array(confidence)[order],
    )


def averaged(
    velocity: NDArray[np.float32], onsets: Floats, rate: float, lags: NDArray
) -> tuple[Floats, Floats, float]:
    """Return the map, the twitch and the certainty of the average velocity around firings.

    Parameters
    ----------
    velocity : float32 array of shape (time, pixel)
        mm/s; each pixel of mean 0.
    onsets : float64 array of shape (pulse,)
        s.
    rate : float
        Frames a second, Hz.
    lags : int64 array of shape (lag,)
        Frames after a firing.

    Returns
    -------
    image : float64 array of shape (pixel,)
    twitch : float64 array of shape (lag,)
        Of length 1.
    certainty : float
        The share of the average's strongest direction that shifted firings do not give, 0..1.
    """
    image, twitch, size = _strongest(_average(velocity, onsets, rate, lags))
    seconds = len(velocity) / rate
    chance = max(
        _strongest(_average(velocity, _shifted(onsets, seconds, shift), rate, lags))[2]
        for shift in range(1, SHIFTS + 1)
    )
    return image, twitch, max(1 - (chance / max(size, 1e-30)) ** 2, 0.0)


def _average(velocity: NDArray[np.float32], onsets: Floats, rate: float, lags: NDArray) -> Floats:
    """Return the mean velocity (lag, pixel) around firings, of those frames that there are."""
    mean = np.zeros((len(lags), velocity.shape[1]))
    count = np.zeros(len(lags))
    for onset in onsets:
        frame = round(onset * rate) + lags
        there = (frame >= 0) & (frame < len(velocity))
        mean[there] += velocity[frame[there]]
        count += there
    mean /= np.maximum(count, 1)[:, None]
    # What moves all the while is no twitch.
    return mean - mean.mean(axis=0)


def _shifted(onsets: Floats, seconds: float, shift: int) -> Floats:
    """Return the firings inside a recording, moved on and round its end."""
    own = onsets[(onsets >= 0) & (onsets < seconds)]
    return (own + seconds * shift / (SHIFTS + 1)) % seconds


def _strongest(average: Floats) -> tuple[Floats, Floats, float]:
    """Return the map, the course and the size of what is strongest in an average (lag, pixel)."""
    energy, courses = np.linalg.eigh(average @ average.T)
    size = math.sqrt(max(float(energy[-1]), 0.0))
    return average.T @ courses[:, -1], courses[:, -1], size


def _train(onsets: Floats, twitch: Floats, lags: NDArray, frames: int, rate: float) -> Floats:
    """Return the velocity of a twitch at each firing, float64 (time,)."""
    time = np.arange(frames) / rate
    train = np.zeros(frames)
    for onset in onsets:
        train += np.interp(time - onset, lags / rate, twitch, left=0.0, right=0.0)
    return train
