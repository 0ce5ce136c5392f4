"""From the numbers of a unit to one confidence, and to the reasons for doubt.

A logistic regression in which each number counts one way only. Its weights were learned from units
that several methods found in recordings of several kinds (``python -m benchmarks.confidence
--fit``): of units that are given 0.8, 80 % are true by their trains.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .parts import Parts

Numbers = NDArray[np.float64]

LARGEST_USUAL, SMALLEST_USUAL = 100.0, 8.0
"""Areas beyond which territories are unusual, mm2: discs of 11.3 and 3.2 mm."""

REGULAR = 0.25
"""Variation of intervals up to which none is doubted; 0.1-0.3 is usual of motor units."""

WILDEST = 0.75
"""Greater variation tells no more."""

ALIKE = 0.5
"""Correlation with a stronger unit up to which none is doubted: units fire at like rates."""

RATIO = 20.0
"""A pulse-to-noise ratio counts up to this, and down to as much below 0, dB."""

DOUBTED = 0.8
"""A unit of less confidence is doubted."""

LEAST_LOSS = 0.5
"""Log odds from which a number is a reason for doubt."""

MOST_REASONS = 3


def _odds(share: Numbers) -> Numbers:
    """Return the log odds of a share, within +-4; one that is not known is 0."""
    known = np.clip(np.nan_to_num(share, nan=0.0), 0, 1)
    return np.log((known + 0.02) / (1.02 - known))


def _unusual(area: Numbers) -> Numbers:
    """Return by how much an area's logarithm lies beyond the usual ones."""
    log = np.log(np.maximum(area, 0.1))
    return np.maximum(log - np.log(LARGEST_USUAL), 0) + np.maximum(np.log(SMALLEST_USUAL) - log, 0)


@dataclass(frozen=True)
class Sign:
    """A number that tells of a unit, as it counts.

    Parameters
    ----------
    part : str
        Its name in :class:`.parts.Parts`.
    of : callable
        Turns numbers into signs: the larger, the surer; NaN where that says nothing.
    reason : callable
        Says of a number why it is a reason for doubt.
    """

    part: str
    of: Callable[[Numbers], Numbers]
    reason: Callable[[float], str]


def _stand_out(ratio: float) -> str:
    if np.isnan(ratio):
        return "it fires less than three times"
    if ratio > 0:
        return f"its twitches stand out little ({ratio:.0f} dB)"
    return f"its twitches hardly stand out ({ratio:.0f} dB)"


def _repeat(index: float) -> str:
    extent = "repeats in part" if index > 0.5 else "does not repeat"
    return f"its map {extent} from epoch to epoch (Jaccard {index:.2f})"


def _unlike(area: float) -> str:
    kind = "wider" if area > LARGEST_USUAL else "smaller"
    return f"{kind} than motor units usually are ({area:.3g} mm2)"


SIGNS = (
    Sign("map_repeatability", _odds, _repeat),
    Sign("train_repeatability", _odds,
         lambda value: f"parts of its territory do not move as one (correlation {value:.2f})"),
    Sign("firing_repeatability", _odds,
         lambda value: f"its firings are not found again (agreement {value:.2f})"),
    Sign("pulse_to_noise",
         lambda value: np.clip(np.nan_to_num(value, nan=-RATIO), -RATIO, RATIO) / 10, _stand_out),
    Sign("local_share", _odds,
         lambda value: f"explains {100 * value:.0f} % of the motion where it lies"),
    Sign("mixture_share", lambda value: np.log(1.02 - value),
         lambda value: f"{100 * value:.0f} % of its train is a mixture of other units'"),
    Sign("stronger_likeness", lambda value: -np.maximum(value - ALIKE, 0),
         lambda value: f"moves like a stronger unit (correlation {value:.2f})"),
    Sign("interval_variation", lambda value: -np.clip(value - REGULAR, 0, WILDEST - REGULAR),
         lambda value: f"firings irregular (CV {value:.2f})"),
    Sign("area", lambda value: -_unusual(value), _unlike),
)  # fmt: skip
"""What the confidence is made of."""

FIRST = 1.541
WEIGHTS = (0.605, 0.066, 0.0, 1.42, 0.0, 0.0, 7.332, 19.074, 3.019)
"""Log odds of a unit, and what a sign of 1 adds to them, by ``python -m benchmarks.confidence
--fit``."""

USUAL = (2.632, 3.439, 1.52, 0.24, 0.911, -0.054, 0.0, 0.0, 0.0)
"""The signs' medians over true units, by the same."""


def signs_of(parts: Parts) -> Numbers:
    """Return the signs of units, float64 (unit, sign); NaN where a number is not known."""
    return np.column_stack([sign.of(getattr(parts, sign.part)) for sign in SIGNS])


def losses_of(parts: Parts) -> Numbers:
    """Return the log odds that each sign costs a unit beside a usual one.

    Returns
    -------
    float64 array of shape (unit, sign)
        Below 0 where it speaks for the unit; 0 where a number is not known.
    """
    return np.nan_to_num(np.array(WEIGHTS) * (np.array(USUAL) - signs_of(parts)), nan=0.0)


def joint(parts: Parts) -> Numbers:
    """Return how probably units are true, float64 (unit,), 0..1.

    Where a recording is too short for its units to repeat, what the method says of them stands.
    """
    if not parts.repeat:
        return np.nan_to_num(np.clip(parts.method_confidence, 0, 1), nan=0.0)
    usual = FIRST + float(np.dot(WEIGHTS, USUAL))
    return 1 / (1 + np.exp(losses_of(parts).sum(axis=1) - usual))


def reasons_of(parts: Parts, confidence: Numbers) -> tuple[tuple[str, ...], ...]:
    """Return why each unit is doubted, the weightiest first; empty for one that is not.

    Of a recording too short for its units to repeat nothing is said.

    Parameters
    ----------
    parts : Parts
    confidence : float64 array of shape (unit,)
    """
    if not parts.repeat:
        return ((),) * len(confidence)
    losses = losses_of(parts)
    found: list[tuple[str, ...]] = []
    for unit, (row, sure) in enumerate(zip(losses, confidence, strict=True)):
        order = np.argsort(-row, kind="stable")
        least = min(LEAST_LOSS, float(row.max())) if row.max() > 0 else np.inf
        reasons = tuple(
            SIGNS[place].reason(float(getattr(parts, SIGNS[place].part)[unit]))
            for place in order[:MOST_REASONS]
            if row[place] >= least
        )
        found.append(reasons if sure < DOUBTED else ())
    return tuple(found)
