"""Stores of simulated trials: signals and truth written, images too or rendered when read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

import numpy as np
from numpy.typing import NDArray

from ...simulator.calf.motion import MODES
from ...simulator.calf.parameters import draw_participant
from ...simulator.calf.study import PARTICIPANTS, Study
from ...simulator.calf.tasks import TASKS
from ...simulator.calf.trial import run_trial
from ...simulator.errors import InputError
from ...simulator.seeds import check_seed
from ..layout import Layout
from ..origin import SimulatedTrials, to_attributes
from ..parallel import Pool
from ..production import Maker, Part, Work, WorkOptions, produce
from ..schema import VIDEO, variables_of
from ..store import Store
from .rendering import scene_of

if TYPE_CHECKING:
    from ...simulator.calf.scene import CalfScene

FEW_TRIALS = 32
"""Up to so many, starting processes takes longer than they save."""

_OTHER_NAMES = {
    "mode_course": "courses",
    "fascicle_length_course": "fascicle_length",
    "pennation_course": "pennation",
    "thickness_course": "thickness",
}
"""What is called otherwise in a :class:`musim.simulator.calf.trial.Trial`."""


def plan_trials(
    study: Study | None = None,
    *,
    sequences: int | None = None,
    tasks: Sequence[str] = tuple(TASKS),
    seed: int = 0,
    written: bool = False,
    part_size: int | None = None,
) -> Layout:
    """Decide what a store of simulated trials will hold.

    Parameters
    ----------
    study : Study, optional
        That of Cunningham et al. 2017, if not given.
    sequences : int, optional
        Number of trials: sequence i is task ``i % len(tasks)`` of participant ``i // len(tasks)``.
        All tasks of 19 participants, if not given.
    tasks : sequence of str
        Some of :data:`musim.simulator.calf.tasks.TASKS`.
    seed : int
        A trial depends on the study, the seed, its participant's number and its task alone.
    written : bool
        Whether images are written, not rendered when they are read. They are the same.
    part_size : int, optional
        Trials in a part; 1, if not given.

    Returns
    -------
    Layout

    Raises
    ------
    InputError
        If a value is out of bounds.
    """
    study, tasks = study or Study(), tuple(tasks)
    if not tasks or len(set(tasks)) < len(tasks) or not set(tasks) <= set(TASKS):
        raise InputError(
            f"tasks: found {', '.join(map(repr, tasks)) or 'none'}, wanted some of "
            f"{', '.join(TASKS)}, each once"
        )
    sequences = PARTICIPANTS * len(tasks) if sequences is None else int(sequences)
    if not 1 <= sequences < 2**31:
        raise InputError(f"sequences: found {sequences}, wanted 1 to {2**31 - 1}")
    part_size = 1 if part_size is None else int(part_size)
    if part_size < 1:
        raise InputError(f"part_size: found {part_size}, wanted 1 or more")
    origin = SimulatedTrials(study=study, seed=check_seed(seed), tasks=tasks)
    depth, width = study.shape
    names = [one.name for one in variables_of(VIDEO)]
    return Layout(
        kind=VIDEO,
        variables=("bmode", *names) if written else tuple(names),
        sizes={
            "sequence": sequences,
            "time": study.protocol.frames,
            "depth": depth,
            "width": width,
            "sample": study.protocol.samples,
            "mode": len(MODES),
        },
        part_size=min(part_size, sequences),
        dtypes={},
        frame_rate=study.protocol.frame_rate,
        pixel_size=study.section.pixel_size,
        attributes=to_attributes(origin),
        sample_rate=study.protocol.sample_rate,
    )


def generate_trials(
    study: Study | None = None,
    out: Any = "musim.zarr",
    *,
    sequences: int | None = None,
    tasks: Sequence[str] = tuple(TASKS),
    seed: int = 0,
    written: bool = False,
    part_size: int | None = None,
    **work: Unpack[WorkOptions],
) -> Store:
    """Simulate trials of participants, and store their signals with the truth.

    Every value is the same for any number and kind of workers, and any interruption and
    resumption.

    Parameters
    ----------
    study : Study, optional
        That of Cunningham et al. 2017, if not given.
    out : str or path
        A path or an fsspec URL.
    sequences, tasks, seed, written, part_size
        See :func:`plan_trials`.
    **work
        Who does the work, and what becomes of a store that is there, see
        :class:`musim.datasets.production.Work`.

    Returns
    -------
    Store
        The finished store, opened.

    Raises
    ------
    InputError
        If a value cannot be used, or something is at `out` already.
    FailureError
        If the store cannot be written, or a worker dies. What is written can be resumed.

    Examples
    --------
    >>> from musim.datasets.videos.generation import generate_trials
    >>> from musim.simulator.calf.study import Study
    >>> study = Study().changed({"rest": 1, "duration": 2})
    >>> store = generate_trials(study, "memory://calf.zarr", sequences=1)
    >>> store.dataset.bmode.shape
    (1, 75, 120, 496)
    """
    layout = plan_trials(study, sequences=sequences, tasks=tasks, seed=seed, written=written,
                         part_size=part_size)  # fmt: skip
    maker = TrialGeneration(layout=layout)
    maker.check()
    return produce(maker, out, Work(**work))


@dataclass(frozen=True, kw_only=True)
class TrialGeneration(Maker[int]):
    """Simulates trials: a part is a task."""

    less: ClassVar[str] = "`written=False`, fewer `sequences`"

    @property
    def origin(self) -> SimulatedTrials:
        """Study, seed and tasks."""
        return self.layout.origin_as(SimulatedTrials)

    @property
    def pool(self) -> Pool:
        """Threads where images are written: kernels have the work, and participants are shared.

        Signals are made in Python, by processes where these pay for being started.
        """
        many = self.layout.sequences > FEW_TRIALS
        return "processes" if many and self.layout.is_rendered else "threads"

    def check(self) -> None:
        """Raise InputError if a participant cannot be: before the first byte is written."""
        origin = self.origin
        participants = -(-self.layout.sequences // len(origin.tasks))
        for index in range(participants):
            draw_participant(origin.study.calf, origin.study.section, origin.seed, index)

    def make(self, task: int) -> Iterator[Part]:
        """Simulate the trials of one part."""
        indices = self.layout.sequences_of(task)
        rows = [self.draw(index) for index in indices]
        arrays = {
            name: np.stack([row[name] for row in rows])
            for name in self.layout.variables
            if not self.layout.is_cut_in_time(name)
        }
        yield Part(task, arrays, () if self.layout.is_rendered else map(self.frames, indices))

    def draw(self, index: int) -> dict[str, NDArray[Any]]:
        """Return the variables of one trial by name, images aside."""
        origin = self.origin
        number, task = origin.trial(index)
        study = origin.study
        participant = draw_participant(study.calf, study.section, origin.seed, number)
        trial = run_trial(participant, task, study.protocol)
        known = {
            "frame_count": len(trial.frame_times),
            "participant": number,
            "task": origin.tasks.index(task),
            "first_row": study.rows(participant).start,
            "distal": participant.distal,
        }
        return {
            name: np.asarray(
                known[name] if name in known else getattr(trial, _OTHER_NAMES.get(name, name)),
                self.layout.variable(name).dtype,
            )
            for name in self.layout.variables
            if not self.layout.is_cut_in_time(name)
        }

    def scene(self, index: int) -> "CalfScene":
        """Return the participant of a trial, ready to be imaged."""
        origin = self.origin
        return scene_of(origin.study, origin.seed, origin.trial(index)[0])

    def frames(self, index: int) -> Iterator[NDArray[np.uint8]]:
        """Render the images of one trial, as many at a time as a chunk holds."""
        scene, task = self.scene(index), self.origin.trial(index)[1]
        length = self.layout.frames_of_chunk
        for first in range(0, self.layout.sizes["time"], length):
            yield scene.images(task, first, first + length)
