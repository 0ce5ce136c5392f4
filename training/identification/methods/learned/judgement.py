"""How probably what is seen of a train is a unit's, as learned from simulated recordings.

A small network takes the traits of one train (:mod:`.traits`). Its weights come as text beside this
module; ``python -m benchmarks.judgement`` learns them anew.
"""

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .....simulator.errors import InputError
from .traits import NAMES

WEIGHTS = Path(__file__).with_name("judgement.json")

FURTHEST = 6.0
"""SDs from their mean beyond which traits are as they are there: what was never seen is no more
telling than the strangest that was."""


@dataclass(frozen=True)
class Judgement:
    """A network of some layers, with rectified linear units between them.

    Parameters
    ----------
    mean, scale : float64 arrays of shape (trait,)
        Of the traits it learned from.
    layers : tuple of (float64 array (output, input), float64 array (output,))
        Weights and biases; of several networks side by side, (network, output, input) and
        (network, output).
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    layers: tuple[tuple[NDArray[np.float64], NDArray[np.float64]], ...]

    def probability(self, traits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how probably each train is a unit's, float64 (train,).

        Parameters
        ----------
        traits : float64 array of shape (train, trait)
            By :data:`.traits.NAMES`.
        """
        values = np.clip((traits - self.mean) / self.scale, -FURTHEST, FURTHEST)
        for number, (weight, bias) in enumerate(self.layers):
            if number:
                values = np.maximum(values, 0.0)
            values = values @ np.swapaxes(weight, -1, -2) + bias[..., None, :]
        odds = np.atleast_2d(values[..., 0]).mean(axis=0)
        return np.asarray(1 / (1 + np.exp(-odds)))

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "traits": list(NAMES),
            "mean": _short(self.mean),
            "scale": _short(self.scale),
            "layers": [{"weight": _short(w), "bias": _short(b)} for w, b in self.layers],
        }

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> "Judgement":
        """Return what :meth:`to_json` gave.

        Raises
        ------
        InputError
            If it was learned from other traits.
        """
        if found.get("traits") != list(NAMES):
            raise InputError(
                f"judgement: found weights for the traits {found.get('traits')}, wanted "
                f"{', '.join(NAMES)}; learn them anew"
            )
        layers = tuple(
            (np.array(one["weight"], np.float64), np.array(one["bias"], np.float64))
            for one in found["layers"]
        )
        return cls(
            np.array(found["mean"], np.float64), np.array(found["scale"], np.float64), layers
        )


def _short(values: NDArray[np.float64]) -> Sequence[Any]:
    """Return numbers as nested lists, of five digits each."""
    if values.ndim > 1:
        return [_short(row) for row in values]
    return [float(f"{value:.5g}") for value in values]


@functools.lru_cache(maxsize=1)
def learned() -> Judgement:
    """Return the judgement that comes with musim."""
    return Judgement.from_json(json.loads(WEIGHTS.read_text()))
