"""What a simulated store will need, told before it is made: its size, time and memory."""

import time
import tracemalloc
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import numpy as np

from ..simulator.parameters import Parameters
from ..simulator.section.parameters import SectionParameters
from .generation import Generation, generate, plan
from .location import Location
from .parallel import default_workers
from .sections import SectionGeneration, generate_sections, plan_sections
from .store_files import MARK, PARTS, ROOT

LONG_ENOUGH = 0.5
"""Seconds that sequences have to take for their time to be trusted."""

FEWEST = 8
"""Sequences that have to be made, where they take no longer than `TOO_LONG`, for their size to be
trusted: one alone is packed worse, and may be smaller or larger than most."""

TOO_LONG = 5.0
"""Seconds after which the first sequence is not made again to be timed by itself."""

MOST_BYTES = 2**28
"""Of the voxels that a trial keeps in memory."""

LIBRARIES = 165 * 2**20
"""Bytes of a process that has made nothing yet: its peak of resident memory after `import` of what
simulating needs, on Linux (``resource.getrusage``)."""


@dataclass(frozen=True)
class Trial:
    """What making a store takes, as a few of its sequences tell.

    Parameters
    ----------
    made : int
        Sequences that were made.
    bytes : float
        Size of the store.
    seconds : float
        Processor time of its sequences; beginning and ending come on top.
    memory : float
        Bytes of all workers together.
    workers : int
        Those that have something to do.
    """

    made: int
    bytes: float
    seconds: float
    memory: float
    workers: int

    @property
    def duration(self) -> float:
        """Seconds until the store is there, if every worker has a processor of its own."""
        return self.seconds / self.workers


def try_out(
    parameters: Parameters | SectionParameters, *, workers: int | None = None, **settings: Any
) -> Trial:
    """Make a few of a store's sequences in memory, and say what all of them will take.

    Nothing is written to a disk.

    Parameters
    ----------
    parameters : Parameters or SectionParameters
    workers : int, optional
        Threads or processes; the number of processors, if not given.
    **settings
        As :func:`musim.datasets.generation.plan` takes them, or
        :func:`musim.datasets.sections.plan_sections`.

    Returns
    -------
    Trial

    Raises
    ------
    InputError
        As :func:`musim.datasets.generation.generate` does, or
        :func:`musim.datasets.sections.generate_sections`.
    """
    if isinstance(parameters, SectionParameters):
        layout = plan_sections(parameters, **settings)
        pool = SectionGeneration(layout=layout).pool
    else:
        layout = plan(parameters, **settings)
        pool = Generation(layout=layout).pool
    size_of_one = float(np.prod(layout.shape)) * np.dtype(layout.dtype).itemsize
    most = min(layout.sequences, max(1, int(MOST_BYTES / size_of_one)))
    tracemalloc.start()
    try:
        store = _make(parameters, settings, 1)
        # The store lies in memory only here; what is left now are libraries that were loaded.
        left, peak = tracemalloc.get_traced_memory()
        working = peak - store.bytes - left
    finally:
        tracemalloc.stop()
    made = 1
    if store.elapsed < TOO_LONG:
        # The first one has kernels loaded or compiled, and every allocation noted.
        store = _make(parameters, settings, 1)
    while made < most and (
        store.elapsed < LONG_ENOUGH or (made < FEWEST and 2 * store.elapsed < TOO_LONG)
    ):
        made = min(most, max(2 * made, round(made * LONG_ENOUGH / max(store.elapsed, 1e-3))))
        store = _make(parameters, settings, made)
    used = min(workers or default_workers(), layout.parts)
    processes = used if pool == "processes" else 1
    return Trial(
        made=made,
        bytes=store.once
        + store.of_parts * layout.parts / store.parts
        + store.of_sequences * layout.sequences / made,
        seconds=store.seconds * layout.sequences / made,
        memory=LIBRARIES * processes + max(working, 0) * used,
        workers=used,
    )


@dataclass(frozen=True)
class _Made:
    """A store that was made for a trial, and what of it grows with the sequences.

    Parameters
    ----------
    elapsed, seconds : float
        Processor time of all, and of making and writing sequences.
    once, of_parts, of_sequences : float
        Bytes that any store has once, those of the parts' manifests, and those of sequences.
    parts : int
    """

    elapsed: float
    seconds: float
    once: float
    of_parts: float
    of_sequences: float
    parts: int

    @property
    def bytes(self) -> float:
        """Size of the store."""
        return self.once + self.of_parts + self.of_sequences


def _make(
    parameters: Parameters | SectionParameters, settings: dict[str, Any], sequences: int
) -> _Made:
    """Make sequences in memory, and say what they took."""
    place = Location(f"memory://trial-{uuid4().hex}.zarr")
    # Processor time, and bytes of the store, before the first part and after the last.
    marks: list[tuple[float, float]] = []

    def on_progress(done: int, total: int) -> None:
        if done in (0, total):
            marks.append((time.process_time(), _bytes_in(place)))

    began = time.process_time()
    try:
        some: dict[str, Any] = {
            **settings, "sequences": sequences, "workers": 1, "on_progress": on_progress,
        }  # fmt: skip
        if isinstance(parameters, SectionParameters):
            made = generate_sections(parameters, place, **some)
        else:
            made = generate(parameters, place, **some)
        elapsed = time.process_time() - began
        (before, empty), (after, full) = marks
        of_parts = _bytes_in(place, PARTS)
        return _Made(
            elapsed=elapsed,
            seconds=after - before,
            once=_bytes_in(place) - (full - empty),
            of_parts=of_parts,
            of_sequences=full - empty - of_parts,
            parts=made.layout.parts,
        )
    finally:
        place.remove(first=ROOT, last=MARK)


def _bytes_in(place: Location, key: str = "") -> float:
    """Return the size of all files of a place, or of those in a folder of it."""
    # Not `du`, which in memory looks at all files for each of them.
    files = place.system.find(f"{place.root}/{key}", detail=True)
    return float(sum(file["size"] for file in files.values()))
