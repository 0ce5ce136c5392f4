"""Rules by which decompositions of electromyograms are scored: firings alone, without any outline.

Duplicates are dropped first, then units are paired with true ones so that the sum of F1 is largest;
a pair with enough F1 is a unit that was found. As the library MUniverse 0.1.4 does it
(https://github.com/dfarinagroup/muniverse, ``evaluation/evaluate.py``; Mamidanna et al. 2025,
NeurIPS Datasets and Benchmarks, https://openreview.net/forum?id=Slrp3l7aYo), and as the competition
MUnitQuest states it (https://github.com/MUnitQuest/munitquest-algorithm-submission,
``bundle/pages/evaluation.md``). Two things are settled here that its text leaves open or its code
does otherwise: of delays with as many coincidences the smallest counts, and duplicates, once
dropped, do not take part in the pairing.
"""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....simulator.errors import InputError
from .assignment import assign
from .firing import STRICT_TOLERANCE, Window, check_window, firings_within, match_instants
from .ratios import mean_of_known, precision_and_recall

Instants = NDArray[np.float64]


@dataclass(frozen=True)
class Rules:
    """What counts as a duplicate, as a common firing, and as a unit that was found.

    Parameters
    ----------
    summary : str
    least_f1 : float
        F1 from which on a unit is found, 0..1.
    keeps_best : bool
        Whether of duplicates the best one stays (by what scores them), or the first.
    tolerance : float
        Largest distance of firings in common, s.
    delay : float
        Largest constant delay of a unit, s.
    bin_rate : float
        Delays are sought between trains in bins, so many a second.
    duplicate_share : float
        Units are duplicates from this share of firings in common on, of the longer train.
    duplicate_delay : float
        Largest constant delay of duplicates, s.
    """

    summary: str
    least_f1: float
    keeps_best: bool
    tolerance: float = 0.001
    delay: float = 0.1
    bin_rate: float = 2048.0
    duplicate_share: float = 0.3
    duplicate_delay: float = 0.01

    def within(self, tolerance: float) -> "Rules":
        """Return the rules with another tolerance, s, of true firings, and bins that fit it.

        Duplicates are judged as before: both trains are of one clock, and by chance alone trains of
        15 Hz share 30 % of their firings within 10 ms.
        """
        bin_rate = self.bin_rate * self.tolerance / tolerance
        return dataclasses.replace(self, tolerance=tolerance, bin_rate=bin_rate)


RULES = {
    "munitquest": Rules(
        "The competition MUnitQuest: of duplicates the first stays, F1 of 0.5 or more.",
        least_f1=0.5, keeps_best=False,
    ),
    "muniverse": Rules(
        "The library MUniverse: of duplicates the surest stays, F1 of 0.3 or more.",
        least_f1=0.3, keeps_best=True,
    ),
}  # fmt: skip
"""The rules by name."""

DUPLICATE_TOLERANCE, DUPLICATE_BIN_RATE = 0.001, 2048.0
"""Of duplicates, whatever the tolerance of true firings is: s, and 1/s."""

FRAMES_TOLERANCE = STRICT_TOLERANCE
"""A tolerance stated beside the rules' own, s, which is less than half a frame at 400 Hz. By chance
alone a wrong unit then has an F1 of 0.3 at 10-20 Hz and of 0.45 at 35 Hz, over 1 s."""


