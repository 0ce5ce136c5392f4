"""Boxes and masks of units: what Mask R-CNN is to find, and its masks in the whole image."""

import torch
from torch import Tensor
from torch.nn import functional

Targets = list[dict[str, Tensor]]


def targets_of(territory: Tensor, unit_mask: Tensor, fewest: int) -> Targets:
    """Return what Mask R-CNN is to find in each sequence.

    Parameters
    ----------
    territory : tensor of shape (batch, unit, depth, width)
        Memberships; a unit's mask are the pixels of which more than half belongs to it.
    unit_mask : bool tensor of shape (batch, unit)
        False for padding.
    fewest : int
        Units with fewer pixels are left out.

    Returns
    -------
    list of dict
        ``masks`` uint8 (unit, depth, width), ``boxes`` float32 (unit, 4) and ``labels`` int64
        (unit,). A box reaches to the outer edges of its pixels, but not beyond the centres of those
        at the image's border, so that mirrored masks have mirrored boxes.
    """
    targets = []
    for one, there in zip(territory > 0.5, unit_mask, strict=True):
        masks = one[there & (one.sum(dim=(1, 2)) >= fewest)]
        top, bottom = _extent(masks.any(dim=2))
        left, right = _extent(masks.any(dim=1))
        boxes = torch.stack([left, top, right, bottom], dim=1)
        labels = torch.ones(len(masks), dtype=torch.int64, device=masks.device)
        targets.append({"masks": masks.to(torch.uint8), "boxes": boxes, "labels": labels})
    return targets


def paste(masks: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Return masks of boxes as masks of the image, interpolated at the centres of its pixels.

    Parameters
    ----------
    masks : float tensor of shape (unit, 1, side, side)
        Of the box's equal parts.
    boxes : float tensor of shape (unit, 4)
        px.
    size : (int, int)
        Depth and width of the image, px.

    Returns
    -------
    float tensor of shape (unit, depth, width)
        0 where the pixel's centre is outside of the box.
    """
    depth, width = size
    rows = torch.arange(depth, device=boxes.device, dtype=boxes.dtype)
    columns = torch.arange(width, device=boxes.device, dtype=boxes.dtype)
    left, top, right, bottom = boxes[:, :, None].unbind(dim=1)
    # Places in the box, -1..1 from edge to edge.
    across = 2 * (columns - left) / (right - left) - 1  # (N, W)
    down = 2 * (rows - top) / (bottom - top) - 1  # (N, H)
    grid = torch.stack(
        [across[:, None, :].expand(-1, depth, -1), down[:, :, None].expand(-1, -1, width)], dim=-1
    )  # (N, H, W, 2)
    image = functional.grid_sample(masks, grid, padding_mode="border", align_corners=False)[:, 0]
    inside = (across.abs() <= 1)[:, None, :] & (down.abs() <= 1)[:, :, None]
    return image * inside


def _extent(there: Tensor) -> tuple[Tensor, Tensor]:
    """Return the outer edges of what is there along the second axis; see :func:`targets_of`."""
    length = there.shape[1]
    places = torch.arange(length, device=there.device)
    low = torch.where(there, places, length).amin(dim=1) - 0.5
    high = torch.where(there, places, -1).amax(dim=1) + 0.5
    return low.clamp(min=0), high.clamp(max=length - 1)
