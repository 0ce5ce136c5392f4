"""Outlines of units, as learned from simulated recordings.

Motion spreads beyond a unit's territory, how far is not known, and what other units move is taken
for its own where trains are not quite right. A small network of convolutions looks at a unit's map
and at what surrounds it, and says of each place how probably it is the unit's. Its weights come as
text (:mod:`.weights`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .....simulator.errors import InputError
from ..blocks import Blocks
from ..evidence import CORE, FOOT, place_of, smoothed
from ..interpolation import linear_weights
from .numbers import array_of, short

SPACING = 0.6
"""Of the places that are looked at, mm."""

SIDE = 40
"""Places in depth and in width: 24 mm, with the unit in the middle."""

DILATIONS = (1, 1, 2, 4, 8, 1)
"""Of the layers of 3 x 3; each place of the last sees 21 mm."""

VIEWS = ("map", "smooth", "share", "others", "image", "noise", "spread")
"""What is looked at; see :func:`views_of`."""

IMAGE = VIEWS.index("image")

SMALLEST = 1e-4
"""Noise of a map, as a share of its peak, below which it is none."""

Layer = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True)
class Seen:
    """What is seen of units around their places.

    Parameters
    ----------
    views : float32 array of shape (unit, view, depth, width)
        By :data:`VIEWS`; :data:`SIDE` places of :data:`SPACING` mm in depth and width.
    centres : float64 array of shape (unit, 2)
        Depth and width of their middle, mm.
    """

    views: NDArray[np.float32]
    centres: NDArray[np.float64]


def views_of(blocks: Blocks, trains: NDArray[np.float64], maps: NDArray[np.float64]) -> Seen:
    """Return what is seen of units around their places.

    - map, smooth: the unit's map over its peak, as it is and smoothed; share: of the energy there
      that is its train's; others: the largest of the other units' motion over its own peak;
    - image: 1 where the image is and 0 beyond; noise: the logarithm of what smoothing takes from
      the map over its peak; spread: the logarithm of the area of places above a tenth of their peak
      over that above half, in the median of all units.

    Parameters
    ----------
    blocks : Blocks
        Of the recording.
    trains : float64 array of shape (unit, component)
        Of all units.
    maps : float64 array of shape (unit, depth, width)
        What of each train each block holds.
    """
    size = blocks.size
    strength = np.sqrt(np.square(trains).sum(axis=1))
    energy = blocks.images(np.square(blocks.values).sum(axis=1)[None])[0]
    smooth = np.array([smoothed(image, size) for image in maps]).reshape(maps.shape)
    whole = np.maximum(smoothed(energy, size), 1e-300)
    tops = np.maximum(smooth.max(axis=(1, 2), initial=0.0), 1e-300)
    rough = np.median(np.abs(maps - smooth), axis=(1, 2)) / tops if len(maps) else tops
    places = [(place_of(image, CORE), place_of(image, FOOT)) for image in smooth]
    spread = np.median([np.log(foot.sum() / core.sum()) for core, foot in places] or [0.0])
    moved = np.abs(smooth) * strength[:, None, None]
    views = np.zeros((len(maps), len(VIEWS), SIDE, SIDE), np.float32)
    centres = np.zeros((len(maps), 2))
    for unit, (core, _) in enumerate(places):
        centres[unit] = (np.argwhere(core).mean(axis=0) + 0.5) * size
        share = np.square(moved[unit]) / whole * np.sign(smooth[unit])
        others = np.delete(moved, unit, axis=0).max(axis=0, initial=0.0)
        views[unit, : IMAGE + 1] = around(
            np.stack([
                np.clip(maps[unit] / tops[unit], -1, 2),
                smooth[unit] / tops[unit],
                np.clip(share, -1.5, 1.5),
                np.minimum(others / max(strength[unit] * tops[unit], 1e-300), 3.0),
                np.ones(energy.shape),
            ]),
            centres[unit], size,
        )  # fmt: skip
        views[unit, VIEWS.index("noise")] = np.log(min(rough[unit], 1.0) + SMALLEST) / 3 + 1
        views[unit, VIEWS.index("spread")] = spread / 2
    return Seen(np.maximum(views, -1.5), centres)


def around(
    images: NDArray[np.float64], centre: NDArray[np.float64], size: tuple[float, float]
) -> NDArray[np.float64]:
    """Return images (image, depth, width) on places around a centre, 0 beyond them."""
    weights = [
        _weights(middle, count, block)
        for middle, count, block in zip(centre, images.shape[1:], size, strict=True)
    ]
    return np.asarray(weights[0] @ images @ weights[1].T)


def _weights(middle: float, count: int, block: float) -> NDArray[np.float64]:
    """Return the weights of blocks for places along one axis, float64 (place, block)."""
    places = (middle + _offsets()) / block - 0.5
    inside = (places > -0.5) & (places < count - 0.5)
    return linear_weights(places, count) * inside[:, None]


def _offsets() -> NDArray[np.float64]:
    return np.asarray((np.arange(SIDE) - (SIDE - 1) / 2) * SPACING, np.float64)


@dataclass(frozen=True)
class Outliner:
    """A network of convolutions, with rectified linear units between them.

    Parameters
    ----------
    layers : tuple of (float32 array (depth, width, input, output), float32 array (output,))
        Of 3 x 3 places, :data:`DILATIONS` apart, and a last one of a single place, which is given
        what the last of those gives and the views once more.
    certainty : (float, float)
        Of 1 and of the intersection over union that is expected: log odds that it exceeds 0.5.
    """

    layers: tuple[Layer, ...]
    certainty: tuple[float, float]

    def odds(self, views: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the log odds that places are a unit's, float32 (unit, depth, width)."""
        given = np.ascontiguousarray(np.moveaxis(views, 1, -1))
        values = given
        for (weight, bias), dilation in zip(self.layers, DILATIONS, strict=False):
            values = np.maximum(_convolved(values, weight, dilation) + bias, 0)
        weight, bias = self.layers[-1]
        both = np.concatenate([values, given], axis=-1)
        return np.asarray((both @ weight[0, 0] + bias)[..., 0], np.float32)

    def confidence(self, expected: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how probably outlines are right, from the overlap that is expected of them."""
        odds = self.certainty[0] + self.certainty[1] * expected
        return np.asarray((1 + np.tanh(odds / 2)) / 2)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "views": list(VIEWS),
            "layers": [{"weight": short(w), "bias": short(b)} for w, b in self.layers],
            "certainty": list(self.certainty),
        }

    @classmethod
    def from_json(cls, found: Any) -> "Outliner":
        """Return what :meth:`to_json` gave.

        Raises
        ------
        InputError
            If it is anything else, or looks at something else.
        """
        if not isinstance(found, dict) or found.get("views") != list(VIEWS):
            views = found.get("views") if isinstance(found, dict) else None
            raise InputError(
                f"outlines: found weights for the views {views}, wanted {', '.join(VIEWS)}; "
                "learn them anew"
            )
        try:
            layers = tuple(
                (array_of(one["weight"], 4).astype(np.float32),
                 array_of(one["bias"], 1).astype(np.float32))
                for one in found["layers"]
            )  # fmt: skip
            first, second = array_of(found["certainty"], 1)
            _check(layers)
        except (KeyError, TypeError, ValueError):
            raise InputError(
                "outlines: found weights that are damaged or of another version, wanted finite "
                "numbers for certainty and layers that fit together; learn them anew"
            ) from None
        return cls(layers, (float(first), float(second)))


def _check(layers: tuple[Layer, ...]) -> None:
    """Raise ValueError unless layers take one another's output and end in one number."""
    width = len(VIEWS)
    for weight, bias in layers[:-1]:
        if weight.shape != (3, 3, width, len(bias)):
            raise ValueError("layer")
        width = len(bias)
    if len(layers) != len(DILATIONS) + 1:
        raise ValueError("layers")
    weight, bias = layers[-1]
    if weight.shape != (1, 1, width + len(VIEWS), 1) or bias.shape != (1,):
        raise ValueError("output")


def _convolved(
    values: NDArray[np.float32], weight: NDArray[np.float32], dilation: int
) -> NDArray[np.float32]:
    """Return images (image, depth, width, channel) under a filter of 3 x 3 places, 0 beyond."""
    count, depth, width, _ = values.shape
    padded = np.pad(values, ((0, 0), (dilation, dilation), (dilation, dilation), (0, 0)))
    total = np.zeros((count, depth, width, weight.shape[3]), np.float32)
    for down in range(3):
        rows = padded[:, down * dilation : down * dilation + depth]
        for right in range(3):
            total += rows[:, :, right * dilation : right * dilation + width] @ weight[down, right]
    return total


def expected_overlap(odds: NDArray[np.float32], inside: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the intersection over union with the true territory that is expected.

    Parameters
    ----------
    odds : float32 array of shape (unit, depth, width)
    inside : float32 array of the same shape
        1 in the image and 0 beyond.

    Returns
    -------
    float64 array of shape (unit,)
    """
    sure = (0.5 + 0.5 * np.tanh(odds.astype(np.float64) / 2)) * inside
    chosen = sure > 0.5
    common = (sure * chosen).sum(axis=(1, 2))
    either = chosen.sum(axis=(1, 2)) + (sure * ~chosen).sum(axis=(1, 2))
    return np.asarray(common / np.maximum(either, 1e-30))


def pixels_of(
    odds: NDArray[np.float32],
    centre: NDArray[np.float64],
    shape: tuple[int, ...],
    pixel_size: tuple[float, float],
) -> NDArray[np.bool_]:
    """Return whether pixels of an image are the unit's, from the log odds around its centre.

    Parameters
    ----------
    odds : float32 array of shape (depth, width)
    centre : float64 array of shape (2,)
        mm.
    shape : (int, int)
        Of the image, pixels.
    pixel_size : (float, float)
        mm.
    """
    weights, held = [], []
    for middle, count, size in zip(centre, shape, pixel_size, strict=True):
        places = ((np.arange(count) + 0.5) * size - middle) / SPACING + (SIDE - 1) / 2
        held.append((places >= 0) & (places <= SIDE - 1))
        weights.append(linear_weights(places, SIDE))
    level = weights[0] @ odds @ weights[1].T
    return np.asarray((level > 0) & held[0][:, None] & held[1][None])
