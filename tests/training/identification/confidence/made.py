"""Recordings whose units are known, made by hand."""

import numpy as np

from musim.simulator.twitch import twitch_velocity
from musim.training.identification.units import Recording, Units

RATE, FRAMES, PIXEL = 200.0, 300, (0.5, 0.5)
SHAPE = (24, 24)


def disc(centre, radius, shape=SHAPE):
    """A disc, mm, in pixels of 0.5 mm."""
    z, x = (np.mgrid[: shape[0], : shape[1]] + 0.5) * PIXEL[0]
    return (np.hypot(z - centre[0], x - centre[1]) < radius).astype(np.float32)


def instants(rate, seed, frames=FRAMES):
    """Firings of regular intervals, s."""
    random = np.random.default_rng(seed)
    gaps = random.normal(1 / rate, 0.12 / rate, int(3 * rate * frames / RATE) + 4)
    times = np.cumsum(gaps) - 0.2
    return times[(times > 0) & (times < frames / RATE)]


def train_of(firing, frames=FRAMES):
    """Twitches at firings, mm/s, of mean square 1."""
    since = np.arange(frames) / RATE - np.asarray(firing)[:, None]
    train = twitch_velocity(since, contraction_time=75.0).sum(axis=0)
    return (train / np.sqrt(np.square(train).mean())).astype(np.float32)


def padded(rows):
    """Firings of several units, padded with NaN."""
    most = max(len(row) for row in rows)
    return np.array([np.r_[row, np.full(most - len(row), np.nan)] for row in rows])


def two_units(noise=0.5, seed=0, frames=FRAMES):
    """Two discs that move as twitches do, in white noise: a recording and its units."""
    maps = np.stack([disc((3.5, 3.5), 2.5), disc((8.5, 8.0), 2.0)])
    firing = [instants(10, 1, frames), instants(8, 2, frames)]
    train = np.stack([train_of(one, frames) for one in firing])
    random = np.random.default_rng(seed)
    tvi = np.einsum("ut,uzx->tzx", train, maps)
    tvi = (tvi + noise * random.standard_normal(tvi.shape)).astype(np.float32)
    units = Units(maps, train, padded(firing), np.array([0.9, 0.8]))
    return Recording(tvi, RATE, PIXEL), units


def with_more(units, territory, train, firing):
    """The same units and one more."""
    most = padded([*(row[np.isfinite(row)] for row in units.firing), firing])
    return Units(
        np.concatenate([units.territory, territory[None].astype(np.float32)]),
        np.concatenate([units.train, train[None].astype(np.float32)]),
        most,
        np.r_[units.confidence, 0.95],
    )


def noise_train(recording, place, seed=3):
    """What a filter learned of noise tells: the mean of a place's pixels with random signs."""
    random = np.random.default_rng(seed)
    signs = random.choice([-1.0, 1.0], int(place.sum()))
    return recording.tvi[:, place] @ signs / len(signs)
