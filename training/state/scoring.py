"""How near predicted states come to measured ones, as Cunningham et al. 2017 score them.

doi:10.1101/157479, Tables 1 to 4. What is scored there are changes from frame to frame.

- MSE is that of standardised labels: changes over the standard deviation that those of the training
  set have. So its root times that deviation is the RMSE, in V, N m and deg: in every row of their
  Table 3 this gives 1.09 N m a frame, in Table 4 0.20 deg.
- NRMSE is a fit, and larger is better: 1 less the RMSE over the standard deviation of what was
  measured, as Matlab's ``goodnessOfFit`` had it then. So NRMSE = 1 - sqrt(1 - R2): every row of
  their Tables 2 to 4 agrees, to a thousandth.
- R2, the coefficient of determination, and NRMSE are not stated where a task does not change a
  signal: what is left there is noise. They have none for EMG in the passive task and for the angle
  in the isometric one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...simulator.calf.tasks import TASKS


@dataclass(frozen=True)
class PredictedTrial:
    """A trial with what a run predicts of it.

    Parameters
    ----------
    run : str
        Name of the run.
    task : str
        What was done, of :data:`...simulator.calf.tasks.TASKS`; empty if that is not known.
    frame_rate : float
        Hz.
    true : array of shape (frame, 3)
        Measured EMG amplitude [V], torque [N m] and angle [deg], NaN where there are none.
    changes : array of shape (frame - 1, 3)
        Predicted change from each frame to the next one, in these units.
    states : array of shape (frame, 3), optional
        Predicted states, of runs that tell them.
    """

    run: str
    task: str
    frame_rate: float
    true: NDArray[np.floating]
    changes: NDArray[np.floating]
    states: NDArray[np.floating] | None = None

    @property
    def true_changes(self) -> NDArray[np.float64]:
        """Measured changes, of the shape of `changes`."""
        return np.diff(self.true.astype(np.float64), axis=0)


@dataclass(frozen=True)
class Scores:
    """How near a prediction comes to a signal.

    Parameters
    ----------
    samples : int
        Values that were compared.
    mse : float
        Mean square error of values over the standard deviation of training; NaN without one.
    nrmse : float
        1 - RMSE / SD of what was measured: 1 is perfect, 0 the mean's. NaN where that is constant.
    rmse : float
        Root mean square error, in the signal's unit.
    r2 : float
        Coefficient of determination; NaN as `nrmse` is.
    """

    samples: int
    mse: float
    nrmse: float
    rmse: float
    r2: float


NOTHING = Scores(0, math.nan, math.nan, math.nan, math.nan)
"""Scores where nothing was measured."""


def scores_of(
    true: ArrayLike, predicted: ArrayLike, scale: float = math.nan, *, changes: bool = True
) -> Scores:
    """Compare predicted values with measured ones.

    Parameters
    ----------
    true, predicted : arrays of one shape
        Values where either is NaN are left out.
    scale : float
        Standard deviation by which values were standardised in training.
    changes : bool
        Whether the task changes the signal at all; without, NRMSE and R2 are not stated.

    Raises
    ------
    ValueError
        If the arrays differ in shape.

    Examples
    --------
    >>> scores_of([1, 2, 3, 4], [1, 2, 3, 2], scale=2)
    Scores(samples=4, mse=0.25, nrmse=0.10557280900008414, rmse=1.0, r2=0.19999999999999996)
    """
    true, predicted = np.asarray(true, np.float64), np.asarray(predicted, np.float64)
    if true.shape != predicted.shape:
        raise ValueError(f"found {predicted.shape} predicted values, wanted {true.shape}")
    both = np.isfinite(true) & np.isfinite(predicted)
    true, predicted = true[both], predicted[both]
    if not len(true):
        return NOTHING
    square = float(((predicted - true) ** 2).mean())
    rmse = math.sqrt(square)
    mse = square / scale**2 if scale > 0 else math.nan
    # By its range: rounding leaves the variance of a constant that is not quite 0.
    if not changes or np.ptp(true) == 0:
        return Scores(len(true), mse, math.nan, rmse, math.nan)
    variance = float(true.var())
    return Scores(len(true), mse, 1 - rmse / math.sqrt(variance), rmse, 1 - square / variance)


EMG, TORQUE, ANGLE = range(3)
"""Places of the signals among states."""

UNITS = ("V", "N m", "deg")
"""Their units."""


def is_changed(task: str, signal: int) -> bool:
    """Return whether a task changes a signal; of tasks that are not known, any may change."""
    if task not in TASKS or signal == TORQUE:
        return True
    return TASKS[task].contracts if signal == EMG else TASKS[task].rotates


def change_scores(
    trials: Sequence[PredictedTrial], signal: int, scale: float, *, task: str | None = None
) -> Scores:
    """Score the changes of a signal over trials of a task together, or of all tasks.

    Parameters
    ----------
    trials : sequence of PredictedTrial
        Of one run.
    signal : int
        Place among states.
    scale : float
        Standard deviation of its changes in training.
    task : str, optional
        All tasks without.
    """
    chosen = [trial for trial in trials if task is None or trial.task == task]
    if not chosen:
        return NOTHING
    return scores_of(
        np.concatenate([trial.true_changes[:, signal] for trial in chosen]),
        np.concatenate([trial.changes[:, signal] for trial in chosen]),
        scale,
        changes=task is None or is_changed(task, signal),
    )


def tasks_of(trials: Sequence[PredictedTrial]) -> list[str]:
    """Return the tasks of trials: combined, isometric and passive as the paper's tables, others."""
    found = dict.fromkeys(trial.task for trial in trials)
    return [*(task for task in sorted(TASKS) if task in found),
            *(task for task in found if task not in TASKS)]  # fmt: skip
