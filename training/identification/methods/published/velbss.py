"""Fast separation of velocity by a fixed-point algorithm (Rohlen et al. 2023)."""

import math

import numpy as np
from numpy.typing import NDArray

from ...units import Recording, Units
from ..fast_ica import fast_ica
from .descriptions import VelBssSettings
from .noise_edge import MARGIN
from .parts import Part, Separated, units_of_parts

CONTRASTS = {"logcosh": "logcosh", "kurtosis": "cube", "skewness": "square"}
"""Derivatives of contrasts, by what they look for."""


def velbss(recording: Recording, settings: VelBssSettings) -> Units:
    """Find units by a fixed-point separation of velocity.

    Raises
    ------
    InputError
        If units cannot be sought in the recording, or it is smaller than a window.
    """

    def separate(part: Part, least: float) -> Separated | None:
        white = whitened(part, settings.components, least)
        if not white.shape[1]:
            return None
        images = white @ fast_ica(white, CONTRASTS[settings.contrast]).T
        weights = images / len(images)
        return Separated(images, part.flat @ weights, weights)

    return units_of_parts(
        recording, settings, settings.window, separate, settings.agreement, settings.repeats
    )


def whitened(part: Part, most: int, least: float) -> NDArray[np.float32]:
    """Return the strongest directions of a part, white over pixels.

    Parameters
    ----------
    part : Part
    most : int
        No more directions.
    least : float
        How strong a component has to be to count. White, directions of noise would weigh as much as
        those of units: they are left out.

    Returns
    -------
    float32 array of shape (pixel, component)
        Of mean square 1.
    """
    energy, courses = part.directions
    size = np.sqrt(energy)
    kept = min(most, int((size > least / MARGIN).sum()))
    scale = (math.sqrt(part.flat.shape[1]) / size[:kept]).astype(np.float32)
    return np.asarray(part.flat.T @ (courses[:, :kept] * scale), np.float32)
