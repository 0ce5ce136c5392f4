"""What was recorded beside videos of a muscle: EMG, torque, angle, and the fascicle's length."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...datasets.store import Store
from ...datasets.videos.trials import MuscleTrial, trials_of


@dataclass(frozen=True)
class Signal:
    """A signal beside a video.

    Parameters
    ----------
    name : str
        Its variable.
    label : str
        With its unit.
    colour : str
        Told apart by the colour-blind (Okabe and Ito).
    scale : float
        What it is shown in over the unit of the store.
    """

    name: str
    label: str
    colour: str
    scale: float = 1.0


SIGNALS = (
    Signal("emg_amplitude", "EMG mV", "#56b4e9", 1e3),
    Signal("torque", "Torque N m", "#d55e00"),
    Signal("angle", "Angle deg", "#0072b2"),
    Signal("fascicle_length_course", "Fascicle mm", "#009e73"),
)


def signals_of(store: Store, index: int) -> list[tuple[Signal, NDArray[np.float32]]]:
    """Return what was recorded beside a video, at the instants of its frames; nothing of others."""
    if not store.is_video:
        return []
    trial = trials_of(store)[index]
    found = [(one, _read(trial, one) * np.float32(one.scale)) for one in SIGNALS]
    return [(one, values) for one, values in found if not np.isnan(values).all()]


def _read(trial: MuscleTrial, signal: Signal) -> NDArray[np.float32]:
    layout = trial.store.layout
    if signal.name not in layout.variables:
        return np.full(trial.frames, np.nan, np.float32)
    if layout.variable(signal.name).dims[-1] == "time":
        return trial.store.read(signal.name, trial.index)[: trial.frames]
    return trial.signal(signal.name)
