"""What a validation scores: held-out sequences of A, translated, against held-out ones of B."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...simulator.errors import InputError
from .domains import Domains
from .metrics import (
    AlarmSettings,
    Features,
    FeatureSettings,
    checkerboard,
    compare,
    cross_correlate,
    inverted_share,
    label_survival,
    measure,
)
from .metrics.features import check_band
from .metrics.table import PAIR_METRICS

SHORTFALL = 10.0
"""What each unit of xCorr below the least one costs: 0.1 less weighs as much as all to be won."""

INVERTED = 1.0
"""What an alarm of inversion costs: no such checkpoint is kept before one without."""


def check_held_out(domains: Domains) -> None:
    """Raise InputError if held-out sequences of two domains cannot be compared.

    Parameters
    ----------
    domains : Domains
        That fit one another, with sequences to hold out.
    """
    settings = FeatureSettings()
    frames, depth, width = _common(domains)
    where = domains.stores[0].location
    if min((side - 1) // 2 for side in (depth, width)) < settings.window:
        raise InputError(
            f"{where}: found images of {depth} x {width} px, wanted {2 * settings.window + 1} or "
            "more either way to compare sequences in validations"
        )
    try:
        check_band(frames, domains.grid.frame_rate, settings)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


NAMES = (
    *PAIR_METRICS,
    "cross_correlation",
    "lag",
    "inverted",
    "checkerboard",
    "agreement",
    "score",
)
"""Measures of a validation."""


class HeldOut:
    """Held-out sequences of both domains, measured once.

    Parameters
    ----------
    domains : Domains
    sequences : int
        Of each domain, at most. Of the domain with longer sequences their first frames are taken.
    """

    def __init__(self, domains: Domains, sequences: int) -> None:
        self.domains = domains
        self.settings, self.alarms = FeatureSettings(), AlarmSettings()
        self.indices = domains.held_out(0, sequences)
        self.rate = domains.grid.frame_rate
        self.frames = _common(domains)[0]
        store = domains.stores[1]
        self.experimental = [
            measure(store.tvi(index, time=slice(0, self.frames)), self.rate, self.settings)
            for index in domains.held_out(1, sequences)
        ]

    def score(
        self, translate: Callable[[NDArray[np.float32], int], NDArray[np.float32]], least: float
    ) -> dict[str, float]:
        """Score a translator by the measures of Table 1 of Ali et al. 2022.

        The checkpoint that is kept is the one of the highest ``score``: the mean of 1 - DBhat,
        Corr, SSI and Corr Psd, each 1 at best, less ten times what xCorr lacks of `least`, less 1
        if contraction came out as relaxation.

        Parameters
        ----------
        translate : callable
            Of a sequence of A, mm/s, and its index.
        least : float
            xCorr that is asked for.

        Returns
        -------
        dict of float
            The metrics' means by name, ``inverted`` (share of moving pixels that go against their
            input), ``checkerboard``, ``agreement`` (mean RoA of units' own pixels with their true
            trains, NaN without truth) and ``score``. All are NaN if a translation is not finite or
            all alike.
        """
        store = self.domains.stores[0]
        features: list[Features] = []
        rows: list[dict[str, float]] = []
        for index in self.indices:
            before = store.tvi(index, time=slice(0, self.frames)).astype(np.float32, copy=False)
            after = translate(before, index)
            if not np.isfinite(after).all() or np.ptp(after) == 0:
                return dict.fromkeys(NAMES, math.nan)
            features.append(measure(after, self.rate, self.settings))
            found = cross_correlate(before, after, self.rate, self.settings.lag)
            rows.append(
                {
                    "cross_correlation": _mean(found.maximum),
                    "lag": _mean(found.lag),
                    "inverted": inverted_share(found, self.alarms),
                    "checkerboard": checkerboard(after).strength,
                    "agreement": self._agreement(index, before, after),
                }
            )
        pairs = compare(features, self.experimental, self.settings)
        result = {name: _mean(pairs[name]) for name in PAIR_METRICS}
        result |= {name: _mean([row[name] for row in rows]) for name in rows[0]}
        result["score"] = score_of(result, least, self.alarms)
        return result

    def _agreement(
        self, index: int, before: NDArray[np.float32], after: NDArray[np.float32]
    ) -> float:
        store = self.domains.stores[0]
        if not store.has_truth:
            return math.nan
        truth = store.truth(index)
        truth = dataclasses.replace(truth, twitch_train=truth.twitch_train[:, : self.frames])
        units = label_survival(truth, before, after, self.rate)
        return _mean([unit.agreement_after for unit in units])


def score_of(found: dict[str, float], least: float, alarms: AlarmSettings) -> float:
    """Return the score of a validation's measures; NaN if one that it is made of is NaN.

    Parameters
    ----------
    found : dict of float
        As :meth:`HeldOut.score` returns them.
    least : float
        xCorr that is asked for.
    alarms : AlarmSettings
    """
    likeness = np.mean(
        [
            1 - found["histogram_distance"],
            found["histogram_correlation"],
            found["k_space_similarity"],
            found["spectrum_correlation"],
        ]
    )
    # Not the other way round: of a NaN and a number, max takes the first.
    lacking = max(least - found["cross_correlation"], 0.0)
    inverted = found["inverted"] > alarms.inverted
    return float(likeness) - SHORTFALL * lacking - INVERTED * inverted


def _common(domains: Domains) -> tuple[int, int, int]:
    """Return frames that sequences of both domains have, depth and width."""
    _, depth, width = domains.grid.shape
    return min(store.layout.shape[0] for store in domains.stores), depth, width


def _mean(values: Any) -> float:
    array = np.asarray(values, np.float64)
    known = array[np.isfinite(array)]
    return float(known.mean()) if known.size else math.nan
