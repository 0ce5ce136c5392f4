"""Colours of the page's maps: those of pages and pictures, which the colour-blind tell apart."""

import numpy as np
from numpy.typing import NDArray

from ...training.colours import VELOCITY_COLOURS
from ..pages.plane import DARKEST, PALEST

LEVELS = 256


def colour_maps() -> NDArray[np.uint8]:
    """Return the colours of each map from its lowest value to its highest.

    Returns
    -------
    uint8 array of shape (map, level, channel)
        Of velocity, from blue over white to red; of its SD, from white to a grey on which dark
        outlines show; of images, from black to white. The page knows the maps by this order.
    """
    import matplotlib

    steps = np.arange(LEVELS)
    velocity = matplotlib.colormaps[VELOCITY_COLOURS](steps)[:, :3] * 255
    ends = np.array([PALEST, DARKEST])
    deviation = ends[0] + (ends[1] - ends[0]) * steps[:, None] / (LEVELS - 1)
    greys = np.repeat(steps[:, None], 3, axis=1) * 255.0 / (LEVELS - 1)
    return np.round(np.stack([velocity, deviation, greys])).astype(np.uint8)
