"""One trial of a participant: what is done, what is measured, and how the section moves."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..experiment.doses import quantised
from ..seeds import Stream, generator
from .courses import delayed, lag, wander
from .electromyography import amplitude, electromyogram
from .joint import activate, elastic_torque, short_range_torque
from .motion import active_motion, fascicle, joined, passive_motion
from .parameters import Participant
from .tasks import PEDAL, SHOWN, TASKS, Protocol, drive_signal

TRIALS = 16
"""Numbers of trials that a participant has place for, of which each task has one."""

TRACKING_BAND = (0.1, 2.0)
"""Frequencies at which drive wavers about what is asked, Hz (an assumption)."""

DRIFT_BAND = (0.02, 0.3)
"""Frequencies of slow motion of the probe, Hz (an assumption)."""


@dataclass(frozen=True)
class Trial:
    """What happened in a trial; torque is of plantarflexion, angles are positive in dorsiflexion.

    Parameters
    ----------
    times : float64 array of shape (sample,)
        s from the task's beginning, negative while resting.
    shown : float32 array of shape (sample,)
        The signal that is to be followed, -1..1; NaN where none is shown.
    excitation, activation : float32 arrays of shape (sample,)
        Neural drive and what it makes of the muscle, over those of a maximal contraction.
    emg : float32 array of shape (sample,)
        The electromyogram, V.
    emg_amplitude : float32 array of shape (sample,)
        Rectified and low-passed, V.
    active_torque, passive_torque : float32 arrays of shape (sample,)
        What the muscle and its tissues really do, N m.
    torque, angle : float32 arrays of shape (sample,)
        As measured, N m and deg.
    true_angle : float32 array of shape (sample,)
        deg.
    frame_times : float64 array of shape (frame,)
        Of images, s from the task's beginning.
    courses : float32 array of shape (mode, frame)
        Of :data:`.motion.MODES`, by which the section moves.
    out_of_plane : float32 array of shape (frame,)
        Motion of the muscle across the image plane, mm.
    fascicle_length, pennation, thickness : float32 arrays of shape (frame,)
        Of a straight fascicle in the image's middle and of the muscle there, mm, deg and mm: what
        the courses do to them.
    """

    times: NDArray[np.float64]
    shown: NDArray[np.float32]
    excitation: NDArray[np.float32]
    activation: NDArray[np.float32]
    emg: NDArray[np.float32]
    emg_amplitude: NDArray[np.float32]
    active_torque: NDArray[np.float32]
    passive_torque: NDArray[np.float32]
    torque: NDArray[np.float32]
    angle: NDArray[np.float32]
    true_angle: NDArray[np.float32]
    frame_times: NDArray[np.float64]
    courses: NDArray[np.float32]
    out_of_plane: NDArray[np.float32]
    fascicle_length: NDArray[np.float32]
    pennation: NDArray[np.float32]
    thickness: NDArray[np.float32]


def run_trial(participant: Participant, task: str, protocol: Protocol | None = None) -> Trial:
    """Let a participant do a task: a function of the arguments alone.

    Parameters
    ----------
    participant : Participant
    task : {"isometric", "passive", "combined"}
        A name in :data:`.tasks.TASKS`.
    protocol : Protocol, optional
        That of Cunningham et al. 2017 (doi:10.1101/157479) without.

    Raises
    ------
    InputError
        If there is no such task.

    Examples
    --------
    >>> from musim.simulator.calf.parameters import CalfParameters, draw_participant
    >>> from musim.simulator.section.parameters import SectionParameters
    >>> first = draw_participant(CalfParameters(), SectionParameters(), seed=1, index=0)
    >>> trial = run_trial(first, "combined", Protocol(rest=2, duration=20))
    >>> trial.torque.shape, trial.courses.shape
    ((22000,), (5, 550))
    """
    if task not in TASKS:
        raise InputError(f"task: found {task!r}, wanted one of {', '.join(TASKS)}")
    protocol = protocol or Protocol()
    drawn, rate, times = participant.drawn, protocol.sample_rate, protocol.times
    randoms = _Randoms(participant, task)
    shown, excitation = _drive(participant, task, protocol, randoms)
    angle = _pedal(task, protocol)
    activation = activate(excitation, drawn["rise"], drawn["fall"], rate)
    force = delayed(activation, drawn["electromechanical_delay"], rate)
    active = drawn["maximal_torque"] * force * (1 + drawn["force_length"] * angle)
    elastic = elastic_torque(
        angle, drawn["passive_stiffness"], drawn["passive_growth"], drawn["slack"]
    )
    passive = elastic + short_range_torque(angle, drawn, rate)
    emg = electromyogram(
        excitation, drawn["emg_gain"], drawn["emg_noise"], rate, randoms(Stream.ELECTROMYOGRAPHY)
    )
    noise = randoms(Stream.SENSORS).standard_normal((len(times), 2)).T

    frames = slice(None, None, protocol.step)
    random, instants = randoms(Stream.PROBE_MOTION), times[frames]
    slow = [wander(instants, DRIFT_BAND, random) for _ in range(2)]
    courses = joined(
        active_motion(participant, active[frames]),
        passive_motion(participant, angle[frames]),
        drawn["probe_drift"] * slow[0],
    )
    sliding, _, shear, bulging, _ = courses
    across = drawn["out_of_plane"] * (sliding + shear) + drawn["out_of_plane_drift"] * slow[1]
    length, pennation = fascicle(participant, courses)
    return Trial(
        times=times,
        shown=quantised(shown),
        excitation=quantised(excitation),
        activation=quantised(activation),
        emg=_small(emg),
        emg_amplitude=_small(amplitude(emg, protocol.emg_cutoff, rate)),
        active_torque=quantised(active),
        passive_torque=quantised(passive),
        torque=quantised(active + passive + drawn["torque_noise"] * noise[0]),
        angle=quantised(angle + drawn["angle_noise"] * noise[1]),
        true_angle=quantised(angle),
        frame_times=instants,
        courses=quantised(courses),
        out_of_plane=quantised(across),
        fascicle_length=quantised(length),
        pennation=quantised(pennation),
        thickness=quantised(participant.thickness * (1 + bulging)),
    )


class _Randoms:
    """The generators of one trial of a participant."""

    def __init__(self, participant: Participant, task: str) -> None:
        self.seed = participant.seed
        self.trial = TRIALS * participant.index + list(TASKS).index(task)

    def __call__(self, stream: Stream) -> np.random.Generator:
        return generator(self.seed, self.trial, stream)


def _drive(
    participant: Participant, task: str, protocol: Protocol, randoms: _Randoms
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what is shown, NaN where nothing is, and the drive that follows it."""
    times, drawn = protocol.times, participant.drawn
    shown = np.full_like(times, np.nan)
    if not TASKS[task].contracts:
        return shown, np.zeros_like(times)
    working = times >= 0
    shown[working] = drive_signal(times[working], SHOWN)
    asked = np.where(working, (shown + 1) / 2, 0.0)
    followed = lag(
        delayed(asked, drawn["tracking_delay"], protocol.sample_rate),
        drawn["tracking_bandwidth"],
        protocol.sample_rate,
    )
    wavering = wander(times, TRACKING_BAND, randoms(Stream.TRACKING))
    excitation = drawn["effort"] * followed * (1 + drawn["tracking_noise"] * wavering)
    return shown, np.clip(excitation, 0, 1)


def _pedal(task: str, protocol: Protocol) -> NDArray[np.float64]:
    """Return the angle of the pedal, deg."""
    times = protocol.times
    angle = np.zeros_like(times)
    if TASKS[task].rotates:
        working = times >= 0
        angle[working] = protocol.angle_of(drive_signal(times[working], PEDAL))
        angle = lag(angle, protocol.pedal_bandwidth, protocol.sample_rate)
    return angle


def _small(volts: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return values of some 1e-4 as :func:`quantised` does others."""
    return quantised(volts * 1024) * np.float32(2**-10)
