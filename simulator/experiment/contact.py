"""How a probe lies on the skin: what loses contact is dark, and its pressure bends the image.

All shapes are assumptions: a probe that lifts at one end, an air bubble somewhere, a face that is
tilted and bowed against the skin.
"""

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from ..seeds import Stream, generator
from .tissue import Tissue

LIFTED = (0.05, 0.25)
"""Share of the probe's width over which contact is lost at its end."""

BUBBLE = (0.5, 2.0)
"""SD of a bubble's width, mm."""


@dataclass(frozen=True)
class Contact:
    """How the probe lies on one subject.

    Parameters
    ----------
    loss, warp : float
        Doses: share of the amplitude that is lost where contact is, and largest displacement of
        the image, mm.
    size : (float, float)
        Depth and width of the image, mm.
    lifted : float
        Share of the width that lifts: from the left, or from the right if negative.
    bubble : (float, float)
        Place across the image, 0..1, and SD, mm.
    tilt, bow, shear : float
        -1..1.
    """

    loss: float
    warp: float
    size: tuple[float, float]
    lifted: float
    bubble: tuple[float, float]
    tilt: float
    bow: float
    shear: float

    def lost(self, width: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the share of the amplitude that elements lose, float64, at places across, mm."""
        across = width / self.size[1]
        inwards = across if self.lifted > 0 else 1 - across
        # From all at the end to nothing, smoothly.
        edge = np.clip(1 - inwards / abs(self.lifted), 0, 1)
        edge = edge**2 * (3 - 2 * edge)
        place, sd = self.bubble
        hole = np.exp(-(((width - place * self.size[1]) / sd) ** 2) / 2)
        return self.loss * np.maximum(edge, hole)

    def gain(
        self,
        depths: NDArray[np.float64],
        widths: NDArray[np.float64],
        f_number: float,
        aperture: float,
    ) -> NDArray[np.float64]:
        """Return the amplitude of each pixel's echoes over that of good contact.

        An echo is heard by an aperture that grows with depth, and what part of it has contact.

        Parameters
        ----------
        depths, widths : float64 arrays of shape (depth,) and (width,)
            Of the pixels, mm, in equal steps.
        f_number : float
        aperture : float
            Widest, mm.

        Returns
        -------
        float64 array of shape (depth, width)
        """
        heard = 1 - self.lost(widths)
        step = widths[1] - widths[0] if len(widths) > 1 else self.size[1]
        gains = np.empty((len(depths), len(widths)))
        for row, depth in zip(gains, depths, strict=True):
            half = round(min(depth / f_number, aperture) / step / 2)
            scipy.ndimage.uniform_filter1d(heard, 2 * half + 1, output=row, mode="nearest")
        return gains

    def deeper(self, width: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return by how much deeper tissue is seen than it lies, mm, float64, at places across."""
        across = 2 * width / self.size[1] - 1
        most = abs(self.tilt) + abs(self.bow)
        return self.warp * (self.tilt * across + self.bow * (1 - across**2)) / max(most, 1)

    def aside(self, depth: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return by how much farther right tissue is seen than it lies, mm, float64, at depths."""
        return self.warp * self.shear * depth / self.size[0]


def draw_contact(tissue: Tissue) -> Contact:
    """Draw how the probe lies on a subject."""
    random = generator(tissue.seed, tissue.index, Stream.CONTACT)
    side = 1 if random.random() < 0.5 else -1
    lifted, place, sd = random.uniform(*LIFTED), random.random(), random.uniform(*BUBBLE)
    tilt, bow, shear = random.uniform(-1, 1, 3)
    depth, width = (n * step for n, step in zip(tissue.fascicles.shape, tissue.pixel_size,
                                                strict=True))  # fmt: skip
    return Contact(
        loss=tissue.doses["contact"],
        warp=tissue.doses["warp"],
        size=(depth, width),
        lifted=side * lifted,
        bubble=(place, sd),
        tilt=tilt,
        bow=bow,
        shear=shear,
    )


def warped(
    fields: NDArray[np.float64], step: tuple[float, float], contact: Contact
) -> NDArray[np.float64]:
    """Return fields where they are seen rather than where they lie.

    Parameters
    ----------
    fields : float64 array of shape (..., depth, width)
    step : (float, float)
        Depth and width of a point, mm.
    contact : Contact

    Returns
    -------
    float64 array of the same shape
        Linearly between points, and beyond the edges as at them.
    """
    depth, width = ((np.arange(n) + 0.5) * size for n, size in zip(fields.shape[-2:], step,
                                                                 strict=True))  # fmt: skip
    rows = (depth[:, None] - contact.deeper(width)) / step[0] - 0.5
    columns = (width - contact.aside(depth)[:, None]) / step[1] - 0.5
    (top, bottom, below), (left, right, beside) = (
        _between(position, n) for position, n in zip((rows, columns), fields.shape[-2:],
                                                     strict=True)
    )  # fmt: skip
    upper = fields[..., top, left] * (1 - beside) + fields[..., top, right] * beside
    lower = fields[..., bottom, left] * (1 - beside) + fields[..., bottom, right] * beside
    return upper * (1 - below) + lower * below


def _between(
    position: NDArray[np.float64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return the points before and after positions, and how far these are towards the latter."""
    position = np.clip(position, 0, count - 1)
    low = np.minimum(position.astype(np.int64), max(count - 2, 0))
    return low, np.minimum(low + 1, count - 1), position - low
