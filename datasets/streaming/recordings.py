"""Rendering quick recordings in torch, on any device: maps times courses and coloured noise.

The formula is that of :mod:`musim.simulator.experiment.quick`, and noise is drawn on the same grid
from the same keys.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...simulator.experiment.quick import Recording
from ...simulator.experiment.residual import Colour
from .collate import Batch
from .noise import standard_normal
from .rendering import add_noise, pieces, superpose

RECORDED = ("motion_map", "motion_course", "noise_map", "scanner_noise_key")
"""What samples and batches hold of recordings until a device has rendered them."""


def recorded(recording: Recording, start: int, stop: int) -> dict[str, NDArray[Any]]:
    """Return what a sample holds of a recording, for a window of its frames."""
    return {
        "motion_map": recording.motion_map,
        "motion_course": recording.motion_course[:, start:stop],
        "noise_map": recording.noise_map,
        "scanner_noise_key": recording.noise_key,
    }


def render_recorded(batch: Batch, colour: Colour) -> Tensor:
    """Render a batch's recordings and the noise that is added; what it held of them is taken out.

    Parameters
    ----------
    batch : dict of tensors, changed in place
    colour : Colour

    Returns
    -------
    float32 tensor of shape (batch, time, depth, width)
    """
    maps, courses, noise_maps, keys = (batch.pop(name) for name in RECORDED)
    voxels = render_recordings(maps, courses, noise_maps, keys, batch["start"], colour)
    add_noise(voxels, batch["noise_key"], batch["noise_sd"], batch["start"])
    return voxels


def render_recordings(
    maps: Tensor,
    courses: Tensor,
    noise_maps: Tensor,
    keys: Tensor,
    start: Tensor,
    colour: Colour,
) -> Tensor:
    """Render windows of several recordings on the device that they are on.

    Parameters
    ----------
    maps : float32 tensor of shape (batch, component, depth, width)
        0 for padding.
    courses : float32 tensor of shape (batch, component, time)
        Of the windows, mm/s; 0 for padding.
    noise_maps : float32 tensor of shape (batch, 2, depth, width)
    keys : int64 tensor of shape (batch, 4)
    start : int64 tensor of shape (batch,)
        First frame of each window in its recording.
    colour : Colour

    Returns
    -------
    float32 tensor of shape (batch, time, depth, width)
        Velocity that is shown, mm/s, equal to the kernel's within float32 rounding.
    """
    voxels = superpose(maps, courses)
    if not bool(noise_maps.any()):
        return voxels
    length, depth, width = voxels.shape[1:]
    margins = len(colour.depth) - 1, len(colour.width) - 1
    points = (length - 1 + 2 * colour.reach) // colour.step + 2
    for piece in pieces(len(voxels), points * (depth + margins[0]) * (width + margins[1])):
        voxels[piece] += _noise(
            noise_maps[piece], keys[piece], start[piece], colour, length, points
        )
    return voxels


def _noise(
    strength: Tensor,
    keys: Tensor,
    start: Tensor,
    colour: Colour,
    length: int,
    points: int,
) -> Tensor:
    """Return the noise of windows of `length` frames, which `points` of the grid reach into."""
    shape, device = strength.shape[2:], strength.device
    first = start // colour.step
    grid = _grid(keys, first, points, shape, colour)
    time = start[:, None] + torch.arange(length, device=device)[None]
    point = first[:, None] + torch.arange(points, device=device)[None]
    # Point j stands at frame j * step - reach.
    places = time[:, :, None] - point[:, None, :] * colour.step + 2 * colour.reach
    noise = torch.zeros(len(keys), length, *shape, device=device)
    for order, response in enumerate(_on(colour.responses, device)):
        weights = _looked_up(response, places)
        noise += strength[:, order, None] * superpose(grid, weights.transpose(1, 2))
    return noise


def _grid(keys: Tensor, first: Tensor, points: int, shape: torch.Size, colour: Colour) -> Tensor:
    """Return noise that is white in time and coloured in space, (batch, point, depth, width)."""
    depth, width = (_on(taps, keys.device) for taps in (colour.depth, colour.width))
    tall, wide = shape[0] + len(depth) - 1, shape[1] + len(width) - 1
    white = standard_normal(keys, points, tall * wide, first).reshape(-1, 1, tall, wide)
    across = torch.nn.functional.conv2d(white, width[None, None, None])
    smooth = torch.nn.functional.conv2d(across, depth[None, None, :, None])
    return smooth.reshape(len(keys), points, *shape)


def _looked_up(values: Tensor, places: Tensor) -> Tensor:
    """Return values at places, and 0 beyond their ends."""
    inside = (places >= 0) & (places < len(values))
    return torch.where(inside, values[places.clamp(0, len(values) - 1)], 0.0)


def _on(values: NDArray[np.float32], device: torch.device) -> Tensor:
    return torch.from_numpy(values).to(device)
