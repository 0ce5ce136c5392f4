"""Changes of images that leave what they show as it is, drawn anew for every image of every step.

Rotation, scaling, flips and erasing are those of Katakis et al. 2023
(doi:10.3390/biomedinformatics3020027, section 2.3.2); shear, contrast and gain stand for other
scanners and probes.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

SMALLEST = 0.45
"""Share of a screen along each axis that an image takes at the least."""

BRIGHTEST = 0.25
"""Grey level of a screen around an image, at the most."""

LARGEST_SIGN = 0.02
"""Share of a screen that a sign on it takes, at the most."""


@dataclass(frozen=True)
class Augmentation:
    """How much images are changed, each drawn evenly up to it.

    Parameters
    ----------
    rotation : float
        To either side [degrees].
    scaling : float
        Factor up to which, and down to the inverse of which, depth and width are scaled together,
        on a logarithmic scale; half as much they are scaled by themselves.
    shift : float
        As a share of the image along each axis.
    screens : float
        Share of images that are shown as on a scanner's screen, in place of scaling and shift:
        smaller, anywhere, on black or dark grey, perhaps with a bright sign beside them.
    flips : bool
        Whether left and right are exchanged, at random.
    erased : float
        Share of an image up to which a rectangle of it becomes grey.
    contrast : float
        Grey levels, from 0 to 1, are raised to a power of up to this much or its inverse.
    gain : float
        A slope of brightness along depth and along width, up to this share of all grey levels.
    """

    rotation: float
    scaling: float
    shift: float
    screens: float
    flips: bool
    erased: float
    contrast: float
    gain: float

    def draw(self, count: int, random: np.random.Generator) -> dict[str, Tensor]:
        """Return what happens to some images, as tensors that are images long."""

        def even(most: float, *size: int) -> NDArray[np.float64]:
            return random.uniform(-most, most, size=(count, *size))

        angle = np.deg2rad(even(self.rotation))
        spread = math.log(self.scaling)
        scale = np.exp(even(spread))[:, None] * np.exp(even(spread / 2, 2))
        middle = even(2 * self.shift, 2)
        on_screen = random.random(count) < self.screens
        smaller = random.uniform(SMALLEST, 1, size=(count, 2))
        scale = np.where(on_screen[:, None], smaller, scale)
        middle = np.where(on_screen[:, None], (1 - smaller) * even(1.0, 2), middle)
        mirrored = np.where(random.random(count) < 0.5, -1.0, 1.0) if self.flips else np.ones(count)
        turn = np.stack(
            [np.stack([np.cos(angle), -np.sin(angle)], -1),
             np.stack([np.sin(angle), np.cos(angle)], -1)], 1
        )  # fmt: skip
        # From where a pixel is to where its value comes from: along width, then depth.
        turn *= np.stack([mirrored, np.ones(count)], -1)[:, None] / scale[:, :, None]
        where = np.concatenate([turn, -(turn @ middle[..., None])], axis=2)
        area = random.uniform(0, self.erased, count)
        around = np.where(on_screen, random.uniform(0, BRIGHTEST, count), 0)
        return {
            "affine": _tensor(where),
            "box": _tensor(_boxes(area, random)),
            "grey": _tensor(random.random(count)),
            "power": _tensor(np.exp(even(math.log(self.contrast)))),
            "slope": _tensor(even(self.gain, 2)),
            "around": _tensor(around),
            "sign": _tensor(_boxes(on_screen * random.uniform(0, LARGEST_SIGN, count), random)),
            "sign_grey": _tensor(random.random(count)),
        }


def _boxes(area: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """Return boxes of some area anywhere in an image, as shares: top, left, bottom, right."""
    shape = np.exp(random.uniform(-2, 2, len(area)))
    sides = np.stack([np.sqrt(area * shape), np.sqrt(area / shape)], -1).clip(max=1)
    corner = random.random((len(area), 2)) * (1 - sides)
    return np.concatenate([corner, corner + sides], axis=1)


def _tensor(values: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))


def augment(images: Tensor, masks: Tensor, drawn: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Return images and masks, changed.

    Parameters
    ----------
    images, masks : (images, 1, depth, width) tensors
        Grey levels and masks, from 0 to 1.
    drawn : dict of tensors
        What :meth:`Augmentation.draw` gave. Rotations and scaling are about the image's middle, and
        as if pixels were square.

    Returns
    -------
    images, masks : tensors of their shapes
        Masks lie between 0 and 1 at their edges.
    """
    grid = functional.affine_grid(drawn["affine"], list(images.shape), align_corners=False)
    both = functional.grid_sample(
        torch.cat([images, masks], dim=1), grid, align_corners=False, padding_mode="zeros"
    )
    images, masks = both[:, :1], both[:, 1:]
    each = {name: values[:, None, None, None] for name, values in drawn.items() if values.ndim == 1}
    depth, width = images.shape[-2:]
    down = torch.linspace(0, 1, depth, device=images.device)[None, None, :, None]
    across = torch.linspace(0, 1, width, device=images.device)[None, None, None, :]

    def within(name: str) -> Tensor:
        top, left, bottom, right = drawn[name].T[:, :, None, None, None]
        return (down >= top) & (down < bottom) & (across >= left) & (across < right)

    images = images.clamp(0, 1) ** each["power"]
    slopes = drawn["slope"][:, :, None, None, None]
    images = images * (1 + slopes[:, 0] * (2 * down - 1)) * (1 + slopes[:, 1] * (2 * across - 1))
    images = torch.where(within("box"), each["grey"], images.clamp(0, 1))
    around = torch.where(within("sign"), each["sign_grey"], each["around"])
    shown = (grid.abs() <= 1).all(dim=-1)[:, None]
    return torch.where(shown, images, around), masks
