"""Crops about units, in torch: the same for training on true masks and for detected ones."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional


def centres(masks: Tensor) -> Tensor:
    """Return the pixel nearest to each mask's centroid; the image's middle for empty masks.

    Parameters
    ----------
    masks : tensor of shape (unit, depth, width)
        Memberships, 0 or more, of the visible part. Of two pixels equally near, the one further
        down or to the right.

    Returns
    -------
    int64 tensor of shape (unit, 2)
        Row and column.
    """
    masks = masks.double()
    total = masks.sum((1, 2))
    places = []
    for axis, length in ((2, masks.shape[1]), (1, masks.shape[2])):
        index = torch.arange(length, device=masks.device, dtype=masks.dtype)
        place = (masks.sum(axis) * index).sum(1) / total.where(total > 0, 1)
        places.append(place.where(total > 0, length // 2))
    return (torch.stack(places, 1) + 0.5).floor().long()


def crop_about(images: Tensor, sequence: Tensor, centre: Tensor, size: tuple[int, int]) -> Tensor:
    """Cut windows out of images; 0 beyond them.

    Parameters
    ----------
    images : tensor of shape (sequence, ..., depth, width)
    sequence : int64 tensor of shape (crop,)
        Which of the images each window is cut out of.
    centre : int64 tensor of shape (crop, 2)
        Row and column that come to lie at (size[0] // 2, size[1] // 2).
    size : (int, int)
        Depth and width of a window, px.

    Returns
    -------
    tensor of shape (crop, ..., size[0], size[1])
    """
    depth, width = images.shape[-2:]
    rows, row_inside = _window(centre[:, 0], size[0], depth)
    columns, column_inside = _window(centre[:, 1], size[1], width)
    inside = row_inside[:, :, None] & column_inside[:, None, :]  # (N, h, w)
    pixels = rows[:, :, None] * width + columns[:, None, :]  # (N, h, w)
    flat = images.flatten(-2)
    windows = [
        # One at a time: nothing as large as an image is copied.
        flat[which].index_select(-1, pixel.flatten()).unflatten(-1, size)
        for which, pixel in zip(sequence.tolist(), pixels, strict=True)
    ]
    if not windows:
        return images.new_zeros((0, *images.shape[1:-2], *size))
    shape = (len(pixels), *[1] * (images.ndim - 3), *size)
    return torch.stack(windows) * inside.reshape(shape)


def unit_crops(
    tvi: Tensor,
    masks: Tensor,
    sequence: Tensor,
    size: tuple[int, int],
    *,
    mask_channel: bool,
    shift: Tensor | None = None,
) -> Tensor:
    """Return what a network sees of units: crops of their sequences about their masks' centres.

    Parameters
    ----------
    tvi : float32 tensor of shape (sequence, time, depth, width)
    masks : float32 tensor of shape (unit, depth, width)
        True or detected.
    sequence : int64 tensor of shape (unit,)
        Which sequence each unit is in.
    size : (int, int)
        Depth and width of a crop, px.
    mask_channel : bool
        Whether the mask's crop is a second channel, the same at all times.
    shift : int64 tensor of shape (unit, 2), optional
        Rows and columns by which each crop is displaced.

    Returns
    -------
    float32 tensor of shape (unit, 1 or 2, time, *size)
    """
    centre = centres(masks)
    if shift is not None:
        centre = centre + shift
    crops = crop_about(tvi, sequence, centre, size)[:, None]  # (N, 1, T, h, w)
    if not mask_channel:
        return crops
    own = torch.arange(len(masks), device=masks.device)
    mask = crop_about(masks, own, centre, size)[:, None, None]  # (N, 1, 1, h, w)
    return torch.cat([crops, mask.to(crops.dtype).expand_as(crops)], 1)


def roughen(masks: Tensor, most: int, random: np.random.Generator) -> Tensor:
    """Return masks with the errors of detected ones: displaced, and a pixel wider or narrower.

    Parameters
    ----------
    masks : tensor of shape (unit, depth, width)
        0 or 1.
    most : int
        Greatest displacement along each axis, px; with 0 masks are returned as they are.
    random : numpy.random.Generator

    Returns
    -------
    tensor of the shape of `masks`
        A mask that would have vanished is left as it was.
    """
    if most == 0:
        return masks
    count, depth, width = masks.shape
    shift = torch.from_numpy(random.integers(-most, most + 1, (count, 2))).to(masks.device)
    # Half of them keep their size; a quarter grows by a pixel all round, a quarter shrinks.
    size = torch.from_numpy(random.integers(4, size=count)).to(masks.device)[:, None, None]
    wider = functional.max_pool2d(masks[:, None], 3, 1, 1)[:, 0]
    narrower = 1 - functional.max_pool2d(1 - masks[:, None], 3, 1, 1)[:, 0]
    sized = torch.where(size == 0, wider, torch.where(size == 1, narrower, masks))
    own = torch.arange(count, device=masks.device)
    middle = torch.tensor([depth // 2, width // 2], device=masks.device)
    moved = crop_about(sized, own, middle - shift, (depth, width))
    return torch.where(moved.any(2).any(1)[:, None, None], moved, masks)


def _window(centre: Tensor, length: int, limit: int) -> tuple[Tensor, Tensor]:
    """Return indices of windows, (crop, length), moved inside, and whether each was inside."""
    first = centre - length // 2
    index = first[:, None] + torch.arange(length, device=centre.device)
    return index.clamp(0, limit - 1), (index >= 0) & (index < limit)


def choose_units(
    territory: Tensor, present: Tensor, count: int, least_visible: int, random: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Draw units with enough visible pixels, each as often as any other.

    Parameters
    ----------
    territory : tensor of shape (batch, unit, depth, width)
    present : bool tensor of shape (batch, unit)
        Units that are no padding.
    count : int
    least_visible : int
        Pixels; where no unit has so many, units are drawn whatever they have.
    random : numpy.random.Generator

    Returns
    -------
    sequence, unit : int64 tensors of shape (count,)
        None twice before all are taken.
    """
    visible = (territory > 0.5).sum((2, 3)) >= least_visible
    places = (visible & present).nonzero()
    if len(places) == 0:
        places = present.nonzero()
    rounds = -(-count // len(places))
    order = np.concatenate([random.permutation(len(places)) for _ in range(rounds)])[:count]
    chosen = places.cpu()[torch.from_numpy(order)].to(territory.device)
    return chosen[:, 0], chosen[:, 1]
