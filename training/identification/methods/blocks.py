"""A recording on a coarse grid, and how many of its components are more than noise.

Motor units are millimetres wide: where pixels are finer than that, blocks of them hold as much of a
unit, with less noise and in a fraction of the time.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..noise import Whitened

COARSEST = 0.65
"""Pixels are averaged in blocks no larger than this, mm."""

MARGIN = 1.15
"""Components count whose singular value exceeds the largest of noise by this factor."""

FAINTEST = 0.01
"""Components count whose singular value is this share of the largest or more: what is fainter
beside strong units is mostly what their motion does to speckle."""

MOST_COMPONENTS = 60

SEED = 20
"""Of the noise that is drawn to compare with."""


@dataclass(frozen=True)
class Blocks:
    """A recording's whitened components, averaged over blocks of pixels.

    Parameters
    ----------
    values : float64 array of shape (block, component)
    shape : (int, int)
        Blocks in depth and width.
    size : (float, float)
        Depth and width of a block, mm.
    """

    values: NDArray[np.float64]
    shape: tuple[int, int]
    size: tuple[float, float]

    def images(self, maps: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return maps (map, block) as images (map, depth, width)."""
        return np.asarray(maps, np.float64).reshape(len(maps), *self.shape)


def factors_of(pixel_size: tuple[float, float]) -> tuple[int, int]:
    """Return how many pixels a block has in depth and width."""
    down, right = (max(int(COARSEST / size), 1) for size in pixel_size)
    return down, right


def average(images: NDArray[np.floating], factors: tuple[int, int]) -> NDArray[np.float64]:
    """Average blocks of pixels of images (image, depth, width); the last are filled up."""
    (rows, columns), (down, right) = images.shape[1:], factors
    if factors == (1, 1):
        return np.asarray(images, np.float64)
    images = np.pad(images, ((0, 0), (0, -rows % down), (0, -columns % right)), mode="edge")
    shape = (len(images), images.shape[1] // down, down, images.shape[2] // right, right)
    return np.asarray(images.reshape(shape).mean(axis=(2, 4)), np.float64)


def blocks_of(found: Whitened, pixel_size: tuple[float, float]) -> Blocks:
    """Return a recording's components on the coarse grid.

    Parameters
    ----------
    found : Whitened
    pixel_size : (float, float)
        mm.
    """
    down, right = factors_of(pixel_size)
    depth, width = found.shape[1:]
    images = found.values.reshape(depth, width, -1).transpose(2, 0, 1)
    coarse = average(images, (down, right))
    values = np.ascontiguousarray(coarse.reshape(len(coarse), -1).T)
    size = (down * pixel_size[0], right * pixel_size[1])
    return Blocks(values, (coarse.shape[1], coarse.shape[2]), size)


def signal_directions(
    blocks: Blocks, most: int = MOST_COMPONENTS
) -> tuple[NDArray[np.float64], float]:
    """Return the directions in which a recording holds more than noise.

    Noise that is alike over neighbouring pixels has larger singular values than noise that is not,
    so its largest is found by parallel analysis: noise with the spatial spectrum of the weaker half
    of the components is drawn, and scaled to them. Where the noise of each pixel is known, it has a
    closed form (:func:`.ica.component_count`); how blocks of pixels share theirs is not.

    Parameters
    ----------
    blocks : Blocks
    most : int
        No more directions than this.

    Returns
    -------
    directions : float64 array of shape (direction, component)
        Rows of length 1, the strongest first.
    noise : float
        The largest singular value that noise has.
    """
    values = blocks.values
    energy, vectors = np.linalg.eigh(values.T @ values)
    energy, vectors = np.maximum(energy[::-1], 0.0), vectors[:, ::-1].T
    components = len(energy)
    if not energy[0] > 0:
        return np.zeros((0, components)), 0.0
    weaker = slice(components // 2, components)
    fields = blocks.images((values @ vectors[weaker].T).T)
    spectrum = np.sqrt(np.mean(np.square(np.abs(np.fft.rfft2(fields))), axis=0))
    white = np.random.default_rng(SEED).standard_normal((components, *blocks.shape))
    noise = np.fft.irfft2(np.fft.rfft2(white) * spectrum, blocks.shape).reshape(components, -1)
    alone = np.linalg.eigvalsh(noise @ noise.T)[::-1]
    scale = np.median(energy[weaker] / np.maximum(alone[weaker], np.finfo(float).tiny))
    largest = math.sqrt(float(alone[0] * scale))
    least = max(MARGIN * largest, FAINTEST * math.sqrt(energy[0]))
    count = int((np.sqrt(energy) > least).sum())
    return vectors[: min(count, most)], largest
