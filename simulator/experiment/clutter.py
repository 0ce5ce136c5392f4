"""Echoes that are not where they seem to be, and stand still: reverberation and side lobes.

They lie over muscle's own echoes S as a still image C, so that its velocity is seen by the share
``|S|^2 / (|S|^2 + |C|^2)`` of it (Heimdal et al. 1998, IEEE Ultrasonics Symposium, page 1361, show
the bias). Both come from layers under the skin that hardly move.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ..seeds import Stream, generator
from .doses import quantised
from .tissue import WALL, Tissue

FADING = 10.0
"""Depth over which reverberation falls to 1 / e in amplitude, mm: to 1 / e in power over 5 mm, as
multiple paths are as much longer in the mean (Byram and Shu 2016, doi:10.1117/1.JMI.3.4.046005)."""

REPEATS = (2, 3)
"""Multiples of the fat's thickness at which its border comes again, one way more each: layers
that are normal to the beam reverberate most (Dahl et al. 2014,
doi:10.1016/j.ultrasmedbio.2013.11.029)."""


def reverberation_profile(
    depths: NDArray[np.float64], tissue: Tissue, brightness: float
) -> NDArray[np.float64]:
    """Return the amplitude of reverberation over that of muscle's echoes.

    Parameters
    ----------
    depths : float64 array of shape (depth,)
        mm.
    tissue : Tissue
    brightness : float
        Amplitude of an aponeurosis' echoes over those of muscle, less 1, at a dose of 1.

    Returns
    -------
    float64 array of shape (depth,)
    """
    profile = tissue.doses["reverberation"] * np.exp(-depths / FADING)
    if tissue.fat == 0:
        return profile
    bands = sum(np.exp(-(((depths - n * tissue.fat) / WALL) ** 2) / 2) for n in REPEATS)
    return profile * (1 + brightness * tissue.doses["aponeurosis"] * bands)


def reverberation(
    profile: NDArray[np.float64], width: int, seed: int, index: int
) -> NDArray[np.complex128]:
    """Return the echoes of reverberation, before the point-spread function.

    They are as speckle is: complex normal numbers.

    Parameters
    ----------
    profile : float64 array of shape (depth,)
        As :func:`reverberation_profile` gives it.
    width : int
        Pixels.
    seed, index : int

    Returns
    -------
    complex128 array of shape (depth, width)
    """
    random = generator(seed, index, Stream.CLUTTER)
    parts = random.standard_normal((2, len(profile), width)) / math.sqrt(2)
    return profile[:, None] * (parts[0] + 1j * parts[1])


def side_lobes(
    bright: NDArray[np.complex128],
    depths: NDArray[np.float64],
    beam: NDArray[np.float64],
    step: tuple[float, float],
    level: float,
) -> NDArray[np.complex128]:
    """Return what leaks of bright echoes to their sides, and so below them.

    A plane wave's echo from a place at depth z and d aside takes the time of one at depth
    ``(z + sqrt(z^2 + d^2)) / 2``. The lobes of an aperture fall as 1 / d beyond its beam, and with
    the cosine of the angle at which elements hear.

    Parameters
    ----------
    bright : complex128 array of shape (depth, width)
        Echoes that leak; rows of zeros do not.
    depths, beam : float64 arrays of shape (depth,)
        Depth of each row and width of the beam there, mm.
    step : (float, float)
        Depth and width of a pixel, mm.
    level : float
        Amplitude of the lobes at the beam's width, over that of the echo.

    Returns
    -------
    complex128 array of shape (depth, width)
    """
    leak = np.zeros_like(bright)
    rows = np.flatnonzero(np.abs(bright).any(axis=1))
    width = bright.shape[1]
    for offset in range(1, width):
        aside = offset * step[1]
        slant = np.hypot(depths[rows], aside)
        target = np.floor((depths[rows] + slant) / 2 / step[0]).astype(int)
        weight = level * beam[rows] / aside * depths[rows] / slant
        seen = (target < len(depths)) & (aside > beam[rows])
        leaking = weight[seen, None] * bright[rows[seen]]
        np.add.at(leak[:, offset:], target[seen], leaking[:, : width - offset])
        np.add.at(leak[:, :-offset], target[seen], leaking[:, offset:])
    return leak


def still_image(
    echoes: NDArray[np.complex128],
    axial: NDArray[np.complex64],
    lateral: NDArray[np.float32],
) -> NDArray[np.complex64]:
    """Return the IQ image of echoes that stand still.

    Parameters
    ----------
    echoes : complex128 array of shape (depth, width)
    axial : complex64 array of shape (2, depth, tap)
        The pulse at each depth; the slope is not needed.
    lateral : float32 array of shape (depth, tap)
        The beam at each depth.

    Returns
    -------
    complex64 array of shape (depth, width)
    """
    depth, width = echoes.shape
    half = axial.shape[2] // 2
    above = np.pad(echoes, ((half, half), (0, 0)))
    pulsed = np.zeros_like(echoes)
    for tap in range(axial.shape[2]):
        pulsed += axial[0, :, tap, None] * above[tap : tap + depth]
    half = lateral.shape[1] // 2
    beside = np.pad(pulsed, ((0, 0), (half, half)))
    image = np.zeros_like(echoes)
    for tap in range(lateral.shape[1]):
        image += lateral[:, tap, None] * beside[:, tap : tap + width]
    return (quantised(image.real) + 1j * quantised(image.imag)).astype(np.complex64)
