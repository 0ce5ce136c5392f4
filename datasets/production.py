"""Making a store part by part with workers, wherever its sequences come from."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from ..simulator.errors import FailureError, InputError
from . import writer
from .layout import MARK, ROOT, Layout
from .location import Location
from .parallel import Pool, open_workers
from .store import Store, open_store

RESERVED_BYTES = 16 * 2**20
"""Room on the disk, beyond the store's own size, without which no store is begun."""

Tasks = Callable[[list[int]], Sequence[tuple[Any, ...]]]
"""Given the parts that are missing, returns what the workers' function is called with, each time
after the location's address and the layout. Together the calls write these parts."""


def one_by_one(parts: list[int]) -> list[tuple[int]]:
    """Return a task for each part."""
    return [(part,) for part in parts]


def produce(
    location: Location,
    layout: Layout,
    make: Callable[..., None],
    tasks: Tasks = one_by_one,
    *,
    workers: int | None = None,
    pool: Pool = "processes",
    scheduler: str | None = None,
    resume: bool = False,
    overwrite: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Store:
    """Make what is missing of a store, in parallel, and finish it.

    Parameters
    ----------
    location : Location
    layout : Layout
    make : callable
        Called by a worker with the location's address, the layout, and what a task holds; writes
        parts by :func:`musim.datasets.writer.write_part`.
    tasks : callable
        See :data:`Tasks`.
    workers, pool, scheduler
        See :func:`musim.datasets.parallel.open_workers`.
    resume, overwrite : bool
        What to do with a store that is there, see :func:`musim.datasets.writer.survey`.
    on_progress : callable
        Called with the numbers of sequences done and in all, at the start and after each task.

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
    if not location.is_shared:
        if scheduler is not None:
            raise InputError(
                f"{location}: found a place in this process's memory, wanted one that the workers "
                "of the scheduler reach"
            )
        pool = "threads"
    missing = writer.survey(location, layout, resume=resume, overwrite=overwrite)
    check_room(location, layout, len(missing))
    ours = len(missing) == layout.parts
    todo = tasks(missing)
    folders = _folders_to_make(location)
    done = 0

    def report() -> None:
        parts = layout.parts - len(missing) + round(len(missing) * done / max(len(todo), 1))
        on_progress(min(parts * layout.part_size, layout.sequences), layout.sequences)

    def on_done() -> None:
        nonlocal done
        done += 1
        report()

    with open_workers(workers=workers, pool=pool, scheduler=scheduler) as run:
        if not location.exists(ROOT) or overwrite:
            writer.begin(location, layout, overwrite=overwrite)
            layout = writer.read_plan(location)  # of the run that began it
            report()
            try:
                run(make, [(location.address, layout, *task) for task in todo], on_done)
            except InputError:
                # What is wrong with the input stays wrong: there is nothing to resume.
                if ours:
                    location.remove(first=ROOT, last=MARK)
                    _remove_empty(folders)
                raise
            writer.finalise(location, layout)
        else:
            report()
    return open_store(location)


def _folders_to_make(location: Location) -> list[Path]:
    """Return the folders that a local store still lacks, the innermost first."""
    if not location.is_local:
        return []
    return [path for path in (location.path, *location.path.parents) if not path.exists()]


def _remove_empty(folders: Sequence[Path]) -> None:
    for folder in folders:
        with suppress(OSError):  # somebody has put something into it since
            folder.rmdir()


def check_room(location: Location, layout: Layout, parts: int) -> None:
    """Raise FailureError unless there is room for the voxels of some parts."""
    if "tvi" not in layout.variables:
        return
    sequences = min(layout.part_size * parts, layout.sequences)
    voxels = np.prod([float(n) for n in layout.shape]) * sequences
    needed = voxels * np.dtype(layout.dtype).itemsize + RESERVED_BYTES
    free = location.free_bytes()
    if needed > free:
        if "musim_parameters" in layout.attributes:
            less = "--render on-read, fewer --sequences"
        elif "musim_translated_from" in layout.attributes or layout.kind == "identified":
            less = "a store of fewer sequences"
        else:
            less = "--dtype float16, fewer files"
        raise FailureError(
            f"{location}: found {free / 1e9:.2f} GB free, wanted {needed / 1e9:.2f} GB; use "
            f"{less} or another location"
        )
