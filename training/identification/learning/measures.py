"""How good probabilities of trains are, and what learning gains over the simplest."""

from dataclasses import asdict, dataclass

import numpy as np
import scipy.optimize
from numpy.typing import NDArray

from ..methods.learned.judgement import Judgement
from ..metrics.calibration import area_under_curve, calibration_error, log_loss
from .fitting import Scaling
from .traits import Trains

WEIGHT_DECAY = 1e-4
"""Pull of the logistic regression's weights to 0: half of it by their squares is in its loss."""


@dataclass(frozen=True)
class Measures:
    """How good probabilities are.

    Parameters
    ----------
    area_under_curve : float
        Under the curve of the receiver operating characteristic; 0.5 is chance.
    calibration_error : float
        See :func:`..metrics.calibration.calibration_error`.
    log_loss : float
        Nats a train.
    """

    area_under_curve: float
    calibration_error: float
    log_loss: float

    @classmethod
    def of(cls, probability: NDArray[np.float64], true: NDArray[np.float64]) -> "Measures":
        """Return those of some trains."""
        return cls(
            area_under_curve(probability, true),
            calibration_error(probability, true),
            log_loss(probability, true),
        )

    def to_json(self) -> dict[str, float]:
        """Return plain values."""
        return asdict(self)


def logistic_regression(learned: Trains, scaling: Scaling) -> Judgement:
    """Return a logistic regression of traits: a judgement of one layer.

    Parameters
    ----------
    learned : Trains
        That it is fitted to.
    scaling : Scaling
        Of their traits.
    """
    given, true = scaling(learned.traits), learned.true

    def loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = values[0] + given @ values[1:]
        off = (_logistic(odds) - true) / len(true)
        slopes = given.T @ off + WEIGHT_DECAY * values[1:]
        size = np.logaddexp(0, np.where(true > 0.5, -odds, odds)).mean()
        pull = WEIGHT_DECAY / 2 * values[1:] @ values[1:]
        return float(size + pull), np.concatenate([[off.sum()], slopes])

    start = np.zeros(given.shape[1] + 1)
    found = np.asarray(scipy.optimize.minimize(loss, start, jac=True, method="L-BFGS-B").x)
    return scaling.judgement([[(found[None, 1:], found[:1])]])


def _logistic(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    return (1 + np.tanh(odds / 2)) / 2