@dataclass(frozen=True)
class RulesScore:
    """What rules say of the units found in one sequence.

    Parameters
    ----------
    kept : bool array of shape (prediction,)
        Those that fire and are not dropped as duplicates.
    duplicates : int
        How many are dropped.
    true : int64 array of shape (prediction,)
        The true unit that each one is; -1 for none.
    f1 : float64 array of shape (prediction,)
        Of the firings of units that were found, 0..1; NaN for others.
    delay : float64 array of shape (prediction,)
        How much later than the true ones they are, s; NaN likewise.
    chance : float64 array of shape (prediction,)
        Mean F1 of each unit that was found with the other true ones; NaN likewise.
    units : int
        True units that fire.
    """

    kept: NDArray[np.bool_]
    duplicates: int
    true: NDArray[np.int64]
    f1: NDArray[np.float64]
    delay: NDArray[np.float64]
    chance: NDArray[np.float64]
    units: int

    @property
    def found(self) -> int:
        """How many true units were found."""
        return int((self.true >= 0).sum())

    @property
    def precision(self) -> float:
        """Share of the units kept that are true; NaN if none is kept and some are true."""
        return self._precision_and_recall[0]

    @property
    def recall(self) -> float:
        """Share of the true units that were found; NaN if there is none and some are kept."""
        return self._precision_and_recall[1]

    @property
    def mean_f1(self) -> float:
        """Mean F1 of the units found; NaN without any."""
        return mean_of_known(self.f1)

    @property
    def score(self) -> float:
        """Sum of the F1 of the units found: what the competition ranks by."""
        return float(np.nansum(self.f1))

    @property
    def _precision_and_recall(self) -> tuple[float, float]:
        found, kept = self.found, int(self.kept.sum())
        return precision_and_recall(found, kept - found, self.units - found)


def rules_named(name: str) -> Rules:
    """Return rules by their name.

    Raises
    ------
    InputError
        If there are none.
    """
    if name not in RULES:
        raise InputError(f"rules: found {name!r}, wanted one of {', '.join(RULES)}")
    return RULES[name]


def score_by_rules(
    predicted: Sequence[ArrayLike] | NDArray[np.float64],
    true: Sequence[ArrayLike] | NDArray[np.float64],
    window: Window,
    rules: Rules,
    quality: ArrayLike | None = None,
) -> RulesScore:
    """Score the firings of the units found in one sequence.

    Parameters
    ----------
    predicted, true : sequences of arrays of shape (firing,)
        Instants of each unit, s; padded with NaN. Units without a firing in the window are none.
    window : (float, float)
        Start and end, s; firings outside do not count.
    rules : Rules
    quality : array of shape (prediction,), optional
        By which the best of duplicates is chosen, such as confidence; without it the first stays.

    Returns
    -------
    RulesScore

    Raises
    ------
    InputError
        If the window has no length.

    Examples
    --------
    >>> from musim.training.identification.metrics.emg_rules import RULES, score_by_rules
    >>> true = [[0.1, 0.2, 0.3, 0.4], [0.15, 0.27, 0.38, 0.5]]
    >>> found = [[0.102, 0.202, 0.302, 0.45], [0.7, 0.8]]
    >>> scored = score_by_rules(found, true, (0, 1), RULES["munitquest"])
    >>> scored.true.tolist(), scored.f1[0].item(), scored.recall
    ([0, -1], 0.75, 0.5)
    """
    window = check_window(window)
    ours = [firings_within(row, window) - window[0] for row in predicted]
    theirs = [firings_within(row, window) - window[0] for row in true]
    worth = None if quality is None or not rules.keeps_best else np.asarray(quality, np.float64)
    fires = np.array([row.size > 0 for row in ours], bool)
    kept = fires & ~_duplicates(ours, rules, worth)
    f1, delay = np.zeros((len(ours), len(theirs))), np.zeros((len(ours), len(theirs)))
    for i in np.flatnonzero(kept):
        for j, row in enumerate(theirs):
            late = _delay(ours[i], row, rules.bin_rate, rules.delay)
            common = _common(ours[i], row, late, rules.tolerance)
            delay[i, j], f1[i, j] = late, 2 * common / (ours[i].size + row.size)
    rows, columns = assign(f1, np.ones(f1.shape, bool))
    enough = f1[rows, columns] >= rules.least_f1
    rows, columns = rows[enough], columns[enough]
    fire = np.array([row.size > 0 for row in theirs], bool)
    unit, known = np.full(len(ours), -1), np.full((3, len(ours)), math.nan)
    unit[rows] = columns
    known[:2, rows] = f1[rows, columns], delay[rows, columns]
    if fire.sum() > 1:
        known[2, rows] = (f1[rows].sum(axis=1) - f1[rows, columns]) / (fire.sum() - 1)
    dropped = int((fires & ~kept).sum())
    return RulesScore(kept, dropped, unit, *known, units=int(fire.sum()))


