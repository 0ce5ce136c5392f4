"""What ways that separate windows of velocity have in common: how they begin, and how they end."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...units import Recording, Units
from .descriptions import BandSettings
from .noise_edge import FLOOR, MARGIN, band_noise, directions
from .pooling import Component, pooled, upright
from .preparing import band_passed, check_recording, windows

Floats = NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """A window of a recording whose band was cut out.

    Parameters
    ----------
    velocity : float32 array of shape (time, depth, width)
        mm/s; each pixel of mean 0.
    """

    velocity: NDArray[np.float32]

    @property
    def flat(self) -> NDArray[np.float32]:
        """Its velocity (time, pixel)."""
        return self.velocity.reshape(len(self.velocity), -1)

    @cached_property
    def directions(self) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Its squared singular values, falling, and their courses (time, direction)."""
        return directions(self.flat)


@dataclass(frozen=True)
class Separated:
    """Components of a window; velocity is the sum of each course times its image.

    Parameters
    ----------
    images : array of shape (pixel, component)
    courses : array of shape (time, component)
    weights : array of shape (pixel, component)
        What makes courses of the window's velocity.
    """

    images: Floats
    courses: Floats
    weights: Floats


def units_of_parts(
    recording: Recording,
    settings: BandSettings,
    window: int,
    separate: Callable[[Part, float], Separated | None],
    agreement: float,
    repeats: int = 1,
) -> Units:
    """Find units in windows of the image, each half over the next.

    A component counts if it is stronger than noise could be; components that move alike in windows
    that overlap are one unit.

    Parameters
    ----------
    recording : Recording
    settings : BandSettings
        The band that is looked at.
    window : int
        Side of the square windows, px; 0 for one that is the image.
    separate : callable
        Takes a part and how strong a component has to be to count, and returns its components,
        None for none.
    agreement : float
        Least correlation of courses that are one unit's, 0..1.
    repeats : int
        Windows that have to hold a unit, of as many as there are at its place.

    Raises
    ------
    InputError
        If units cannot be sought in the recording, or it is smaller than a window.
    """
    check_recording(recording)
    depth, width = recording.tvi.shape[1:]
    places = windows((depth, width), window, max(window // 2, 1))
    whole, noise = prepared(recording, settings)
    found: list[Component] = []
    for place in places:
        part = whole if len(places) == 1 else Part(whole.velocity[:, *place])
        least = max(MARGIN * noise.strongest(place), FLOOR * float(np.linalg.norm(part.flat)))
        one = separate(part, least)
        if one is not None:
            found += _components(recording, place, one, least)
    return pooled(recording, found, agreement, repeats, places)


def prepared(recording: Recording, settings: BandSettings):
    """Return a recording's band as one part, and the noise that is in it."""
    whole = Part(band_passed(recording, settings.lowest, settings.highest))
    return whole, band_noise(whole.velocity, whole.directions)


def _components(
    recording: Recording, place: tuple[slice, slice], found: Separated, least: float
) -> list[Component]:
    """Return the components of a window that are stronger than noise."""
    raw = recording.tvi[:, *place]
    whole = raw.reshape(len(raw), -1)
    velocities = (whole - whole.mean(axis=0)) @ found.weights
    strength = np.linalg.norm(found.images, axis=0) * np.linalg.norm(found.courses, axis=0)
    components = []
    for one in np.flatnonzero(strength > least):
        image, course, velocity = upright(
            found.images[:, one].reshape(raw.shape[1:]), found.courses[:, one], velocities[:, one]
        )
        certainty = 1 - (least / float(strength[one])) ** 2
        components.append(Component(place, image, course, velocity, certainty))
    return components
