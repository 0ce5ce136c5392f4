"""Where the regions of a frame at rest lie in other frames: block matching.

Each region is looked for at all displacements of whole pixels up to a reach, by normalised
correlation, and between pixels where a parabola through the best match and its neighbours is
highest.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from .frame_binning import binned, binned_size

PIXEL = (0.25, 0.45)
"""Depth and width of pixels that are matched, mm, as near as means over whole pixels come: speckle
is finer along scan lines than across them."""

REACH = (1.25, 5.4)
"""Displacements that are found, mm: a calf slides by 4 mm where its ankle turns by 12 deg."""

REGIONS, FEWEST = (4, 8), (6, 6)
"""Regions of a frame, and the fewest pixels of one."""

_PIECE = 32

LEAST_POWER = 1.0
"""Mean square of grey levels about their mean below which a region has nothing to be found by."""


@dataclass(frozen=True)
class Matched:
    """What is matched of frames, and how.

    Parameters
    ----------
    bins : (int, int)
        Rows and columns that make one pixel that is matched.
    pixel : (float, float)
        Depth and width of one, mm.
    regions : (int, int)
        Rows and columns of regions.
    reach : (int, int)
        Greatest displacement in depth and in width, px.
    """

    bins: tuple[int, int]
    pixel: tuple[float, float]
    regions: tuple[int, int]
    reach: tuple[int, int]

    @classmethod
    def of(cls, image: tuple[int, int], pixel_size: tuple[float, float]) -> "Matched":
        """Return how frames of some px, of so many mm each, are matched."""
        bins = [max(1, round(PIXEL[each] / pixel_size[each])) for each in (0, 1)]
        pixel = [bins[each] * pixel_size[each] for each in (0, 1)]
        size = binned_size(image, (bins[0], bins[1]))
        regions = [max(1, min(REGIONS[each], size[each] // FEWEST[each])) for each in (0, 1)]
        reach = [math.ceil(REACH[each] / pixel[each]) for each in (0, 1)]
        return cls(
            (bins[0], bins[1]), (pixel[0], pixel[1]), (regions[0], regions[1]),
            (reach[0], reach[1]),
        )  # fmt: skip

    @property
    def values(self) -> int:
        """Numbers that tell of a frame."""
        return 3 * self.regions[0] * self.regions[1]

    def of_frames(self, rest: NDArray[np.uint8], frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return displacements (mm) of all regions in depth, those in width, and correlations.

        Parameters
        ----------
        rest : uint8 array of shape (depth, width)
        frames : uint8 array of shape (frame, depth, width)

        Returns
        -------
        float32 array of shape (frame, values)
        """
        scale = torch.tensor([*self.pixel, 1.0])[:, None, None]
        reference = _grey_levels(rest[None], self.bins)
        found = [torch.empty(0, self.values)]
        for begin in range(0, len(frames), _PIECE):
            some = _grey_levels(frames[begin : begin + _PIECE], self.bins)
            moved = match_regions(
                reference.expand(len(some), -1, -1), some, self.regions, self.reach
            )
            found.append((moved * scale).flatten(1))
        return torch.cat(found).numpy()


def _grey_levels(frames: NDArray[np.uint8], bins: tuple[int, int]) -> Tensor:
    # As numbers they are copies: frames that are mapped from a file cannot be written to.
    return torch.from_numpy(binned(frames, bins).astype(np.float32))


def match_regions(
    reference: Tensor, frames: Tensor, regions: tuple[int, int], reach: tuple[int, int]
) -> Tensor:
    """Return how far each region has moved, and how alike it is there.

    Parameters
    ----------
    reference, frames : float Tensors of shape (example, depth, width)
        Grey levels; of each example a frame at rest, and another.
    regions : (int, int)
        Rows and columns of regions, of equal size; what is left over at the lower and right edges
        is left out.
    reach : (int, int)
        Greatest displacement in depth and in width, either way, px.

    Returns
    -------
    float Tensor of shape (example, 3, row of regions, column of regions)
        Displacement in depth and in width, px, positive to larger ones; and the correlation.
    """
    rows, columns = reach
    count, depth, width = frames.shape
    tall, wide = depth // regions[0], width // regions[1]
    reference = reference[:, : tall * regions[0], : wide * regions[1]]

    def summed(values: Tensor) -> Tensor:
        return values.reshape(count, regions[0], tall, regions[1], wide).sum((2, 4))

    size = tall * wide
    mean = summed(reference) / size
    power = summed(reference**2) / size - mean**2
    # Edges go on beyond themselves: what has left the image is found nowhere.
    padded = pad(frames[:, None], (columns, columns, rows, rows), mode="replicate")[:, 0]
    found = []
    for z in range(2 * rows + 1):
        for x in range(2 * columns + 1):
            seen = padded[:, z : z + tall * regions[0], x : x + wide * regions[1]]
            middle = summed(seen) / size
            spread = (summed(seen**2) / size - middle**2).clamp(min=LEAST_POWER)
            common = summed(seen * reference) / size - middle * mean
            found.append(common / (spread * power.clamp(min=LEAST_POWER)).sqrt())
    volume = torch.stack(found, 1).unflatten(1, (2 * rows + 1, 2 * columns + 1))
    return _highest(volume)


def _highest(volume: Tensor) -> Tensor:
    """Return place and height of the highest match, of (example, rows, columns, ...)."""
    height, width = volume.shape[1:3]
    best, place = volume.flatten(1, 2).max(1)
    z, x = place // width, place % width

    def at(z: Tensor, x: Tensor) -> Tensor:
        index = z.clamp(0, height - 1) * width + x.clamp(0, width - 1)
        return volume.flatten(1, 2).gather(1, index[:, None])[:, 0]

    down = _between(at(z - 1, x), best, at(z + 1, x), (z > 0) & (z < height - 1))
    across = _between(at(z, x - 1), best, at(z, x + 1), (x > 0) & (x < width - 1))
    return torch.stack([z - height // 2 + down, x - width // 2 + across, best], 1)


def _between(before: Tensor, best: Tensor, after: Tensor, inside: Tensor) -> Tensor:
    """Return where a parabola through three neighbours is highest, from the middle one."""
    bend = (2 * best - before - after).clamp(min=1e-6)
    return torch.where(inside, (after - before) / (2 * bend), 0.0).clamp(-0.5, 0.5)