def _duplicates(
    firings: Sequence[Instants], rules: Rules, quality: NDArray[np.float64] | None
) -> NDArray[np.bool_]:
    """Return which units go because another one of their firings stays."""
    group = np.arange(len(firings))
    for i, one in enumerate(firings):
        for j in range(i + 1, len(firings)):
            other = firings[j]
            late = _delay(one, other, DUPLICATE_BIN_RATE, rules.duplicate_delay)
            common = _common(one, other, late, DUPLICATE_TOLERANCE)
            if common and common >= rules.duplicate_share * max(one.size, other.size):
                group[j] = group[i]
    goes = np.ones(len(firings), bool)
    for name in np.unique(group):
        places = np.flatnonzero(group == name)
        goes[places[0 if quality is None else int(np.argmax(quality[places]))]] = False
    return goes


def _delay(ours: Instants, theirs: Instants, bin_rate: float, bound: float) -> float:
    """Return how much later ours are, s: where most bins of both trains coincide.

    That is the largest value of the two binary trains' cross-correlation; only bins with a firing
    are looked at.
    """
    reach = int(bound * bin_rate)
    bins, others = (np.unique(np.rint(row * bin_rate).astype(np.int64)) for row in (ours, theirs))
    first = np.searchsorted(others, bins - reach, "left")
    count = np.searchsorted(others, bins + reach, "right") - first
    if not count.any():
        return 0.0
    # Every bin beside each of the others' within reach, one after the other.
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    lag = np.repeat(bins, count) - others[np.repeat(first, count) + within]
    coincidences = np.bincount(lag + reach, minlength=2 * reach + 1)
    likeliest = np.flatnonzero(coincidences == coincidences.max()) - reach
    return float(likeliest[np.abs(likeliest).argmin()]) / bin_rate


def _common(ours: Instants, theirs: Instants, delay: float, tolerance: float) -> int:
    """Return how many firings are in common once the delay is taken away."""
    return len(match_instants(ours, theirs + delay, tolerance)[0])


NAMES = ("rules_recall", "rules_precision", "rules_f1", "rules_chance", "rules_score")
"""Names of the scores that a sequence has at each tolerance."""

SUFFIXES = {"": None, "_5ms": FRAMES_TOLERANCE}
"""Ends of names, and the tolerances, s; None for the rules' own."""


def score_at_tolerances(
    predicted: Sequence[ArrayLike] | NDArray[np.float64],
    true: Sequence[ArrayLike] | NDArray[np.float64],
    window: Window,
    rules: Rules,
    quality: ArrayLike | None = None,
) -> dict[str, RulesScore]:
    """Return what :func:`score_by_rules` gives by the ends of names in :data:`SUFFIXES`."""
    return {
        end: score_by_rules(
            predicted, true, window, rules if reach is None else rules.within(reach), quality
        )
        for end, reach in SUFFIXES.items()
    }


def to_row(scores: dict[str, RulesScore]) -> dict[str, float]:
    """Return the numbers of a sequence, by :data:`NAMES` and :data:`SUFFIXES`."""
    row = {
        f"{name}{end}": value
        for end, one in scores.items()
        for name, value in zip(
            NAMES,
            (one.recall, one.precision, one.mean_f1, mean_of_known(one.chance), one.score),
            strict=True,
        )
    }
    own = scores[""]
    return {**row, "rules_kept": int(own.kept.sum()), "rules_duplicates": own.duplicates}
