"""What firings are worth at best: found in the true trains, with the noise that they would have."""

import math

import numpy as np
from numpy.typing import NDArray

from ...simulator.sequence import Truth
from .firing import firings as firings_on_grid
from .firings import with_firings
from .metrics.firing import score_all_at_best_lag
from .metrics.sequence import LAG_BOUND
from .units import Recording, Units


def oracle_units(recording: Recording, truth: Truth, firings: str | None = None) -> Units:
    """Return the true units with the trains that least squares give where territories are known.

    In a sequence of the analytic model these are the true trains, with that part of the true noise
    that cannot be told from them; no method that knows less can find more firings in its own.

    Parameters
    ----------
    recording : Recording
    truth : Truth
        Of the analytic model.
    firings : str, optional
        How firings are found in trains, one of :data:`.firings.FIRINGS`.

    Returns
    -------
    Units
        In the order of the truth.
    """
    frames, territory = len(recording.tvi), truth.territory.reshape(truth.unit_count, -1)
    inverse = np.linalg.pinv(territory.T.astype(np.float64))
    train = (inverse @ recording.tvi.reshape(frames, -1).T).astype(np.float32)
    units = Units(
        territory=truth.territory,
        train=train,
        firing=firings_on_grid(train, recording.frame_rate),
        confidence=np.ones(truth.unit_count),
    )
    return with_firings(recording, units, firings)


def oracle_agreement(
    recording: Recording, truth: Truth, firings: str | None = None
) -> NDArray[np.float64]:
    """Return how the oracle's firings of each true unit agree with its own, float64 (unit,).

    Within 10 ms after the unit's best lag, as those of methods. NaN in recordings of the virtual
    experiment and in those whose units people told, where least squares with territories alone are
    no oracle: motion spreads.
    """
    told = math.isnan(truth.snr)  # by people, of recordings
    if told or truth.doses is not None or not truth.unit_count:
        return np.full(truth.unit_count, np.nan)
    window = (0.0, len(recording.tvi) / recording.frame_rate)
    found = oracle_units(recording, truth, firings).firing
    return np.array([
        score_all_at_best_lag([ours], [theirs], window, bound=LAG_BOUND)[0][0].agreement
        for ours, theirs in zip(found, truth.firing, strict=True)
    ])  # fmt: skip
