"""The one door to a store: a maker, a place, and how the work is to be done.

A :class:`Maker` says what the store holds and makes its parts; :func:`produce` does everything else
for every kind of maker: it looks at the place, finds workers, goes on where an earlier run stopped,
writes the parts and their checksums, and leaves nothing half-made behind.
"""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, NamedTuple, TypedDict, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..simulator.errors import FailureError, InputError
from . import writer
from .layout import Layout
from .location import Location
from .parallel import Pool, Run, open_workers
from .replacing import workplace
from .store import Store, open_store
from .store_files import MARK, ROOT

RESERVED_BYTES = 16 * 2**20
"""Room on the disk, beyond the store's own size, without which no store is begun."""

Task = TypeVar("Task")


class WorkOptions(TypedDict, total=False):
    """Keyword arguments of every verb that makes a store: those of :class:`Work`."""

    workers: int | None
    pool: Pool | None
    scheduler: str | None
    resume: bool
    overwrite: bool
    on_progress: Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Work:
    """How a store is to be made. Its values are the same whatever is chosen here.

    Parameters
    ----------
    workers : int, optional
        Threads or processes; the number of processors, if not given.
    pool : {"processes", "threads"}, optional
        What suits the maker best, if not given.
    scheduler : str, optional
        Address of a running dask scheduler, ``tcp://host:port``, whose workers do the work.
    resume : bool
        Whether to go on with what an earlier run of the same settings left.
    overwrite : bool
        Whether a musim store that is there is replaced. Anything else never is. On a disk the old
        one stays until the new one, beside it, is whole; in an object store it is removed first.
    on_progress : callable
        Called with the numbers of sequences done and in all, at the start and after each task.

    Raises
    ------
    InputError
        If both `resume` and `overwrite` are asked for.
    """

    workers: int | None = None
    pool: Pool | None = None
    scheduler: str | None = None
    resume: bool = False
    overwrite: bool = False
    on_progress: Callable[[int, int], None] = lambda done, total: None

    def __post_init__(self) -> None:
        if self.resume and self.overwrite:
            raise InputError("found both `resume` and `overwrite`, wanted one of them")


@dataclass(frozen=True)
class Part:
    """One part of a store, made.

    Parameters
    ----------
    number : int
    arrays : mapping of variable name to array
        Every variable but ``tvi``, or ``bmode`` of videos, the part's sequences first.
    voxels : iterable of arrays of shape (time, depth, width), or of iterables of them
        ``tvi`` of the part's sequences, one after the other, so that one is in memory at a time.
        Of videos, for each sequence what gives its frames block after block.
    """

    number: int
    arrays: Mapping[str, NDArray[Any]]
    voxels: Iterable[NDArray[np.float32]] | Iterable[Iterable[NDArray[np.uint8]]] = ()


class Input(NamedTuple):
    """Something that a store is made of, and that making it must not harm."""

    what: str
    location: Location


@dataclass(frozen=True, kw_only=True)
class Maker(ABC, Generic[Task]):
    """What makes a store. A new kind of store is a new maker, with an origin of its own.

    Makers are sent to workers: they and their tasks can be pickled.

    Parameters
    ----------
    layout : Layout
        What the store will hold, its origin included.
    """

    less: ClassVar[str] = "fewer sequences"
    """What to ask for where there is too little room."""

    layout: Layout

    @property
    def pool(self) -> Pool:
        """Whether threads or processes suit the work better."""
        return "processes"

    @property
    def inputs(self) -> Sequence[Input]:
        """What the store is made of."""
        return ()

    def read_through(self) -> None:
        """Look for anything that may be wrong with the inputs; called before a store is replaced.

        Raises
        ------
        InputError
            If there is something.
        """

    def tasks(self, parts: list[int]) -> Sequence[Task]:
        """Return tasks that together make some parts: the parts themselves, if not said here."""
        return parts  # type: ignore[return-value]

    @abstractmethod
    def make(self, task: Task) -> Iterable[Part]:
        """Make the parts of a task, wherever dask puts it."""


