"""From samples to batches: tensors with a common number of units, padded and masked."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..samples import UNIT_PARAMETERS, crop
from .memory import BatchMemory

Sample = dict[str, Any]
Batch = dict[str, torch.Tensor]

_SCALARS = ("index", "start", "snr", "noise_sd")


def collate_sequences(samples: list[Sample], memory: BatchMemory | None = None) -> Batch:
    """Make one batch of samples whose numbers of units differ.

    Parameters
    ----------
    samples : list of dict
        As :mod:`musim.datasets.samples` makes them; all with truth, or all without.
    memory : BatchMemory, optional
        Where territories are put; in new memory, if not given.

    Returns
    -------
    dict of tensors
        ``index``, ``start`` (batch,) and, where the samples have them, ``tvi`` (batch, time, depth,
        width); ``territory`` (batch, unit, depth, width), ``twitch_train`` (batch, unit, time),
        ``firing`` (batch, unit, firing) in s from the window's start, padded with NaN,
        ``unit_mask`` (batch, unit) True for units that are there, the units' parameters (batch,
        unit) padded with NaN, ``snr``, ``noise_sd`` (batch,), ``noise_key`` (batch, 4); and of
        quick recordings that a device renders what :data:`.recordings.RECORDED` names.
    """
    batch: Batch = {}
    if "tvi" in samples[0]:
        batch["tvi"] = torch.from_numpy(np.stack([sample["tvi"] for sample in samples]))
    for name in _SCALARS:
        if name in samples[0]:
            kind = torch.int64 if name in {"index", "start"} else torch.float32
            batch[name] = torch.tensor([sample[name] for sample in samples], dtype=kind)
    if "territory" not in samples[0]:
        return batch
    counts = [len(sample["territory"]) for sample in samples]
    lend = np.empty if memory is None else memory.lend
    batch["territory"] = _pad([sample["territory"] for sample in samples], 0, lend)
    batch["twitch_train"] = _pad([sample["twitch_train"] for sample in samples], 0)
    batch["firing"] = _pad([_trimmed(sample["firing"]) for sample in samples], np.nan)
    for name in UNIT_PARAMETERS:
        batch[name] = _pad([sample[name] for sample in samples], np.nan)
    batch["unit_mask"] = torch.arange(max(counts))[None, :] < torch.tensor(counts)[:, None]
    batch["noise_key"] = _keys(samples, "noise_key")
    if "motion_map" in samples[0]:
        batch["motion_map"] = _pad([sample["motion_map"] for sample in samples], 0)
        batch["motion_course"] = _pad([sample["motion_course"] for sample in samples], 0)
        batch["noise_map"] = _pad([sample["noise_map"] for sample in samples], 0)
        batch["scanner_noise_key"] = _keys(samples, "scanner_noise_key")
    return batch


def _keys(samples: list[Sample], name: str) -> torch.Tensor:
    return torch.from_numpy(np.stack([sample[name] for sample in samples]).astype(np.int64))


def collate_units(
    samples: list[Sample], size: tuple[int, int], pixel_size: tuple[float, float]
) -> Batch:
    """Make one batch of the units of some samples: an item is a crop about one unit's centre.

    Parameters
    ----------
    samples : list of dict
        With voxels and truth.
    size : (int, int)
        Depth and width of a crop, px.
    pixel_size : (float, float)
        Depth and width of a pixel, mm.

    Returns
    -------
    dict of tensors
        ``tvi`` (item, time, depth, width), ``territory`` (item, depth, width), ``twitch_train``
        (item, time), ``firing`` (item, firing), the unit's parameters (item,), ``index``, ``unit``,
        ``start``, ``snr``, ``noise_sd`` (item,).
    """
    places = [
        (sample, unit, *_pixel_of(sample, unit, pixel_size))
        for sample in samples
        for unit in range(len(sample["territory"]))
    ]
    voxels = [crop(sample["tvi"], row, column, size) for sample, _, row, column in places]
    masks = [crop(one["territory"][unit], row, column, size) for one, unit, row, column in places]
    batch: Batch = {
        "tvi": torch.from_numpy(np.stack(voxels)),
        "territory": torch.from_numpy(np.stack(masks)),
        "firing": _pad([_trimmed(sample["firing"][unit]) for sample, unit, *_ in places], np.nan),
        "unit": torch.tensor([unit for _, unit, *_ in places]),
    }
    for name in ("twitch_train", *UNIT_PARAMETERS):
        values = np.stack([sample[name][unit] for sample, unit, *_ in places])
        batch[name] = torch.from_numpy(values)
    for name in _SCALARS:
        kind = torch.int64 if name in {"index", "start"} else torch.float32
        batch[name] = torch.tensor([sample[name] for sample, *_ in places], dtype=kind)
    return batch


def _pixel_of(sample: Sample, unit: int, pixel_size: tuple[float, float]) -> tuple[int, int]:
    row = int(np.floor(sample["centre_depth"][unit] / pixel_size[0]))
    column = int(np.floor(sample["centre_width"][unit] / pixel_size[1]))
    return row, column


def _trimmed(firing: NDArray[Any]) -> NDArray[Any]:
    """Return firings without the columns at the end that are padding alone, but for one."""
    longest = int((~np.isnan(firing)).sum(axis=-1).max(initial=1))
    return firing[..., :longest]


def _pad(arrays: list[NDArray[Any]], fill: float, empty: Any = np.empty) -> torch.Tensor:
    """Stack arrays of different shapes, filled up at their ends, in what `empty` makes."""
    longest = tuple(int(length) for length in np.max([array.shape for array in arrays], axis=0))
    padded = empty((len(arrays), *longest), dtype=arrays[0].dtype)
    for row, array in zip(padded, arrays, strict=True):
        row[tuple(slice(length) for length in array.shape)] = array
        for axis, length in enumerate(array.shape):
            row[(slice(None),) * axis + (slice(length, None),)] = fill
    return torch.from_numpy(padded)
