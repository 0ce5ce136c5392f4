"""The region of the muscle, as Cunningham et al. 2017 take it out of whole images.

Aponeuroses are found in images of a sequence by a network; over the sequence their lines are
averaged. A straight line through the middle between them, by least squares, is the muscle's main
axis: the region lies along it, and is turned level (doi:10.1101/157479, section III.C). The paper
finds outlines by a shape model of the gastrocnemius, here it is the Attention U-Net of
:mod:`musim.training.sections.segmentation`.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from ...datasets.images.resizing import resized
from ...simulator.calf.study import REGION, REGION_SIZE
from ...simulator.errors import InputError
from ..sections.aponeuroses import aponeuroses_of

FOUND = 0.5
"""Share of the images that show both aponeuroses, at the least."""

SPLINE = 3
"""Degree of the splines that turn images: lines would blur speckle, here more and there less."""

BESIDE = 12
"""Pixels beside a region by which its splines depend on the image within rounding."""

Probabilities = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Takes images, uint8 (images, depth, width), and returns how sure it is of each pixel that it
belongs to an aponeurosis, 0 to 1, of the same shape: as
:meth:`musim.training.sections.segmentation.segmenting.Segmenter.probabilities` does."""


@dataclass(frozen=True)
class Region:
    """Where in an image the region of a muscle lies.

    Parameters
    ----------
    depth, width : float
        Of its centre, mm from the image's upper left corner.
    angle : float
        Of its long side, rad; above 0 where it goes deeper to the right.
    """

    depth: float
    width: float
    angle: float


