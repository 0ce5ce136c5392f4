"""What a simulated store will need, told before it is made: its size, time and memory."""

import time
import tracemalloc
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import numpy as np

from ..simulator.calf.study import Study
from ..simulator.parameters import Parameters
from ..simulator.section.parameters import SectionParameters
from .chunks import packed_size
from .generation import Generation, generate, plan
from .layout import Layout
from .location import Location
from .parallel import default_workers
from .sections import SectionGeneration, generate_sections, plan_sections
from .store_files import MARK, PARTS, ROOT
from .videos.generation import TrialGeneration, generate_trials, plan_trials

LONG_ENOUGH = 0.5
"""Seconds that sequences have to take for their time to be trusted."""

FEWEST = 8
"""Sequences that have to be made, where they take no longer than `TOO_LONG`, for their size to be
trusted: one alone is packed worse, and may be smaller or larger than most."""

TOO_LONG = 5.0
"""Seconds after which the first sequence is not made again to be timed by itself."""

MOST_BYTES = 2**28
"""Of the voxels that a trial keeps in memory."""

SIGNAL_BYTES = 2**24
"""Of one trial's signals, or less."""

SOME_FRAMES = 24
"""Of a trial, by which the time and size of its images are told."""

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
    parameters: Parameters | SectionParameters | Study,
    *,
    workers: int | None = None,
    **settings: Any,
) -> Trial:
    """Make a few of a store's sequences in memory, and say what all of them will take.

    Nothing is written to a disk.

    Parameters
    ----------
    parameters : Parameters, SectionParameters or Study
    workers : int, optional
        Threads or processes; the number of processors, if not given.
    **settings
        As :func:`musim.datasets.generation.plan` takes them,
        :func:`musim.datasets.sections.plan_sections`, or
        :func:`musim.datasets.videos.generation.plan_trials`.

    Returns
    -------
    Trial

    Raises
    ------
    InputError
        As the functions that make such stores do.
    """
    images = _Images()
    if isinstance(parameters, Study):
        layout = plan_trials(parameters, **settings)
        pool = TrialGeneration(layout=layout).pool
        if not layout.is_rendered:
            images, settings = _images_of(layout), {**settings, "written": False}
    elif isinstance(parameters, SectionParameters):
        layout = plan_sections(parameters, **settings)
        pool = SectionGeneration(layout=layout).pool
    else:
        layout = plan(parameters, **settings)
        pool = Generation(layout=layout).pool
    size_of_one = float(np.prod(layout.shape)) * np.dtype(layout.dtype).itemsize
    if isinstance(parameters, Study):
        size_of_one = SIGNAL_BYTES  # images are not made, even where they are written
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
        + (store.of_sequences / made + images.bytes) * layout.sequences,
        seconds=(store.seconds / made + images.seconds) * layout.sequences,
        memory=LIBRARIES * processes + (max(working, 0) + images.memory) * used,
        workers=used,
    )


@dataclass(frozen=True)
class _Images:
    """What the images of a trial add where they are written: bytes, seconds and bytes of memory."""

    bytes: float = 0.0
    seconds: float = 0.0
    memory: float = 0.0


def _images_of(layout: Layout) -> _Images:
    """Tell it from a few frames of the first trial, which take a hundredth of it."""
    maker, length = TrialGeneration(layout=layout), layout.sizes["time"]
    tracemalloc.start()
    try:
        began = time.process_time()
        scene = maker.scene(0)
        prepared = time.process_time() - began
        task, some = maker.origin.trial(0)[1], min(length, SOME_FRAMES)
        scene.images(task, 0, 1)  # planes are drawn, and kernels loaded
        _, memory = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    began = time.process_time()
    frames = scene.images(task, length // 2, length // 2 + some)
    seconds = (time.process_time() - began) / len(frames)
    return _Images(
        bytes=packed_size(frames) / len(frames) * length,
        seconds=seconds * length + prepared / len(maker.origin.tasks),
        memory=memory + frames.nbytes / len(frames) * 2 * layout.frames_of_chunk,
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
    parameters: Parameters | SectionParameters | Study, settings: dict[str, Any], sequences: int
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
        if isinstance(parameters, Study):
            made = generate_trials(parameters, place, **some)
        elif isinstance(parameters, SectionParameters):
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
