"""The virtual experiment's IQ images in torch, on any device: float32, as the kernels make them.

Products and sums are rounded apart and in another order than in
:mod:`musim.simulator.experiment.speckle_kernels`, so images agree to within float32 rounding and
not to the byte: stores, which are made again to be proved, are made by the kernels.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import fields as fields_of
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...simulator.errors import InputError
from ...simulator.experiment.speckle import Echoes
from .noise import standard_normal
from .rendering import device_for


class DeviceSpeckle:
    """A sequence's echoes on a device, and its IQ images made there.

    Parameters
    ----------
    echoes : Echoes
        ``draw_echoes(scanner, motion, seed, index)``.
    device : torch.device or str
        Where images are made.

    Raises
    ------
    InputError
        If there is no such device here.

    Notes
    -----
    Images are made by operations on single values alone, no matrix products or convolutions: those
    may be rounded to fewer digits on GPUs (TF32), which a phase does not bear.
    """

    def __init__(self, echoes: Echoes, device: torch.device | str) -> None:
        found = device_for(device, "white")
        if found is None:
            raise InputError("device: found none, wanted one that torch has, such as 'cpu'")
        self.device = found
        arrays = {field.name: getattr(echoes, field.name) for field in fields_of(Echoes)}
        arrays["key"] = arrays["key"].astype(np.int64)
        self._echoes = {
            name: torch.tensor(np.ascontiguousarray(array), device=found)
            for name, array in arrays.items()
            if array is not None
        }

    def __len__(self) -> int:
        return len(self._echoes["courses"])

    def images(self, first: int, count: int) -> Tensor:
        """Make some of the images.

        Parameters
        ----------
        first, count : int
            Of the sequence's frames.

        Returns
        -------
        complex64 tensor of shape (frame, depth, width)
            Within 5e-6 of the kernels' images for turns of the echo's phase up to 1, the error
            growing with the turns; the mean power of muscle's echoes is 1.

        Raises
        ------
        InputError
            If the sequence has no such frames.
        """
        if first < 0 or count < 0 or first + count > len(self):
            raise InputError(
                f"first, count: found frames {first} to {first + count}, wanted some of 0 to "
                f"{len(self)}"
            )
        pulsed = self._pulsed(*self._echo_sums(first, count))
        lateral = self._echoes["lateral"]
        depth, width = pulsed.shape[1:]
        half = lateral.shape[1] // 2
        padded = torch.nn.functional.pad(torch.view_as_real(pulsed), (0, 0, half, half))
        images = torch.zeros(count, depth, width, 2, device=self.device)
        for tap in range(lateral.shape[1]):
            images += lateral[:, tap, None, None] * padded[:, :, tap : tap + width]
        noise = self._echoes["noise"]
        if bool((noise > 0).any()):
            # Real and imaginary part of a frame are frames of noise that follow one another.
            start = torch.tensor([2 * first], device=self.device)
            normal = standard_normal(self._echoes["key"][None], 2 * count, depth * width, start)
            parts = normal.reshape(count, 2, depth, width).permute(0, 2, 3, 1)
            images += noise[:, None, None] * parts
        found = torch.view_as_complex(images)
        return found + self._echoes["clutter"] if "clutter" in self._echoes else found

    def _echo_sums(self, first: int, count: int) -> tuple[Tensor, Tensor]:
        """Return each pixel's echoes in place and beside it, complex64 (frame, depth, width)."""
        fields, scatterers = self._echoes["fields"], self._echoes["scatterers"]
        courses = self._echoes["courses"][first : first + count]
        turns = torch.zeros(count, *fields.shape[1:], device=self.device)
        for number, field in enumerate(fields):
            turns.addcmul_(courses[:, number, None, None, None], field)
        angle = 2 * math.pi * (turns - turns.round())
        keep, take = _rotation(self._echoes["exchange"][:, None, None] * turns)
        seen = torch.complex(
            keep * scatterers[0] + take * scatterers[2], keep * scatterers[1] + take * scatterers[3]
        )
        seen = seen * torch.complex(angle.cos(), angle.sin())
        keep, take = _rotation(self._echoes["shift"][:, None, None] * turns)
        return (keep * seen).sum(dim=2), (take * seen).sum(dim=2)

    def _pulsed(self, *echoes: Tensor) -> Tensor:
        """Spread echoes in depth by the pulse and its slope, complex64 (frame, depth, width)."""
        axial = self._echoes["axial"]
        depths, taps = axial.shape[1:]
        pulsed = torch.zeros_like(echoes[0])
        for pulse, echo in zip(axial, echoes, strict=True):
            for tap in range(taps):
                below = tap - taps // 2  # the row that the echo comes from, less its own
                low, high = max(-below, 0), min(depths - below, depths)
                if low < high:
                    source = echo[:, low + below : high + below]
                    pulsed[:, low:high] += pulse[low:high, tap, None] * source
        return pulsed


def _rotation(tangent: Tensor) -> tuple[Tensor, Tensor]:
    """Return cosine and sine of twice the arctangent."""
    square = tangent * tangent
    scale = 1 / (1 + square)
    return (1 - square) * scale, 2 * tangent * scale


def images_on(
    device: torch.device | str,
) -> Callable[[Echoes, int], Iterator[NDArray[np.complex64]]]:
    """Return what makes IQ images on a device, for ``simulate(..., images=images_on("cuda"))``.

    Parameters
    ----------
    device : torch.device or str

    Returns
    -------
    function of (echoes, length)
        Yields complex64 arrays of shape (frame, depth, width), as
        :func:`musim.simulator.experiment.speckle.iq_blocks` does.
    """

    def blocks(echoes: Echoes, length: int) -> Iterator[NDArray[Any]]:
        speckle = DeviceSpeckle(echoes, device)
        for first in range(0, len(speckle), length):
            yield speckle.images(first, min(length, len(speckle) - first)).cpu().numpy()

    return blocks