def aponeurosis_lines(probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the middle lines of both aponeuroses in images.

    Parameters
    ----------
    probabilities : float32 array of shape (images, depth, width)
        Of each pixel that it belongs to an aponeurosis.

    Returns
    -------
    float64 array of shape (images, 2, width)
        Row in each column, between pixels, of the superficial and of the deep one; NaN where a line
        does not reach, and of all images in which two were not found.
    """
    columns = np.arange(probabilities.shape[2], dtype=np.float64)
    lines = np.full((len(probabilities), 2, len(columns)), np.nan)
    for line, one in zip(lines, probabilities, strict=True):
        found = aponeuroses_of(one > 0.5)
        if not found.reason and found.superficial is not None and found.deep is not None:
            line[:] = found.superficial.at(columns), found.deep.at(columns)
    return lines


def mean_lines(lines: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the lines of a sequence: the median of its images, so that single ones may be wrong.

    Parameters
    ----------
    lines : float64 array of shape (images, 2, width)
        As :func:`aponeurosis_lines` returns them.

    Returns
    -------
    float64 array of shape (2, width)
        NaN in columns that fewer than half of the images with lines have.

    Raises
    ------
    InputError
        If fewer than :data:`FOUND` of the images have lines.
    """
    there = ~np.isnan(lines).all(axis=(1, 2))
    if there.sum() < FOUND * len(lines) or not there.any():
        raise InputError(
            f"found both aponeuroses in {there.sum()} of {len(lines)} images, wanted half of them; "
            "give a network of musim train segment that knows such images as `run`"
        )
    lines = lines[there]
    known = (~np.isnan(lines)).mean(axis=0) >= 0.5
    middle = np.full(lines.shape[1:], np.nan)
    middle[known] = np.nanmedian(lines[:, known], axis=0)
    return middle


def region_along(
    lines: NDArray[np.float64],
    pixel_size: tuple[float, float],
    size: tuple[float, float] = REGION_SIZE,
) -> Region:
    """Return the region between two lines: along their middle, a straight line by least squares.

    Parameters
    ----------
    lines : float64 array of shape (2, width)
        As :func:`mean_lines` returns them.
    pixel_size : tuple of float
        Depth and width of the image's pixels, mm.
    size : tuple of float
        Depth and width of the region, mm. Where it is as wide as the image or wider, its centre
        lies in the image's middle; else where the muscle's lines have theirs, within the image.

    Raises
    ------
    InputError
        If the lines have no columns in common.
    """
    both = ~np.isnan(lines).any(axis=0)
    if both.sum() < 2:
        raise InputError(
            "found aponeuroses side by side, wanted one above the other; check that the images "
            "show one muscle along its fascicles"
        )
    across, within = (lines.shape[1]) * pixel_size[1], size[1] / 2
    width = (np.flatnonzero(both) + 0.5) * pixel_size[1]
    middle = (lines[:, both].mean(axis=0) + 0.5) * pixel_size[0]
    slope, _ = np.polyfit(width - width.mean(), middle, 1)
    centre = (width[0] + width[-1]) / 2
    centre = min(max(centre, within), across - within) if across > size[1] else across / 2
    depth = middle.mean() + slope * (centre - width.mean())
    return Region(float(depth), float(centre), math.atan(slope))


def region_of(
    blocks: Iterable[NDArray[np.uint8]],
    pixel_size: tuple[float, float],
    probabilities: Probabilities,
    size: tuple[float, float] = REGION_SIZE,
) -> Region:
    """Return the region of the muscle in a sequence.

    Parameters
    ----------
    blocks : iterable of uint8 arrays of shape (images, depth, width)
        Images of it, some of them or all; one block at a time is looked at.
    pixel_size : tuple of float
        Depth and width of their pixels, mm.
    probabilities : callable
        See :data:`Probabilities`.
    size : tuple of float
        Of the region, mm; that of the paper without.

    Raises
    ------
    InputError
        If aponeuroses are found in too few of the images.
    """
    lines = [aponeurosis_lines(probabilities(block)) for block in blocks]
    return region_along(mean_lines(np.concatenate(lines)), pixel_size, size)


def extract(
    images: NDArray[np.uint8],
    region: Region,
    pixel_size: tuple[float, float],
    pixels: tuple[int, int] = REGION,
    size: tuple[float, float] = REGION_SIZE,
) -> NDArray[np.uint8]:
    """Return a region of images, turned level.

    Images whose pixels are smaller than the region's are averaged first; then cubic splines give
    the grey levels. Beyond the image's edges these go on.

    Parameters
    ----------
    images : uint8 array of shape (images, depth, width)
    region : Region
    pixel_size : tuple of float
        Depth and width of the images' pixels, mm.
    pixels : tuple of int
        Depth and width of the region, px.
    size : tuple of float
        The same, mm.

    Returns
    -------
    uint8 array of shape (images, *pixels)
    """
    wanted = size[0] / pixels[0], size[1] / pixels[1]
    whole = (images.shape[1], images.shape[2])
    # Fewer pixels where they are too small: never more.
    fewer = tuple(
        min(count, max(2, round(count * now / then)))
        for count, now, then in zip(whole, pixel_size, wanted, strict=True)
    )
    step = [count * now / n for count, now, n in zip(whole, pixel_size, fewer, strict=True)]
    # The region's axes, down and along, in the image's: mm to mm.
    cosine, sine = math.cos(region.angle), math.sin(region.angle)
    turn = np.array([[cosine, sine], [-sine, cosine]])
    corner = -(np.array(size) - wanted) / 2  # its first pixel, from its centre
    first = np.array([region.depth, region.width]) + turn @ corner
    matrix = turn * np.array(wanted) / np.array(step)[:, None]
    offset = first / step - 0.5
    # Splines of rows that are far away would be for nothing.
    rows = _rows(matrix, offset, pixels, fewer[0])
    offset[0] -= rows.start
    out = np.empty((len(images), *pixels), np.uint8)
    for image, level in zip(images, out, strict=True):
        small = resized(image, (fewer[0], fewer[1]))[rows].astype(np.float32)
        turned = scipy.ndimage.affine_transform(
            small, matrix, offset, pixels, np.float32, order=SPLINE, mode="nearest"
        )
        np.rint(np.clip(turned, 0, 255, out=turned), out=turned)
        level[:] = turned
    return out


def _rows(
    matrix: NDArray[np.float64], offset: NDArray[np.float64], pixels: tuple[int, int], most: int
) -> slice:
    """Return the rows of an image that a region depends on."""
    corners = [matrix[0, 0] * down + matrix[0, 1] * along + offset[0]
               for down in (0, pixels[0] - 1) for along in (0, pixels[1] - 1)]  # fmt: skip
    first = math.floor(min(corners)) - BESIDE
    stop = math.ceil(max(corners)) + BESIDE + 1
    first = min(max(first, 0), most - 1)
    return slice(first, max(min(stop, most), first + 1))
