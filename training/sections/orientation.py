"""The orientation of what a region of an image shows: by lines through it, and by its gradients."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

SAMPLES = 64
"""Samples over the muscle's thickness: images are measured alike whatever their size."""

ACROSS, ALONG = 2.5, 16.0
"""Standard deviations of the filter, across and along lines [samples]."""

STEPS = (3.0, 0.75)
"""Angles that are tried, one so far from the next [degrees]: coarse, then about the best."""

SEEN = 0.9
"""What of the filter lies in the region, where it counts."""


@dataclass(frozen=True)
class Direction:
    """The direction of lines in a region.

    Parameters
    ----------
    angle_deg : float
        Against the image's rows [degrees], more than 0 where lines fall to the right.
    clearness : float
        Power of lines in that direction over the median of all that were tried; about 1 where
        there are no lines.
    """

    angle_deg: float
    clearness: float


def line_direction(
    image: NDArray[np.uint8],
    inside: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.bool_]],
    box: tuple[float, float, float, float],
    thickness: float,
    *,
    shape: float = 1.0,
    about: float = 0.0,
    within: float = 45.0,
) -> Direction:
    """Return the direction in which bright lines run through a region.

    For every angle the region is sheared until lines of that angle lie along rows, averaged along
    them, and filtered for ridges across; what is bright is squared and summed up. That is a Radon
    transform over short lines [1]_. Speckle, which is smeared along the transducer, pulls gradients
    toward the rows by degrees, and lines hardly. What is along rows all over is taken for bands of
    gain and removed: lines within some two degrees of the rows are not found.

    Parameters
    ----------
    image : (depth, width) array of uint8
    inside : callable
        Tells of rows and columns [px], between pixels too, which are in the region.
    box : tuple of float
        First and last row, first and last column that it is looked for in [px].
    thickness : float
        Of the muscle [pixels of depth].
    shape : float
        Width of a pixel over its depth.
    about, within : float
        Which angles are tried [degrees].

    Returns
    -------
    Direction
        With a clearness of 0 if no lines fit into the region, or the most power is at an end of
        the angles.

    References
    ----------
    .. [1] Zhao and Zhang 2011, "Automatic tracking of muscle fascicles in ultrasound images using
       localized Radon transform", IEEE Trans. Biomed. Eng. 58.
    .. [2] Pohle-Fröhlich et al. 2020, arXiv:1912.04134, who compare four ways with three experts:
       profiles of sums along lines, after a filter for ridges, are nearest.
    """
    pitch = thickness / SAMPLES
    rows = np.arange(box[0], box[1], pitch)[:, None]
    columns = np.arange(box[2], box[3], pitch / shape)[None]
    mask = inside(rows, columns)
    places = np.broadcast_arrays(rows, columns)
    smooth = scipy.ndimage.gaussian_filter(
        image.astype(np.float64), [max(0.0, pitch / 2 - 0.5), max(0.0, pitch / shape / 2 - 0.5)]
    )
    values = scipy.ndimage.map_coordinates(smooth, places, order=1, mode="nearest")
    if not mask.any():
        return Direction(math.nan, 0.0)
    # Bands along the transducer are of gain and reverberation; fascicles run across rows.
    bands = np.where(mask, values, 0).sum(1) / np.maximum(mask.sum(1), 1)
    values = np.where(mask, values - bands[:, None], 0.0)
    coarse = np.arange(about - within, about + within + STEPS[0] / 2, STEPS[0])
    powers = np.array([_power(values, mask, angle) for angle in coarse])
    best, usual = int(powers.argmax()), float(np.median(powers))
    # Less than a thousandth of a grey level is rounding.
    if usual <= 1e-6 or best in (0, len(coarse) - 1):
        return Direction(math.nan, 0.0)
    fine = coarse[best] + STEPS[1] * np.arange(-4, 5)
    powers = np.array([_power(values, mask, angle) for angle in fine])
    best = int(powers[1:-1].argmax()) + 1
    before, at, after = powers[best - 1 : best + 2]
    bend = before - 2 * at + after
    aside = 0.5 * (before - after) / bend if bend < 0 else 0.0
    return Direction(float(fine[best] + STEPS[1] * np.clip(aside, -1, 1)), float(at / usual))


