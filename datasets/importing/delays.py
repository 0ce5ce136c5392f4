"""Plane waves from the delays of the elements that transmit them."""

import math

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError

BENT = 0.05
"""Deviation of delays from a straight line, in periods, from which a wave is not plane."""


def angles_of(
    delays: NDArray[np.float64],
    *,
    pitch: float,
    centre_frequency: float,
    sound_speed: float,
    where: str,
) -> tuple[float, ...]:
    """Fit a plane wave to the delays of each transmit: sin(angle) = c * slope of the delays.

    Parameters
    ----------
    delays : array of shape (transmit, channel)
        s.
    pitch : float
        mm.
    centre_frequency : float
        Hz.
    sound_speed : float
        m/s.
    where : str
        What a message begins with: the file and the key.

    Returns
    -------
    tuple of float
        Degrees, one a transmit.

    Raises
    ------
    InputError
        If the waves are not plane, or do not begin with the first element at 0.
    """
    channels = delays.shape[1]
    places = (np.arange(channels) - (channels - 1) / 2) * pitch / 1000  # m
    slopes = delays @ places / (places @ places)
    rest = delays - delays.mean(axis=1, keepdims=True) - slopes[:, None] * places
    sines = slopes * sound_speed
    worst = float(np.abs(rest).max())
    first = float(np.abs(delays.min(axis=1)).max())
    if first > BENT / centre_frequency:
        raise InputError(
            f"{where}: found a first element that fires at {first:.3g} s, wanted 0; give angles "
            "instead, and first_sample from the instant at which the first element fires"
        )
    if worst > BENT / centre_frequency or np.abs(sines).max() >= 1:
        raise InputError(
            f"{where}: found delays up to {worst:.3g} s off a straight line, wanted those of plane "
            "waves; other waves cannot be imported, beamform them first"
        )
    return tuple(math.degrees(math.asin(sine)) for sine in sines)
