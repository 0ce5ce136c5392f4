"""Images and masks in another size, and what that makes of their pixels."""

import math

import numpy as np
from numpy.typing import NDArray

from .scale import PixelScale

SIZE = (256, 256)
"""Depth and width of images [px], as in Katakis et al. 2023 (doi:10.3390/biomedinformatics3020027,
section 2.2.2), if they have several sizes."""


def resized(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return an image in another size [px], averaged where it becomes smaller."""
    from PIL import Image

    if image.shape == size:
        return image
    way = Image.Resampling.BILINEAR  # which averages over all that a pixel covers
    return np.asarray(Image.fromarray(image).resize((size[1], size[0]), way)).copy()


def resized_mask(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return a mask in another size [px]: True where half of a pixel or more is covered."""
    return resized(mask.astype(np.uint8) * 255, size) > 127


def rescaled(scale: PixelScale, before: tuple[int, int], now: tuple[int, int]) -> PixelScale:
    """Return the scale of an image that was made another size [px]."""
    depth, width = (old / new for new, old in zip(now, before, strict=True))
    known = scale.depth_mm * depth if scale.known else math.nan
    return PixelScale(scale.shape * width / depth, known)
