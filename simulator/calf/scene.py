"""One participant, ready to be imaged in any of the tasks."""

import functools

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..section.moving import MovingSection, margin_of, move
from ..section.scene import Display, draw_display, draw_scene
from .motion import fields
from .parameters import Participant, draw_participant
from .study import Study
from .tasks import TASKS
from .trial import Trial, run_trial

APART = 2**14
"""Frames from the first one of a task to that of the next, by which noise is drawn, or more."""

BESIDE = 1.05
"""The largest motion over that at the places where it is looked for."""


class CalfScene:
    """One participant with all that moves, ready to be imaged.

    Speckle is the same in all trials, and so are images, whichever of them are asked for.

    Parameters
    ----------
    study : Study
    participant : Participant
    trials : dict of str to Trial
        By task, all of :data:`.tasks.TASKS`.
    section : MovingSection
        Of the rows that are shown.
    display : Display

    Notes
    -----
    Use :func:`prepare_scene`. Threads may share one.
    """

    def __init__(
        self,
        study: Study,
        participant: Participant,
        trials: dict[str, Trial],
        section: MovingSection,
        display: Display,
    ) -> None:
        self.study, self.participant, self.trials = study, participant, trials
        self.section, self.display = section, display

    def images(self, task: str, first: int = 0, stop: int | None = None) -> NDArray[np.uint8]:
        """Return frames of a task, uint8 (frame, depth, width); each depends on its number alone.

        Parameters
        ----------
        task : str
            One of :data:`.tasks.TASKS`.
        first, stop : int
            All frames, if not given.
        """
        trial = self.trial(task)
        first, stop, _ = slice(first, stop).indices(len(trial.frame_times))
        apart = max(APART, self.study.protocol.frames)
        if stop <= first:
            return np.empty((0, *self.study.shape), np.uint8)
        return self.section.images(
            self.display,
            trial.courses[:, first:stop],
            first + apart * list(TASKS).index(task),
            trial.out_of_plane[first:stop],
        )

    def masks(self, task: str, first: int = 0, stop: int | None = None) -> NDArray[np.bool_]:
        """Return where aponeuroses lie in frames of a task, bool (frame, 2, depth, width)."""
        courses = self.trial(task).courses[:, first:stop]
        rows = self.study.rows(self.participant)
        return self.section.masks(courses, self.study.section)[:, :, rows]

    def trial(self, task: str) -> Trial:
        """Return a task's trial; raise InputError if there is no such task."""
        if task not in self.trials:
            raise InputError(f"task: found {task!r}, wanted one of {', '.join(self.trials)}")
        return self.trials[task]


def prepare_scene(study: Study, seed: int, index: int) -> CalfScene:
    """Prepare participant `index` for being imaged: a function of the arguments alone.

    It takes some two seconds, and some 100 MB for images of the paper's size.

    Raises
    ------
    InputError
        As :func:`.parameters.draw_participant` and
        :func:`musim.simulator.section.scene.draw_scene` do.
    """
    participant = draw_participant(study.calf, study.section, seed, index)
    moves = functools.partial(fields, participant)
    trials = {task: run_trial(participant, task, study.protocol) for task in TASKS}
    courses = np.concatenate([trial.courses for trial in trials.values()], axis=1)
    margin = margin_of(moves, courses, study.section)
    scene = draw_scene(study.section, seed, index, margin)
    section = move(scene, moves, seed, index)
    shown = section.window(study.rows(participant), farthest(section, courses))
    return CalfScene(study, participant, trials, shown, draw_display(study.section, seed, index))


def farthest(section: MovingSection, courses: NDArray[np.floating]) -> float:
    """Return the largest axial displacement of any scatterer in any frame, mm."""
    axial = section.moved[::16, :, 0, ::16]  # fields are smooth
    far = np.tensordot(axial.astype(np.float64), courses, (1, 0))
    return BESIDE * float(np.abs(far).max())
