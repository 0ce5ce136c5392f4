"""Constructed recordings whose units are known."""

import numpy as np

from musim.simulator.twitch import twitch_velocity
from musim.training.identification.units import Recording

RATE = 200.0


def trains(rates, seconds, seed=0, frame_rate=RATE, variation=0.15):
    """Return twitch trains (unit, time) of mean peak 1 at some rates, and their firings."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * frame_rate)) / frame_rate
    found, firing = [], []
    for rate in rates:
        steps = np.abs(random.normal(1, variation, int(2 * seconds * rate) + 4)) / rate
        onsets = np.cumsum(steps) - random.uniform(0, 1 / rate)
        onsets = onsets[(onsets >= 0) & (onsets < seconds - 0.05)]
        train = twitch_velocity(time - onsets[:, None], contraction_time=60.0).sum(axis=0)
        found.append(train / np.abs(train).max())
        firing.append(onsets)
    return np.array(found), firing


def boxes(size, places):
    """Return territories (unit, depth, width) that are boxes (top, left, height, width)."""
    found = np.zeros((len(places), *size))
    for unit, (top, left, height, width) in enumerate(places):
        found[unit, top : top + height, left : left + width] = 1
    return found


def recorded(territory, train, noise=0.05, seed=1, frame_rate=RATE):
    """Return a recording of units, with white noise."""
    tvi = np.einsum("uzx,ut->tzx", territory, train)
    tvi += noise * np.random.default_rng(seed).standard_normal(tvi.shape)
    return Recording(tvi.astype(np.float32), frame_rate, (0.6, 0.6))


def matched(units, territory, train):
    """Return of each true unit the best |r| of trains, and the IoU of that unit's outline."""
    found = []
    for one, course in zip(territory > 0.5, train, strict=True):
        if not units.count:
            return [(0.0, 0.0)] * len(train)
        likeness = [abs(np.corrcoef(each, course)[0, 1]) for each in units.train]
        best = int(np.argmax(likeness))
        mask = units.masks[best]
        found.append((likeness[best], (mask & one).sum() / (mask | one).sum()))
    return found
