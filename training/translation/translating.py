"""From a store of simulated sequences to a store of translated ones, with all its labels."""

import dataclasses
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Unpack

import numpy as np
from numpy.typing import NDArray

from ...datasets.layout import Layout
from ...datasets.location import Location
from ...datasets.origin import Translated, recorded_by, to_attributes
from ...datasets.production import Input, Maker, Part, Work, WorkOptions, produce
from ...datasets.store import Store, open_sequences
from ...simulator.errors import FailureError, InputError
from ..runs.folder import RunFolder, versions
from ..tasks import digest_of, open_run
from .translation_task import TranslateTask

_one_at_a_time = threading.Lock()


def plan(source: Store, run: str | Path) -> Layout:
    """Decide what the translated store will hold.

    Parameters
    ----------
    source : Store
        Of domain A.
    run : path
        A run of ``musim train translate``.

    Raises
    ------
    InputError
        If the run cannot be used, or not on such sequences.
    """
    if source.kind == "identified":
        raise InputError(
            f"{source.location}: found units that were identified, wanted simulated or recorded "
            "sequences; translate the store that they were found in"
        )
    folder = str(Path(run).absolute())
    RunFolder(run).describe()
    task, grid = _open(folder, digest_of(folder))
    layout = source.layout
    found = layout.grid
    if not found.fits(grid, frames=False, image=False):
        raise InputError(
            f"{source.location}: found {found.frame_rate:g} Hz and pixels of {found.pixel}, wanted "
            f"{grid.frame_rate:g} Hz and {grid.pixel} as in the training of {run}; generate it so, "
            "or train another translator"
        )
    try:
        task.check_sequences(layout.shape)
    except InputError as error:
        raise InputError(f"{source.location}: {error}") from error
    origin = Translated(
        store=source.location.address,
        sequences=len(source),
        run=folder,
        checkpoint=digest_of(folder),
        settings=task.settings.to_json(),
        parameters=source.parameters,
        seed=source.seed,
        recorded=recorded_by(source.origin),
        software=versions(),
    )
    return dataclasses.replace(
        layout,
        kind="dense",
        variables=("tvi", *_labels(layout)),
        part_size=1,
        attributes=to_attributes(origin),
    )


def translate_store(
    source: Any,
    run: str | Path,
    out: Any,
    **work: Unpack[WorkOptions],
) -> Store:
    """Translate all sequences of a store; labels, if it has any, go with them.

    Parameters
    ----------
    source : str or path
        A store of domain A, of the frame rate and pixels that the run was trained with. Sequences
        of any length, and images of other sizes, are translated too.
    run : path
        A run of ``musim train translate``.
    out : str or path
    **work
        Who does the work, and what becomes of a store that is there, see
        :class:`musim.datasets.production.Work`.

    Returns
    -------
    Store
        Dense; its :class:`origin <musim.datasets.origin.Translated>` names source and run.

    Raises
    ------
    InputError
        If the store or the run cannot be used, or something is at `out` already. What this call
        began to write is then removed.
    FailureError
        If the result cannot be written, or is not finite.
    """
    return produce(Translation(layout=plan(open_sequences(source), run)), out, Work(**work))


@dataclass(frozen=True, kw_only=True)
class Translation(Maker[int]):
    """Translates sequences, one a part, and takes their labels along."""

    less: ClassVar[str] = "a store of fewer sequences"

    @property
    def origin(self) -> Translated:
        """Source and run."""
        return self.layout.origin_as(Translated)

    @property
    def inputs(self) -> list[Input]:
        """The source's store, and the run."""
        places = {"the source": self.origin.store, "the run": self.origin.run}
        return [Input(what, Location(place)) for what, place in places.items()]

    def make(self, task: int) -> Iterator[Part]:
        """Translate one sequence."""
        store = open_sequences(self.origin.store)
        before = store.tvi(task).astype(np.float32, copy=False)
        if not np.isfinite(before.sum(dtype=np.float64)):
            raise InputError(
                f"{store.location}: found values that are not finite in sequence {task}, wanted "
                "numbers; leave it out"
            )
        after = self._translated(before, task)
        with np.errstate(over="ignore"):  # beyond float16
            finite = np.isfinite(after.astype(self.layout.dtype)).all()
        if not finite:
            raise FailureError(
                f"{self.origin.run}: found a translation of sequence {task} that is not finite, "
                "wanted numbers; use another run"
            )
        arrays = {name: np.asarray(store.read(name, task))[None] for name in _labels(self.layout)}
        yield Part(task, arrays, [after])

    def _translated(self, before: NDArray[np.float32], index: int) -> NDArray[np.float32]:
        import torch

        # Of threads that share the networks: each sequence sets the statistics of their
        # normalisations.
        with _one_at_a_time:
            task, _ = _open(self.origin.run, self.origin.checkpoint)
            threads = torch.get_num_threads()
            torch.set_num_threads(1)  # the other cores have sequences of their own
            try:
                return task.translate(before, index)
            finally:
                torch.set_num_threads(threads)


def _labels(layout: Layout) -> list[str]:
    return [name for name in layout.variables if name != "tvi"]


def _task_of(run: str) -> type[Any]:
    """Return the class of the translator that a run is of: one that learned with or without pairs.

    Raises
    ------
    InputError
        If there is no run of either, or it learned from slices.
    """
    from ..paired.paired_task import PairedTask

    description = RunFolder(run).describe()
    if description["task"] != PairedTask.name:
        RunFolder(run).describe(TranslateTask.name)
        return TranslateTask
    if not description["source"].get("b"):
        raise InputError(
            f"{run}: found a translator of paired slices, wanted one of sequences; translate a "
            "store of slices with it"
        )
    return PairedTask


@lru_cache(maxsize=1)
def _open(run: str, digest: str) -> tuple[Any, Any]:
    """Return the task of a run, and its grid; kept, though its training may go on meanwhile."""
    task, grid = open_run(run, _task_of(run))
    if digest_of(run) != digest:
        raise InputError(
            f"{run}: found another checkpoint than the one that was begun with, wanted the same; "
            "translate when its training is over"
        )
    return task, grid
