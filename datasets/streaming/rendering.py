"""Rendering a batch of sequences in torch, on any device: one batched product plus noise."""

from collections.abc import Iterator

import torch
from torch import Tensor

from ...simulator.errors import InputError
from .noise import standard_normal

CHUNK_BYTES = 2**30
"""Intermediate values of the noise take about this much of the device's memory at a time."""

_BYTES_A_VOXEL = 64


def device_for(device: torch.device | str | None, noise: str) -> torch.device | None:
    """Return a device on which sequences with a model of noise can be rendered; None is none.

    Raises
    ------
    InputError
        If there is no such device here, or it cannot make this noise.
    """
    if device is None:
        return None
    try:
        found = torch.device(device)
        # What a device lacks, torch says when something is put there, each kind in its own way.
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        raise InputError(
            f"device: found no {str(device)!r} here, wanted a device that torch has; "
            "where none is asked for, kernels render on the processor"
        ) from error
    if noise != "white":
        raise InputError(
            f"device: found sequences with noise {noise!r}, wanted white, which alone is made on a "
            "device; leave device out"
        )
    return found


def render_batch(
    territory: Tensor,
    trains: Tensor,
    noise_keys: Tensor,
    noise_sd: Tensor,
    start: Tensor,
) -> Tensor:
    """Render windows of several sequences on the device that their truth is on.

    Parameters
    ----------
    territory : float32 tensor of shape (batch, unit, depth, width)
        Memberships; 0 for padding.
    trains : float32 tensor of shape (batch, unit, time)
        Velocities in the windows, mm/s; 0 for padding.
    noise_keys : int64 tensor of shape (batch, 4)
    noise_sd : float32 tensor of shape (batch,)
        mm/s; 0 adds no noise.
    start : int64 tensor of shape (batch,)
        First frame of each window in its sequence.

    Returns
    -------
    float32 tensor of shape (batch, time, depth, width)
        Tissue velocity, mm/s, equal to the kernel's within float32 rounding.
    """
    voxels = superpose(territory, trains)
    add_noise(voxels, noise_keys, noise_sd, start)
    return voxels


def superpose(maps: Tensor, courses: Tensor) -> Tensor:
    """Return sums of maps (batch, number, depth, width) times courses (batch, number, time)."""
    batch, number, depth, width = maps.shape
    voxels = torch.bmm(courses.transpose(1, 2), maps.reshape(batch, number, depth * width))
    return voxels.reshape(batch, -1, depth, width)


def add_noise(voxels: Tensor, noise_keys: Tensor, noise_sd: Tensor, start: Tensor) -> None:
    """Add white noise to windows of several sequences, in their place.

    Parameters are those of :func:`render_batch`.
    """
    if not bool((noise_sd > 0).any()):
        return
    frames, depth, width = voxels.shape[1:]
    for piece in pieces(len(voxels), frames * depth * width):
        noise = standard_normal(noise_keys[piece], frames, depth * width, start[piece])
        scaled = noise * noise_sd[piece, None, None]
        voxels[piece] += scaled.reshape(-1, frames, depth, width)


def pieces(batch: int, values: int) -> Iterator[slice]:
    """Cut a batch into pieces whose noise, of so many values each, fits into the memory."""
    step = max(1, CHUNK_BYTES // (_BYTES_A_VOXEL * values))
    return (slice(low, low + step) for low in range(0, batch, step))