def produce(maker: Maker[Any], out: Any, work: Work) -> Store:
    """Make what is missing of a store, in parallel, and finish it.

    Parameters
    ----------
    maker : Maker
    out : str, path or Location
        A path or an fsspec URL.
    work : Work

    Returns
    -------
    Store
        The finished store, opened.

    Raises
    ------
    InputError
        If a value cannot be used, or something is at the location already. What this call began to
        write is then removed again.
    FailureError
        If the store cannot be written, or a worker dies. What is written can be resumed.
    """
    target = out if isinstance(out, Location) else Location(out)
    _check_apart(target, maker.inputs)
    pool = _pool(target, maker, work)
    with (
        open_workers(workers=work.workers, pool=pool, scheduler=work.scheduler) as run,
        workplace(
            target, resume=work.resume, overwrite=work.overwrite, is_whole=_is_whole
        ) as location,
    ):
        _produce_at(location, maker, work, run)
    return open_store(target)


def _produce_at(location: Location, maker: Maker[Any], work: Work, run: Run) -> None:
    """Make what is missing of a store at a place of its own."""
    layout = maker.layout
    missing = writer.survey(location, layout, resume=work.resume, overwrite=work.overwrite)
    if work.overwrite and location.exists(ROOT):
        # Where nothing can stand beside it, what is replaced is lost once the work begins: so what
        # may be wrong is looked for first.
        maker.read_through()
    _check_room(location, maker, len(missing))
    ours = len(missing) == layout.parts
    todo = maker.tasks(missing)
    done = 0

    def report() -> None:
        parts = layout.parts - len(missing) + round(len(missing) * done / max(len(todo), 1))
        work.on_progress(min(parts * layout.part_size, layout.sequences), layout.sequences)

    def on_done() -> None:
        nonlocal done
        done += 1
        report()

    if location.exists(ROOT) and not work.overwrite:
        report()
        return
    writer.begin(location, layout, overwrite=work.overwrite)
    # Of the run that began it, whose software may have been another.
    maker = dataclasses.replace(maker, layout=writer.read_plan(location))
    report()
    try:
        run(_make_and_write, [(location.address, maker, task) for task in todo], on_done)
    except InputError:
        # What is wrong with the input stays wrong: there is nothing to resume.
        if ours:
            location.remove(first=ROOT, last=MARK)
        raise
    writer.finalise(location, maker.layout)


def _is_whole(folder: Path) -> bool:
    """Return whether a folder holds a finished store."""
    return (folder / MARK).exists() and (folder / ROOT).exists()


def _make_and_write(url: str, maker: Maker[Task], task: Task) -> None:
    """Do one task: called by workers, wherever they are."""
    location = Location(url)
    for part in maker.make(task):
        writer.check_still_ours(location, maker.layout)
        writer.write_part(location, maker.layout, part.number, part.arrays, part.voxels)


def _check_apart(location: Location, inputs: Sequence[Input]) -> None:
    """Raise InputError if a store would replace or change what it is made of, or lie in it."""
    for what, place in inputs:
        same = location.address == place.address
        if location.is_local and place.is_local:
            target, source = location.path.resolve(), place.path.resolve()
            same = target.is_relative_to(source) or source.is_relative_to(target)
        if same:
            raise InputError(
                f"{location}: found {what} {place} at this place, wanted one apart from it; choose "
                "another"
            )


def _pool(location: Location, maker: Maker[Any], work: Work) -> Pool:
    """Return who can do the work: other processes do not see what lies in this one's memory."""
    places = [location, *(place for _, place in maker.inputs)]
    if all(place.is_shared for place in places):
        return work.pool or maker.pool
    if work.scheduler is not None:
        hidden = next(place for place in places if not place.is_shared)
        raise InputError(
            f"{hidden}: found a place in this process's memory, wanted one that the workers of the "
            "scheduler reach"
        )
    return "threads"


def _check_room(location: Location, maker: Maker[Any], parts: int) -> None:
    """Raise FailureError unless there is room for the voxels of some parts."""
    layout = maker.layout
    if layout.is_rendered or not layout.is_cut_in_time(layout.picture):
        return
    sequences = min(layout.part_size * parts, layout.sequences)
    voxels = np.prod([float(n) for n in layout.shape]) * sequences
    needed = voxels * np.dtype(layout.dtype).itemsize + RESERVED_BYTES
    free = location.free_bytes()
    if needed > free:
        raise FailureError(
            f"{location}: found {free / 1e9:.2f} GB free, wanted {needed / 1e9:.2f} GB; use "
            f"{maker.less} or another location"
        )
