"""The three tasks of a trial, and the signals that drive them (Cunningham et al. 2017).

doi:10.1101/157479, section III: one signal is shown to be followed by contracting, another rotates
the pedal.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..declarations import Declared, declare
from ..errors import InputError

SHOWN, PEDAL = 10.0, 20.0
"""Seconds after which the signal that is shown and that of the pedal change between bases a and b;
after thrice as long they change between these and base c."""


@dataclass(frozen=True)
class Task:
    """What a participant does in a trial.

    Parameters
    ----------
    contracts : bool
        Whether a signal is followed by contracting; muscles are relaxed else.
    rotates : bool
        Whether the pedal rotates; it stays at 0 deg else.
    """

    contracts: bool
    rotates: bool


TASKS = {
    "isometric": Task(contracts=True, rotates=False),
    "passive": Task(contracts=False, rotates=True),
    "combined": Task(contracts=True, rotates=True),
}
"""In the paper's order. That the pedal be fixed is said of the combined task too, and that it be
driven; angles of that task (Table 4) show that it was driven."""


@dataclass(frozen=True, kw_only=True)
class Protocol(Declared):
    """How long a trial takes, how its pedal moves, and how it is recorded.

    Parameters
    ----------
    rest : float
        Seconds at 0 deg and relaxed, before the task.
    duration : float
        Of the task, s.
    sample_rate : float
        Of EMG, torque and angle, Hz.
    frame_rate : float
        Of images, Hz; it divides the sample rate.
    dorsiflexion, plantarflexion : float
        Angles at the signal's -1 and 1, deg to either side of a flat foot. The paper has 3.1 and
        9.3 for the range; which end is which is an assumption.
    pedal_bandwidth : float
        Hz: the pedal is a critically damped system of the second order. With 0.7 Hz angles change
        by as much from frame to frame as follows from the paper's Table 4: 0.25 deg (SD).
    emg_cutoff : float
        Of the low-pass of rectified EMG, Hz. The paper does not tell. Amplitudes are uncertain by
        themselves, the more the less they are smoothed: the best linear function of all of the
        section's motion explains 0.46 of their changes with 6 Hz, 0.62 with 4 Hz and 0.69 with
        3 Hz (R2, mean of 19 participants), and the paper's networks 0.54.
    """

    noun: ClassVar[str] = "setting"

    rest: float = declare(10.0, "Rest before the task.", "s", (0, 3600))
    duration: float = declare(180.0, "Length of the task.", "s", (0.1, 36000))
    sample_rate: float = declare(1000.0, "Samples a second.", "Hz", (1000, 10000))
    frame_rate: float = declare(25.0, "Images a second.", "Hz", (1, 10000))
    dorsiflexion: float = declare(3.1, "Angle at the signal's lowest.", "deg", (-60, 30))
    plantarflexion: float = declare(9.3, "Angle at the signal's highest.", "deg", (-30, 60))
    pedal_bandwidth: float = declare(0.7, "Bandwidth of the pedal.", "Hz", (0.01, 100))
    emg_cutoff: float = declare(3.0, "Low-pass of rectified EMG.", "Hz", (0.1, 400))

    def __post_init__(self) -> None:
        """Check every value, then whether frames fall on samples."""
        super().__post_init__()
        if self.sample_rate % self.frame_rate:
            raise InputError(
                f"frame_rate: found {self.frame_rate:g} Hz, wanted one that divides the "
                f"{self.sample_rate:g} Hz of samples; use one that does"
            )

    @property
    def samples(self) -> int:
        """Number of samples of a trial."""
        return round((self.rest + self.duration) * self.sample_rate)

    @property
    def frames(self) -> int:
        """Number of images of a trial."""
        return -(-self.samples // self.step)

    @property
    def times(self) -> NDArray[np.float64]:
        """Instants of samples, s from the task's beginning: the first ones are negative."""
        return (np.arange(self.samples) - round(self.rest * self.sample_rate)) / self.sample_rate

    @property
    def step(self) -> int:
        """Samples from frame to frame; the first sample is a frame's."""
        return round(self.sample_rate / self.frame_rate)

    def angle_of(self, signal: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what a signal asks of the pedal, deg."""
        middle = (self.dorsiflexion - self.plantarflexion) / 2
        return middle - (self.dorsiflexion + self.plantarflexion) / 2 * signal


def bases(times: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Return the paper's bases a, b and c (its equation 1) at times of the task, s.

    a and b have 0.2 and 0.25 Hz; c goes up to pi/2 Hz and back again every 30 s.
    """
    quarter = np.pi / 2
    return (
        np.sin(0.4 * times * np.pi - quarter),
        np.sin(0.5 * times * np.pi - quarter),
        np.sin(np.sin(times * np.pi / 30 - quarter) * 30 * np.pi - quarter),
    )


def drive_signal(times: NDArray[np.float64], period: float) -> NDArray[np.float64]:
    """Return the signal of a task: bases that take turns.

    First a, and every `period` a and b change places; after three periods c, and every three
    periods c and whichever of a and b it is the turn of change places. All run on the same clock,
    so signals jump where b takes over after 10 s. The two signals of a task of 180 s correlate by
    0.31 (Pearson; Spearman 0.32); the paper gives 0.33 and 0.34.

    Parameters
    ----------
    times : float64 array
        s from the task's beginning, 0 or more.
    period : float
        :data:`SHOWN` or :data:`PEDAL`, s.

    Returns
    -------
    float64 array
        -1 to 1, of the shape of `times`.
    """
    a, b, c = bases(times)
    turn = np.floor(times / period).astype(np.int64)
    return np.where(turn // 3 % 2 == 1, c, np.where(turn % 2 == 0, a, b))
