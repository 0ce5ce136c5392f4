"""What was found out about a network, and its numbers as plain values."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .filters import MaximisedFilters
from .imposing import slopes
from .outputs import MaximisedOutput

OUTPUTS = ("EMG", "torque", "angle")
"""Whose changes are told, in order."""


@dataclass(frozen=True)
class Explanation:
    """What a network has learned.

    Parameters
    ----------
    method : str
        ``cnn`` or ``klt``.
    image : (int, int)
        Depth and width of the videos' images, px.
    pixel_size : (float, float)
        mm.
    starts : int
        Of noise, from each of which an output was raised.
    outputs : list of MaximisedOutput
        Of :data:`OUTPUTS`.
    filters : list of MaximisedFilters
        Of each convolution; none of a network without any.
    scales : float64 array of shape (3,)
        SDs of the changes that the network was trained on: V, N m, deg.
    frames : int
        Real frames that motion was imposed on.
    amounts : float64 array of shape (amount,)
        Of motion, px.
    tuning : dict of float64 array of shape (amount, frame, 3), optional
        Changes that are told of imposed motion, V, N m and deg; None without frames.
    trial_motion : float64 array of shape (2, 2), optional
        See :func:`.trial_motion.motion_in_trials`.
    remarks : tuple of str
        What could not be looked at, and why.
    """

    method: str
    image: tuple[int, int]
    pixel_size: tuple[float, float]
    starts: int
    outputs: list[MaximisedOutput]
    filters: list[MaximisedFilters]
    scales: NDArray[np.float64]
    frames: int
    amounts: NDArray[np.float64]
    tuning: dict[str, NDArray[np.float64]] | None
    trial_motion: NDArray[np.float64] | None
    remarks: tuple[str, ...] = ()

    @property
    def sees_frames(self) -> bool:
        """Whether the network is shown frames, so that what it likes can be looked at."""
        return self.outputs[0].pairs.shape[2] > 0


def motion_rows(found: Explanation) -> list[dict[str, Any]]:
    """Return a row for each output: how halves move in what it responds to most, and in trials.

    Displacements are to the right, px from frame to frame; slopes are of imposed motion, in SDs of
    the changes for each px. NaN where a value is not known.
    """
    rows = []
    for place, output in enumerate(found.outputs):
        means, spreads = output.halves
        row: dict[str, Any] = {"output": output.name}
        for half, mean, spread in zip(("superficial", "deep"), means, spreads, strict=True):
            row |= {half: float(mean), f"{half}_sd": float(spread)}
        row["shear_share"] = shear_share(*means)
        row |= {
            "response_to_noise": float(output.responses[0].mean()),
            "response": float(output.responses[1].mean()),
        }
        told = found.tuning or {}
        for motion in ("translation", "shear"):
            row |= {f"slope_{motion}": math.nan, f"slope_{motion}_sd": math.nan}
            if motion in told:
                mean, spread = slopes(found.amounts, told[motion] / found.scales)
                row |= {
                    f"slope_{motion}": float(mean[place]),
                    f"slope_{motion}_sd": float(spread[place]),
                }
        of_trials = {"EMG": 0, "angle": 1}.get(output.name)
        for number, half in enumerate(("superficial", "deep")):
            row[f"trials_{half}"] = math.nan
            if found.trial_motion is not None and of_trials is not None:
                row[f"trials_{half}"] = float(found.trial_motion[of_trials, number])
        rows.append(row)
    return rows


def shear_share(superficial: float, deep: float) -> float:
    """Return how much of the motion of two halves is a shear: 0 translation, 1 opposite directions.

    The share of the squared difference in the sum of the squared sum and the squared difference.
    """
    together, apart = (superficial + deep) ** 2, (superficial - deep) ** 2
    return apart / (together + apart) if together + apart > 0 else math.nan


def filter_rows(found: Explanation) -> list[dict[str, Any]]:
    """Return a row for each filter that is shown: which it is, and how much of a frame it sees."""
    return [
        {
            "layer": one.layer,
            "filter": number,
            "of": one.count,
            "sees_rows": one.at_a_place.shape[2],
            "sees_columns": one.at_a_place.shape[3],
        }
        for one in found.filters
        for number in one.filters
    ]


def tuning_rows(found: Explanation) -> list[dict[str, Any]]:
    """Return a row for each imposed motion and amount: what is told, mean and SD over frames."""
    rows = []
    for motion, told in (found.tuning or {}).items():
        for amount, each in zip(found.amounts, told, strict=True):
            row: dict[str, Any] = {"motion": motion, "right": float(amount)}
            for place, name in enumerate(_keys(found.outputs)):
                row |= {
                    name: float(each[:, place].mean()),
                    f"{name}_sd": float(each[:, place].std()),
                }
            rows.append(row)
    return rows


def _keys(outputs: Sequence[MaximisedOutput]) -> list[str]:
    return [output.name.lower() for output in outputs]
