"""Images and masks as the channels that a diffusion model learns, and back."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ..image_sets import ImageSet, resized


def to_channels(images: ImageSet, size: tuple[int, int], masks: bool) -> NDArray[np.float32]:
    """Return images as channels between -1 and 1.

    A mask becomes the share of each pixel that it covers: lines of few pixels are then still there
    where the image is a quarter as large, and half a pixel of theirs is not lost.

    Parameters
    ----------
    images : ImageSet
    size : tuple of int
        Depth and width of the channels [px].
    masks : bool
        Whether the mask is a second channel.

    Returns
    -------
    (images, channel, depth, width) array of float32
    """
    kinds = [images.images]
    if masks:
        kinds.append(images.masks.astype(np.uint8) * 255)
    grey = np.stack([np.stack([resized(one, size) for one in kind]) for kind in kinds], axis=1)
    return grey.astype(np.float32) / 127.5 - 1


def from_channels(
    channels: Tensor, size: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_] | None]:
    """Return images and masks of the channels that a model made.

    Parameters
    ----------
    channels : (images, channel, depth, width) tensor
    size : tuple of int
        Depth and width to make the images [px], by cubic interpolation. Grey levels keep the
        speckle that the model made, as large as it then is: no finer one is added.

    Returns
    -------
    images : (images, depth, width) array of uint8
    masks : (images, depth, width) array of bool, or None
        True where half of a pixel or more is covered.
    """
    channels = channels.float().cpu()
    if channels.shape[2:] != torch.Size(size):
        channels = functional.interpolate(channels, size=size, mode="bicubic", antialias=True)
    grey = ((channels[:, 0] + 1) * 127.5).clamp(0, 255).round().to(torch.uint8).numpy()
    return grey, (channels[:, 1] > 0).numpy() if channels.shape[1] > 1 else None