def _power(values: NDArray[np.float64], mask: NDArray[np.bool_], angle: float) -> float:
    """Return the mean square of what is bright along lines of an angle [degrees]."""
    radians = math.radians(angle)
    count = values.shape[1]
    falls = math.tan(radians) * (np.arange(count) - (count - 1) / 2)
    room = math.ceil(abs(math.tan(radians)) * count / 2) + 1
    lying = _sheared(np.pad(values, ((room + 1, room + 1), (0, 0))), falls)
    seen = _sheared(np.pad(mask.astype(np.float64), ((room + 1, room + 1), (0, 0))), falls)
    along, across = ALONG * math.cos(radians), ACROSS / math.cos(radians)
    share = _along_rows(seen, along)
    mean = _along_rows(lying, along) / np.maximum(share, 0.2)
    ridge = -scipy.ndimage.gaussian_filter1d(mean, across, axis=0, order=2) * across**2
    counts = (seen > SEEN) & (share > 0.5)
    return float((np.clip(ridge, 0, None) ** 2)[counts].mean()) if counts.any() else 0.0


def _along_rows(values: NDArray[np.float64], deviation: float) -> NDArray[np.float64]:
    return scipy.ndimage.gaussian_filter1d(values, deviation, axis=1, mode="constant", truncate=2.5)


def _sheared(values: NDArray[np.float64], falls: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return an image whose columns are moved up by as much as `falls`, between rows."""
    whole = np.floor(falls).astype(np.intp)
    part = falls - whole
    rows = np.arange(values.shape[0])[:, None] + whole
    columns = np.arange(values.shape[1])
    last = values.shape[0] - 1
    first, second = np.clip(rows, 0, last), np.clip(rows + 1, 0, last)
    return values[first, columns] * (1 - part) + values[second, columns] * part


def gradient_direction(
    image: NDArray[np.uint8], inside: NDArray[np.bool_], shape: float = 1.0, sigma: float = 2.0
) -> Direction:
    """Return the direction of a region by its structure tensors, weighted by their coherence.

    Quicker, and less true in speckle: to compare with. Angles are averaged doubled, as what has
    no sense is (Mardia and Jupp 2000, doi:10.1002/9780470316979).

    Parameters
    ----------
    image : (depth, width) array of uint8
    inside : (depth, width) array of bool
        The region.
    shape : float
        Width of a pixel over its depth.
    sigma : float
        Standard deviation of the Gaussian whose gradients are taken [pixels of depth].

    Returns
    -------
    Direction
        Its clearness says how alike angles are: 0 of all kinds, 1 all the same.

    References
    ----------
    .. [1] Weickert 1999, doi:10.1023/A:1008009714131 (coherence).
    """
    values, widths = image.astype(np.float64), np.array([1.0, 1 / shape])
    down = scipy.ndimage.gaussian_filter(values, sigma * widths, (1, 0))
    right = scipy.ndimage.gaussian_filter(values, sigma * widths, (0, 1)) / shape
    depth, mixed, width = (
        scipy.ndimage.gaussian_filter(product, 2 * sigma * widths)
        for product in (down * down, down * right, right * right)
    )
    # Lines run across gradients, which turns doubled angles by half a circle.
    twice = (depth - width) - 2j * mixed
    coherence = np.where(inside, np.abs(twice) / np.maximum(depth + width, 1e-9), 0.0)
    total = float(coherence.sum())
    if total <= 0:
        return Direction(math.nan, 0.0)
    mean = (coherence * np.exp(1j * np.angle(twice))).sum() / total
    return Direction(math.degrees(np.angle(mean)) / 2, float(abs(mean)))
