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
from .layout import MARK, ROOT
from .location import Location
from .parallel import default_workers
from .sections import SectionGeneration, generate_sections, plan_sections

LONG_ENOUGH = 0.5
"""Seconds that sequences have to take for their time to be trusted."""

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
        seconds, size = _make(parameters, settings, 1)
        # The store lies in memory only here; what is left now are libraries that were loaded.
        left, peak = tracemalloc.get_traced_memory()
        working = peak - size - left
    finally:
        tracemalloc.stop()
    made = 1
    if seconds < TOO_LONG:
        # The first one has kernels loaded or compiled, and every allocation noted.
        seconds, size = _make(parameters, settings, 1)
    while seconds < LONG_ENOUGH and made < most:
        made = min(most, max(2 * made, round(made * LONG_ENOUGH / max(seconds, 1e-3))))
        seconds, size = _make(parameters, settings, made)
    used = min(workers or default_workers(), layout.parts)
    processes = used if pool == "processes" else 1
    return Trial(
        made=made,
        bytes=size * layout.sequences / made,
        seconds=seconds * layout.sequences / made,
        memory=LIBRARIES * processes + max(working, 0) * used,
        workers=used,
    )


def _make(
    parameters: Parameters | SectionParameters, settings: dict[str, Any], sequences: int
) -> tuple[float, float]:
    """Make sequences in memory; return their processor time and size in bytes."""
    place = Location(f"memory://trial-{uuid4().hex}.zarr")
    began = time.process_time()
    try:
        some: dict[str, Any] = {**settings, "sequences": sequences, "workers": 1}
        if isinstance(parameters, SectionParameters):
            generate_sections(parameters, place, **some)
        else:
            generate(parameters, place, **some)
        seconds = time.process_time() - began
        return seconds, float(place.system.du(place.root))
    finally:
        place.remove(first=ROOT, last=MARK)
