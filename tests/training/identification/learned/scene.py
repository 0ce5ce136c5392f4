"""A small recording of units whose trains and maps are known, whitened."""

import numpy as np
from scipy.ndimage import gaussian_filter

from musim.simulator import Parameters, Range, draw
from musim.training.identification.units import Recording

RATE = 400.0
SIZE = (0.625, 0.625)
SHAPE = (48, 40)
PLACES = ((10, 10, 5), (14, 28, 6), (34, 12, 6), (38, 30, 5))


def trains(seed=0, frames=400, **parameters):
    """Return the units' velocities (unit, time)."""
    units = len(PLACES)
    given = Parameters(
        units=Range(units, units), synchrony=Range(0, 0), frames=frames, frame_rate=RATE,
        **parameters,
    )  # fmt: skip
    return draw(given, seed=seed).twitch_train.astype(float)


def maps(places=PLACES):
    """Return what units move, spread over their surroundings (unit, depth, width)."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    discs = [(np.hypot(rows - z, columns - x) < r).astype(float) for z, x, r in places]
    return np.array([gaussian_filter(one, 1.5) for one in discs])


def recording(courses, fields=None, noise=0.05, seed=0):
    """Return the sum of fields times courses, with white noise of a share of the SD."""
    clean = np.einsum("ut,udw->tdw", courses, maps() if fields is None else fields)
    random = np.random.default_rng(seed)
    level = noise * max(float(clean.std()), 1e-3)
    return Recording(
        (clean + level * random.standard_normal(clean.shape)).astype(np.float32), RATE, SIZE
    )
