"""What methods are tested on: sets of simulated sequences, with one difficulty declared in each."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...simulator.errors import InputError
from ...simulator.parameters import PRESETS, Parameters
from ...simulator.ranges import Range

SEED = 2020
"""Seed of the first condition; each has its own, so that no two share a sequence."""

QUICK = 10
"""A quick run takes this fraction of the sequences."""


@dataclass(frozen=True)
class Condition:
    """A set of sequences that are alike in what makes them difficult.

    Parameters
    ----------
    values : mapping of str to float
        The difficulty: number of units and SNR (dB), and what else is swept.
    parameters : Parameters
    seed : int
    sequences : int
    """

    values: Mapping[str, float]
    parameters: Parameters
    seed: int
    sequences: int

    def to_json(self) -> dict[str, Any]:
        """Return plain values that :meth:`from_json` reads back."""
        values = {key: str(value) for key, value in self.values.items()}
        return {
            **dataclasses.asdict(self),
            "values": values,
            "parameters": self.parameters.to_json(),
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Condition":
        """Read what :meth:`to_json` made."""
        values = {key: float(text) for key, text in plain["values"].items()}
        parameters = Parameters.from_json(plain["parameters"])
        return cls(values, parameters, plain["seed"], plain["sequences"])

    @property
    def name(self) -> str:
        """The values in words that can stand in a file's name."""
        return "_".join(f"{key}-{value:g}" for key, value in sorted(self.values.items()))


@dataclass(frozen=True)
class Protocol:
    """A test that methods are put to.

    Parameters
    ----------
    name : str
    conditions : tuple of Condition
    axis : str
        The value that stands on the abscissa of its figures.
    """

    name: str
    conditions: tuple[Condition, ...]
    axis: str


def ali_2020(sequences: int = 100) -> Protocol:
    """Return the test set of Ali et al. 2020, section III.A.

    100 sequences each of 1, 5, 10, 15, 20 and 25 units, at 10 and 20 dB and without noise,
    synchrony 0 to 0.1. Sequences of the three noise levels have the same truth.

    Parameters
    ----------
    sequences : int
        Of each condition.
    """
    conditions = [
        _condition({"units": units, "snr": snr}, SEED + i, sequences)
        for snr in (10.0, 20.0, math.inf)
        for i, units in enumerate((1, 5, 10, 15, 20, 25))
    ]
    return Protocol("ali-2020", tuple(conditions), "units")


SWEEPS: dict[str, tuple[float, ...]] = {
    "units": (1, 5, 10, 15, 20, 25, 30, 40),
    "snr": (-10, -5, 0, 5, 10, 15, 20, 30, math.inf),
    "synchrony": (0, 0.1, 0.2, 0.3, 0.4, 0.5),
    "overlap": (math.nan,),
}
"""Values of each difficulty that can be swept. Overlap is not asked for but comes with the draw:
units are counted by how much of them lies in others."""

OVERLAP_UNITS = 25
USUAL = {"units": 15.0, "snr": 20.0}
"""What is held where it is not swept."""


def sweep(difficulty: str, sequences: int = 100) -> Protocol:
    """Return a protocol in which one difficulty varies and all else is held.

    Parameters
    ----------
    difficulty : {"units", "snr", "synchrony", "overlap"}
    sequences : int
        Of each condition.

    Raises
    ------
    InputError
        If the difficulty is not known.
    """
    if difficulty not in SWEEPS:
        raise InputError(f"sweep: found {difficulty!r}, wanted one of {', '.join(SWEEPS)}")
    if difficulty == "overlap":
        values = {**USUAL, "units": OVERLAP_UNITS}
        return Protocol("sweep-overlap", (_condition(values, SEED, sequences),), "overlap")
    # The same seed for all values: where truth does not depend on them it is the same.
    conditions = [
        _condition({**USUAL, difficulty: float(value)}, SEED, sequences)
        for value in SWEEPS[difficulty]
    ]
    return Protocol(f"sweep-{difficulty}", tuple(conditions), difficulty)


def _condition(values: Mapping[str, float], seed: int, sequences: int) -> Condition:
    if sequences < 1:
        raise InputError(f"sequences: found {sequences}, wanted 1 or more")
    changes = {name: Range(value, value) for name, value in values.items()}
    return Condition(values, Parameters(**{**PRESETS["ali-2020"], **changes}), seed, sequences)
