"""How probably what is seen of a train is a unit's, as learned from simulated recordings.

A small network takes the traits of one train (:mod:`.traits`). Its weights come as text
(:mod:`.weights`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .....simulator.errors import InputError
from .numbers import array_of, short
from .traits import NAMES

SCALING = ("low", "high", "mean", "scale")
"""What traits are brought to one scale with."""

Layer = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Weights (output, input) and biases (output,); of several networks, (network, output, input) and
(network, output)."""


@dataclass(frozen=True)
class Judgement:
    """A network of some layers, with rectified linear units between them.

    Parameters
    ----------
    low, high : float64 arrays of shape (trait,)
        Range of the traits it learned from. What lies beyond is taken to lie at its end: what was
        never seen is no more telling than the strangest that was.
    mean, scale : float64 arrays of shape (trait,)
        Of the traits it learned from.
    layers : tuple of Layer
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    layers: tuple[Layer, ...]

    def probability(self, traits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how probably each train is a unit's, float64 (train,).

        Parameters
        ----------
        traits : float64 array of shape (train, trait)
            By :data:`.traits.NAMES`.
        """
        values = (np.clip(traits, self.low, self.high) - self.mean) / self.scale
        for number, (weight, bias) in enumerate(self.layers):
            if number:
                values = np.maximum(values, 0.0)
            values = values @ np.swapaxes(weight, -1, -2) + bias[..., None, :]
        odds = np.atleast_2d(values[..., 0]).mean(axis=0)
        # The logistic function, where exp does not overflow.
        return np.asarray((1 + np.tanh(odds / 2)) / 2)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "traits": list(NAMES),
            **{name: short(getattr(self, name)) for name in SCALING},
            "layers": [{"weight": short(w), "bias": short(b)} for w, b in self.layers],
        }

    @classmethod
    def from_json(cls, found: Any) -> "Judgement":
        """Return what :meth:`to_json` gave.

        Raises
        ------
        InputError
            If it is anything else, or was learned from other traits.
        """
        if not isinstance(found, dict) or found.get("traits") != list(NAMES):
            traits = found.get("traits") if isinstance(found, dict) else None
            raise InputError(
                f"judgement: found weights for the traits {traits}, wanted {', '.join(NAMES)}; "
                "learn them anew"
            )
        try:
            scaling = {name: array_of(found[name], 1) for name in SCALING}
            layers = tuple(
                (array_of(one["weight"], 3), array_of(one["bias"], 2)) for one in found["layers"]
            )
            _check(scaling, layers)
        except (KeyError, TypeError, ValueError):
            raise InputError(
                "judgement: found weights that are damaged or of another version, wanted finite "
                f"numbers for {', '.join(SCALING)} and layers that fit together; learn them anew"
            ) from None
        return cls(**scaling, layers=layers)


def _check(scaling: dict[str, NDArray[np.float64]], layers: tuple[Layer, ...]) -> None:
    """Raise ValueError unless layers take one another's output and end in one number."""
    width = len(NAMES)
    if not layers or any(each.shape != (width,) for each in scaling.values()):
        raise ValueError("shape")
    if (scaling["low"] > scaling["high"]).any() or (scaling["scale"] <= 0).any():
        raise ValueError("scale")
    networks = len(layers[0][0])
    for weight, bias in layers:
        if weight.shape != (networks, bias.shape[1], width) or bias.shape[0] != networks:
            raise ValueError("layer")
        width = bias.shape[1]
    if not networks or width != 1:
        raise ValueError("output")
